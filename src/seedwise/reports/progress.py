"""How far a sweep is: in one line, and how long it will still take."""

from collections.abc import Mapping, Sequence
from statistics import median

from ..results import Results, Status, Summary
from ..words import number, places_for, printable

_MOST_METRICS = 3


def line_of_progress(results: Results, summaries: Mapping[str, Summary]) -> str:
    """How many runs are in which state, and the means so far.

    A seed that was asked for and never began is queued while others run. It is not begun where nobody runs any.
    """
    runs = results.runs
    running = sum(run.status is Status.RUNNING for run in runs)
    unbegun = sum(run.status is Status.INTERRUPTED and run.attempt == 0 for run in runs)
    counts = {
        "finished": len(results.finished),
        "failed": len(results.failed),
        "running": running,
        "queued" if running else "not begun": unbegun,
        "interrupted": len(results.having(Status.INTERRUPTED)) - unbegun,
    }
    line = ", ".join(f"{count} {state}" for state, count in counts.items() if count)
    means = [f"{printable(f.label)} {number(f.mean, places_for(f))}" for f in summaries.values() if f.mean is not None][
        :_MOST_METRICS
    ]
    return line + (f"; mean {', '.join(means)}" if means else "")


def seconds_left(ended: int, todo: int, jobs: int, since_first: float, forked: Sequence[float]) -> float | None:
    """How many seconds the rest of a sweep will take; None where nothing is known.

    Parameters
    ----------
    ended, todo
        How many runs of this sweep have ended, and how many it has in all.
    jobs
        How many run at a time.
    since_first
        Seconds since the sweep began.
    forked
        Seconds that each forked run took which has finished.

    Returns
    -------
    float | None
        From the time that forked runs take, as soon as one has finished: those before it each started an interpreter
        and imported everything. Otherwise from the pace so far.
    """
    rest = todo - ended
    if rest <= 0 or not ended:
        return None
    if forked:
        return median(forked) * rest / max(1, min(jobs, rest))
    return since_first / ended * rest
