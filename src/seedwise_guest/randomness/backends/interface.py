"""What Seedwise must know of a library that owns random generators, and what a backend is given to work with."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Callable, Protocol

from ..ledger import Ledger


@dataclass
class Own:
    """A library's own generator, or several from one number."""

    restart: Callable[[int], None]
    """Start it from another number."""
    position: Callable[[], object]
    """Something that changes when it is drawn from."""


Find = Callable[[list[int]], dict[int, Own]]


class NextStream(Protocol):
    """Where generators without a seed start."""

    def __call__(self, library: str, bits: int, generator: str = "") -> int:
        """The number from which the next one starts; `generator` is what the ledger calls it, if it is there."""

    def made(self, generator: str, where: str, library: str, bits: int) -> int:
        """The same for one that the code at `where` made, which is entered in the ledger."""

    def unmade(self, generator: str) -> None:
        """The number was not used after all: that generator is in no ledger."""

    def at_import(self, library: str, bits: int, module: str, find: Find) -> int:
        """The same for one that is made while `module`, a library's, is imported: it starts from a number that is the same
        under every seed, and is started again from one that follows from the seed when the import is through. Asked for
        several such numbers, `find` tells of which there are still generators."""


Undo = Callable[[], None]


class Backend(Protocol):
    """What Seedwise must know of a library."""

    name: str
    module: str
    """Seeded as soon as this module has been imported."""
    generator: str
    """What the ledger calls the library's global generator; "" for a library that has none."""

    def known(self) -> bool:
        """Whether the imported version is one that this backend can hold; another is left alone."""

    def seed(self, seed: int) -> None:
        """Seed every global generator of the library as its own seeding call would."""

    def take(self) -> Any:
        """The states of the global generators."""

    def put(self, state: Any) -> None:
        """Put back what `take` returned."""

    def digest(self) -> object:
        """Something that changes when the global generator is drawn from."""

    def while_importing(self) -> Any:
        """The state, as `put` takes it, from which libraries draw while they are imported; None: they draw from the script's own."""

    def drawn_before(self) -> bool | None:
        """Whether the global generator was drawn from since the process started; None where nobody can tell."""

    def watch(self, ledger: Ledger, next_stream: NextStream) -> Undo:
        """Note each seeding in the ledger; start generators that are given no seed from `next_stream`."""
