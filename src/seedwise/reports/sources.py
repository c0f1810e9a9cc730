"""What each source of randomness drew, in a sentence and a table."""

from collections.abc import Mapping, Sequence

from ..places import short_place
from ..results import SourceDraws
from ..words import printable
from .table import Table

_MOST_LINES = 4


def sources_sentence(draws: Sequence[SourceDraws]) -> str:
    """What varied between the runs, and what did not."""
    varied = [printable(one.source) for one in draws if one.varied]
    held = [printable(one.source) for one in draws if one.held]
    loose = [printable(one.source) for one in draws if not one.held and not one.varied]
    parts = [f"Between these runs {_listed(varied)} varied"]
    parts += [f"{_listed(held)} drew what a plain run draws"] if held else []
    parts += [f"{_listed(loose)} could not be held"] if loose else []
    return f"{'; '.join(parts)}."


def sources_table(draws: Sequence[SourceDraws]) -> Table:
    """A row for each source: whether it varied, how many draws the first run made, and from which lines."""
    rows = tuple(
        (
            printable(one.source),
            "varied" if one.varied else "held" if one.held else "not held",
            str(one.count),
            _lines(one.lines),
        )
        for one in draws
    )
    return Table(("source", "between runs", "draws", "from"), rows, frozenset({2}), (1,), shorten={3: 30})


def _lines(lines: Mapping[str, int]) -> str:
    """The lines that drew most, most first."""
    ranked = sorted(lines, key=lambda place: (-lines[place], place))
    shown = [f"{printable(short_place(place)) or 'a library'} ({lines[place]})" for place in ranked[:_MOST_LINES]]
    more = len(ranked) - len(shown)
    return ", ".join(shown) + (f" and {more} more lines" if more > 0 else "") or "–"


def _listed(names: Sequence[str]) -> str:
    return " and ".join([", ".join(names[:-1]), names[-1]] if len(names) > 1 else names)
