"""How far a sweep is, in one line."""

from collections.abc import Mapping

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
