"""The order in which a DataLoader hands out its data: recorded, and given again from where a training goes on."""

from __future__ import annotations

import functools
import sys
from typing import Any, Callable

from ..callers import from_any

_MOST = 5_000_000


class _Pass:
    """One pass over a loader."""

    def __init__(self, key: str, where: str) -> None:
        self.key, self.where = key, where
        self.indices: list[Any] = []
        self.delivered = 0
        self.ended = False
        self.given: list[Any] | None = None


class Order:
    """Which indices each pass over a DataLoader took.

    Parameters
    ----------
    begins
        Called with the user's line before a pass begins.
    """

    def __init__(self, begins: Callable[[str], None]) -> None:
        self._begins = begins
        self.passes: list[_Pass] = []
        self._counts: dict[str, int] = {}
        self._known: dict[int, str] = {}
        self._where = ""
        self.last: _Pass | None = None
        """The pass that handed out the last batch."""
        self.training: _Pass | None = None
        """The pass whose batch led to the last step of an optimizer."""
        self._kept = 0
        self.replay: dict[str, list[list[Any]]] = {}
        """Loader → the indices of its next passes."""

    def watch(self, loading: Any) -> None:
        """Hook `torch.utils.data.dataloader`."""
        self._watch_passes(loading)
        base = loading._BaseDataLoaderIter
        indices, following = base._next_index, base.__next__

        @functools.wraps(indices)
        def own_index(this: Any) -> Any:
            one = getattr(this, "_seedwise_pass", None)
            if one is not None and one.given is not None:
                found = self._given(one, lambda: indices(this))
            else:
                found = indices(this)
            if one is not None and self._kept < _MOST:
                self._kept += len(found) if isinstance(found, list) else 1
                one.indices.append(found)
            return found

        @functools.wraps(following)
        def own_next(this: Any) -> Any:
            one = getattr(this, "_seedwise_pass", None)
            try:
                data = following(this)
            except StopIteration:
                if one is not None:
                    one.ended = True
                raise
            if one is not None:
                one.delivered += 1
                self.last = one
            return data

        base._next_index, base.__next__ = own_index, own_next

    def _watch_passes(self, loading: Any) -> None:
        base = loading._BaseDataLoaderIter
        begin, init, reset = loading.DataLoader.__iter__, base.__init__, base._reset

        @functools.wraps(begin)
        def own_iter(this: Any) -> Any:
            self._where = from_any(sys._getframe(1)) or ""
            self._begins(self._where)
            return begin(this)

        @functools.wraps(init)
        def own_init(this: Any, loader: Any) -> None:
            init(this, loader)
            this._seedwise_pass = self._begun(loader)

        @functools.wraps(reset)
        def own_reset(this: Any, loader: Any, first_iter: bool = False) -> None:
            reset(this, loader, first_iter)
            if not first_iter:
                this._seedwise_pass = self._begun(loader)

        loading.DataLoader.__iter__ = own_iter
        base.__init__, base._reset = own_init, own_reset

    def _given(self, one: _Pass, own: Callable[[], Any]) -> Any:
        """The next indices that are given. The sampler draws as ever, so that its generator goes on as ever."""
        try:
            own()
        except StopIteration:
            pass
        if not one.given:
            raise StopIteration
        return one.given.pop(0)

    def _begun(self, loader: Any) -> _Pass:
        one = _Pass(self._key(loader), self._where)
        self.passes.append(one)
        waiting = self.replay.get(one.key)
        if waiting:
            one.given = waiting.pop(0)
        return one

    def _key(self, loader: Any) -> str:
        """Names a loader by its sizes, and its number among those of the same sizes."""
        if id(loader) not in self._known:
            try:
                size = len(loader.dataset)
            except TypeError:
                size = -1
            kind = f"{size} {loader.batch_size} {type(loader.sampler).__name__}"
            self._counts[kind] = self._counts.get(kind, 0) + 1
            self._known[id(loader)] = f"{kind} {self._counts[kind]}"
        return self._known[id(loader)]

    def mark(self) -> dict[str, Any]:
        """Where the loader stands that the training uses."""
        one = self.training
        return {} if one is None else {"pass": one, "delivered": one.delivered, "ended": one.ended, "where": one.where}

    def since(self, mark: dict[str, Any]) -> dict[str, Any]:
        """The indices of the pass that was marked, and of the passes after it."""
        if not mark:
            return {}
        one = mark["pass"]
        later = [p.indices for p in self.passes[self.passes.index(one) + 1 :] if p.key == one.key]
        told = {"delivered": mark["delivered"], "where": mark["where"]}
        told["ended"] = mark["ended"] or mark["delivered"] >= len(one.indices)
        return {**told, "key": one.key, "whole": one.indices, "later": later}
