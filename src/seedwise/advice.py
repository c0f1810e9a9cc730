"""Warnings as values: each says what is doubtful, and names the next step."""

from typing import Self


class Advice(str):
    """A warning: what is doubtful, and what to do about it. As text, `what: next step`.

    A plain text is no warning, so that none can be made without its next step.

    Attributes
    ----------
    what
        What is doubtful.
    next_step
        What its reader can do, look at or type.

    Raises
    ------
    ValueError
        One of them is empty.
    """

    __slots__ = ("next_step", "what")
    what: str
    next_step: str

    def __new__(cls, what: str, next_step: str) -> Self:
        if not what.strip() or not next_step.strip():
            raise ValueError(f"a warning says what is doubtful, and names the next step; got {what!r}, {next_step!r}")
        made = super().__new__(cls, f"{what}: {next_step}")
        made.what, made.next_step = what, next_step
        return made

    def __getnewargs__(self) -> tuple[str, str]:  # type: ignore[override]
        return self.what, self.next_step

    def about(self, subject: str) -> Self:
        """The same of a named subject: `acc: …`."""
        return type(self)(f"{subject}: {self.what}", self.next_step)
