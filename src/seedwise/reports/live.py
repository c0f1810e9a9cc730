"""Shows a supervisor's events as they come: a bar on a terminal, elsewhere a line for each run."""

import math
import time
from collections.abc import Iterator
from contextlib import contextmanager

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TaskID, TextColumn, TimeElapsedColumn
from rich.text import Text

from ..events import Began, Ended, Event, Note, Started, Waiting
from ..metrics import headline
from ..metrics.goals import looks_like_metric
from ..results import Run, Status
from ..stats import describe
from ..words import decimals, duration, failure, number, printable
from .progress import seconds_left

_PAUSE = 0.2
"""Seconds between two lines about finished runs. Every failure gets a line."""


class Live:
    """Shows events on standard error. Call it with each event. It raises no error, whatever a run printed."""

    def __init__(self, console: Console, prefer: str | None = None) -> None:
        self._console = console
        self._prefer = prefer
        self._progress: Progress | None = None
        self._task: TaskID | None = None
        self._ended = 0
        self._last: dict[str, list[dict[str, float]]] = {}  # for each experiment: the last values of each finished run
        self._failures: set[str] = set()
        self._forked: list[float] = []
        self._jobs = 1
        self._began = time.monotonic()
        self._said = 0.0
        self._todo = 0
        self._n = 0
        self._done = 0

    def __call__(self, event: Event) -> None:
        try:
            self._show(event)
        except OSError:  # nobody reads standard error any more; the runs go on
            self._progress = None
            self._console = Console(quiet=True)

    def _show(self, event: Event) -> None:
        if isinstance(event, Began):
            self._begin(event)
        elif isinstance(event, Ended):
            self._end(event.run, event.experiment)
        elif isinstance(event, Waiting):
            self._say(f"another command runs seed {', '.join(map(str, event.seeds[:10]))}; waiting for it")
        elif isinstance(event, Note):
            self._say(event.text)
        elif isinstance(event, Started) and self._progress is not None:
            self._progress.refresh()

    def _say(self, text: str) -> None:
        self._console.print(Text(printable(text), style="dim"), soft_wrap=True)

    def _begin(self, event: Began) -> None:
        self._n += event.n
        self._done += event.done
        self._todo += event.todo
        self._jobs = event.jobs
        self._last.setdefault(event.experiment, [])
        self._began = time.monotonic()
        if event.done:
            failed = (
                f" ({event.failed} failed; `seedwise resume {event.experiment} --failed` runs them again)"
                if event.failed
                else ""
            )
            of = f" of {event.experiment}" if len(self._last) > 1 else ""
            self._say(f"{event.done} of {event.n} seeds{of} were run before{failed}; {event.todo} to run")
        if self._progress is not None and self._task is not None:
            self._progress.update(self._task, total=self._n, completed=self._done)
        elif self._console.is_terminal and event.todo:
            self._progress = Progress(
                TextColumn("{task.description}"),
                BarColumn(),
                MofNCompleteColumn(),
                TimeElapsedColumn(),
                TextColumn("{task.fields[rest]}"),
                console=self._console,
                transient=True,
            )
            self._task = self._progress.add_task("seeds", total=event.n, completed=event.done, rest="")
            self._progress.start()

    def _end(self, run: Run, experiment: str) -> None:
        self._ended += 1
        if run.forked and run.status is Status.FINISHED and run.seconds is not None:
            self._forked.append(run.seconds)
        of = f"{printable(experiment)}, " if len(self._last) > 1 else ""
        runs = self._last.setdefault(experiment, [])
        if run.status is Status.FINISHED and run.series:
            runs.append({name: series.values[-1] for name, series in run.series.items()})
        if run.status is Status.FAILED:
            said = failure(run)
            self._say(f"{of}seed {run.seed} failed{' alike' if said in self._failures else f': {said}'}")
            self._failures.add(said)
        now, last = time.monotonic(), self._ended >= self._todo
        if now - self._said < _PAUSE and not last:
            if self._progress is not None and self._task is not None:
                self._progress.update(self._task, advance=1)
            return
        self._said = now
        mean, left = self._mean(runs), self._left()
        if self._progress is not None and self._task is not None:
            self._progress.update(self._task, advance=1, rest=f"{left}  {mean}")
        elif run.status is Status.FINISHED:
            took = f" in {duration(run.seconds)}" if run.seconds is not None else ""
            counted = f"{self._done + self._ended} of {self._n}" if self._n > 1 else ""
            parts = [part for part in (f"{of}seed {run.seed} finished{took}", counted, left, mean) if part]
            self._say("; ".join(parts))

    def _left(self) -> str:
        left = seconds_left(self._ended, self._todo, self._jobs, time.monotonic() - self._began, self._forked)
        return "" if left is None else f"{duration(left)} left"

    def _mean(self, finished: list[dict[str, float]]) -> str:
        """The mean so far, ± half its t interval, of the metric that the user most likely means."""
        if not finished:
            return ""
        names = [name for name in finished[0] if all(name in run for run in finished)]
        names, _ = headline.order(names, ())
        names.sort(key=lambda name: name != self._prefer)
        if not names or not (names[0] == self._prefer or looks_like_metric(names[0])):
            return ""
        values = [run[names[0]] for run in finished]
        if not all(map(math.isfinite, values)):
            return ""
        d = describe(values)
        half = None if d.interval is None else (d.interval[1] - d.interval[0]) / 2
        places = decimals(min(filter(None, (half, d.sd)), default=None), d.mean)
        return f"{printable(names[0])} {number(d.mean, places)}" + (
            f" ± {number(half, places)}" if half is not None else ""
        )

    def close(self) -> None:
        """Remove the bar."""
        if self._progress is not None:
            self._progress.stop()
            self._progress = None


@contextmanager
def showing(quiet: bool = False, prefer: str | None = None) -> Iterator[Live]:
    """A `Live` on standard error. It is closed at the end."""
    live = Live(Console(stderr=True, quiet=quiet, highlight=False), prefer)
    try:
        yield live
    finally:
        live.close()
