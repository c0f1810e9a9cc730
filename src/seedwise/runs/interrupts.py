"""Handles Ctrl-C and SIGTERM while runs are going on."""

import contextlib
import signal
import threading
from collections.abc import Iterator
from types import FrameType
from typing import Any


class Interrupts:
    """Counts Ctrl-C, SIGTERM and SIGHUP.

    After the first one the supervisor stops in order; the second one raises KeyboardInterrupt.
    """

    def __init__(self) -> None:
        self.count = 0
        self._before: dict[signal.Signals, Any] = {}

    def _handle(self, number: int, frame: FrameType | None) -> None:
        self.count += 1
        if self.count > 1:
            raise KeyboardInterrupt

    @contextlib.contextmanager
    def caught(self) -> Iterator["Interrupts"]:
        """Replace the handlers, if this is the main thread, and put them back at the end."""
        if threading.current_thread() is threading.main_thread():
            for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
                if signal.getsignal(number) is not signal.SIG_IGN:
                    self._before[number] = signal.signal(number, self._handle)
        try:
            yield self
        finally:
            for number, handler in self._before.items():
                signal.signal(number, handler)
