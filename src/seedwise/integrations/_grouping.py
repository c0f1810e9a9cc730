"""Groups runs that were made elsewhere: runs with the same settings apart from the seed form a group."""

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import pairwise

from ..advice import Advice
from ..errors import UsageError
from ..metrics import choose as metrics
from ..results import Results, Run, Series, Status

SEED_NAMES = ("seed", "random_state", "random_seed", "manual_seed", "rng_seed")
_IN_PATH = re.compile(r"(?i)(?<![a-z0-9])(\w*?)seed[=_\-. ]?(\d+)(?![\dA-Za-z.])")


@dataclass(frozen=True)
class Found:
    """One run that was made elsewhere: its settings as text, its series, and how it ended."""

    settings: Mapping[str, str]
    series: Mapping[str, Series] = field(default_factory=dict)
    status: Status = Status.FINISHED
    label: str = ""


def seed_in_path(path: str) -> tuple[int, str] | None:
    """The seed that a path names (`run_seed=3`, `lr=0.1,seed=3`), and the path with `*` in the place of the seed.

    None if it names no seed.

    If it names several (`data_seed=0/seed=3`), the one that is called only `seed` is chosen. Raises ValueError if
    this is not decisive.
    """
    found = list(_IN_PATH.finditer(path))
    bare = [match for match in found if not match[1].strip("_")]
    chosen = bare if len(found) > 1 else found
    if not found:
        return None
    if len(chosen) != 1:
        raise ValueError(f"{path} names {len(found)} seeds")
    match = chosen[0]
    return int(match[2]), path[: match.start(2)] + "*" + path[match.end(2) :]


def rising(series: Series) -> Sequence[int]:
    """The steps of a series.

    If they do not rise (a second training, folds), 1, 2, 3 … instead, so that no value replaces another.
    """
    steps = series.steps
    if all(a < b for a, b in pairwise(steps)):
        return steps
    return range(1, len(steps) + 1)


def grouped(
    runs: Iterable[Found], where: str, metric: tuple[str, ...] = (), ignore: tuple[str, ...] = ()
) -> dict[str, Results]:
    """Results, one for each group of runs with the same settings.

    The seed and the names in `ignore` do not count. A group is named by the settings in which groups differ.

    Raises
    ------
    UsageError
        A run names no seed, two runs of one group have the same seed, or every run is a group of its own.
    """
    groups: dict[tuple[tuple[str, str], ...], dict[int, Run]] = {}
    for found in runs:
        name = next((n for n in SEED_NAMES if n in found.settings), None)
        if name is None or not found.settings[name].lstrip("+").isdigit():
            raise UsageError(
                f"{where}: the run {found.label!r} has no parameter {' or '.join(SEED_NAMES[:2])}, an integer"
            )
        typed = found.settings[name]
        same = {n for n in SEED_NAMES if found.settings.get(n) == typed}
        rest = tuple(sorted((k, v) for k, v in found.settings.items() if k not in same and k not in ignore))
        group = groups.setdefault(rest, {})
        if int(typed) in group:
            raise UsageError(
                f"{where}: seed {typed} stands twice under the same settings, {dict(rest)}: name fewer runs"
            )
        status = found.status if found.series or found.status is not Status.FINISHED else Status.FAILED
        group[int(typed)] = Run(int(typed), status, found.series, detail="" if found.series else "no metrics")
    differ = {key for rest in groups for key, _ in rest if len({dict(other).get(key) for other in groups}) > 1}
    if len(groups) > 1 and all(len(group) == 1 for group in groups.values()):
        raise UsageError(
            f"{where}: every run is a group of its own; they differ in {', '.join(sorted(differ))}: ignore=[…] those that do not count"
        )
    asked = [metrics.parse_metric(m) for m in metric]
    result: dict[str, Results] = {}
    for rest, by_seed in groups.items():
        name = ", ".join(f"{key}={value}" for key, value in rest if key in differ) or where
        ordered = tuple(by_seed[seed] for seed in sorted(by_seed))
        choice = metrics.choose(ordered, asked)
        warnings = _unequal(ordered, [chosen.name for chosen in choice.metrics])
        result[name] = Results(name, "", (where,), ordered, choice.metrics, choice.left_out, warnings=warnings)
    return result


def _unequal(runs: Sequence[Run], names: Sequence[str]) -> tuple[Advice, ...]:
    """A warning for each metric whose series end at different steps, because some runs may have been stopped."""
    told = []
    for name in names:
        last = {run.seed: run.series[name].steps[-1] for run in runs if name in run.series and run.series[name].steps}
        if len(set(last.values())) > 1:
            short = min(last, key=lambda seed: last[seed])
            told.append(
                Advice(
                    f"{name} ends at different steps, {min(last.values())} (seed {short}) to {max(last.values())}",
                    "were some runs stopped? Leave them out, or let them go on",
                )
            )
    return tuple(told)
