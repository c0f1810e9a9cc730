"""How far a sweep is: states in words."""

from seedwise.reports.standing import line_of_progress
from seedwise.results import Results, Run, Status


def results(*runs: Run) -> Results:
    return Results("train", "key", ("python", "train.py"), runs)


DONE = Run(1, Status.FINISHED)
QUEUED = Run(2, Status.INTERRUPTED, attempt=0)
ENDED_EARLY = Run(3, Status.INTERRUPTED, attempt=1)


def test_queued_is_told_from_interrupted() -> None:
    running = results(DONE, QUEUED, ENDED_EARLY, Run(4, Status.RUNNING))
    assert line_of_progress(running, {}) == "1 finished, 1 running, 1 queued, 1 interrupted"


def test_what_nobody_runs_is_not_queued() -> None:
    assert line_of_progress(results(DONE, QUEUED), {}) == "1 finished, 1 not begun"
