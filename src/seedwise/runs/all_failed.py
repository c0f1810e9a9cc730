"""What Python is told where every run of a sweep failed."""

import os

from ..results import Cause, Results, Run, RunsFailedError, Status
from ..wording import switched_on
from ..words import failing_alike, failure, seed_list
from .request import Outcome
from .tracebacks import traceback_in

_TAIL = 50_000
_SAYS_MORE = (Cause.EXCEPTION, Cause.MISSING, Cause.MEMORY, Cause.EXIT, Cause.ISOLATION)
"""Causes of which a run's standard error says more than its detail."""


def results_or_raise(outcome: Outcome, keep_going: bool) -> Results:
    """The results of a sweep.

    Raises
    ------
    RunsFailedError
        Every run that ended failed, and nobody asked to keep going or interrupted it.
    """
    results = outcome.results
    if keep_going or outcome.interrupted or results.finished or not results.failed:
        return results
    raise RunsFailedError(_message(results), results)


def _message(results: Results) -> str:
    alike = failing_alike(results.failed)[0]
    first, others = alike[0], len(results.failed) - len(alike)
    open_ = len(results.having(Status.INTERRUPTED))
    text = f"{results.name}: no run finished. Seed {seed_list([run.seed for run in alike])} failed: {failure(first)}"
    if others:
        text += f"; {others} more failed otherwise"
    if open_:
        text += f"; {open_} seeds were not started ({switched_on('--keep-going')} runs them)"
    said = _said(first) if first.cause in _SAYS_MORE else ""
    return f"{text}\n\nWhat seed {first.seed} said:\n\n{said}" if said else text


def _said(run: Run) -> str:
    """The end of what a run printed on standard error."""
    if run.folder is None:
        return ""
    try:
        with open(os.path.join(run.folder, "stderr"), "rb") as file:
            file.seek(max(0, file.seek(0, os.SEEK_END) - _TAIL))
            return traceback_in(file.read().decode("utf-8", errors="replace"))
    except OSError:
        return ""
