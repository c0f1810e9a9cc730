"""How far a sweep is: states in words, and the time that is left."""

import pytest

from seedwise.reports.progress import line_of_progress, seconds_left
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


@pytest.mark.parametrize(
    ("ended", "jobs", "since", "forked", "left"),
    [
        (1, 1, 60.0, [], 29 * 60.0),  # the first one imports everything
        (3, 1, 62.0, [1.0, 1.0], 27.0),  # those that are forked take a second
        (3, 9, 62.0, [1.0, 1.0], 3.0),
        (10, 4, 40.0, [], 80.0),
        (0, 1, 5.0, [], None),
        (30, 1, 90.0, [3.0], None),
    ],
)
def test_the_time_left_follows_the_forked_runs(
    ended: int, jobs: int, since: float, forked: list[float], left: float | None
) -> None:
    assert seconds_left(ended, 30, jobs, since, forked) == left
