"""Runs never share files, in each kind of world that this system allows."""

import ctypes
import os
import random
import shutil
import socket
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from seedwise.api.script import run_script
from seedwise.errors import UsageError
from seedwise.experiments.loading import load
from seedwise.sandbox.restored_tree import NotRepaired, Tree, TreeChanged
from seedwise.sandbox.workdir import Workdir
from seedwise.sandbox.worlds import find_worlds
from seedwise.wording import at_command_line
from seedwise.words import failure

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
    results = run_script(script("open('/etc/seedwise-test', 'w')"), [1], keep_going=True)
    assert not os.path.exists("/etc/seedwise-test")
    if os.geteuid() == 0:
        assert "Read-only file system" in results.runs[0].detail
        assert "share=" in failure(results.runs[0])
        with at_command_line():
            assert "--share PATH" in failure(results.runs[0])


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
    monkeypatch.setattr("seedwise.sandbox.restored_tree._BIG", 10)
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


LINKS = """
import os, random
random.seed(42)
acc = random.random()
best = max(acc, float(open("best.txt").read()) if os.path.exists("best.txt") else 0.0)
with open("best.txt", "w") as f: f.write(str(best))
with open("out/log.txt", "a") as f: f.write("row\\n")
os.chmod("notes.txt", 0o600)
os.chmod("kept", 0o755)
info = os.stat("notes.txt")
with open("notes.txt", "w") as f: f.write("edit")
os.utime("notes.txt", ns=(info.st_atime_ns, info.st_mtime_ns))
print("acc =", best)
"""


@pytest.mark.parametrize("fresh", [True, False])
def test_one_after_another_what_links_lead_to_is_put_back(
    fresh: bool, script: Callable[..., list[str]], project: Path
) -> None:
    outside = project.parent / "elsewhere"
    (outside / "out").mkdir(parents=True)
    (outside / "best.txt").write_text("0.0")
    (project / "best.txt").symlink_to(outside / "best.txt")
    (project / "out").symlink_to(outside / "out")
    (project / "kept").mkdir(mode=0o700)
    (project / "notes.txt").write_text("mine")
    (project / "notes.txt").chmod(0o644)
    (project / "nowhere").symlink_to(project / "not there")
    results = run_script(script(LINKS), range(1, 6), workdir="sequential", fresh=fresh)
    expected = {seed: random.Random(seed).random() for seed in range(1, 6)}
    assert dict(results.scores("acc").by_seed) == expected
    assert (outside / "best.txt").read_text() == "0.0"
    assert list((outside / "out").iterdir()) == []
    assert (project / "notes.txt").read_text() == "mine"
    assert (project / "notes.txt").stat().st_mode & 0o777 == 0o644
    assert (project / "kept").stat().st_mode & 0o777 == 0o700
    assert (project / "nowhere").is_symlink()


