"""Shows the steps of an examination as they come: one line on a terminal and in a notebook, elsewhere a line a step."""

import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from rich.console import Console
from rich.live import Live as Display
from rich.text import Text

from ..words import duration, printable
from .cell_output import cell_output, in_notebook
from .characters import in_encoding
from .console import PatientConsole

_PAUSE = 3.0
"""Seconds between two lines where there is no terminal. Quick steps in between are not named."""

Say = Callable[[str], None]


@contextmanager
def steps_shown(progress: bool | None, tell: Say | None = None) -> Iterator[Say]:
    """What is called with each step: it shows them, gives them to `tell`, or both.

    Parameters
    ----------
    progress
        None: show them on a terminal and in a notebook, unless there is a `tell`. True: show them in a log too.
    """
    notebook = in_notebook()
    if progress is None:
        progress = tell is None and (notebook or sys.stderr.isatty())
    if not progress:
        yield tell or (lambda text: None)
        return
    console = PatientConsole(stderr=True, highlight=False)
    shown = _InNotebook() if notebook else _OnTerminal(console) if _draws(console) else _InLog(console)

    def both(text: str) -> None:
        shown.say(text)
        if tell is not None:
            tell(text)

    try:
        yield both
    finally:
        shown.close()


def _draws(console: Console) -> bool:
    return console.is_terminal and not console.is_dumb_terminal


class _Steps:
    """The step that is going on, its number, and how long everything has taken."""

    def __init__(self) -> None:
        self._began = time.monotonic()
        self._step, self._count = "", 0

    def take(self, text: str) -> None:
        self._step, self._count = printable(text), self._count + 1

    def line(self) -> str:
        return f"check  {duration(time.monotonic() - self._began)}  {self._count}. {self._step}"

    def total(self) -> str:
        return f"{self._count} step{'s' if self._count != 1 else ''}; {duration(time.monotonic() - self._began)}"


class _OnTerminal:
    """One line, drawn again and again, and removed at the end."""

    def __init__(self, console: Console) -> None:
        self._steps, self._console = _Steps(), console
        self._display: Display | None = None

    def say(self, text: str) -> None:
        self._steps.take(text)
        if self._display is None:
            self._display = Display(
                console=self._console, transient=True, refresh_per_second=4, get_renderable=self._drawn
            )
            self._display.start()

    def _drawn(self) -> Text:
        return Text(in_encoding(self._steps.line(), self._console.encoding), no_wrap=True, overflow="ellipsis")

    def close(self) -> None:
        if self._display is not None:
            self._display.stop()


class _InLog:
    """A line every few seconds."""

    def __init__(self, console: Console) -> None:
        self._steps, self._console = _Steps(), console
        self._said = float("-inf")

    def say(self, text: str) -> None:
        self._steps.take(text)
        if time.monotonic() - self._said < _PAUSE:
            return
        self._said = time.monotonic()
        try:
            self._console.print(Text(in_encoding(self._steps.line(), self._console.encoding)), soft_wrap=True)
        except OSError:  # nobody reads standard error any more; the examination goes on
            self._console = Console(quiet=True)

    def close(self) -> None:
        pass


class _InNotebook:
    """One output of the cell, which is replaced with each step."""

    def __init__(self) -> None:
        self._steps, self._show = _Steps(), cell_output()

    def say(self, text: str) -> None:
        self._steps.take(text)
        self._show(self._steps.line())

    def close(self) -> None:
        self._show(self._steps.total())
