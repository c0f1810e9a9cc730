"""Under seed s a script behaves, byte for byte, as plain python does on a copy in which the typed seed was replaced."""

import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from seedwise.api.experiments import output_of
from seedwise.api.script import run_script
from seedwise.experiments.command import run_environment
from seedwise.experiments.loading import open_store
from seedwise_guest.sites.finder import find_sites
from seedwise_guest.sites.modules import Source, read_module

from . import editor

SEEDS = (0, 7, 2**32 - 1)
HEAVY = {"torch_loader", "torch_everything", "sklearn_forest"}


def pythons() -> list[str]:
    """Every CPython from 3.9 on that is installed here, this one first."""
    found = [sys.executable]
    for minor in range(9, 16):
        names = [f"python3.{minor}", *sorted(map(str, Path.home().glob(f".pyenv/versions/3.{minor}.*/bin/python")))]
        for name in names:
            if minor == sys.version_info.minor or shutil.which(name) is None:
                continue
            said = subprocess.run(
                [name, "-c", "import sys; print(sys.executable)"], capture_output=True, text=True, check=False
            )
            if said.returncode == 0:
                found.append(said.stdout.strip())
                break
    return found


def plain_python(script: str, python: str = sys.executable) -> tuple[bytes, bytes, int]:
    environment = run_environment(1)
    del environment["PYTHONPATH"]
    environment["PYTHONDONTWRITEBYTECODE"] = "1"
    core = {min(os.sched_getaffinity(0))}
    done = subprocess.run(
        [python, script],
        env=environment,
        capture_output=True,
        check=False,
        stdin=subprocess.DEVNULL,
        preexec_fn=lambda: os.sched_setaffinity(0, core),
    )
    return done.stdout, done.stderr, done.returncode


def check_case(name: str, seeds: tuple[int, ...], folder: Path, python: str = sys.executable) -> None:
    texts = editor.sources(name)
    project = folder / "project"
    expected = {}
    for seed in seeds:
        editor.write(project, {path: editor.edited(text, seed) for path, text in texts.items()})
        expected[seed] = plain_python("main.py", python)
    editor.write(project, {path: editor.plain(text) for path, text in texts.items()})
    run_script(
        [python, "main.py"], seeds, name="case", store=str(folder / "store"), workdir="shared", jobs=2, keep_going=True
    )
    with open_store(str(folder / "store")) as store:
        runs = {run.seed: run for run in store.runs(store.experiment("case").id)}
    for seed in seeds:
        stdout, stderr, code = expected[seed]
        assert Path(output_of("case", seed, "stdout", str(folder / "store"))).read_bytes() == stdout, (name, seed)
        said = Path(output_of("case", seed, "stderr", str(folder / "store"))).read_bytes()
        assert said == stderr, (name, seed)
        assert (runs[seed].status == "finished") == (code == 0)


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    (tmp_path / "project").mkdir()
    monkeypatch.chdir(tmp_path / "project")
    original = editor.write

    def write_and_enter(place: Path, texts: dict[str, str]) -> None:
        original(place, texts)
        os.chdir(place)

    monkeypatch.setattr(editor, "write", write_and_enter)
    return tmp_path


def cases() -> list[object]:
    """Every second one is a slow test: tests/prefork runs it fresh and forked, and has the others as slow ones."""
    names = editor.names()
    return [pytest.param(n, marks=pytest.mark.slow if n in names[::2] else ()) for n in names if n not in HEAVY]


@pytest.mark.parametrize("name", cases())
def test_byte_equal_to_the_edited_copy(name: str, folder: Path) -> None:
    check_case(name, SEEDS, folder)


@pytest.mark.slow
@pytest.mark.parametrize("name", sorted(HEAVY))
def test_byte_equal_to_the_edited_copy_with_heavy_libraries(name: str, folder: Path) -> None:
    check_case(name, (7,), folder)


@pytest.mark.slow
@pytest.mark.parametrize("name", sorted(HEAVY))
def test_byte_equal_for_every_seed_with_heavy_libraries(name: str, folder: Path) -> None:
    check_case(name, (0, 2**32 - 1), folder)


@pytest.mark.parametrize("name", editor.names())
def test_finds_exactly_the_marked_sites(name: str, tmp_path: Path) -> None:
    texts = editor.sources(name)
    editor.write(tmp_path, {path: editor.plain(text) for path, text in texts.items()})
    source = Source(read_module(str(tmp_path / "main.py"), "__main__", ""), [str(tmp_path)])
    found = {
        (os.path.relpath(s.path, tmp_path), s.line, s.column, s.old) for s in find_sites(source).sites if not s.weak
    }
    expected = {(path, *site) for path, text in texts.items() for site in editor.sites(text)}
    assert found == expected


STANDARD = [n for n in editor.names() if not any("numpy" in t or "sklearn" in t for t in editor.sources(n).values())]


@pytest.mark.slow
@pytest.mark.parametrize(
    "python",
    [pytest.param(p, marks=pytest.mark.long if 0 < k < len(pythons()) - 1 else ()) for k, p in enumerate(pythons())],
)
def test_byte_equal_on_every_python(python: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in STANDARD:
        place = tmp_path / name
        (place / "project").mkdir(parents=True)
        original = editor.write

        def write_and_enter(folder: Path, texts: dict[str, str], original: Callable[..., None] = original) -> None:
            original(folder, texts)
            os.chdir(folder)

        with monkeypatch.context() as patch:
            patch.chdir(place / "project")
            patch.setattr(editor, "write", write_and_enter)
            check_case(name, (7,), place, python)


def test_there_are_at_least_fifteen_scripts() -> None:
    assert len(editor.names()) >= 15


@pytest.mark.parametrize("deep", [600])
def test_deep_source_is_read_as_python_reads_it(deep: int, tmp_path: Path) -> None:
    sums = " + ".join(["seed"] * deep)
    branches = "if seed == -1:\n    pass\n" + "".join(f"elif seed == -{k}:\n    pass\n" for k in range(2, deep))
    path = tmp_path / "main.py"
    path.write_text(f"seed = 42\nx = {sums}\n{branches}import random\nrandom.seed(seed)\n")
    found = find_sites(Source(read_module(str(path), "__main__", ""), [str(tmp_path)]))
    assert [site.old for site in found.sites] == ["42"]
