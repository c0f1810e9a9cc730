"""What a supervisor reports while it works. The events are typed values; other modules show them."""

from dataclasses import dataclass

from .results import Run


@dataclass(frozen=True)
class Began:
    """The supervisor knows what to do: `todo` of `n` seeds.

    `done` seeds were settled before; `failed` of those had failed.
    """

    n: int
    done: int
    todo: int
    jobs: int
    failed: int = 0
    experiment: str = ""


@dataclass(frozen=True)
class Started:
    """A run has been started."""

    seed: int


@dataclass(frozen=True)
class Ended:
    """A run has ended and is saved."""

    run: Run
    experiment: str = ""


@dataclass(frozen=True)
class Waiting:
    """Other commands are running these seeds of the same experiment."""

    seeds: tuple[int, ...]


@dataclass(frozen=True)
class Note:
    """Something that the user should know, in words."""

    text: str


Event = Began | Started | Ended | Waiting | Note
