"""The results of seeds that were trained together."""

from dataclasses import dataclass

from ..results import Results
from .task import Engine


@dataclass(frozen=True)
class Closeness:
    """The first seed by the plain loop and by the engine that was taken.

    `same_start` and `same_order` say whether starting weights and data order are the same, bit by bit. `difference` is the largest
    difference of any parameter after `steps` steps, `moved` how far the parameter that moved most had gone by then.

    Attributes
    ----------
    seed
        The seed that was trained both ways.
    """

    seed: int
    same_start: bool
    same_order: bool
    steps: int
    difference: float
    moved: float
    in_double: float | None = None
    """The difference when both are computed in double precision, where that had to be asked."""

    @property
    def sentence(self) -> str:
        """The same in words."""
        start = "the same starting weights" if self.same_start else "OTHER starting weights"
        order = "the same data order" if self.same_order else "ANOTHER data order"
        double = "" if self.in_double is None else f" ({self.in_double:.1g} in double precision)"
        return (
            f"seed {self.seed} by the plain loop: {start}, {order}; after {self.steps} step{'s' if self.steps > 1 else ''} "
            f"weights differ by at most {self.difference:.1g}{double}, having moved by up to {self.moved:.1g}"
        )


@dataclass(frozen=True)
class BatchedResults(Results):
    """Results that also say how the seeds were trained.

    `width` is how many seeds are trained together. `closeness` is None for the plain loop. `measured` holds, for `auto`, the seconds
    that each engine was expected to take for all seeds. `compile_seconds` is not in the runs' own seconds.

    Attributes
    ----------
    engine, why
        How the seeds were trained, and why so.
    """

    engine: Engine = Engine.LOOP
    why: str = ""
    width: int = 1
    closeness: Closeness | None = None
    measured: tuple[tuple[Engine, float], ...] = ()
    compile_seconds: float = 0.0
