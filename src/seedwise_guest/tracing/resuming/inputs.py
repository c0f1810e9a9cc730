"""What goes into a model from step to step: data, and what a model has computed before (a hidden state, a generated picture)."""

from __future__ import annotations

from typing import Any
from zlib import crc32

from ..digests import digest


class Inputs:
    """A digest of each tensor that goes in between two steps, by its place among the arguments of the call.

    What came out of the last call of a model is no data, and has None for a digest.
    """

    def __init__(self) -> None:
        self.since: dict[int, int | None] = {}
        """Those since the last step."""
        self._computed: frozenset[int] = frozenset()

    def go_in(self, arguments: Any) -> None:
        for place, value in enumerate(_tensors(arguments)):
            found, before = digest(value, 0), self.since.get(place, 0)
            is_data = before is not None and found not in self._computed
            self.since[place] = crc32(repr((before, found)).encode()) if is_data else None

    def came_out(self, result: Any) -> None:
        self._computed = frozenset(digest(value, 0) for value in _tensors(result))

    def take(self) -> list[int | None]:
        """The digests since the last step, by their places; the next step begins."""
        found = [self.since.get(place) for place in range(max(self.since, default=-1) + 1)]
        self.since = {}
        return found


def _tensors(value: Any) -> list[Any]:
    if hasattr(value, "detach") and hasattr(value, "data_ptr"):
        return [value] if value.layout is not None and str(value.layout) == "torch.strided" else []
    if isinstance(value, dict) or hasattr(value, "items"):
        return [t for v in dict(value).values() for t in _tensors(v)]
    if isinstance(value, (list, tuple)):
        return [t for v in value for t in _tensors(v)]
    return []
