"""What a library does while it is imported, and every run must still find done: print, make folders, change other libraries."""

from collections.abc import Callable
from pathlib import Path

import pytest

from seedwise.api.script import run_script

from .both_ways import hold_both_ways
from .test_same_as_fresh import library

pytestmark = pytest.mark.slow
Script = Callable[..., list[str]]
SAYS = "SEED = 42\nimport badlib\nprint('acc =', SEED)\n"


@pytest.mark.parametrize("more", ["", "os.write(1, b'raw')\nos.write(2, b'raw')\nos.system('echo from a child')"])
@pytest.mark.parametrize("unbuffered", [False, True])
def test_what_it_prints_is_printed_by_every_run_in_its_place(
    more: str,
    unbuffered: bool,
    script: Script,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    forked: list[int],
    executed_once: Callable[[int], bool],
) -> None:
    if unbuffered:
        monkeypatch.setenv("PYTHONUNBUFFERED", "1")
    else:
        monkeypatch.delenv("PYTHONUNBUFFERED", raising=False)
    library(tmp_path, monkeypatch, f"import os, sys\nprint('hello')\nprint('oh', file=sys.stderr)\n{more}")
    hold_both_ways(script("print('before')\n" + SAYS + "import badlib\nprint('after')"), forked)
    assert executed_once(3)


@pytest.mark.parametrize(
    "elsewhere",
    [
        "sys.stdout = open('out.txt', 'w')",
        "sys.stderr = io.StringIO()",
        "contextlib.redirect_stdout(io.StringIO()).__enter__()",
    ],
)
def test_what_it_prints_goes_where_the_script_sends_it(
    elsewhere: str, script: Script, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, forked: list[int]
) -> None:
    library(tmp_path, monkeypatch, "import sys\nprint('hello')\nprint('oh', file=sys.stderr)")
    hold_both_ways(script(f"import contextlib, io, sys\n{elsewhere}\n{SAYS}"), forked)


def test_a_folder_it_makes_is_there_in_every_run_and_nowhere_else(
    script: Script,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    forked: list[int],
    executed_once: Callable[[int], bool],
) -> None:
    place = tmp_path / "home" / "cache" / "badlib"
    library(tmp_path, monkeypatch, f"import os\nos.makedirs({str(place)!r}, mode=0o750, exist_ok=True)")
    text = f"import os, stat\nplace = {str(place)!r}\nprint(os.path.isdir(place))\n{SAYS}print(oct(os.stat(place).st_mode), os.listdir(place))\n"
    hold_both_ways(script(text + "open(place + '/mine', 'w').write(str(SEED))"), forked)
    assert executed_once(5)
    assert not place.exists()


def test_a_folder_that_is_there_already_is_left_there(
    script: Script,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    forked: list[int],
    executed_once: Callable[[int], bool],
) -> None:
    place = tmp_path / "cache"
    place.mkdir()
    library(tmp_path, monkeypatch, f"import os\nos.makedirs({str(place)!r}, exist_ok=True)")
    hold_both_ways(script(SAYS), forked)
    assert executed_once(2)
    assert place.is_dir()


def test_the_folder_for_temporary_files_may_be_asked_for(
    script: Script,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    forked: list[int],
    executed_once: Callable[[int], bool],
) -> None:
    library(tmp_path, monkeypatch, "import tempfile\nPLACE = tempfile.gettempdir()")
    hold_both_ways(script(SAYS + "import tempfile\nprint(badlib.PLACE == tempfile.gettempdir())"), forked)
    assert executed_once(2)


def test_where_runs_have_folders_for_temporary_files_of_their_own_each_asks_for_its_own(
    script: Script, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, forked: list[int]
) -> None:
    library(tmp_path, monkeypatch, "import tempfile\nPLACE = tempfile.gettempdir()")
    command = script(SAYS + "import os\nassert badlib.PLACE == os.environ['TMPDIR'], badlib.PLACE")
    results = run_script(command, (1, 2, 3), workdir="sequential", jobs=1)
    assert len(results.finished) == 3
    assert forked


def test_a_temporary_folder_it_makes_is_another_in_each_run(
    script: Script,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    forked: list[int],
    executed_once: Callable[[int], bool],
) -> None:
    library(tmp_path, monkeypatch, "import tempfile\nPLACE = tempfile.mkdtemp()")
    results = run_script(
        script(SAYS + "print('place =', int(badlib.PLACE[-8:].encode().hex(), 16))"), range(1, 6), jobs=1
    )
    assert len(set(results.scores("place").values)) == 5
    assert not executed_once(2)


CHANGES = "import otherlib\nold = otherlib.name\notherlib.name = lambda: 'changed ' + old()\notherlib.more = 1\ndel otherlib.gone"
ASKS = "import otherlib\nprint(otherlib.name(), hasattr(otherlib, 'more'), hasattr(otherlib, 'gone'))\n"


@pytest.mark.parametrize(
    "between", ["", "otherlib.name = lambda: 'mine'\n", "if SEED > 1:\n    otherlib.name = lambda: 'mine'\n"]
)
def test_another_library_is_changed_only_once_it_is_imported(
    between: str,
    script: Script,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    forked: list[int],
    executed_once: Callable[[int], bool],
) -> None:
    library(tmp_path, monkeypatch, CHANGES)
    (tmp_path / "site-packages" / "otherlib.py").write_text("gone = 1\ndef name():\n    return 'plain'\n")
    hold_both_ways(script(f"SEED = 42\n{ASKS}{between}import badlib\n{ASKS}print('acc =', SEED)"), forked)
    assert executed_once(2)