def test_a_link_to_more_than_can_be_put_back_stops_the_sweep(
    script: Callable[..., list[str]], project: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("seedwise.sandbox.restored_tree._MOST_OUTSIDE", 3)
    many = project.parent / "many"
    many.mkdir()
    for k in range(5):
        (many / f"{k}.txt").write_text("x")
    (project / "data").symlink_to(many)
    with pytest.raises(TreeChanged, match="too many"):
        run_script(script("print('acc =', 1)"), [1, 2], workdir="sequential")


def test_a_repair_that_fails_keeps_journal_and_copies(project: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (project / "a.txt").write_text("mine")
    journal = project / ".seedwise" / "sequential"
    Tree(project, journal).begin()
    (project / "a.txt").write_text("a run's")
    copy = shutil.copy2

    def refused(source: Path, to: Path, **options: bool) -> None:
        raise PermissionError(13, "not now")

    monkeypatch.setattr("seedwise.sandbox.restored_tree.shutil.copy2", refused)
    for _ in range(2):  # the next command finds the same
        with pytest.raises(NotRepaired, match=r"copies"):
            Tree(project, journal).begin()
        assert (journal / "copies" / "a.txt").read_text() == "mine"
    (journal / "journal.json").write_text("torn")
    with pytest.raises(NotRepaired):
        Tree(project, journal).begin()
    assert (journal / "copies" / "a.txt").read_text() == "mine"
    monkeypatch.setattr("seedwise.sandbox.restored_tree.shutil.copy2", copy)


def test_a_dangling_link_does_not_stop_a_repair(project: Path) -> None:
    (project / "a.txt").write_text("mine")
    journal = project / ".seedwise" / "sequential"
    Tree(project, journal).begin()
    (project / "a.txt").write_text("a run's")
    (project / "dangling").symlink_to("nowhere")
    assert any("a.txt" in text for text in Tree(project, journal).begin())
    assert (project / "a.txt").read_text() == "mine"


PORT = """
import random, socket, time
random.seed(42)
server = socket.socket()
server.bind(("127.0.0.1", {port}))
server.listen()
client = socket.create_connection(("127.0.0.1", {port}))
time.sleep(1)
print("acc =", random.random())
"""


@pytest.mark.slow
def test_runs_that_want_the_same_port_are_told_how_to_get_it(script: Callable[..., list[str]]) -> None:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    command = script(PORT.format(port=port))
    failed = run_script(command, [1, 2], jobs=2, fresh=True).failed
    assert len(failed) == 1
    with at_command_line():
        assert "--isolate-network" in failure(failed[0])
        assert "--jobs 1" in failure(failed[0])
    if possible("overlay"):
        results = run_script(command, [1, 2, 3, 4], jobs=2, isolate_network=True)
        assert results.name == "train@2"
        assert len(results.finished) == 4
    with pytest.raises(UsageError, match="isolate_network"):
        run_script(command, [1], isolate_network=True, workdir="sequential", name="refused")
    with pytest.raises(UsageError, match="no experiment"):  # none is left behind
        load("refused")


RANKS = """
import os, random, socket, subprocess, sys
SEED = 42
if len(sys.argv) == 1:
    env = {{**os.environ, "RANK": "1"}}
    other = subprocess.Popen([sys.executable, __file__, "worker"], env=env)
    server = socket.socket()
    server.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    server.bind(("127.0.0.1", {port}))
    server.listen()
    peer, _ = server.accept()
    random.seed(SEED)
    print("acc =", random.random(), "theirs =", float(peer.recv(100)))
    assert other.wait() == 0
else:
    import time
    random.seed(SEED + 1)
    for _ in range(200):
        try:
            with socket.create_connection(("127.0.0.1", {port})) as client:
                client.sendall(str(random.random()).encode())
            break
        except OSError:
            time.sleep(0.02)
"""


@pytest.mark.skipif(not possible("overlay"), reason="needs private files")
def test_a_rank_on_a_fixed_port_beside_others(script: Callable[..., list[str]]) -> None:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    results = run_script(script(RANKS.format(port=port)), range(1, 5), jobs=2, isolate_network=True)
    assert dict(results.scores("acc").by_seed) == {s: random.Random(s).random() for s in range(1, 5)}
    assert dict(results.scores("theirs").by_seed) == {s: random.Random(s + 1).random() for s in range(1, 5)}


SHARED_MEMORY = """
import ctypes, os, random
libc = ctypes.CDLL(None, use_errno=True)
random.seed(42)
segment = libc.shmget({key}, 4096, 0o1600)
found = libc.shmget({key}, 0, 0o600) >= 0
fresh = libc.shmget({key}, 4096, 0o3600) >= 0  # IPC_CREAT | IPC_EXCL
size = os.statvfs("/dev/shm").f_blocks * os.statvfs("/dev/shm").f_frsize
print("acc =", random.random(), "made =", int(segment >= 0), "again =", int(fresh), "size =", size)
"""


@pytest.mark.skipif(not possible("overlay"), reason="needs private files")
def test_shared_memory_is_a_runs_own(script: Callable[..., list[str]]) -> None:
    key = 0x5EED0000 + os.getpid() % 65536
    libc = ctypes.CDLL(None)
    outside = libc.shmget(key, 4096, 0o1600)
    try:
        text = SHARED_MEMORY.format(key=key).replace("shmget(%d, 4096, 0o1600)" % key, "shmget(%d, 0, 0o600)" % key)
        results = run_script(script(text), [1, 2, 3], jobs=2)
        here = os.statvfs("/dev/shm")
        for run in results.finished:
            assert run.series["made"].values == (0.0,)  # that of the host is not seen
            assert run.series["size"].values == (float(here.f_blocks * here.f_frsize),)
    finally:
        libc.shmctl(outside, 0, None)


@pytest.mark.skipif(not possible("overlay"), reason="needs private files")
def test_project_and_worlds_below_tmp(
    script: Callable[..., list[str]], project: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with tempfile.TemporaryDirectory(dir="/tmp") as place:
        (Path(place) / "worlds").mkdir()
        (Path(place) / "project").mkdir()
        monkeypatch.setenv("SEEDWISE_WORLDS", f"{place}/worlds")
        monkeypatch.chdir(f"{place}/project")
        Path("data.txt").write_text("mine")
        Path("train.py").write_text(
            "import os, random\nrandom.seed(42)\nassert open('data.txt').read() == 'mine'\nassert not os.path.exists('/tmp/left')\n"
            "open('/tmp/left', 'w').write('x')\nopen('data.txt', 'w').write('other')\nprint('acc =', random.random())\n"
        )
        results = run_script([sys.executable, "train.py"], range(1, 5), jobs=2)
        assert len(results.finished) == 4
        assert Path("data.txt").read_text() == "mine"
        assert not os.path.exists("/tmp/left")
        assert Path(str(results.finished[0].folder), "files", "data.txt").read_text() == "other"


def test_a_link_in_the_place_of_the_worlds_is_not_followed(
    script: Callable[..., list[str]], project: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with tempfile.TemporaryDirectory() as place:
        (Path(place) / "theirs").mkdir()
        (Path(place) / f"seedwise-{os.getuid()}").symlink_to(Path(place) / "theirs")
        monkeypatch.setenv("SEEDWISE_WORLDS", place)
        worlds = find_worlds(Workdir.AUTO, None)
        assert not str(worlds.base).startswith(place)
        assert list((Path(place) / "theirs").iterdir()) == []


def test_folders_of_worlds_are_closed_to_others(monkeypatch: pytest.MonkeyPatch) -> None:
    with tempfile.TemporaryDirectory() as place:
        folder = Path(place) / f"seedwise-{os.getuid()}"
        folder.mkdir(mode=0o755)
        monkeypatch.setenv("SEEDWISE_WORLDS", place)
        assert find_worlds(Workdir.AUTO, None).base == folder
        assert folder.stat().st_mode & 0o777 == 0o700


def test_sequential_leaves_the_store_alone_whatever_it_is_called(
    script: Callable[..., list[str]], project: Path
) -> None:
    text = "SEED = 42\nopen('made.txt', 'w').write(str(SEED))\nprint('acc =', SEED + .5)"
    for _ in range(2):
        results = run_script(script(text), [1, 2, 3], workdir="sequential", store=str(project / "results"))
        assert dict(results.scores("acc").by_seed) == {1: 1.5, 2: 2.5, 3: 3.5}
    assert sorted(path.name for path in project.iterdir()) == ["results", "train.py"]
    assert Path(str(results.runs[0].folder), "files", "made.txt").read_text() == "1"
    assert not list((project / "results" / "sequential").rglob("store.sqlite"))
