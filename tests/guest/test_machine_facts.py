"""What a checked process is told of the machine: readings of kernel files, and facts about files that are held still."""

import subprocess
import sys
import textwrap
import threading
import time
from pathlib import Path
from typing import Any

import pytest

from seedwise_guest.tracing.clock import Clock
from seedwise_guest.tracing.facts import Facts
from seedwise_guest.tracing.kernel_files import _with_numbers
from seedwise_guest.tracing.recording import Recording


class Gives:
    """Gives other readings than the real ones."""

    def __init__(self, *rows: list[float]) -> None:
        self.rows = list(rows)

    def meter(self, name: str, real: list[float]) -> list[float]:
        return self.rows.pop(0) if self.rows else real


@pytest.mark.parametrize(
    "text",
    ["18446744073709551615 kB", "0000:00:1f.3 up", "00400000-00452000 r-xp 08:02", "007", "Linux version 6.1.0-9", ""],
)
def test_kernel_files_read_as_they_are_in_a_plain_run(text: str) -> None:
    assert _with_numbers(text, "/proc/x", Gives()) == text  # type: ignore[arg-type]


def test_numbers_of_a_kernel_file_are_given_again_with_their_decimals() -> None:
    given = Gives([1.5, 20.0, 7.0])
    assert _with_numbers("31015.69 12.00\nload 3", "/proc/x", given) == "1.50 20.00\nload 7"  # type: ignore[arg-type]


def test_a_reading_with_another_number_of_numbers_is_left_as_it_is() -> None:
    recording = Recording({"meter": True})
    recording._given = {"meter /proc/x MainThread": [[1.0, 2.0], [3.0]]}
    assert recording.meter("/proc/x", [5.0, 6.0]) == [1.0, 2.0]
    assert recording.meter("/proc/x", [5.0, 6.0]) == [5.0, 6.0]


def test_a_process_without_kept_readings_begins_when_the_run_began(monkeypatch: pytest.MonkeyPatch) -> None:
    kept = {"MainProcess": {"time() MainThread": [[500.0], [501.0]], "perf_counter() MainThread": [[7.0]]}}
    monkeypatch.setattr(Recording, "_all_kept", lambda self: kept)
    monkeypatch.setattr("seedwise_guest.tracing.recording._process", lambda: "ForkPoolWorker-1")
    worker = Recording({"clock": True})
    said = [worker.clock(name, real, True) for name, real in (("time()", 90.0), ("time()", 92.5), ("datetime", 93.0))]
    assert said == [500.0, 502.5, 503.0]
    assert worker.clock("perf_counter()", 3.0, True) == 7.0
    assert worker.clock("monotonic()", 3.0, True) == 1000.0
    assert worker.clock("time()", 90.0, False) == 90.0


def test_a_thread_without_kept_readings_goes_on_from_its_process(monkeypatch: pytest.MonkeyPatch) -> None:
    kept = {"MainProcess": {"time() MainThread": [[500.0], [501.0]]}}
    monkeypatch.setattr(Recording, "_all_kept", lambda self: kept)
    monkeypatch.setattr("seedwise_guest.tracing.recording._process", lambda: "MainProcess")
    recording = Recording({"clock": True})
    assert [recording.clock("time()", real, True) for real in (90.0, 95.0)] == [500.0, 501.0]
    found: list[float] = []
    thread = threading.Thread(target=lambda: found.append(recording.clock("time()", 96.0, True)))
    thread.start()
    thread.join()
    assert found == [506.0]


def test_readings_of_libraries_are_given_again_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    code = compile("import time\nread = lambda: time.time()\n", "/usr/lib/python3/site-packages/lib/x.py", "exec")
    library: dict[str, Any] = {"__name__": "lib.x"}
    exec(code, library)
    kept = {"MainProcess": {"time() MainThread": [[500.0]]}}
    monkeypatch.setattr(Recording, "_all_kept", lambda self: kept)
    facts = Facts()
    line = f"{__file__}:{sys._getframe(0).f_lineno + 9}"
    kept["MainProcess"][f"time() at {line} MainThread"] = [[600.0], [605.0]]
    for asked, own, others in (
        ({"clock": True}, 500.0, [600.0, 605.0]),
        ({"clock": line}, 90.0, [90.0, 95.0]),  # only the time between them
        ({}, 90.0, [90.0, 91.0]),
    ):
        says, real = Clock({}, Recording(asked), facts).says, iter([90.0, 91.0, 90.0])
        monkeypatch.setattr(time, "time", lambda s=says, r=real: s("time()", next(r), sys._getframe(1)))
        assert [library["read"]() for _ in range(2)] == others
        assert time.time() == own
    facts.stop()
    assert facts.as_dict()["clock-library"] == line


HELD = """
    import os, shutil, sys, tarfile, tempfile, time
    from pathlib import Path
    from seedwise_guest.tracing.file_facts import FileFacts
    from seedwise_guest.tracing.recording import Recording
    import seedwise_guest.process.frames as frames
    FileFacts(Recording({})).hold()
    with tempfile.TemporaryDirectory() as folder:
        Path(folder, "x").write_text("a")
    os.makedirs("d", exist_ok=True)
    Path("d/x").write_text("a")
    os.link("d/x", "d/y") if not os.path.exists("d/y") else None
    first = os.path.getmtime("d/x")
    time.sleep(0.02)
    Path("d/x").write_text("ab")
    assert os.path.getmtime("d/x") > first, "a program that waits for a change must see it"
    found = os.stat("d/x")
    with tarfile.open("a.tar", "w") as archive:
        archive.add("d/x")
    print(found.st_ino, found.st_mtime, open("a.tar", "rb").read().hex()[:300])
    shutil.rmtree("d")
"""


def test_facts_of_files_are_the_same_in_each_run_and_folders_can_be_removed(tmp_path: Path) -> None:
    script = tmp_path / "script.py"
    script.write_text(textwrap.dedent(HELD))
    said = [
        subprocess.run([sys.executable, str(script)], cwd=tmp_path, capture_output=True, text=True, check=False)
        for _ in range(2)
    ]
    assert [one.stderr for one in said] == ["", ""]
    assert said[0].stdout == said[1].stdout


READ = """
    import sys
    from pathlib import Path
    from seedwise_guest.tracing.facts import Facts
    from seedwise_guest.tracing.kernel_files import watch_kernel_files
    from seedwise_guest.tracing.recording import Recording
    recording = Recording({})
    watch_kernel_files(recording, Facts())
    Path("/proc/uptime").read_text()
    with open("/proc/self/statm", "rb") as file:
        assert b" " in file.read()
    open("/proc/self/stat", "rb", 0).read()
    assert Path(__file__).read_text() and open(__file__).fileno() > 0
    print(sorted(recording._kept))
"""


def test_kernel_files_are_seen_through_pathlib_too_and_others_are_opened_as_ever(tmp_path: Path) -> None:
    script = tmp_path / "script.py"
    script.write_text(textwrap.dedent(READ))
    done = subprocess.run([sys.executable, str(script)], capture_output=True, text=True, check=False)
    assert done.stderr == ""
    assert done.stdout.strip() == "['meter /proc/self/statm MainThread', 'meter /proc/uptime MainThread']"
