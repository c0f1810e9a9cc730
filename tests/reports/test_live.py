"""What is seen while runs go on: on a terminal, in a log, in a notebook, and not at all."""

import io
import re
import sys
from collections.abc import Callable
from types import SimpleNamespace
from typing import Any

import pytest
from rich.cells import cell_len
from rich.console import Console

import seedwise as sw
from seedwise.api.summary import summarize_all
from seedwise.events import Beat, Began, Comparing, Ended, Event, Note, Planned, Started
from seedwise.reports import live as live_module
from seedwise.reports.cell_output import in_notebook
from seedwise.reports.console import PatientConsole
from seedwise.reports.following import Following
from seedwise.reports.live import Live
from seedwise.reports.progress import Progress
from seedwise.reports.steps import steps_shown
from seedwise.results import Cause, Goal, Metric, Results, Run, Series, Status
from seedwise.runs.last_words import last_words
from seedwise.words import sentence


def run_of(seed: int, **values: float) -> Run:
    return Run(seed, Status.FINISHED, {n: Series((1,), (v,)) for n, v in values.items()}, seconds=0.5)


def failed(seed: int) -> Run:
    return Run(seed, Status.FAILED, cause=Cause.EXCEPTION, detail="RuntimeError: boom")


class Clock:
    now = 100.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


def text(progress: Progress, width: int) -> list[str]:
    return ["".join(part for part, _ in line) for line in progress.lines(width)]


def test_the_display_says_what_is_running_for_how_long_and_what_it_last_said(clock: Clock) -> None:
    progress = Progress(clock=clock)
    progress.take(Began(30, 0, 30, 2, 0, "train"))
    progress.take(Started(1, "train", lambda: "step 3 loss=0.41"))
    clock.now += 12.3
    lines = text(progress, 80)
    assert lines[0].startswith("train  ──")
    assert "0 of 30  12.3 s" in lines[0]
    assert lines[1] == "seed 1  12.3 s  step 3 loss=0.41"
    progress.take(Ended(run_of(1, acc=0.8), "train"))
    progress.take(Comparing(1, "train"))
    clock.now += 2
    lines = text(progress, 80)
    assert "1 of 30" in lines[0]
    assert lines[1:] == ["acc 0.8000", "seed 1  2.0 s  once more, to compare a forked run with a fresh one"]
    progress.take(Comparing(1, "train", ended=True))
    assert len(text(progress, 80)) == 2


def test_the_live_numbers_are_those_of_the_report(clock: Clock) -> None:
    runs = [run_of(s, train_loss=0.1 * s, test_acc=0.8 + 0.013 * (s % 5), val_acc=0.7 + 0.01 * s) for s in range(1, 12)]
    following = Following()
    for run in runs:
        following.add(run)
    parts = [part for part, _ in following.parts()]
    goals = {"test_acc": Goal.MAX, "val_acc": Goal.MAX, "train_loss": Goal.MIN}
    results = Results("train", "", (), runs, tuple(Metric(n, g) for n, g in goals.items()))
    said = sentence(summarize_all(results)["test_acc"])
    mean = re.search(r"test_acc is (\S+ ± \S+)", said)
    assert mean is not None
    assert parts[0] == f"test_acc {mean[1]}"
    assert parts[2].removeprefix("best ") in said.replace("from ", "")
    assert len(parts) == 4  # mean, histogram, best, worst


def test_runs_from_before_count_and_a_seed_that_is_tried_again_counts_once(clock: Clock) -> None:
    progress = Progress(clock=clock)
    progress.take(Began(4, 2, 2, 1, 0, "train", (run_of(1, acc=0.5), run_of(2, acc=0.7))))
    progress.take(Ended(failed(3), "train"))
    progress.take(Ended(run_of(3, acc=0.6), "train"))
    assert (progress.counted(), progress.failed, progress.is_over) == ("3 of 4", 0, False)
    assert progress.parts("train")[0][0].startswith("acc 0.60 ±")


def test_a_design_is_one_piece_of_work_and_its_first_run_counts_once(clock: Clock) -> None:
    progress = Progress(clock=clock)
    progress.take(Planned(4, "train"))
    progress.take(Began(1, 0, 1, 1, 0, "train order=1"))
    progress.take(Ended(run_of(1, acc=0.5), "train order=1"))
    progress.take(Began(2, 1, 1, 1, 0, "train order=1", (run_of(1, acc=0.5),)))
    progress.take(Ended(run_of(2, acc=0.6), "train order=1"))
    assert progress.counted() == "2 of 4"
    progress.take(Began(2, 0, 2, 1, 0, "train order=2"))
    for seed in (1, 2):
        progress.take(Ended(run_of(seed, acc=0.7), "train order=2"))
    assert progress.total().startswith("train: 4 of 4 runs done; ")
    assert len(progress.lines(80)) == 2
    assert not any("order=" in text for line in progress.lines(80) for text, _ in line)


