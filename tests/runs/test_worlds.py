"""Runs never share files, in each kind of world that this system allows."""

import os
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from seedwise.api.load import load
from seedwise.api.script import run_script
from seedwise.errors import UsageError
from seedwise.runs.command import Workdir
from seedwise.runs.sequential import Tree, TreeChanged
from seedwise.runs.worlds import find_worlds

RUDE = """
import os, random, subprocess, sys
random.seed(42)
acc = random.random()
before = os.path.exists("best.pt"), len(open("log.csv").readlines()), open("notes.txt").read()
resumed = os.path.exists("last.ckpt")
with open("best.pt", "w") as f: f.write(str(acc))
with open("last.ckpt", "w") as f: f.write("x")
with open("log.csv", "a") as f: f.write("row\\n")
with open("notes.tmp", "w") as f: f.write(str(acc))
os.replace("notes.tmp", "notes.txt")
subprocess.run([sys.executable, "-c", "open('child.txt', 'w').write('c')"], check=True)
os.makedirs("out/deep", exist_ok=True)
with open("out/deep/a.txt", "w") as f: f.write("a")
if os.path.exists("gone.txt"): os.remove("gone.txt")
print("seen:", before, resumed, sorted(os.listdir(".")))
print("acc =", float(open("best.pt").read()))
"""
KINDS = ("overlay", "farm", "sequential")


def possible(kind: str) -> bool:
    try:
        find_worlds(Workdir(kind), None)
    except UsageError:
        return False
    return True


@pytest.mark.parametrize("kind", KINDS)
def test_no_run_reads_what_another_wrote(kind: str, script: Callable[..., list[str]], project: Path) -> None:
    command = script(RUDE)
    files = {"log.csv": "first\n", "notes.txt": "mine", "gone.txt": "still here"}
    for name, text in files.items():
        (project / name).write_text(text)
    if not possible(kind):
        with pytest.raises(UsageError, match=kind):
            run_script(command, [1], workdir=kind)
        return
    results = run_script(command, range(1, 5), workdir=kind, jobs=1 if kind == "sequential" else 2)
    assert len(results.finished) == 4
    said = set()
    for run in results.runs:
        assert run.folder is not None
        text = Path(run.folder, "stdout").read_text()
        said.add(text.splitlines()[0].replace("'.seedwise', ", ""))
        assert {p.name for p in Path(run.folder, "files").iterdir()} >= {
            "best.pt",
            "last.ckpt",
            "log.csv",
            "notes.txt",
            "out",
        }
        assert Path(run.folder, "files", "log.csv").read_text() == "first\nrow\n"
    assert len(said) == 1
    assert "(False, 1, 'mine') False" in said.pop()
    for name, text in files.items():
        assert (project / name).read_text() == text
    assert sorted(p.name for p in project.iterdir()) == [".seedwise", "gone.txt", "log.csv", "notes.txt", "train.py"]
    assert len(set(results.scores("acc").values)) == 4


def test_a_write_elsewhere_fails_loudly_and_says_what_to_do(script: Callable[..., list[str]]) -> None:
    if not possible("overlay"):
        pytest.fail("this test machine allows no overlays; the rule cannot be seen to hold")
    results = run_script(script("open('/etc/seedwise-test', 'w')"), [1])
    assert not os.path.exists("/etc/seedwise-test")
    if os.geteuid() == 0:
        assert "Read-only file system" in results.runs[0].detail
        assert "--share" in results.runs[0].detail


def test_what_is_shared_is_shared(script: Callable[..., list[str]], project: Path) -> None:
    (project / "cache").mkdir()
    command = script("open('cache/hits', 'a').write('x'); print('acc =', 1)")
    run_script(command, [1, 2, 3], share=["cache"])
    assert (project / "cache" / "hits").read_text() == "xxx"
    run_script(command, [1, 2], name="shared", workdir="shared")
    assert (project / "cache" / "hits").read_text() == "xxxxx"


def test_each_run_has_a_temporary_folder_of_its_own(script: Callable[..., list[str]]) -> None:
    mark = f"/tmp/seedwise-mark-{os.getpid()}-{time.time_ns()}"
    text = f"import os\nprint('acc =', os.path.exists({mark!r}) + 0.5)\nopen({mark!r}, 'w')"
    results = run_script(script(text), [1, 2, 3], jobs=1)
    assert set(results.scores("acc").values) == {0.5}
    assert not os.path.exists(mark)


