"""The sources of a script's randomness, kept apart while it runs: docs/decisions/0017."""

from __future__ import annotations

from collections.abc import Mapping
from types import ModuleType
from typing import Any, Callable

from ...process import spool
from ...process.frames import location
from ...process.imports import when_imported
from .apart import Apart


def keep_apart(told: Mapping[str, Any], control: Any) -> Callable[[], None]:
    """Let the sources that are named vary in this process, from now on.

    Parameters
    ----------
    told
        `seeds` (source → seed) and `corrections` (`file:line` → source), as the instructions have them.
    control
        Holds the generators.

    Returns
    -------
    callable
        Sends what was drawn to the host. To be called at the end of the process.
    """
    apart = Apart(told["seeds"], told["corrections"])

    def hook(library: str) -> Callable[[ModuleType], None]:
        def install(module: ModuleType) -> None:
            from importlib import import_module

            import_module(f"{__name__}.hooks_{library}").install(apart)

        return install

    for module, library in (("random", "random"), ("numpy.random", "numpy"), ("torch", "torch")):
        when_imported(module, hook(library))
    control.ledger.observer = lambda generator, given, is_global: (
        apart.seeded(generator, location()) if is_global else None
    )

    def tell() -> None:
        spool.send("drawn", **apart.as_dict())

    def watch_children(util: Any) -> None:
        # a forked child of `multiprocessing` ends without `atexit`: DataLoaders have such workers
        def begun(_: object) -> None:
            apart.forked()
            util.Finalize(None, tell, exitpriority=0)

        util.register_after_fork(apart, begun)

    when_imported("multiprocessing.util", watch_children)
    return tell
