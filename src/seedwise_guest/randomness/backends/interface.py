"""What Seedwise must know about a library that has random generators, and what a backend gets to work with."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Callable, Protocol

from ..ledger import Ledger


@dataclass
class Own:
    """One or more generators that a library made for itself from one number."""

    restart: Callable[[int], None]
    """Start them from another number."""
    position: Callable[[], object]
    """Something that changes when they are drawn from."""


Find = Callable[[list[int]], dict[int, Own]]


class NextStream(Protocol):
    """Where generators without a seed start."""

    def __call__(self, library: str, bits: int, generator: str = "") -> int:
        """The number from which the next generator starts.

        `generator` is its name in the ledger, if it has an entry.
        """

    def made(self, generator: str, where: str, library: str, bits: int) -> int:
        """The number for a generator that the code at `where` made. The generator gets an entry in the ledger."""

    def unmade(self, generator: str) -> None:
        """The number was not used in the end. The generator is removed from the ledger."""

    def at_import(self, library: str, bits: int, module: str, find: Find) -> int:
        """The number for a generator that is made while `module`, a module of a library, is imported.

        This number is the same under every seed. When the import is finished, the generator is started again from a
        number that follows from the seed. `find` gets several such numbers and returns those of which generators
        still exist.
        """


Undo = Callable[[], None]


class Backend(Protocol):
    """What Seedwise must know about a library."""

    name: str
    module: str
    """The library is seeded as soon as this module has been imported."""
    generator: str
    """The name of the library's global generator in the ledger; "" for a library that has none."""

    def known(self) -> bool:
        """Whether this backend can control the imported version. If not, the library is left alone."""

    def seed(self, seed: int) -> None:
        """Seed every global generator of the library, as the library's own seeding function would."""

    def take(self) -> Any:
        """The states of the global generators."""

    def put(self, state: Any) -> None:
        """Put back what `take` returned."""

    def digest(self) -> object:
        """Something that changes when the global generator is drawn from."""

    def while_importing(self) -> Any:
        """The state, as `put` takes it, from which libraries draw while they are imported.

        None: they draw from the script's own state.
        """

    def drawn_before(self) -> bool | None:
        """Whether the global generator was drawn from since the process started. None if this cannot be found out."""

    def watch(self, ledger: Ledger, next_stream: NextStream) -> Undo:
        """Note each seeding in the ledger, and start generators without a seed from `next_stream`."""
