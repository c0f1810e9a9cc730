"""What goes into a model from step to step: data, and what a model has computed before (a hidden state, a generated picture)."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import suppress
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
        self._went_in: dict[int, tuple[Any, ...]] = {}
        """Digests of what the call that is going on was given, with shapes and types."""

    def go_in(self, arguments: Any) -> None:
        with suppress(Exception):  # a tensor without numbers, or within torch.func: the program must go on
            self._went_in = {}
            for place, value in enumerate(_tensors(arguments)):
                found, before = digest(value, 0), self.since.get(place)
                self._went_in[found] = (value.shape, value.dtype)
                if found in self._computed:
                    self.since.setdefault(place, None)
                else:
                    self.since[place] = crc32(repr((before, found)).encode())

    def came_out(self, result: Any) -> None:
        """What may go in again later: what has the shape and the type of something that went in, and is not that itself."""
        self._computed = frozenset()
        kinds = set(self._went_in.values())
        with suppress(Exception):
            found = {digest(value, 0) for value in _tensors(result) if (value.shape, value.dtype) in kinds}
            self._computed = frozenset(found - self._went_in.keys())

    def take(self) -> list[int | None]:
        """The digests since the last step, by their places; the next step begins."""
        found = [self.since.get(place) for place in range(max(self.since, default=-1) + 1)]
        self.since = {}
        return found


def _tensors(value: Any) -> list[Any]:
    if hasattr(value, "detach") and hasattr(value, "data_ptr"):
        return [value] if value.layout is not None and str(value.layout) == "torch.strided" else []
    if isinstance(value, Mapping):
        return [t for v in value.values() for t in _tensors(v)]
    if isinstance(value, (list, tuple)):
        return [t for v in value for t in _tensors(v)]
    return []
