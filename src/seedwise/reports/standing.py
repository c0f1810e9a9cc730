"""How far a sweep is, in one line."""

from collections.abc import Mapping, Sequence

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


def seconds_left(lasted: Sequence[float], going: Sequence[float], waiting: int, jobs: int) -> float | None:
    """About how many seconds are left; None where nothing says it.

    Parameters
    ----------
    lasted
        Seconds that runs took which ended lately.
    going
        For each run that is going on, how many seconds it has taken so far.
    waiting
        How many have not begun.
    jobs
        How many go on at a time.
    """
    if not lasted or not going:
        return None
    each = sum(lasted) / len(lasted)
    rest = waiting * each + sum(max(each - so_far, 0.0) for so_far in going)
    return rest / max(1, jobs)
