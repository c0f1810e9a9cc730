"""Shows a supervisor's events as they come: a display on a terminal and in a notebook, elsewhere lines of text."""

import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Protocol

from rich.console import Console, Group
from rich.live import Live as Display
from rich.text import Text

from ..events import Began, Ended, Event, Note, Waiting
from ..results import Run, Status
from ..words import duration, failure, printable, seed_list
from .cell_output import cell_output, in_notebook
from .characters import in_encoding
from .console import PatientConsole
from .following import Part
from .progress import Progress
from .screen import Tone

_PAUSE = 3.0
"""Seconds between two lines about finished runs where there is no terminal. Every failure gets a line at once."""
_SILENCE = 60.0
"""After so many seconds without any line, what is running is said."""
_NOTEBOOK = 100
_IN_NOTEBOOK = 0.5
_STYLES = {Tone.GOOD: "green", Tone.BAD: "red", Tone.WARNING: "yellow", Tone.QUIET: "dim", Tone.PLAIN: ""}


class _Shows(Protocol):
    """A way of showing progress."""

    def begin(self) -> None: ...

    def say(self, text: str, tone: Tone = Tone.QUIET) -> None: ...

    def update(self, ended: Run | None, experiment: str) -> None: ...

    def close(self) -> None: ...


class Live:
    """Shows events on standard error. Call it with each event. It raises no error, whatever a run printed."""

    def __init__(self, console: Console, prefer: str | None = None, notebook: bool = False) -> None:
        self._progress = Progress(prefer)
        self._failures: set[str] = set()
        self._lock = threading.RLock()
        self._shows: _Shows
        if notebook:
            self._shows = _Notebook(self._progress, cell_output())
        elif console.is_terminal and not console.is_dumb_terminal:
            self._shows = _Terminal(self._progress, console, self._lock)
        else:
            self._shows = _Lines(self._progress, console)

    def __call__(self, event: Event) -> None:
        try:
            with self._lock:
                self._show(event)
        except OSError:  # nobody reads standard error any more; the runs go on
            self._shows = _Lines(self._progress, Console(quiet=True))

    def _show(self, event: Event) -> None:
        several = len(self._progress.followed) > 1
        self._progress.take(event)
        if isinstance(event, Began):
            self._begin(event)
        elif isinstance(event, Waiting):
            shown = ", ".join(map(str, event.seeds[:10]))
            self._shows.say(f"another command runs seed {shown}; waiting for it")
        elif isinstance(event, Note):
            self._shows.say(event.text)
        elif isinstance(event, Ended):
            if event.run.status is Status.FAILED:
                of = f"{event.experiment}, " if several else ""
                said = failure(event.run)
                self._shows.say(
                    f"{of}seed {event.run.seed} failed{' alike' if said in self._failures else f': {said}'}", Tone.BAD
                )
                self._failures.add(said)
            self._shows.update(event.run, event.experiment)
        else:
            self._shows.update(None, "")

    def _begin(self, event: Began) -> None:
        if event.done and not self._progress.design:
            failed = f" ({event.failed} failed; `seedwise resume {event.experiment} --failed` runs them again)"
            of = f" of {event.experiment}" if len(self._progress.followed) > 1 else ""
            rest = f"{event.todo} to run" if event.todo else "nothing is left to run"
            before = f"{event.done} of {event.n} seeds{of} were run before{failed if event.failed else ''}"
            self._shows.say(f"{before}; {rest}")
        if event.todo:
            self._shows.begin()

    @contextmanager
    def paused(self) -> Iterator[None]:
        """Inside this block nothing is drawn, so that somebody can be asked something."""
        self.close()
        try:
            yield
        finally:
            with self._lock:
                self._shows.begin()

    def close(self) -> None:
        """Remove the display, and say how long everything took."""
        try:
            with self._lock:
                shows = self._shows
            shows.close()
        except OSError:
            return


class _Terminal:
    """A display of a few lines that is drawn again and again, and removed at the end."""

    def __init__(self, progress: Progress, console: Console, lock: threading.RLock) -> None:
        self._progress, self._console, self._lock = progress, console, lock
        self._display: Display | None = None

    def begin(self) -> None:
        if self._display is None:
            self._display = Display(
                console=self._console, transient=True, refresh_per_second=4, get_renderable=self._drawn
            )
            self._display.start()

    def _drawn(self) -> Group:
        with self._lock:
            lines = self._progress.lines(self._console.width)
        return Group(*(self._text(line) for line in lines))

    def _text(self, parts: list[Part]) -> Text:
        made = [(in_encoding(text, self._console.encoding), _STYLES[tone]) for text, tone in parts]
        return Text.assemble(*made, no_wrap=True, overflow="crop")

    def say(self, text: str, tone: Tone = Tone.QUIET) -> None:
        shown = in_encoding(printable(text), self._console.encoding)
        self._console.print(Text(shown, style=_STYLES[tone]))

    def update(self, ended: Run | None, experiment: str) -> None:
        pass  # the display draws itself four times a second

    def close(self) -> None:
        display, self._display = self._display, None
        if display is not None:
            display.stop()
            self.say(self._progress.total())


