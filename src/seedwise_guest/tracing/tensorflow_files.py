"""What TensorFlow's checkpoints hold, apart from what an input pipeline has prepared in advance.

`tf.train.Checkpoint(iterator=…)` also saves the batches that are ready when it saves. How many these are is chance, and
nothing depends on it: the iterator goes on at the same place. So the files differ between two runs with the same result.
What an iterator has saved is not compared at all, its place neither; a training that had other data has other variables.
"""

from __future__ import annotations

import functools
import glob
import hashlib
import os
import sys
from typing import Any

from ..process.imports import when_imported

_ITERATOR = "ITERATOR_STATE"


class TensorFlowFiles:
    """Notes where checkpoints are written. Those that still exist at the end are read then."""

    def __init__(self) -> None:
        self._prefixes: set[str] = set()

    def watch(self) -> None:
        when_imported("tensorflow.python.checkpoint.checkpoint", self._checkpoints)

    def _checkpoints(self, module: Any) -> None:
        kind = module.Checkpoint
        write = kind._write

        @functools.wraps(write)
        def own(this: Any, file_prefix: Any, *args: Any, **kwargs: Any) -> Any:
            if isinstance(file_prefix, (str, bytes, os.PathLike)):
                self._prefixes.add(os.path.realpath(os.fsdecode(file_prefix)))
            return write(this, file_prefix, *args, **kwargs)

        kind._write = own

    def digests(self) -> dict[str, str]:
        """Digest of the values of each checkpoint with an iterator: path of each of its files → digest."""
        found: dict[str, str] = {}
        for prefix in sorted(self._prefixes):
            if os.path.isfile(f"{prefix}.index"):
                try:
                    digest = _digest(prefix)
                except Exception:  # noqa: BLE001 (a file of another kind, or damaged: its bytes count)
                    continue
                if digest:
                    data = glob.glob(f"{glob.escape(prefix)}.data-*-of-*")
                    found.update(dict.fromkeys([f"{prefix}.index", *data], digest))
        return found


def _digest(prefix: str) -> str:
    """Digest of all saved values but iterators; "" if there is no iterator."""
    reader = sys.modules["tensorflow"].train.load_checkpoint(prefix)
    names = sorted(reader.get_variable_to_shape_map())
    if not any(name.endswith(_ITERATOR) for name in names):
        return ""
    found = hashlib.sha256()
    for name in names:
        found.update(name.encode())
        if not name.endswith(_ITERATOR):
            value = reader.get_tensor(name)
            if isinstance(value, bytes) or value.dtype == object:  # text
                found.update(repr(value if isinstance(value, bytes) else value.tolist()).encode())
            else:
                found.update(f"{value.dtype} {value.shape} ".encode() + value.tobytes())
    return found.hexdigest()[:16]
