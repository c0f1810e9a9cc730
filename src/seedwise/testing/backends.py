"""Test cases that every backend of a library with random generators must pass."""

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from seedwise_guest.protocol import Backend
from abc import ABC, abstractmethod


class BackendCases(ABC):
    """Cases for a class with the attributes of `Backend` (in `seedwise_guest/randomness/backends/interface.py`).

    The library must be importable, and it must have a global generator.
    """

    @abstractmethod
    def make(self) -> "Backend":
        """Return the backend."""

    @abstractmethod
    def seed_by_hand(self, seed: int) -> None:
        """Seed the library's global generator as the library's own documentation says."""

    @abstractmethod
    def draw(self) -> object:
        """Draw a few numbers from the global generator. Return something that can be compared with ==."""

    def test_seeding_does_what_the_librarys_own_call_does(self) -> None:
        backend = self.make()
        for seed in (0, 42, 2**32 - 1):
            self.seed_by_hand(seed)
            by_hand = self.draw()
            backend.seed(seed)
            assert self.draw() == by_hand

    def test_another_seed_gives_other_numbers(self) -> None:
        backend = self.make()
        drawn = []
        for seed in (1, 2, 3):
            backend.seed(seed)
            drawn.append(self.draw())
        assert drawn[0] != drawn[1] != drawn[2]

    def test_what_was_taken_is_put_back(self) -> None:
        backend = self.make()
        backend.seed(5)
        self.draw()
        state = backend.take()
        after = self.draw()
        backend.seed(6)
        self.draw()
        backend.put(state)
        assert self.draw() == after

    def test_the_digest_changes_when_it_is_drawn_from_and_only_then(self) -> None:
        backend = self.make()
        backend.seed(5)
        before = backend.digest()
        assert backend.digest() == before
        self.draw()
        assert backend.digest() != before

    def test_it_says_what_it_is_called(self) -> None:
        backend = self.make()
        assert backend.name
        assert backend.module
        assert backend.generator
        assert backend.known()
