"""What each source of randomness drew in the runs of an experiment whose sources are kept apart."""

import json
from collections import Counter
from collections.abc import Collection, Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

from ..advice import Advice
from ..places import short_place
from ..results import Run, SourceDraws, Status
from ..wording import option

DRAWN = "drawn.json"
"""Name of the file beside a run's logs."""


Chains = Sequence[Mapping[str, str]]
"""For each process of a run: number of a draw → link of the chain over where the generators stood until then."""


def merged_draws(processes: Iterable[Mapping[str, Any]]) -> dict[str, Any]:
    """One record of what all processes of a run drew."""
    sources: dict[str, dict[str, Any]] = {}
    seedings: Counter[str] = Counter()
    not_apart: set[str] = set()
    corrected: set[str] = set()
    unseen: dict[str, list[str]] = {}
    for told in processes:
        seedings.update(told["seedings"])
        not_apart |= set(told["not_apart"])
        corrected |= set(told["corrected"])
        for library, places in told["unseen"].items():
            unseen[library] = sorted({*unseen.get(library, ()), *places})
        for name, drawn in told["sources"].items():
            kept = sources.setdefault(name, {"count": 0, "lines": {}, "more": 0, "chains": []})
            kept["count"] += drawn["count"]
            kept["more"] += drawn["more"]
            kept["lines"] = dict(Counter(kept["lines"]) + Counter(drawn["lines"]))
            if drawn["positions"]:
                kept["chains"].append(drawn["positions"])
    return {
        "sources": sources,
        "seedings": dict(seedings),
        "not_apart": sorted(not_apart),
        "unseen": unseen,
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
    chains = [record["sources"].get(name, {}).get("chains", []) for record in records]
    return sum(chains_differ(chains[0], other) for other in chains)


def about_sources(
    runs: Sequence[Run], varied: Sequence[str], corrections: Sequence[str], sites: Sequence[Mapping[str, Any]]
) -> list[Advice]:
    """Warnings about sources: one that is never drawn from, one that was not held, what cannot be kept apart.

    Parameters
    ----------
    varied
        The sources that vary.
    corrections
        The `file:line` for which the user named a source.
    sites
        The seed sites, as `Results.sites` has them.
    """
    records = _records(runs)
    if not records:
        return []
    return [
        *_never_drawn(records, varied, sites),
        *_not_held(records, varied),
        *_seeded_again(records[0]),
        *_not_apart(records[0], corrections),
    ]


def never_drawn(drawn: Collection[str], varied: Sequence[str], sites: Sequence[Mapping[str, Any]]) -> list[str]:
    """The sources that vary, and change nothing. A split may have a seed of its own, where nobody sees its draws."""
    seeded = {site["source"] for site in sites} & {"split"}
    return [name for name in varied if name not in drawn and name not in seeded]


def _never_drawn(
    records: Sequence[Mapping[str, Any]], varied: Sequence[str], sites: Sequence[Mapping[str, Any]]
) -> list[Advice]:
    drawn = {name for record in records for name in record["sources"]}
    never = never_drawn(drawn, varied, sites)
    found = []
    for name in never:
        there = ", ".join(sorted(drawn)) or "nothing"
        found.append(
            Advice(
                f"no draw belongs to {name}, so that varying it changes nothing; drawn from: {there}",
                f"if a line draws for it, name it by {option(f'--source FILE:LINE={name}')}",
            )
        )
    return found


def _not_held(records: Sequence[Mapping[str, Any]], varied: Sequence[str]) -> list[Advice]:
    """Sources that were to be held, and whose generators stood elsewhere in some run."""
    found = []
    names = sorted({name for record in records for name in record["sources"]} - set(varied))
    varied_together = " and ".join(varied)
    for name in names:
        differing = _differing(records, name)
        if differing:
            found.append(
                Advice(
                    f"{name} was not held: in {differing} of {len(records)} runs its draws differ from those of the first, because how much the script "
                    f"draws depends on what varies (early stopping, a split of another size). The spread is not {varied_together} alone",
                    f"vary {name} too by {option('--vary ' + ','.join([*varied, name]))}",
                )
            )
    return found


def chains_differ(one: Chains, other: Chains) -> bool:
    """Whether two runs stood elsewhere at a draw that both have made. One of them may have ended earlier.

    Processes of the two runs are paired by where they began: workers end in any order.
    """
    if bool(one) != bool(other):
        return True
    few, many = sorted((one, other), key=len)
    left = list(many)
    for chain in few:
        same = next((k for k, candidate in enumerate(left) if _agree(chain, candidate)), None)
        if same is None:
            return True
        left.pop(same)
    return False


def _agree(one: Mapping[str, str], other: Mapping[str, str]) -> bool:
    common = one.keys() & other.keys()
    return bool(common) and all(one[n] == other[n] for n in common)


def _seeded_again(record: Mapping[str, Any]) -> list[Advice]:
    again = {place: n for place, n in record["seedings"].items() if n > 1}
    if not again:
        return []
    place, n = max(again.items(), key=lambda item: item[1])
    return [
        Advice(
            f"the script seeds itself again, {n} times at {short_place(place)}, so that what it draws after that repeats, as in a plain run, also for the "
            "sources that vary",
            "let the script seed itself once",
        )
    ]


def _not_apart(record: Mapping[str, Any], corrections: Sequence[str]) -> list[Advice]:
    found = [
        Advice(
            f"{name} was used: what it draws cannot be kept apart, and stays as in a plain run whatever varies",
            "run the script without it where this matters",
        )
        for name in record.get("not_apart", ())
    ]
    for library, places in record.get("unseen", {}).items():
        named = [short_place(place) for place in places if place]
        where = f" before {', '.join(named[:3])}" if named else ""
        found.append(
            Advice(
                f"{library}'s generator moved{where} without a draw that Seedwise sees (compiled code, or a state that was set), so that what is drawn "
                "there belongs to no source, and stays as in a plain run whatever varies",
                "run the script without compiling, or leave states alone, where this matters",
            )
        )
    unmet = [place for place in corrections if place not in record["corrected"]]
    if unmet:
        found.append(
            Advice(
                f"{option('--source')} {', '.join(unmet)}: nothing is drawn there",
                "name a line of those that the report lists beside each source",
            )
        )
    return found
