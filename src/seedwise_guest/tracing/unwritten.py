"""torch's memory that nothing has written: found wherever it is taken, and filled.

`torch.Tensor(1, 64)` and its like are classes and cannot be replaced. A dispatch mode sees every operation that takes
memory, whichever Python call asked for it.
"""

from __future__ import annotations

import re
import sys
from typing import Any, Callable

from ..process.frames import is_guest_file
from .callers import direct
from .facts import Facts

_WRAPPING = re.compile(r"torch/(_compile\.py|_dynamo/|utils/_python_dispatch\.py|_ops\.py)")
_TAKING = ("aten.empty.", "aten.empty_like.", "aten.empty_strided.", "aten.new_empty.", "aten.new_empty_strided.")


def fill_all(torch: Any, fill: Callable[[Any], None], only: str, facts: Facts) -> None:
    """Fill the memory that the user's own lines take, or that one line takes, and note these lines."""
    from torch.utils._python_dispatch import TorchDispatchMode

    class Filled(TorchDispatchMode):  # type: ignore[misc]
        def __torch_dispatch__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
            made = func(*args, **(kwargs or {}))
            if str(func).startswith(_TAKING):
                where = direct(_outside(sys._getframe(1)))
                if where is not None:
                    facts.note("memory", where)
                    facts.note(f"memory {where}", where)
                    if only in ("", where):
                        fill(made)
            return made

    Filled().__enter__()


def _outside(frame: Any) -> Any:
    """The frame that asked torch for memory: outside this mode, and outside what torch wraps around it."""
    while frame is not None and (is_guest_file(frame.f_code.co_filename) or _WRAPPING.search(frame.f_code.co_filename)):
        frame = frame.f_back
    return frame
