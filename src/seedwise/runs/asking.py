"""What becomes of seeds that are run elsewhere when somebody presses Ctrl-C."""

from collections.abc import Callable
from enum import StrEnum


class Leave(StrEnum):
    """What becomes of seeds that are queued or running."""

    LEAVE = "leave"
    CANCEL = "cancel"
    GO_ON = "go on"
    """Nothing: the command goes on waiting for them."""


Ask = Callable[[str], Leave]
"""Asks somebody what becomes of the seeds. It gets what there is to be said of them."""
