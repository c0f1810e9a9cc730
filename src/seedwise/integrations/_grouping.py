"""Runs that were made elsewhere, grouped by everything but the seed."""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from ..errors import UsageError
from ..results import Results, Run, Series, Status
from ..runs import metrics

SEED_NAMES = ("seed", "random_state", "random_seed", "manual_seed", "rng_seed")
_IN_PATH = re.compile(r"(?i)(?:^|(?<=[/_\-. ]))(?:random_)?seed[=_\-. ]?(\d+)")


@dataclass(frozen=True)
class Found:
    """One run: its settings as text, its series, and whether it ended well."""

    settings: Mapping[str, str]
    series: Mapping[str, Series] = field(default_factory=dict)
    finished: bool = True
    label: str = ""


def seed_in_path(path: str) -> tuple[int, str] | None:
    """The seed that a path names (`run_seed=3`, `seed-3`), and the path with `*` in its place; None where it names none."""
    found = _IN_PATH.search(path)
    return None if found is None else (int(found[1]), path[: found.start()] + "seed *" + path[found.end() :])


def grouped(runs: Iterable[Found], where: str, metric: tuple[str, ...] = ()) -> dict[str, Results]:
    """Results by their settings other than the seed, named by those in which groups differ.

    Raises
    ------
    UsageError
        Where a run names no seed, or two runs of one group name the same.
    """
    groups: dict[tuple[tuple[str, str], ...], dict[int, Run]] = {}
    for found in runs:
        name = next((n for n in SEED_NAMES if n in found.settings), None)
        if name is None or not found.settings[name].lstrip("+").isdigit():
            raise UsageError(
                f"{where}: the run {found.label!r} has no parameter {' or '.join(SEED_NAMES[:2])}, an integer"
            )
        seed = int(found.settings[name])
        rest = tuple(sorted((k, v) for k, v in found.settings.items() if k != name))
        group = groups.setdefault(rest, {})
        if seed in group:
            raise UsageError(
                f"{where}: seed {seed} stands twice under the same settings, {dict(rest)}: name fewer runs"
            )
        status = Status.FINISHED if found.finished and found.series else Status.FAILED
        group[seed] = Run(seed, status, found.series, detail="" if found.series else "no metrics")
    asked = [metrics.parse_metric(m) for m in metric]
    differ = {key for rest in groups for key, value in rest if len({dict(other).get(key) for other in groups}) > 1}
    result: dict[str, Results] = {}
    for rest, by_seed in groups.items():
        name = ", ".join(f"{key}={value}" for key, value in rest if key in differ) or where
        ordered = tuple(by_seed[seed] for seed in sorted(by_seed))
        choice = metrics.choose(ordered, asked)
        result[name] = Results(name, "", (where,), ordered, choice.metrics, choice.left_out)
    return result
