"""Asks, after Ctrl-C, what becomes of seeds that are run elsewhere."""

import sys
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from ..reports.live import Live
    from ..runs.asking import Ask, Leave


def asking(live: "Live") -> "Ask":
    """Asks on the terminal. Where there is none, and after a second Ctrl-C, the seeds are left."""
    from ..runs.asking import Leave

    def ask(what: str) -> Leave:
        if not (sys.stdin.isatty() and sys.stderr.isatty()):
            return Leave.LEAVE
        with live.paused():
            return _answer(what)

    return ask


def _answer(what: str) -> "Leave":
    from ..runs.asking import Leave

    answers = {"": Leave.LEAVE, "l": Leave.LEAVE, "c": Leave.CANCEL, "g": Leave.GO_ON}
    while True:
        sys.stderr.write(f"\n{what}: [l]eave them there, [c]ancel them, or [g]o on waiting? ")
        sys.stderr.flush()
        try:
            said = input().strip().lower()
        except (EOFError, KeyboardInterrupt):
            return Leave.LEAVE
        if said[:1] in answers:
            return answers[said[:1]]
