"""Every operation of one step: its inputs, its outputs, the line it came from, and the state of the generator."""

from __future__ import annotations

import json
import sys
from typing import Any

from ..process.frames import is_user_file
from .digests import digest

_MOST = 200_000
GENERATOR_BYTES = 5016
"""This part of torch's generator state holds seed, position and twister. The bytes after it are padding with
arbitrary contents.
"""


class Recorder:
    """Records every operation between `start` and `stop`, by a TorchDispatchMode.

    Tensors are recognised by storage and version.
    """

    def __init__(self) -> None:
        self.rows: list[list[Any]] = []
        self._made: dict[int, tuple[Any, int]] = {}
        self._unwritten: set[int] = set()
        self._lines: dict[int, str] = {}
        self._mode: Any = None

    def start(self) -> None:
        """Start recording."""
        import torch
        from torch.utils._python_dispatch import TorchDispatchMode

        recorder = self

        class Mode(TorchDispatchMode):  # type: ignore[misc]
            def __torch_dispatch__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
                return recorder._one(torch, func, args, kwargs or {})

        self._mode = Mode()
        self._mode.__enter__()

    def stop(self) -> None:
        """Stop recording."""
        if self._mode is not None:
            self._mode.__exit__(None, None, None)
            self._mode = None

    def _one(self, torch: Any, func: Any, args: Any, kwargs: Any) -> Any:
        name = str(func)
        seeded = torch.Tag.nondeterministic_seeded in func.tags
        generator = digest(torch.get_rng_state()[:GENERATOR_BYTES]) if seeded else 0
        if len(self.rows) >= _MOST:
            return func(*args, **kwargs)
        given = _tensors(torch, (args, kwargs))
        unread = [self._is_unwritten(t) for t in given]
        inputs = [digest(t) for t, raw in zip(given, unread) if not raw and not self._is_known(t)]
        where = self._where(torch)
        result = func(*args, **kwargs)
        made = _tensors(torch, result)
        places = {_place(t) for t in given}
        if func._schema.is_mutable:  # memory that was written into is no longer unwritten
            self._unwritten -= {_place(t) for t in made} & places
        elif "empty" in name:
            self._unwritten |= {_place(t) for t in made}
        elif any(unread) and not {_place(t) for t in made} & places:
            inputs.append(UNWRITTEN)
        outputs = []
        for tensor in made:
            self._know(tensor)
            outputs.append(0 if self._is_unwritten(tensor) else digest(tensor))
        for tensor in given:  # some of these were written in place
            self._know(tensor)
        self.rows.append([name, outputs, inputs, generator, where, _module_of()])
        return result

    def _where(self, torch: Any) -> str:
        """The user's line. In the backward pass: the line of the forward operation to which it belongs."""
        node = None
        try:
            node = torch._C._current_autograd_node()
        except AttributeError:
            pass
        if node is not None:
            number = _sequence(node)
            if number in self._lines:
                return self._lines[number]
        where = _user_line()
        try:
            if torch.is_grad_enabled() and node is None:
                self._lines[torch._C._autograd._get_sequence_nr() - 1] = where
        except AttributeError:
            pass
        return where

    def _is_unwritten(self, tensor: Any) -> bool:
        return _place(tensor) in self._unwritten

    def _know(self, tensor: Any) -> None:
        try:
            storage = tensor.untyped_storage()
            self._made[storage._cdata] = (storage, tensor._version)
        except (RuntimeError, AttributeError, NotImplementedError):
            pass

    def _is_known(self, tensor: Any) -> bool:
        try:
            found = self._made.get(tensor.untyped_storage()._cdata)
            return found is not None and found[1] == tensor._version
        except (RuntimeError, AttributeError, NotImplementedError):
            return False

    def write(self, path: str) -> str:
        """Write one JSON line for each operation. Returns the file's name."""
        with open(path, "w", encoding="utf-8") as file:
            for row in self.rows:
                file.write(json.dumps(row) + "\n")
        return path.rpartition("/")[2]


UNWRITTEN = -1
"""Stands among the digests of inputs for memory that was read before anything was written to it."""


def _place(tensor: Any) -> int:
    try:
        return int(tensor.untyped_storage()._cdata)
    except (RuntimeError, AttributeError, NotImplementedError):
        return 0


def _tensors(torch: Any, value: Any) -> list[Any]:
    if isinstance(value, torch.Tensor):
        if value.layout is not torch.strided or type(value).__name__ == "FakeTensor":
            return []
        return [value]
    if isinstance(value, (list, tuple)):
        return [t for part in value for t in _tensors(torch, part)]
    if isinstance(value, dict):
        return [t for part in value.values() for t in _tensors(torch, part)]
    return []


def _sequence(node: Any) -> int:
    try:
        return int(node._sequence_nr())
    except (AttributeError, TypeError):
        return -1


def _user_line() -> str:
    frame: Any = sys._getframe(2)
    while frame is not None:
        if is_user_file(frame.f_code.co_filename):
            return f"{frame.f_code.co_filename}:{frame.f_lineno}"
        frame = frame.f_back
    return ""


def _module_of() -> str:
    """The name of the innermost nn.Module whose `forward` is on the stack; "" if there is none."""
    frame: Any = sys._getframe(2)
    while frame is not None:
        if frame.f_code.co_name == "forward" and "self" in frame.f_locals:
            return type(frame.f_locals["self"]).__name__
        frame = frame.f_back
    return ""
