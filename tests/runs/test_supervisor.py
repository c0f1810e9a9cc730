"""The supervisor: which seeds are started, again or not, and what stops it; with processes that end as it is told."""

import json
import signal
from collections.abc import Callable
from pathlib import Path

import pytest

from seedwise.events import Ended, Event
from seedwise.experiments.options import Mode, Options
from seedwise.experiments.store import Store
from seedwise.results import Cause, Status
from seedwise.runs.attempt import Setup
from seedwise.runs.processes import Exit, Task
from seedwise.runs.supervisor import Supervisor
from seedwise.sandbox.workdir import Workdir
from seedwise.sandbox.worlds import find_worlds
from seedwise_guest.protocol import SPOOL, WORLD_ERROR, WORLD_FAILED, Placement


class Scripted:
    """Ends each task at once, with the status that `ends(seed, attempt)` gives; None: it goes on until it is stopped."""

    def __init__(self, ends: Callable[[int, int], int | None]) -> None:
        self.ends = ends
        self.started: list[int] = []
        self.spools: dict[int, Path] = {}
        """Seed → the spool of its newest attempt."""
        self.most = 0
        self._open: dict[int, Task] = {}
        self._asked: set[int] = set()

    def start(self, task: Task, forked: bool = False) -> None:
        assert not forked
        for path in (task.stdout, task.stderr):
            path.write_text("acc = 0.5\n")
        self.started.append(task.seed)
        self.spools[task.seed] = Path(task.environment[SPOOL])
        self._open[task.number] = task
        self.most = max(self.most, len(self._open))

    def wait(self, seconds: float) -> list[Exit]:
        found = []
        for number, task in list(self._open.items()):
            status = self.ends(task.seed, self.started.count(task.seed))
            if number in self._asked:
                status = -signal.SIGKILL
            if status is not None:
                del self._open[number]
                found.append(Exit(number, status, 0.1))
        return found

    def stop_one(self, number: int, sign: signal.Signals) -> None:
        if sign == signal.SIGKILL:
            self._asked.add(number)

    def stop(self, grace: float) -> list[Exit]:
        found = [Exit(number, -signal.SIGTERM, 0.1) for number in self._open]
        self._open.clear()
        return found


Run = Callable[..., tuple[Supervisor, Scripted, dict[int, Status]]]


@pytest.fixture
def run(project: Path, monkeypatch: pytest.MonkeyPatch) -> Run:
    """Run seeds with processes of that kind; returns both and what the store says of each seed."""
    monkeypatch.setattr("seedwise.runs.supervisor._GRACE", 0.05)

    def go(
        ends: Callable[[int, int], int | None], seeds: range = range(1, 5), jobs: int = 2, **options: object
    ) -> tuple[Supervisor, Scripted, dict[int, Status]]:
        worlds = find_worlds(Workdir.SHARED, None)
        chosen = Options(workdir=Workdir.SHARED, threads=None, **options)  # type: ignore[arg-type]
        setup = Setup(
            ("python", "x.py"), Mode.PLACEHOLDER, Placement([], None), None, {}, worlds, chosen, entered=False
        )
        processes = go.processes = Scripted(ends)  # type: ignore[attr-defined]
        with Store(project / ".seedwise") as store:
            experiment = store.add_experiment("x", "k", ["python", "x.py"], {"code": {}}, {})
            store.want(experiment.id, seeds)
            supervisor = Supervisor(store, experiment, setup, processes, jobs=jobs, packages={}, tell=told.append)
            supervisor.run(seeds)
            return supervisor, processes, {r.seed: r.status for r in store.runs(experiment.id)}

    told: list[Event] = []
    go.told = told  # type: ignore[attr-defined]
    return go


def test_every_seed_is_started_once_and_no_more_at_a_time_than_jobs(run: Run) -> None:
    _, processes, status = run(lambda seed, attempt: 0, range(1, 8), jobs=3)
    assert sorted(processes.started) == list(range(1, 8))
    assert processes.most == 3
    assert set(status.values()) == {Status.FINISHED}
    assert [e.run.seed for e in run.told if isinstance(e, Ended)]  # type: ignore[attr-defined]