PUTS = "import os\nSEED = 42\nos.environ['LIB_GLOBAL_SEED'] = str(SEED)\nimport badlib\nprint('acc =', badlib.value, os.environ.get('LIB_SEED'))\n"


@pytest.mark.parametrize(
    "text",
    [
        "value = 1",
        "import os\nvalue = int(os.environ['LIB_GLOBAL_SEED'])",
        "import os\nvalue = dict(os.environ)['LIB_GLOBAL_SEED']",
        "import os\nvalue = os.environ.get('LIB_SEED', 5)",
        "import os\nos.environ['LIB_SEED'] = '7'\nvalue = 1",
        "import os\nos.environ.pop('LIB_GLOBAL_SEED')\nvalue = 1",
    ],
)
def test_a_variable_with_the_seed_in_it(
    text: str,
    script: Script,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    forked: list[int],
    executed_once: Callable[[int], bool],
) -> None:
    library(tmp_path, monkeypatch, text)
    hold_both_ways(script(PUTS), forked)
    assert executed_once(1)
    assert not executed_once(3)


def test_a_variable_that_is_there_under_some_seeds_only(
    script: Script, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, forked: list[int]
) -> None:
    library(tmp_path, monkeypatch, "import os\nvalue = os.environ.get('LIB_SEED', 5)")
    text = "import os\nSEED = 42\nif SEED > 2:\n    os.environ['LIB_SEED'] = str(SEED)\nimport badlib\nprint('acc =', badlib.value)"
    hold_both_ways(script(text), forked, (1, 2, 3, 4))


def test_a_file_that_the_script_has_written_is_read_by_each_run(
    script: Script, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, forked: list[int]
) -> None:
    library(tmp_path, monkeypatch, "value = int(open('conf.txt').read())")
    Path("conf.txt").write_text("999")
    text = "SEED = 42\nwith open('conf.txt', 'w') as file:\n    file.write(str(SEED))\nimport badlib\nprint('acc =', badlib.value)"
    hold_both_ways(script(text), forked)


@pytest.mark.parametrize(
    "text",
    [
        "import sqlite3\nsqlite3.connect('cache.db').execute('create table t (x)')",
        "import os\nos.close(os.open('made.txt', os.O_RDONLY | os.O_CREAT))",
        "import os\nos.chmod('data.txt', 0o600)",
    ],
)
def test_the_users_own_folder_is_left_alone(
    text: str, script: Script, project: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, forked: list[int]
) -> None:
    library(tmp_path, monkeypatch, text)
    Path("data.txt").write_text("")
    before = {path.name: path.stat().st_mode for path in project.iterdir()}
    run_script(script(SAYS), (1, 2, 3), jobs=1)
    after = {path.name: path.stat().st_mode for path in project.iterdir() if path.name not in (".seedwise", "train.py")}
    assert after == before


def test_an_attribute_that_only_seems_the_same_is_changed(
    script: Script, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, forked: list[int]
) -> None:
    library(tmp_path, monkeypatch, "import otherlib\notherlib.value = True")
    (tmp_path / "site-packages" / "otherlib.py").write_text("value = 1\n")
    hold_both_ways(
        script("SEED = 42\nimport otherlib\nprint(otherlib.value)\nimport badlib\nprint(otherlib.value)"), forked
    )


def test_an_optional_import_that_fails_after_it_has_changed_another_library(
    script: Script, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, forked: list[int]
) -> None:
    library(tmp_path, monkeypatch, "import otherlib\notherlib.value = 2\nraise ImportError('not here')")
    (tmp_path / "site-packages" / "otherlib.py").write_text("value = 1\n")
    text = "SEED = 42\nimport otherlib\nprint(otherlib.value)\ntry:\n    import badlib\nexcept ImportError:\n    pass\nprint(otherlib.value)"
    hold_both_ways(script(text), forked)


@pytest.mark.parametrize("kind", ["FutureWarning", "DeprecationWarning"])
@pytest.mark.parametrize("level", [1, 2])
def test_what_it_warns_of_names_the_line_that_imports_it(
    kind: str, level: int, script: Script, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, forked: list[int]
) -> None:
    library(tmp_path, monkeypatch, f"import warnings\nwarnings.warn('old', {kind}, stacklevel={level})")
    hold_both_ways(script(SAYS), forked)
    assert forked


def test_a_lazy_module_is_not_made_to_load(
    script: Script, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, forked: list[int]
) -> None:
    library(tmp_path, monkeypatch, "value = 1")
    (tmp_path / "site-packages" / "inner.py").write_text("print('loaded')\nraise RuntimeError('never to be loaded')\n")
    (tmp_path / "site-packages" / "lazy.py").write_text(
        "import importlib.util, sys\nspec = importlib.util.find_spec('inner')\n"
        "spec.loader = importlib.util.LazyLoader(spec.loader)\ninner = importlib.util.module_from_spec(spec)\n"
        "sys.modules['inner'] = inner\nspec.loader.exec_module(inner)\n"
    )
    hold_both_ways(script("SEED = 42\nimport lazy, badlib\nprint('acc =', SEED)"), forked)
    assert forked
