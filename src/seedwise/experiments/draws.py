"""What each source of randomness drew in the runs of an experiment whose sources are kept apart."""

import json
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

from ..places import short_place
from ..results import Run, SourceDraws, Status
from ..wording import option

DRAWN = "drawn.json"
"""Name of the file beside a run's logs."""


def merged_draws(processes: Iterable[Mapping[str, Any]]) -> dict[str, Any]:
    """One record of what all processes of a run drew. Positions are those of the process that drew most."""
    sources: dict[str, dict[str, Any]] = {}
    seedings: Counter[str] = Counter()
    unseen: set[str] = set()
    corrected: set[str] = set()
    most: dict[str, int] = {}
    for told in processes:
        seedings.update(told["seedings"])
        unseen |= set(told["unseen"])
        corrected |= set(told["corrected"])
        for name, drawn in told["sources"].items():
            kept = sources.setdefault(name, {"count": 0, "lines": {}, "more": 0, "positions": {}})
            kept["count"] += drawn["count"]
            kept["more"] += drawn["more"]
            kept["lines"] = dict(Counter(kept["lines"]) + Counter(drawn["lines"]))
            if drawn["count"] > most.get(name, 0):
                most[name], kept["positions"] = drawn["count"], drawn["positions"]
    return {
        "sources": sources,
        "seedings": dict(seedings),
        "unseen": sorted(unseen),
        "corrected": sorted(corrected),
    }


def draws_of(run: Run) -> Mapping[str, Any]:
    """The record of a run; empty if it has none."""
    if run.folder is None:
        return {}
    try:
        found: dict[str, Any] = json.loads(Path(run.folder, DRAWN).read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
    return found


def sources_of(runs: Sequence[Run], varied: Sequence[str]) -> tuple[SourceDraws, ...]:
    """The sources of the first finished run, those that vary first, and then by the number of draws."""
    records = _records(runs)
    found = records[0]["sources"] if records else {}
    names = sorted(set(found) | set(varied), key=lambda n: (n not in varied, -found.get(n, {}).get("count", 0), n))
    return tuple(
        SourceDraws(
            name,
            found.get(name, {}).get("count", 0),
            found.get(name, {}).get("lines", {}),
            name in varied,
            name not in varied and not _differing(records, name),
        )
        for name in names
    )


def _records(runs: Sequence[Run]) -> list[Mapping[str, Any]]:
    return [record for run in runs if run.status is Status.FINISHED and (record := draws_of(run))]


def _differing(records: Sequence[Mapping[str, Any]], name: str) -> int:
    """In how many runs a source drew otherwise than in the first."""
    positions = [record["sources"].get(name, {}).get("positions", {}) for record in records]
    return sum(_differ(positions[0], other) for other in positions)


def about_sources(runs: Sequence[Run], varied: Sequence[str], corrections: Sequence[str]) -> list[str]:
    """Warnings about sources: one that is never drawn from, one that was not held, what cannot be kept apart.

    Parameters
    ----------
    varied
        The sources that vary.
    corrections
        The `file:line` for which the user named a source.
    """
    records = _records(runs)
    if not records:
        return []
    return [
        *_never_drawn(records, varied),
        *_not_held(records, varied),
        *_seeded_again(records[0]),
        *_not_apart(records[0], corrections),
    ]


def _never_drawn(records: Sequence[Mapping[str, Any]], varied: Sequence[str]) -> list[str]:
    drawn = {name for record in records for name in record["sources"]}
    never = [name for name in varied if name not in drawn and name != "split"]
    found = []
    for name in never:
        there = ", ".join(sorted(drawn)) or "nothing"
        found.append(
            f"no draw belongs to {name}, so that varying it changes nothing; drawn from: {there}. If a line draws for it, name it: "
            f"{option(f'--source FILE:LINE={name}')}"
        )
    return found


def _not_held(records: Sequence[Mapping[str, Any]], varied: Sequence[str]) -> list[str]:
    """Sources that were to be held, and whose generators stood elsewhere in some run."""
    found = []
    names = sorted({name for record in records for name in record["sources"]} - set(varied))
    varied_together = " and ".join(varied)
    for name in names:
        differing = _differing(records, name)
        if differing:
            found.append(
                f"{name} was not held: in {differing} of {len(records)} runs its draws differ from those of the first, because how much the script "
                f"draws depends on what varies (early stopping, a split of another size). The spread is not {varied_together} alone; "
                f"vary {name} too: {option('--vary ' + ','.join([*varied, name]))}"
            )
    return found


def _differ(one: Mapping[str, str], other: Mapping[str, str]) -> bool:
    """Whether two runs stood elsewhere at a draw that both have made. One of them may have ended earlier."""
    return any(one[k] != other[k] for k in one.keys() & other.keys()) or bool(one) != bool(other)


def _seeded_again(record: Mapping[str, Any]) -> list[str]:
    again = {place: n for place, n in record["seedings"].items() if n > 1}
    if not again:
        return []
    place, n = max(again.items(), key=lambda item: item[1])
    return [
        f"the script seeds itself again, {n} times at {short_place(place)}: what it draws after that repeats, as in a plain run, also for the sources "
        "that vary"
    ]


def _not_apart(record: Mapping[str, Any], corrections: Sequence[str]) -> list[str]:
    found = [
        f"{name} was used: what compiled code draws (dropout) cannot be kept apart, and stays as in a plain run"
        for name in record["unseen"]
    ]
    unmet = [place for place in corrections if place not in record["corrected"]]
    if unmet:
        found.append(f"{option('--source')} {', '.join(unmet)}: nothing is drawn there")
    return found
