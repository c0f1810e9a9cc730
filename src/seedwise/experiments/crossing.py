"""Crossed designs: which runs tell how much each source of randomness, and the number of threads, make of the spread."""

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace

from .. import stats
from ..errors import UsageError
from ..wording import option
from .options import check_vary, check_whole

THREADS = "threads"
"""The factor that is no source of randomness: the number of threads."""


@dataclass(frozen=True)
class Member:
    """One experiment of a design: its first source varies over its runs, everything else is fixed.

    Attributes
    ----------
    settings
        What its name says.
    at
        The seeds of the other sources, as `Options.at` has them.
    cells
        For each of its runs, in the order of their seeds: its cell, counted from 0.
    repeat
        1; 2 and more repeat an experiment.
    """

    settings: dict[str, str]
    at: tuple[tuple[str, tuple[int, ...]], ...]
    threads: int | None
    cells: tuple[tuple[int, ...], ...]
    repeat: int = 1


@dataclass(frozen=True)
class Crossing:
    """A crossed design.

    Attributes
    ----------
    sources
        The sources that get seeds 1 … n.
    threads
        The numbers of threads; () if threads are no factor.
    repeats
        How often the cells of one experiment (for each number of threads) are run.
    fraction
        Whether only a Latin square of all seeds is run, under each number of threads.
    """

    sources: tuple[str, ...]
    n: int
    threads: tuple[int, ...] = ()
    repeats: int = 2
    fraction: bool = False

    @property
    def factors(self) -> tuple[str, ...]:
        """The sources, and the threads last."""
        return (*self.sources, *((THREADS,) if self.threads else ()))

    @property
    def shape(self) -> tuple[int, ...]:
        """How many values each factor has."""
        return (*(self.n,) * len(self.sources), *((len(self.threads),) if self.threads else ()))

    @property
    def whole(self) -> int:
        """How many cells the whole design has."""
        return math.prod(self.shape)

    @property
    def cells(self) -> int:
        """How many cells are run."""
        return self.n**2 * max(1, len(self.threads)) if self.fraction else self.whole

    @property
    def runs(self) -> int:
        """How many runs there are in all."""
        return self.cells + (self.repeats - 1) * self.n * max(1, len(self.threads))

    def members(self) -> list[Member]:
        """The experiments, each with n runs. Those that are repeated come at the end."""
        found = self._fraction() if self.fraction else self._whole()
        again = [next(m for m in found if m.threads == t) for t in dict.fromkeys(m.threads for m in found)]
        found += [
            Member({**m.settings, "repeat": str(k)}, m.at, m.threads, m.cells, k)
            for k in range(2, self.repeats + 1)
            for m in again
        ]
        return found

    def _whole(self) -> list[Member]:
        found = []
        base = {"vary": ",".join(self.factors)}
        others = self.sources[1:]
        for k in range(self.n ** len(others)):
            levels = [k // self.n**p % self.n for p in range(len(others))]
            at = tuple((source, (level + 1,)) for source, level in zip(others, levels, strict=True))
            said = {**base, **{source: str(row[0]) for source, row in at}}
            found += self._under_each_number(said, at, [(i, *levels) for i in range(self.n)])
        return found

    def _under_each_number(
        self,
        settings: dict[str, str],
        at: tuple[tuple[str, tuple[int, ...]], ...],
        cells: Sequence[tuple[int, ...]],
    ) -> list[Member]:
        """One experiment for these cells; or one for each number of threads."""
        if not self.threads:
            return [Member(settings, at, None, tuple(cells))]
        return [
            Member({**settings, THREADS: str(threads)}, at, threads, tuple((*cell, t) for cell in cells))
            for t, threads in enumerate(self.threads)
        ]

    def _fraction(self) -> list[Member]:
        cells = stats.latin_cells(self.n, len(self.sources))
        found = []
        for j in range(self.n):
            mine = tuple(cells[j * self.n : (j + 1) * self.n])
            at = tuple((source, tuple(cell[p] + 1 for cell in mine)) for p, source in enumerate(self.sources) if p)
            settings = {"vary": ",".join(self.factors), "square": f"{j + 1}of{self.n}"}
            found += self._under_each_number(settings, at, mine)
        return found


def crossing(
    vary: Sequence[str],
    n: int,
    threads: Sequence[int],
    repeats: int,
    most: int,
    corrections: Sequence[str] = (),
) -> Crossing:
    """The design for these factors: the whole one, or a fraction where that would be more than `most` runs.

    Raises
    ------
    UsageError
        A factor does not exist, there are too few values to tell the factors apart, or there are too many runs.
    """
    check_vary(vary, corrections, beside=(THREADS,))
    for name, number in (("n", n), (option("--repeats"), repeats), (option("--max-runs"), most)):
        check_whole(name, number)
    sources = tuple(name for name in vary if name != THREADS)
    levels = tuple(threads) if THREADS in vary else ()
    _check(sources, levels, n, repeats, most)
    whole = Crossing(sources, n, levels, repeats)
    if whole.runs <= most:
        return whole
    allowed = f"{option(f'--max-runs {whole.runs}')} allows it"
    if len(sources) < 3:
        why = " (a fraction of them takes three sources or more)" if levels else ""
        raise UsageError(
            f"{n} seeds of {_listed(whole.factors)} are {whole.runs} runs, more than {most}{why}: {allowed}"
            + _with_fewer(whole, most)
        )
    part = Crossing(sources, n, levels, repeats, fraction=True)
    try:
        stats.latin_cells(n, len(sources))
    except ValueError as error:
        raise UsageError(
            f"{whole.runs} runs are more than {most}, and {error}: {allowed}{_with_fewer(part, most)}"
        ) from None
    if part.runs > most:
        raise UsageError(
            f"even a fraction of the design has {part.runs} runs, more than {most}: "
            f"{option(f'--max-runs {part.runs}')} allows it{_with_fewer(part, most)}"
        )
    return part


def _with_fewer(design: Crossing, most: int) -> str:
    """The most seeds with which such a design has no more runs than `most`, for the end of a message; "" if none has."""
    for n in range(design.n - 1, 1, -1):
        fewer = replace(design, n=n)
        if fewer.runs <= most and (not design.fraction or _has_fraction(fewer)):
            return f", {n} seeds of each are {fewer.runs} runs"
    return ""


def _has_fraction(design: Crossing) -> bool:
    try:
        stats.latin_cells(design.n, len(design.sources))
    except ValueError:
        return False
    return True


def _listed(names: Sequence[str]) -> str:
    return " and ".join([", ".join(names[:-1]), names[-1]] if len(names) > 1 else names)


def _check(sources: Sequence[str], levels: Sequence[int], n: int, repeats: int, most: int) -> None:
    if not sources:
        raise UsageError(
            f"{option('--vary')} takes one source of randomness or more beside threads: {option('--vary init,threads')}"
        )
    if n < 2:
        raise UsageError(
            f"n is the number of seeds of each source, at least 2; got {n}: one run in each cell says nothing of spread"
        )
    if repeats < 1 or most < 1:
        raise UsageError(f"{option('--repeats')} and {option('--max-runs')} are 1 or more")
    if levels and (len(set(levels)) < 2 or min(levels) < 1):
        raise UsageError(
            f"threads as a factor takes two numbers or more, such as {option('--threads 1,2')}; got {','.join(map(str, levels))}"
        )
    if len(sources) == 1 and not levels and repeats < 2:
        raise UsageError(
            f"one source and no repeats leave nothing to be told apart: {option('--repeats 2')}, or another source"
        )
