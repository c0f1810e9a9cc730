"""Libraries that look at what differs from run to run, at settings, or at each other: forked runs are still what fresh ones are."""

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from seedwise.api.script import run_script

from .both_ways import hold_both_ways, what_came
from .test_same_as_fresh import library

pytestmark = pytest.mark.slow
Script = Callable[..., list[str]]


def test_a_library_that_reads_the_command_line(
    script: Script, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, forked: list[int]
) -> None:
    text = "import argparse\np = argparse.ArgumentParser()\np.add_argument('--seed', type=int)\nargs, _ = p.parse_known_args()"
    library(tmp_path, monkeypatch, text)
    command = [*script("from badlib import args\nprint('acc =', args.seed + .25)"), "--seed", "{seed}"]
    hold_both_ways(command, forked, (1, 2, 3, 4))


def test_a_library_that_reads_the_seed_of_the_run(
    script: Script, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, forked: list[int]
) -> None:
    library(tmp_path, monkeypatch, "import os\nSEED = int(os.environ.get('SEEDWISE_SEED', 42))")
    hold_both_ways(script("import badlib\nprint('acc =', badlib.SEED + .25)"), forked, (1, 2, 3, 4))


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("COPY = os.environ.copy()", "int(badlib.COPY['SEEDWISE_SEED'])"),
        ("KEPT = [(k, v) for k, v in os.environ.items()]", "int(dict(badlib.KEPT)['SEEDWISE_SEED'])"),
        ("SEED = int(dict(os.environ)['SEEDWISE_SEED'])", "badlib.SEED"),
        (
            "TEXT = [f'{k}={v}' for k, v in os.environ.items()]",
            "int([w for w in badlib.TEXT if 'SEEDWISE_SEED' in w][0][14:])",
        ),
    ],
)
def test_a_library_that_keeps_all_variables(
    text: str, value: str, script: Script, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, forked: list[int]
) -> None:
    library(tmp_path, monkeypatch, f"import os\n{text}")
    hold_both_ways(script(f"import badlib\nprint('acc =', {value} + .25)"), forked, (1, 2, 3, 4))


@pytest.mark.parametrize(
    ("text", "words"),
    [
        pytest.param("import tqdm", (), marks=pytest.mark.frameworks),
        ("HELP = '--help' in sys.argv[1:]", ("--epochs", "5")),
        ("import warnings\nwarnings.simplefilter('ignore', ResourceWarning)\nimport colorsys", ()),
        pytest.param("import pyarrow", (), marks=pytest.mark.frameworks),
    ],
    ids=[
        "looks through all variables",
        "reads a command line that stays",
        "changes warning filters",
        "jemalloc's own thread",
    ],
)
def test_what_is_the_same_in_every_run_is_imported_once(
    text: str,
    words: tuple[str, ...],
    script: Script,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    forked: list[int],
    executed_once: Callable[[int], bool],
) -> None:
    library(tmp_path, monkeypatch, f"import os, sys\n{text}")
    hold_both_ways([*script("SEED = 42\nimport badlib\nprint('acc =', SEED)\n"), *words], forked)
    assert forked
    assert executed_once(2)


