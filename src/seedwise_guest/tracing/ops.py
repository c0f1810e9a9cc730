"""Every operation of one step: what went in, what came out, where, and in what state the generator was."""

from __future__ import annotations

import json
import sys
from typing import Any
from zlib import crc32

from ..frames import is_user_file
from .steps import memory

_MOST = 200_000


class Recorder:
    """Records while it is started, by a TorchDispatchMode; tensors are known again by their storage and version."""

    def __init__(self) -> None:
        self.rows: list[list[Any]] = []
        self._made: dict[int, tuple[Any, int]] = {}
        self._lines: dict[int, str] = {}
        self._mode: Any = None

    def start(self) -> None:
        """From now on."""
        import torch
        from torch.utils._python_dispatch import TorchDispatchMode

        recorder = self

        class Mode(TorchDispatchMode):  # type: ignore[misc]
            def __torch_dispatch__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
                return recorder._one(torch, func, args, kwargs or {})

        self._mode = Mode()
        self._mode.__enter__()

    def stop(self) -> None:
        """No longer."""
        if self._mode is not None:
            self._mode.__exit__(None, None, None)
            self._mode = None

    def _one(self, torch: Any, func: Any, args: Any, kwargs: Any) -> Any:
        name = str(func)
        seeded = torch.Tag.nondeterministic_seeded in func.tags
        generator = crc32(memory(torch.get_rng_state())) if seeded else 0
        if len(self.rows) >= _MOST:
            return func(*args, **kwargs)
        inputs = [crc32(memory(t)) for t in _tensors(torch, (args, kwargs)) if not self._is_known(t)]
        where = self._where(torch)
        result = func(*args, **kwargs)
        outputs = []
        empty = "empty" in name
        for tensor in _tensors(torch, result):
            self._know(tensor)
            outputs.append(0 if empty else crc32(memory(tensor)))
        for tensor in _tensors(torch, (args, kwargs)):  # written in place
            self._know(tensor)
        self.rows.append([name, outputs, inputs, generator, where, _module_of()])
        return result

    def _where(self, torch: Any) -> str:
        """The user's line; in the backward pass, the line of the forward operation it belongs to."""
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
        """One JSON line for each operation; returns the file's name."""
        with open(path, "w", encoding="utf-8") as file:
            for row in self.rows:
                file.write(json.dumps(row) + "\n")
        return path.rpartition("/")[2]


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
    """The nn.Module whose `forward` is on the stack, innermost first."""
    frame: Any = sys._getframe(2)
    while frame is not None:
        if frame.f_code.co_name == "forward" and "self" in frame.f_locals:
            return type(frame.f_locals["self"]).__name__
        frame = frame.f_back
    return ""
