"""What Orbax's checkpoints hold.

Orbax writes the arrays of JAX in C++, into files with drawn names and with the time in them. So two runs with the same result
never write the same bytes. What is saved is compared instead: each leaf of the tree that was given.
"""

from __future__ import annotations

import functools
import hashlib
import os
import sys
from typing import Any

from ..process.imports import when_imported

_HANDLERS = "orbax.checkpoint._src.handlers.base_pytree_checkpoint_handler"
"""The module through which every way to save arrays goes."""
_FIRST = "_METADATA"
_OWN = (_FIRST, "_sharding", "manifest.ocdbt", "ocdbt.process_", "array_metadatas", "d")
"""How the names begin of what Orbax writes into the folder of a tree."""


class OrbaxFiles:
    """Notes what is saved, and the folder in which it ends up: Orbax gives it its name when it is complete."""

    def __init__(self) -> None:
        self._digests: dict[str, str | None] = {}
        """Folder → digest of what was saved in it; None if that could not be read."""

    def watch(self) -> None:
        when_imported(_HANDLERS, self._handlers)

    def _handlers(self, module: Any) -> None:
        kind = module.BasePyTreeCheckpointHandler
        save = kind.async_save

        @functools.wraps(save)
        async def own(this: Any, directory: Any, *args: Any, **kwargs: Any) -> Any:
            asked = kwargs.get("args", args[0] if args else None)
            self._note(str(getattr(directory, "path", directory)), getattr(asked, "item", None))
            return await save(this, directory, *args, **kwargs)

        kind.async_save = own
        sys.addaudithook(self._audit)

    def _note(self, directory: str, tree: Any) -> None:
        folder = os.path.realpath(directory)
        before = self._digests.get(folder, "")
        try:
            self._digests[folder] = None if before is None else _digest(tree, before)
        except Exception:  # noqa: BLE001 (parts of it are on other machines, or are of a kind that is not known: its files count)
            self._digests[folder] = None

    def _audit(self, event: str, arguments: tuple[Any, ...]) -> None:
        if event != "os.rename" or not self._digests:
            return
        try:
            old, new = (os.path.realpath(os.fsdecode(path)) for path in arguments[:2])
        except TypeError:
            return
        for folder in list(self._digests):
            if folder == old or folder.startswith(old + os.sep):
                self._digests[new + folder[len(old) :]] = self._digests.pop(folder)

    def digests(self) -> dict[str, str]:
        """Digest of each tree that was saved and still exists, for the file `_METADATA` in its folder; "" for the others of Orbax."""
        found: dict[str, str] = {}
        for folder, digest in self._digests.items():
            if digest and os.path.isfile(os.path.join(folder, _FIRST)):
                for place, _, names in os.walk(folder):
                    inner = os.path.relpath(place, folder).split(os.sep)[0]
                    of_orbax = [n for n in names if (n if inner == "." else inner).startswith(_OWN)]
                    found.update({os.path.join(place, name): "" for name in of_orbax})
                found[os.path.join(folder, _FIRST)] = digest
        return found


def _digest(tree: Any, before: str) -> str:
    """Digest of all leaves of a tree, with their paths. `before`: that of an earlier part in the same folder."""
    jax = sys.modules["jax"]
    found = hashlib.sha256(before.encode())
    for path, leaf in jax.tree_util.tree_flatten_with_path(tree)[0]:
        found.update(jax.tree_util.keystr(path).encode())
        if hasattr(leaf, "dtype") and jax.dtypes.issubdtype(leaf.dtype, jax.dtypes.prng_key):
            leaf = jax.random.key_data(leaf)
        if hasattr(leaf, "dtype") and hasattr(leaf, "shape"):
            array = sys.modules["numpy"].asarray(leaf)
            found.update(f"{array.dtype} {array.shape} ".encode() + array.tobytes())
        elif isinstance(leaf, (bool, int, float, complex, str, bytes)):
            found.update(repr(leaf).encode())
        else:
            raise TypeError(type(leaf).__name__)
    return found.hexdigest()[:16]
