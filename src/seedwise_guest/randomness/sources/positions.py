"""Where generators stood when a source drew from them, told so that two runs can be compared."""

from __future__ import annotations

EVERY_DRAW = 4096
"""So many draws of a source are checked one by one."""
THEN_EACH = 16
"""Of the draws after these, one of so many is checked."""
_FIRST_LINKS = 128
_MASK = (1 << 64) - 1


def is_checked(n: int) -> bool:
    """Whether the state of the generator is looked at before the n-th draw of a source."""
    return n <= EVERY_DRAW or not n % THEN_EACH


class Positions:
    """A chain over the states of the generators at the draws of one source.

    Each link depends on all states before it. So two runs with the same link at draw n stood at the same places until
    then, and runs of different lengths are compared at the last link that both have. Links are kept for the first 128
    draws, then at steps of 1/32, and for the last draw that was checked.
    """

    __slots__ = ("_chain", "_last", "_links", "_next")

    def __init__(self) -> None:
        self._chain = 0
        self._links: dict[int, int] = {}
        self._next = 1
        self._last = 0

    def add(self, n: int, state: int) -> None:
        """Before the n-th draw the generator stood at `state`. Call it for each draw that `is_checked`."""
        # a linear congruential step (Knuth's MMIX) spreads each state over all 64 bits of the links after it
        self._chain = (self._chain * 6364136223846793005 + state + 1442695040888963407) & _MASK
        self._last = n
        if n >= self._next:
            self._links[n] = self._chain
            self._next = n + 1 if n < _FIRST_LINKS else n + n // 32

    def as_dict(self, ends_only: bool = False) -> dict[str, str]:
        """Number of the draw → link, for JSON. With `ends_only`, of the first and of the last draw."""
        links = dict(self._links)
        if self._last:
            links[self._last] = self._chain
        if ends_only:
            links = {n: links[n] for n in (min(links), max(links))} if links else {}
        return {str(n): f"{link:016x}" for n, link in sorted(links.items())}