def test_what_is_finished_is_not_started_again(run: Run) -> None:
    run(lambda seed, attempt: 0, range(1, 3))
    _, processes, status = run(lambda seed, attempt: 0, range(1, 5))
    assert sorted(processes.started) == [3, 4]
    assert len(status) == 4


def test_a_failed_seed_costs_that_seed_alone(run: Run) -> None:
    _, _, status = run(lambda seed, attempt: 1 if seed == 2 else 0)
    assert [seed for seed, s in status.items() if s is Status.FAILED] == [2]


def test_a_failed_seed_is_tried_as_often_as_asked_and_its_success_counts(run: Run) -> None:
    _, processes, status = run(lambda seed, attempt: 0 if seed != 2 or attempt == 3 else 1, retries=2)
    assert processes.started.count(2) == 3
    assert status[2] is Status.FINISHED


def test_fail_fast_starts_no_further_seed(run: Run) -> None:
    supervisor, processes, status = run(
        lambda seed, attempt: 1 if seed == 1 else 0, range(1, 20), jobs=1, fail_fast=True
    )
    assert processes.started == [1]
    assert "fail_fast" in supervisor.stopped
    assert status[1] is Status.FAILED
    assert status[2] is Status.INTERRUPTED


def test_three_failures_alike_at_the_beginning_stop_the_sweep(run: Run) -> None:
    supervisor, processes, status = run(lambda seed, attempt: 1, range(1, 20), jobs=1)
    assert processes.started == [1, 2, 3]
    assert supervisor.stopped == "all 3 failed alike; keep_going=True runs the rest"
    assert status[4] is Status.INTERRUPTED


@pytest.mark.parametrize(
    ("ends", "options"),
    [
        (lambda seed, attempt: 1, {"keep_going": True}),
        (lambda seed, attempt: 0 if seed == 3 else 1, {}),  # one works
        (lambda seed, attempt: seed, {}),  # each fails in its own way
        (lambda seed, attempt: 1 if seed < 4 else 0, {"keep_going": True}),
    ],
)
def test_the_sweep_goes_on(ends: Callable[[int, int], int], options: dict[str, bool], run: Run) -> None:
    _, processes, _ = run(ends, range(1, 8), jobs=1, **options)
    assert processes.started == list(range(1, 8))


def test_failures_alike_do_not_stop_what_worked_before(run: Run) -> None:
    run(lambda seed, attempt: 0, range(1, 2))
    _, processes, _ = run(lambda seed, attempt: 1, range(1, 8), jobs=1)
    assert processes.started == list(range(2, 8))


def test_tries_that_are_repeated_count_once(run: Run) -> None:
    _, processes, _ = run(lambda seed, attempt: 1, range(1, 8), jobs=1, retries=1)
    assert len(set(processes.started)) > 3 or processes.started.count(1) == 2
    assert max(processes.started.count(seed) for seed in processes.started) == 2


def test_a_run_that_takes_too_long_is_ended_and_the_others_go_on(run: Run, project: Path) -> None:
    _, _, status = run(lambda seed, attempt: None if seed == 1 else 0, timeout=0.1)
    assert status == {1: Status.FAILED, 2: Status.FINISHED, 3: Status.FINISHED, 4: Status.FINISHED}
    with Store(project / ".seedwise") as store:
        assert store.runs(1)[0].cause is Cause.TIMEOUT


@pytest.mark.parametrize(("kind", "started"), [("world", [1]), ("command", [1, 2, 3])])
def test_private_files_that_cannot_be_set_up_end_the_sweep(kind: str, started: list[int], run: Run) -> None:
    def ends(seed: int, attempt: int) -> int:
        spool = run.processes.spools[seed]  # type: ignore[attr-defined]
        (spool / WORLD_ERROR).write_text(json.dumps({"kind": kind, "error": "refused"}))
        return WORLD_FAILED

    supervisor, processes, _ = run(ends, jobs=1)
    assert processes.started == started
    assert ("all 3 failed alike" in supervisor.stopped) == (kind == "command")
    assert supervisor.stopped
