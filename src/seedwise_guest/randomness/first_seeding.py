"""Which number reaches a random generator first: for a process that is started only to find that out.

Every seed site holds a number of its own there. The first seeding of a global generator ends the process; a generator
that the code makes for itself is told, and the process goes on, since a global one may still come.
"""

from __future__ import annotations

import operator
import sys
from collections.abc import Iterable
from types import ModuleType
from typing import Any, Callable

from ..process.frames import is_importing
from ..process.imports import when_imported
from .ledger import Ledger

Found = Callable[[str, int, "int | None", bool], None]
"""Generator, the number that it was given, whose number that is (None: no site's), whether the generator is a global one."""


class FirstSeeding:
    """Watches seedings until the first that counts.

    Parameters
    ----------
    numbers
        What the sites hold, one for each.
    found
        Called with the first generator of the code's own that a site's number reached, and with the first global one.
    """

    def __init__(self, numbers: list[int], found: Found) -> None:
        self._numbers = numbers
        self._found = found
        self._told_own = False

    def watch(self, ledger: Ledger) -> None:
        """Begin, in a process whose seedings the ledger notes."""
        ledger.observer = self.seeding
        when_imported("numpy.random", self._watch_numpy)
        when_imported("torch", self._watch_torch)
        when_imported("keras.random", self._watch_keras)
        when_imported("tensorflow.random", self._watch_tensorflow)

    def seeding(self, generator: str, given: object, is_global: bool) -> None:
        """A generator is about to be seeded with what the code gave."""
        numbers = list(_integers(given))
        if not numbers or is_importing(sys._getframe(1)):
            return
        site = next((k for k in map(self._site, numbers) if k is not None), None)
        if is_global:
            self._found(generator, numbers[0], site, True)
        elif site is not None and not self._told_own:
            self._told_own = True
            self._found(generator, numbers[0], site, False)

    def _site(self, number: int) -> int | None:
        return self._numbers.index(number) if number in self._numbers else None

    # --- generators that are made with a seed, library by library ------------------------------------------------------

    def _watch_numpy(self, module: ModuleType) -> None:
        random: Any = module
        for name in ("RandomState", "SeedSequence", "MT19937", "PCG64", "PCG64DXSM", "Philox", "SFC64"):
            self._watch_class(random, name, "numpy.random." + name)
        make = random.default_rng

        def default_rng(*args: Any, **kwargs: Any) -> Any:
            self.seeding("numpy.random.default_rng", _first(args, kwargs), False)
            return make(*args, **kwargs)

        random.default_rng = default_rng

    def _watch_torch(self, module: ModuleType) -> None:
        torch: Any = module
        original = torch.Generator
        tell = self.seeding

        class Generator(original, metaclass=_like(original)):  # type: ignore[misc,metaclass,valid-type]
            def manual_seed(self, seed: Any) -> Any:
                tell("torch.Generator", seed, False)
                return super().manual_seed(seed)

        torch.Generator = Generator

    def _watch_keras(self, module: ModuleType) -> None:
        self._watch_class(module, "SeedGenerator", "keras.random.SeedGenerator")

    def _watch_tensorflow(self, module: ModuleType) -> None:
        original = vars(module).get("Generator")
        if original is None:
            return
        from_seed = original.from_seed

        def telling(seed: Any, *args: Any, **kwargs: Any) -> Any:
            self.seeding("tensorflow.random.Generator", seed, False)
            return from_seed(seed, *args, **kwargs)

        original.from_seed = telling

    def _watch_class(self, module: Any, name: str, generator: str) -> None:
        original = getattr(module, name, None)
        if original is None:
            return
        tell = self.seeding

        class Telling(original, metaclass=_like(original)):  # type: ignore[misc,valid-type,metaclass]
            def __init__(self, *args: Any, **kwargs: Any) -> None:
                tell(generator, _first(args, kwargs), False)
                super().__init__(*args, **kwargs)

        Telling.__name__ = Telling.__qualname__ = name
        setattr(module, name, Telling)


def _like(original: type) -> type:
    """A metaclass for a class that stands in for another: what is an instance of the other passes for one of it."""
    kind: Any = type(original)

    class Standing(kind):  # type: ignore[misc]
        def __instancecheck__(cls, instance: object) -> bool:
            return isinstance(instance, original)

        def __subclasscheck__(cls, subclass: type) -> bool:
            return issubclass(subclass, original)

    return Standing


def _first(args: tuple[Any, ...], kwargs: dict[str, Any]) -> object:
    return args[0] if args else next((kwargs[name] for name in ("seed", "entropy") if name in kwargs), None)


def _integers(given: object) -> Iterable[int]:
    """The integers in what a generator was given: one, or those of a list."""
    parts = given if isinstance(given, (list, tuple)) else [given]
    for part in parts:
        try:
            yield operator.index(part)  # type: ignore[arg-type]
        except TypeError:
            continue
