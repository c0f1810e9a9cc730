"""Writes numbers and sentences as a colleague would say them."""

import math
import re
from collections.abc import Sequence
from typing import TYPE_CHECKING

from .results import Run, Summary
from .wording import option

if TYPE_CHECKING:
    from numpy.typing import ArrayLike

_BARS = "▁▂▃▄▅▆▇█"


def places_for(summary: Summary) -> int:
    """How many decimals the numbers of one metric get: two digits of the smaller of SD and ±."""
    spreads = [spread for spread in (half_width(summary), summary.sd) if spread]
    return decimals(min(spreads, default=None), summary.mean)


def decimals(spread: float | None, value: float | None) -> int:
    """How many decimals show a spread with two digits. Without a spread: four digits of the value."""
    scale = spread if spread else abs(value) / 100 if value else 1.0
    if not scale or not math.isfinite(scale):
        return 4
    return max(0, min(12, 1 - math.floor(math.log10(scale))))


def number(value: float | None, places: int) -> str:
    """A number with this many decimals; `–` for None."""
    if value is None:
        return "–"
    if value and (abs(value) >= 1e7 or abs(value) < 10.0 ** -(places + 1)):
        return f"{value:.4g}"
    return f"{value:.{places}f}"


def half_width(figures: Summary) -> float | None:
    """The number after ±."""
    return None if figures.interval is None else (figures.interval[1] - figures.interval[0]) / 2


def sentence(figures: Summary) -> str:
    """One metric in one sentence, which says what its ± is."""
    if figures.reason or figures.mean is None:
        return f"{figures.label}: {figures.reason}."
    places = places_for(figures)
    whole = figures.finished == figures.n
    if figures.interval is None:
        among = "" if whole else f" (of {figures.n}; among finished)"
        return (
            f"{figures.label} is {number(figures.mean, places)} under one seed{among}, which says nothing about spread."
        )
    plus_minus = number(half_width(figures), places)
    seeds = f"{figures.n} seeds (" if whole else f"{figures.finished} of {figures.n} seeds (among finished; "
    text = (
        f"{figures.label} is {number(figures.mean, places)} ± {plus_minus} over {seeds}"
        f"mean, {figures.level * 100:g} % {figures.method})"
    )
    if figures.goal is None:
        return f"{text}, from {number(figures.min, places)} to {number(figures.max, places)}."
    return (
        f"{text}, from {number(figures.worst, places)} (seed {figures.worst_seed}) to "
        f"{number(figures.best, places)} (seed {figures.best_seed})."
    )


def histogram(values: "ArrayLike", bins: int = 16) -> str:
    """A picture of a sample: one line of `bins` characters, from its lowest to its highest value."""
    from .stats.shares import histogram as counted

    try:
        counts = counted(values, bins).counts
    except ValueError:  # nothing, or no finite numbers
        return ""
    if len(counts) == 1:
        return _BARS[-1]
    top = max(counts)
    return "".join(" " if c == 0 else _BARS[math.ceil(c / top * len(_BARS)) - 1] for c in counts)


def seed_list(seeds: Sequence[int], most: int = 12) -> str:
    """Seeds as text. Three or more consecutive seeds become a range."""
    parts: list[str] = []
    row: list[int] = []
    for seed in [*sorted(seeds), None]:
        if row and seed == row[-1] + 1:
            row.append(seed)
            continue
        if row:
            parts.append(f"{row[0]}–{row[-1]}" if len(row) > 2 else ", ".join(map(str, row)))
        row = [] if seed is None else [seed]
    shown = ", ".join(parts[:most])
    return shown + (" …" if len(parts) > most else "")


def duration(seconds: float) -> str:
    """Seconds as text: `4.2 s`, `3 min 20 s`, `2 h 05 min`."""
    if seconds < 60:
        return f"{seconds:.1f} s"
    minutes, rest = divmod(round(seconds), 60)
    if minutes < 60:
        return f"{minutes} min {rest:02d} s"
    hours, minutes = divmod(minutes, 60)
    return f"{hours} h {minutes:02d} min"


def ago(seconds: float) -> str:
    """How long ago something was: `just now`, `5 min ago`, `3 h ago`, `2 days ago`."""
    if seconds < 60:
        return "just now"
    for limit, unit, name in ((3600, 60, "min"), (86400, 3600, "h")):
        if seconds < limit:
            return f"{int(seconds // unit)} {name} ago"
    days = int(seconds // 86400)
    return f"{days} day{'s' if days > 1 else ''} ago"


def failure(run: Run) -> str:
    """Why a run failed: its cause, and what is known of it. A cause that the detail begins with is not said twice."""
    cause, detail = run.cause.value if run.cause else "", run.detail
    for stored, typed in _REMEDIES.items():
        detail = detail.replace(stored, option(typed))
    return detail if not cause or detail.startswith(cause) else f"{cause}: {detail}"


_REMEDIES = {
    "the option share": "--share PATH",
    "the option isolate-network": "--isolate-network",
    "the option jobs": "--jobs 1",
}
"""Options as a stored detail names them, and as they are typed at the command line."""


_NUMBER = re.compile(r"\d+(?:\.\d+)?(?:e[+-]?\d+)?")


def failing_alike(runs: Sequence[Run]) -> list[list[Run]]:
    """The runs that failed in the same way together, in the order of their first. Messages may differ in numbers."""
    groups: dict[str, list[Run]] = {}
    for run in runs:
        groups.setdefault(f"{run.cause}: {without_numbers(run.detail)}", []).append(run)
    return list(groups.values())


def without_numbers(detail: str) -> str:
    """What a failure shares with others like it: its place, with the number of the line, and a message without numbers."""
    place, colon, message = detail.partition(": ")
    return f"{place}{colon}{_NUMBER.sub('#', message)}"


def printable(text: str) -> str:
    """Text from a run without characters that a terminal would take as commands."""
    return "".join(c if c.isprintable() or c in "\t" else "�" for c in text)