def test_what_is_left_is_reckoned_from_the_quick_runs_not_from_the_first(clock: Clock) -> None:
    progress = Progress(clock=clock)
    progress.take(Began(30, 0, 30, 1, 0, "train"))
    clock.now += 20  # the first starts an interpreter
    progress.take(Ended(run_of(1, acc=0.5), "train"))
    for seed in range(2, 11):
        clock.now += 1
        progress.take(Ended(run_of(seed, acc=0.5), "train"))
    assert progress.left() == pytest.approx(20)


@pytest.mark.parametrize("width", [20, 40, 60, 80, 160])
def test_no_line_is_wider_than_the_terminal(width: int, clock: Clock) -> None:
    progress = Progress(clock=clock)
    progress.take(Began(30, 0, 30, 8, 0, "a-rather-long-name-of-an-experiment"))
    for seed in range(1, 9):
        progress.take(Started(seed, "a-rather-long-name-of-an-experiment", lambda: "精度 " * 40))
    for seed in range(1, 4):
        progress.take(Ended(run_of(seed, a_rather_long_name_of_a_metric_accuracy=0.123456 * seed), ""))
    progress.take(Ended(failed(4), ""))
    clock.now += 4000
    lines = progress.lines(width)
    assert all(cell_len("".join(part for part, _ in line)) <= width for line in lines)
    assert len(lines) <= 7


class Time:
    """A clock for the lines in a log."""

    now = 0.0

    def monotonic(self) -> float:
        return self.now


@pytest.fixture
def log(monkeypatch: pytest.MonkeyPatch) -> tuple[Callable[[Event, float], None], io.StringIO, Live]:
    out, time = io.StringIO(), Time()
    monkeypatch.setattr(live_module, "time", time)
    live = Live(Console(file=out, width=60, force_terminal=False))

    def later(event: Event, seconds: float) -> None:
        time.now += seconds
        live(event)

    return later, out, live


def test_a_log_gets_a_line_every_few_seconds_and_no_seed_is_missed(log: Any) -> None:
    later, out, live = log
    later(Began(300, 0, 300, 1, 0, "train"), 0)
    for seed in range(1, 301):
        later(Ended(failed(seed) if seed == 7 else run_of(seed, acc=0.5 + seed / 1000), "train"), 0.1)
    live.close()
    lines = out.getvalue().splitlines()
    named: set[int] = set()
    for line in lines:
        if line.startswith("seed") and " finished" in line:
            for part in line.split(" finished")[0].split(" ", 1)[1].split(", "):
                first, _, last = part.partition("–")
                named |= set(range(int(first), int(last or first) + 1))
    assert named == set(range(1, 301)) - {7}
    assert sum("failed: exception: RuntimeError: boom" in line for line in lines) == 1
    assert 8 <= len(lines) <= 14  # thirty seconds
    assert "300 of 300" in lines[-2]
    assert re.fullmatch(r"train: 300 of 300 seeds done, 1 failed; .* s", lines[-1])


def test_a_log_that_would_be_silent_says_what_is_running(log: Any) -> None:
    later, out, _ = log
    later(Began(3, 0, 3, 1, 0, "train"), 0)
    later(Started(1, "train", lambda: "epoch 3 of 9"), 0)
    for _ in range(200):
        later(Beat(), 1)
    assert 2 <= out.getvalue().count("running: seed 1") <= 4
    assert "epoch 3 of 9" in out.getvalue()


def test_a_note_with_terminal_codes_does_no_harm(log: Any) -> None:
    later, out, _ = log
    later(Note("\x1b[31mevil\x07"), 0)
    assert "\x1b" not in out.getvalue()


def test_the_reader_of_standard_error_may_go_away() -> None:
    class Gone(io.StringIO):
        def write(self, text: str) -> int:
            raise BrokenPipeError

    live = Live(PatientConsole(file=Gone(), force_terminal=False))
    for event in (Began(2, 0, 2, 1, 0, "train"), Note("x"), Ended(run_of(1, acc=0.5), "train")):
        live(event)
    live.close()


def train(seed: int) -> float:
    return seed / 10