class _Lines:
    """A line every few seconds, for a log or a terminal that can do no more. It names every seed that has ended."""

    def __init__(self, progress: Progress, console: Console) -> None:
        self._progress, self._console = progress, console
        self._said = float("-inf")
        self._ended: dict[str, list[Run]] = {}
        self._begun = False

    def begin(self) -> None:
        self._begun = True
        self._said = max(self._said, time.monotonic() - _PAUSE)

    def say(self, text: str, tone: Tone = Tone.QUIET) -> None:
        shown = Text(in_encoding(printable(text), self._console.encoding))
        self._console.print(shown, soft_wrap=not self._console.is_terminal)

    def update(self, ended: Run | None, experiment: str) -> None:
        if ended is not None and ended.status is Status.FINISHED:
            self._ended.setdefault(experiment, []).append(ended)
        silent = time.monotonic() - self._said
        if self._ended and (silent >= _PAUSE or self._progress.is_over):
            self._say_ended()
        elif silent >= _SILENCE and self._progress.running:
            self._say_running()

    def _say_ended(self) -> None:
        for experiment, runs in self._ended.items():
            self.say("; ".join(part for part in self._about(experiment, runs) if part))
        self._ended.clear()
        self._said = time.monotonic()

    def _about(self, experiment: str, runs: list[Run]) -> list[str]:
        of = f"{printable(experiment)}, " if len(self._progress.followed) > 1 and not self._progress.design else ""
        took = f" in {duration(runs[0].seconds)}" if len(runs) == 1 and runs[0].seconds is not None else ""
        named = f"seed{'s' if len(runs) > 1 else ''} {seed_list([run.seed for run in runs], most=10**6)}"
        left = self._progress.left()
        mean = self._progress.parts(experiment, self._progress.is_over)[:1]
        return [
            f"{of}{named} finished{took}",
            self._progress.counted() if self._progress.n > 1 and not self._progress.looped else "",
            f"about {duration(left)} left" if left is not None else "",
            mean[0][0] if mean else "",
        ]

    def _say_running(self) -> None:
        one = min(self._progress.running.values(), key=lambda running: running.began)
        said = one.doing()
        more = len(self._progress.running) - 1
        others = f", and {more} more" if more else ""
        self.say(
            f"running: {one.label} for {duration(time.monotonic() - one.began)}{others}{': ' if said else ''}{said}"
        )
        self._said = time.monotonic()

    def close(self) -> None:
        if self._ended:
            self._say_ended()
        if self._begun:
            self._begun = False
            self.say(self._progress.total())


class _Notebook:
    """One output of the cell, which is replaced a few times a second."""

    def __init__(self, progress: Progress, show: Callable[[str], None]) -> None:
        self._progress, self._show = progress, show
        self._notes: list[str] = []
        self._drawn = 0.0

    def begin(self) -> None:
        self._draw()

    def say(self, text: str, tone: Tone = Tone.QUIET) -> None:
        self._notes.append(printable(text))
        self._draw()

    def update(self, ended: Run | None, experiment: str) -> None:
        if time.monotonic() - self._drawn >= _IN_NOTEBOOK:
            self._draw()

    def close(self) -> None:
        if self._progress.began is not None:
            self._draw([self._progress.total()])

    def _draw(self, lines: list[str] | None = None) -> None:
        self._drawn = time.monotonic()
        if lines is None:
            lines = ["".join(text for text, _ in line) for line in self._progress.lines(_NOTEBOOK)]
        self._show("\n".join([*self._notes[-10:], *lines]))


@contextmanager
def showing(quiet: bool = False, prefer: str | None = None) -> Iterator[Live]:
    """A `Live` on standard error. It is closed at the end.

    Parameters
    ----------
    prefer
        The metric that is followed, in place of the one that the report will lead with.
    """
    live = Live(PatientConsole(stderr=True, quiet=quiet, highlight=False), prefer)
    try:
        yield live
    finally:
        live.close()


@contextmanager
def shown_to_python(
    progress: bool | None, tell: Callable[[Event], None] | None = None
) -> Iterator[Callable[[Event], None]]:
    """What a call from Python does with events: shows them, gives them to `tell`, or both.

    Parameters
    ----------
    progress
        None: show them on a terminal and in a notebook, unless there is a `tell`.
    """
    notebook = in_notebook()
    if progress is None:
        progress = tell is None and (notebook or sys.stderr.isatty())
    if not progress:
        yield tell or (lambda event: None)
        return
    live = Live(PatientConsole(stderr=True, highlight=False), notebook=notebook)

    def both(event: Event) -> None:
        live(event)
        if tell is not None:
            tell(event)

    try:
        yield both
    finally:
        live.close()
