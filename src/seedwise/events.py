"""What a supervisor reports while it works. The events are typed values; other modules show them."""

from collections.abc import Callable
from dataclasses import dataclass

from .results import Metric, Reduce, Run


@dataclass(frozen=True)
class Began:
    """The supervisor knows what to do: `todo` of `n` seeds.

    `done` seeds were settled before, `before` are their runs; `failed` of those had failed. `metrics`, `reduce` and
    `anytime` say what the report will be about: the metrics that were asked for, which value of a series counts, and
    whether the interval must hold though somebody looks after every seed.
    """

    n: int
    done: int
    todo: int
    jobs: int
    failed: int = 0
    experiment: str = ""
    before: tuple[Run, ...] = ()
    metrics: tuple[Metric, ...] = ()
    reduce: Reduce = Reduce.LAST
    anytime: bool = False
    looped: bool = False
    """The script itself loops over its seeds, so that nobody knows how many there are."""


def _nothing() -> str:
    return ""


@dataclass(frozen=True)
class Started:
    """A run has been started. `doing` says what it has last logged or printed; "" if nothing.

    `seed` is None for a script that loops over its seeds itself.
    """

    seed: int | None
    experiment: str = ""
    doing: Callable[[], str] = _nothing


@dataclass(frozen=True)
class Comparing:
    """A seed is run once more, to compare a forked run with a fresh one; or that has `ended`."""

    seed: int
    experiment: str = ""
    ended: bool = False


@dataclass(frozen=True)
class Beat:
    """About a second has passed, and the work goes on."""


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


@dataclass(frozen=True)
class Planned:
    """A family of experiments begins, with so many seeds in all.

    `design` is the name of a decomposition whose design they are: then they are one piece of work, and none of them is
    shown by its own name.
    """

    seeds: int
    design: str = ""


Event = Planned | Began | Started | Ended | Waiting | Note | Comparing | Beat