def test_no_run_sees_the_store(script: Callable[..., list[str]]) -> None:
    text = "import pathlib\nprint('acc =', 0.5 + len([*pathlib.Path('.').rglob('mark.txt')]))\nopen('mark.txt', 'w')"
    for kind in ("overlay", "farm"):
        if possible(kind):
            results = run_script(script(text), [1, 2, 3], jobs=1, workdir=kind, name=kind)
            assert set(results.scores("acc").values) == {0.5}


def test_a_folder_that_the_run_made_unwritable_is_kept_all_the_same(script: Callable[..., list[str]]) -> None:
    text = "import os\nos.mkdir('out')\nopen('out/m.txt', 'w')\nos.chmod('out', 0o555)\nprint('acc =', 1)"
    results = run_script(script(text), [1, 2])
    assert len(results.finished) == 2
    assert all(Path(str(run.folder), "files", "out", "m.txt").exists() for run in results.runs)


def test_nothing_is_left_behind(
    script: Callable[..., list[str]], project: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    made: list[Path] = []

    def made_here(*args: Any, **kwargs: Any) -> str:
        made.append(Path(mkdtemp(*args, **kwargs)))
        return str(made[-1])

    mkdtemp = tempfile.mkdtemp
    monkeypatch.setattr(tempfile, "mkdtemp", made_here)
    run_script(script("print('acc =', 1)"), [1, 2])
    assert [folder for folder in made if folder.name.startswith("world-")]
    assert not [folder for folder in made if folder.exists()]


def test_sequential_repairs_what_a_crash_left(tmp_path: Path) -> None:
    root = tmp_path / "root"
    root.mkdir()
    (root / "data.txt").write_text("before")
    tree = Tree(root, tmp_path / "journal")
    assert tree.begin() == []
    (root / "data.txt").write_text("changed")
    (root / "new.txt").write_text("new")
    again = Tree(root, tmp_path / "journal")
    assert sorted(name.split()[0] for name in again.begin()) == ["data.txt", "new.txt"]
    assert (root / "data.txt").read_text() == "before"
    assert not (root / "new.txt").exists()
    again.end()
    assert not (tmp_path / "journal").exists()


def test_sequential_leaves_alone_what_the_user_changed_after_a_crash(tmp_path: Path) -> None:
    root = tmp_path / "root"
    root.mkdir()
    (root / "train.py").write_text("before")
    Tree(root, tmp_path / "journal").begin()
    (root / "left.txt").write_text("by the run")
    later = os.stat(tmp_path / "journal" / "beat").st_mtime + 60
    for name, text in (("train.py", "edited by hand"), ("new.py", "written by hand")):
        (root / name).write_text(text)
        os.utime(root / name, (later, later))
    again = Tree(root, tmp_path / "journal")
    assert [name.split()[0] for name in again.begin()] == ["left.txt"]
    assert (root / "train.py").read_text() == "edited by hand"
    assert (root / "new.py").read_text() == "written by hand"


def test_sequential_stops_where_a_big_file_was_changed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("seedwise.runs.sequential._BIG", 10)
    root = tmp_path / "root"
    root.mkdir()
    (root / "big.bin").write_text("more than ten bytes")
    tree = Tree(root, tmp_path / "journal")
    tree.begin()
    (root / "big.bin").write_text("changed and long")
    with pytest.raises(TreeChanged, match=r"big\.bin"):
        tree.put_back(tmp_path / "keep")


def test_sequential_refuses_a_write_outside_the_project(script: Callable[..., list[str]], project: Path) -> None:
    outside = project.parent.parent / "outside.txt"
    command = script(f"open({str(outside)!r}, 'a').write('x'); print('acc =', 1)")
    results = run_script(command, [1, 2, 3], workdir="sequential")
    assert len(results.finished) == 1
    assert any("outside.txt, outside the project" in note for note in results.notes)


def test_results_are_loaded_again(script: Callable[..., list[str]]) -> None:
    results = run_script(script("import random\nrandom.seed(42)\nprint('acc =', random.random())"), [1, 2])
    assert load("train").scores("acc").by_seed == results.scores("acc").by_seed