def test_a_library_that_reads_the_file_with_the_seed(
    script: Script, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    library(tmp_path, monkeypatch, "import json\nSEED = json.load(open('conf.json'))['seed']")
    Path("conf.json").write_text(json.dumps({"seed": 42}))
    command = script("import badlib\nprint('acc =', badlib.SEED + .25)")
    for fresh in (True, False):
        results = run_script(
            command, range(1, 5), seed_site="conf.json:seed", name=f"fresh{fresh}", fresh=fresh, jobs=1
        )
        assert results.scores("acc").values.tolist() == [1.25, 2.25, 3.25, 4.25]


@pytest.mark.parametrize(
    ("text", "script_text"),
    [
        (
            "import decimal\nvalue = decimal.Decimal(1) / 3",
            "import decimal\ndecimal.getcontext().prec = 5\nimport badlib\nprint(badlib.value)",
        ),
        (
            "import numpy as np\nnp.seterr(all='raise')",
            "import numpy as np\nprint(np.geterr())\nimport badlib\nprint(np.geterr())",
        ),
    ],
)
def test_settings_of_libraries_belong_to_the_state_of_an_import(
    text: str, script_text: str, script: Script, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, forked: list[int]
) -> None:
    library(tmp_path, monkeypatch, text)
    hold_both_ways(script("import random\nrandom.seed(42)\n" + script_text), forked, (1, 2, 3))


@pytest.mark.slow
def test_torchs_default_type_set_by_script_or_library(
    script: Script, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, forked: list[int]
) -> None:
    library(
        tmp_path, monkeypatch, "import torch\nvalue = torch.tensor([1 / 3])\ntorch.set_default_dtype(torch.float64)"
    )
    first = "import torch\ntorch.manual_seed(42)\ntorch.set_default_dtype(torch.float64)\nimport badlib\nprint(badlib.value.tolist())"
    hold_both_ways(script(first), forked, (1, 2, 3))
    second = "import torch\ntorch.manual_seed(42)\nw = torch.randn(3)\nimport badlib\nprint(w.dtype, w.tolist())"
    (tmp_path / "again").mkdir()
    Path("other.py").write_text(second)
    command = [*script(second, "other.py")]
    fresh = run_script(command, (1, 2, 3), name="fresh2", fresh=True)
    forked_runs = run_script(command, (1, 2, 3), name="forked2", jobs=1)
    for seed in (1, 2, 3):
        assert what_came(forked_runs, seed) == what_came(fresh, seed)


def test_a_library_that_looks_which_others_are_there(
    script: Script, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, forked: list[int]
) -> None:
    library(tmp_path, monkeypatch, "import sys\nvalue = 'firstlib' in sys.modules")
    (tmp_path / "site-packages" / "firstlib.py").write_text("")
    text = "SEED = 42\nif SEED % 2:\n    import firstlib\nimport badlib\nprint('acc =', 0.5 + badlib.value)"
    hold_both_ways(script(text), forked, (1, 2, 3, 4))


def test_an_optional_import_that_fails_half_way(
    script: Script, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, forked: list[int]
) -> None:
    library(tmp_path, monkeypatch, "import dep\nraise ImportError('not here')")
    (tmp_path / "site-packages" / "dep.py").write_text("import os\nos.environ['RV_MODE'] = 'set'\n")
    text = "import os, sys\nSEED = 42\ntry:\n    import badlib\nexcept ImportError:\n    pass\nprint(os.environ.get('RV_MODE'), 'dep' in sys.modules)"
    hold_both_ways(script(text), forked, (1, 2, 3, 4))


def test_a_library_that_writes_when_imported_writes_into_the_runs_own_files(
    script: Script, project: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, forked: list[int]
) -> None:
    text = "import os, tempfile\nopen('lib_was_here.txt', 'a').write('x')\nplace = tempfile.mkdtemp()\nvalue = os.path.getsize('lib_was_here.txt')"
    library(tmp_path, monkeypatch, text)
    hold_both_ways(script("SEED = 42\nimport badlib\nprint('acc =', badlib.value + SEED)"), forked, (1, 2, 3))
    assert not (project / "lib_was_here.txt").exists()


def test_a_full_disk_at_the_end_is_a_failure(script: Script, forked: list[int]) -> None:
    text = (
        "import os, sys\nSEED = 42\nprint('loss =', 1.0)\nsys.stdout.flush()\n"
        "os.dup2(os.open('/dev/full', os.O_WRONLY), 1)\nprint('loss =', 2.0)\n"
    )
    for fresh in (True, False):
        results = run_script(script(text), (1, 2, 3), name=f"fresh{fresh}", fresh=fresh, jobs=1, keep_going=True)
        assert len(results.failed) == 3
    assert forked


def test_a_file_of_the_users_that_hides_a_standard_module(script: Script, forked: list[int]) -> None:
    Path("select.py").write_text("def pick(n):\n    return n * 2\n")
    hold_both_ways(script("import select\nSEED = 42\nprint('acc =', select.pick(SEED))"), forked, (1, 2, 3))


def test_runs_that_tell_nothing_do_not_stop_the_sweep(script: Script) -> None:
    text = "import os\nSEED = 42\nprint('acc =', SEED / 7, flush=True)\nos._exit(0)"
    results = run_script(script(text), range(1, 7), jobs=2, threads=2)
    assert len(results.finished) == 6
