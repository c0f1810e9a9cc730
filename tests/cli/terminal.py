"""A terminal of a given width for one command: what stands on its screen at the end, and in which colours."""

import fcntl
import os
import pty
import select
import struct
import subprocess
import termios
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import pyte

_HEIGHT = 50
_PLAIN = ("default", "white")
_NAMES = {"brown": "yellow"}


@dataclass(frozen=True)
class Session:
    """`frames` are the screens while the command ran, about four a second."""

    screen: tuple[str, ...]
    colours: tuple[str, ...]
    status: int
    frames: tuple[tuple[str, ...], ...] = ()


def session(words: Sequence[str], width: int, seconds: float = 100, **environment: str) -> Session:
    """Run a command on a terminal that is `width` columns wide."""
    ours, theirs = pty.openpty()
    fcntl.ioctl(theirs, termios.TIOCSWINSZ, struct.pack("HHHH", _HEIGHT, width, 0, 0))
    kept = {k: v for k, v in os.environ.items() if k not in ("COLUMNS", "LINES", "NO_COLOR", "FORCE_COLOR")}
    settings = {**kept, "TERM": "xterm-256color", "PYTHONUTF8": "1", **environment}
    process = subprocess.Popen(list(words), stdin=theirs, stdout=theirs, stderr=theirs, env=settings)
    os.close(theirs)
    screen = pyte.HistoryScreen(width, _HEIGHT, history=2000)
    stream = pyte.ByteStream(screen)
    frames: list[tuple[str, ...]] = []
    end, next_frame = time.monotonic() + seconds, time.monotonic() + 0.25
    while time.monotonic() < end:
        readable, _, _ = select.select([ours], [], [], 0.1)
        try:
            data = os.read(ours, 65536) if readable else b"" if process.poll() is not None else None
        except OSError:  # the command is over
            break
        if data == b"":
            break
        if data:
            stream.feed(data)
        if time.monotonic() >= next_frame:
            frames.append(_lines(screen))
            next_frame += 0.25
    status = process.wait(timeout=10)
    os.close(ours)
    return Session(_lines(screen), _colours(screen), status, tuple(frames))


def _rows(screen: pyte.HistoryScreen) -> list[Mapping[int, pyte.screens.Char]]:
    return [*screen.history.top, *(screen.buffer[k] for k in range(screen.lines))]


def _lines(screen: pyte.HistoryScreen) -> tuple[str, ...]:
    lines = ["".join(row[k].data for k in range(screen.columns)).rstrip() for row in _rows(screen)]
    while lines and not lines[-1]:
        lines.pop()
    return tuple(lines)


def _colours(screen: pyte.HistoryScreen) -> tuple[str, ...]:
    """Each colour with the words that have it."""
    found: dict[str, list[str]] = {}
    for row in _rows(screen):
        before = "default"
        for k in range(screen.columns):
            colour, data = _NAMES.get(row[k].fg, row[k].fg), row[k].data
            if colour not in _PLAIN and data:
                spans = found.setdefault(colour, [])
                if before == colour:
                    spans[-1] += data
                else:
                    spans.append(data)
            before = colour
    return tuple(f"{colour}: {' | '.join(dict.fromkeys(s.strip() for s in spans))}" for colour, spans in found.items())