def test_progress_in_python_is_shown_where_asked_and_silent_otherwise(
    project: object, capsys: pytest.CaptureFixture[str]
) -> None:
    sw.run(train, [1, 2])
    assert capsys.readouterr().err == ""  # no terminal
    sw.run(train, [1, 2, 3], progress=True)
    assert "3 of 3 seeds done" in capsys.readouterr().err
    sw.run(train, [1, 2, 3, 4], progress=False)
    assert capsys.readouterr().err == ""


def test_a_listener_hears_everything_beside_the_display(project: object, capsys: pytest.CaptureFixture[str]) -> None:
    heard: list[Event] = []
    sw.run(train, [1, 2], tell=heard.append, progress=True)
    assert {Began, Started, Ended} <= {type(event) for event in heard}
    assert "2 of 2 seeds done" in capsys.readouterr().err


def test_last_words_are_what_was_logged_or_printed(tmp_path: Any) -> None:
    folder, spool = tmp_path / "run", tmp_path / "spool"
    folder.mkdir()
    spool.mkdir()
    assert last_words(folder, spool) == ""
    (folder / "stdout").write_text("start\nepoch 1\n\n")
    assert last_words(folder, spool) == "epoch 1"
    (folder / "stderr").write_text("\x1b[32m 10%|#\r 20%|##\r")
    assert last_words(folder, spool) in ("20%|##", "epoch 1")
    (spool / "1.jsonl").write_text('{"type": "hello"}\n{"type": "log", "step": 3, "values": {"loss": 0.41}}\n{"ty')
    assert last_words(folder, spool) == "step 3 loss=0.41"


def test_a_script_that_loops_over_its_seeds_is_seen_while_it_runs(clock: Clock) -> None:
    progress = Progress(clock=clock)
    progress.take(Began(1, 0, 1, 1, 0, "train", looped=True))
    progress.take(Started(None, "train", lambda: "seed = 3 | acc = 0.8"))
    clock.now += 5
    lines = text(progress, 80)
    assert lines[0] == "train  5.0 s"  # nobody knows how many seeds there are
    assert lines[1] == "all seeds in one process  5.0 s  seed = 3 | acc = 0.8"
    for seed in range(6):
        progress.take(Ended(run_of(seed, acc=0.5)))
    assert not progress.running
    assert progress.total() == "train: 6 seeds done; 5.0 s"


def test_the_steps_of_a_check_are_a_line_on_a_terminal_and_few_in_a_log(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    now = Clock()
    monkeypatch.setattr("seedwise.reports.steps.time", SimpleNamespace(monotonic=now))
    with steps_shown(None) as say:  # no terminal: nothing, unless it was asked for
        say("run it once")
    assert capsys.readouterr().err == ""
    heard: list[str] = []
    with steps_shown(True, heard.append) as say:
        for step, later in (("run it once", 0), ("run it again", 1), ("one thread", 2.5)):
            now.now += later
            say(step)
    assert capsys.readouterr().err.splitlines() == ["check  0.0 s  1. run it once", "check  3.5 s  3. one thread"]
    assert heard == ["run it once", "run it again", "one thread"]
    with steps_shown(False, heard.append) as say:
        say("quiet")
    assert (heard[-1], capsys.readouterr().err) == ("quiet", "")
    monkeypatch.setenv("FORCE_COLOR", "1")  # as on a terminal
    monkeypatch.setenv("TERM", "xterm")
    with steps_shown(True) as say:
        say("run it once")
    assert "1. run it once" in capsys.readouterr().err


def test_steps_in_marimo_stand_in_the_output_of_its_cell(monkeypatch: pytest.MonkeyPatch) -> None:
    shown: list[str] = []
    marimo = SimpleNamespace(
        running_in_notebook=lambda: True, plain_text=str, output=SimpleNamespace(replace=shown.append)
    )
    monkeypatch.setitem(sys.modules, "marimo", marimo)
    monkeypatch.setitem(sys.modules, "IPython", None)  # marimo does without
    with steps_shown(None) as say:
        say("run it once")
    assert "1. run it once" in shown[0]
    assert shown[-1].startswith("1 step;")


def test_only_the_shell_of_a_kernel_is_a_notebook(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "ipykernel", SimpleNamespace())  # scripts import it too
    monkeypatch.setitem(sys.modules, "IPython", SimpleNamespace(get_ipython=lambda: None))
    assert not in_notebook()
    monkeypatch.setitem(sys.modules, "IPython", SimpleNamespace(get_ipython=lambda: SimpleNamespace(kernel=1)))
    assert in_notebook()
