"""The sources of a script's randomness, kept apart while it runs: docs/decisions/0018."""

from __future__ import annotations

from collections.abc import Mapping
from types import ModuleType
from typing import Any, Callable

from ...process import spool
from ...process.frames import location
from ...process.imports import when_imported
from ..ledger import State
from . import hooks_jax, hooks_numpy, hooks_random, hooks_tensorflow, hooks_torch
from .apart import Apart

_HOOKS: tuple[tuple[str, Any], ...] = (
    ("random", hooks_random),
    ("numpy.random", hooks_numpy),
    ("torch", hooks_torch),
    ("jax", hooks_jax),
    ("tensorflow", hooks_tensorflow),
)
"""A module, and the hooks that are installed when it is imported. They are loaded before any library is imported: in the
middle of that import they would be taken for code of the user's, which draws for the script.
"""


class Sources:
    """The sources of this process. They vary from now on.

    Parameters
    ----------
    told
        `seeds` (source → seed) and `corrections` (`file:line` → source), as the instructions have them.
    control
        Holds the generators.
    """

    def __init__(self, told: Mapping[str, Any], control: Any) -> None:
        self._control = control
        self._apart = Apart(told["seeds"], told["corrections"])
        for module, hooks in _HOOKS:
            when_imported(module, self._installing(hooks.install))
        control.ledger.observer = self._seeded
        control.ledger.afterwards = self._apart.was_seeded
        when_imported("multiprocessing.util", self._watch_children)

    def _installing(self, install: Callable[[Apart], object]) -> Callable[[ModuleType], None]:
        def act(module: ModuleType) -> None:
            install(self._apart)

        return act

    def _seeded(self, generator: str, given: object, is_global: bool) -> None:
        if is_global:
            self._apart.seeded(generator, location())

    def _watch_children(self, util: Any) -> None:
        # a forked child of `multiprocessing` ends without `atexit`: DataLoaders have such workers
        def begun(_: object) -> None:
            self._apart.forked()
            util.Finalize(None, self.tell, exitpriority=0)

        util.register_after_fork(self._apart, begun)

    def tell(self) -> None:
        """Send what was drawn to the host. To be called at the end of the process."""
        moved = {entry.generator for entry in self._control.ledger if entry.state is State.UNSEEDED}
        spool.send("drawn", **self._apart.as_dict(moved))

    def before_each_draw(self, call: Callable[[], object]) -> None:
        """Call `call()` before each draw. For a process that forks: what draws is left to the runs."""
        self._apart.before_each_draw = call

    def begin_again(self, told: Mapping[str, Any]) -> None:
        """Begin a run, in a child of the process that forks, after the control has begun it."""
        self._apart.begin_again(told["seeds"], told["corrections"])
