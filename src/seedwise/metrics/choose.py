"""Which of the numbers that runs logged or printed are their metrics."""

import math
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from ..errors import UsageError
from ..results import Goal, Metric, Reduce, Run, Series, Status
from ..typos import did_you_mean
from ..wording import option
from . import goals, headline
from .goals import guess_goal, looks_like_metric

_COUNTERS = frozenset(
    "seed seeds epoch epochs step steps iter iters iteration iterations batch batches fold trial round generation "
    "generations gen episode episodes ep rank worker pid run timesteps updates instances".split()
)
_MOST_SHOWN = 40
_FINAL = 2
"""What is printed no more often than this is a result at the end (or before and after training), and no series."""


@dataclass(frozen=True)
class Choice:
    """The metrics, and for every other name the reason why it is not one."""

    metrics: tuple[Metric, ...]
    """The headline first."""
    left_out: Mapping[str, str]
    question: tuple[str, ...] = ()
    """Names that are equally likely to be the headline: the user has to say."""


def parse_metric(text: str, reduce: Reduce = Reduce.LAST) -> Metric:
    """A metric as it is asked for: `acc`, `acc:max`, `err=final error ([0-9.]+)`, `err:min=…`.

    Raises
    ------
    UsageError
        For a goal other than min and max, or a regular expression that does not compile.
    """
    name, equals, pattern = text.partition("=")
    name, colon, goal = name.strip().partition(":")
    if not name:
        raise UsageError(f"{option('--metric')} {text!r} names no metric: NAME, NAME:min, NAME:max or NAME=REGEX")
    if colon and goal not in ("min", "max"):
        raise UsageError(f"{option('--metric')} {text!r}: the goal is min or max, not {goal!r}")
    if equals:
        try:
            re.compile(pattern)
        except re.error as error:
            raise UsageError(f"{option(f'--metric {name}')}: not a regular expression: {error}: {pattern}") from None
    said = Goal(goal) if colon else None
    found = said or guess_goal(name)
    return Metric(name, found, said is not None, reduce, pattern if equals else None)


def choose(runs: Sequence[Run], asked: Sequence[Metric] = (), reduce: Reduce = Reduce.LAST) -> Choice:
    """The metrics of these runs: those that were asked for, else what every finished run gave.

    Left out are names that equal the seed, count epochs or steps, tell a duration, or are the same in every run
    without the name of a metric; and those that some finished run lacks.
    """
    finished = [run for run in runs if run.status is Status.FINISHED]
    names: dict[str, None] = {}
    for run in finished:
        names.update(dict.fromkeys(run.series))
    if asked:
        return _choose_asked(finished, asked, names)
    once = {n for n in names if all(len(run.series[n].values) <= _FINAL for run in finished if n in run.series)}
    return lead({name: _why_not(name, finished) for name in names}, once, reduce)


def lead(reasons: Mapping[str, str], once: set[str], reduce: Reduce = Reduce.LAST) -> Choice:
    """The metrics among names, the headline first.

    Parameters
    ----------
    reasons
        Each name and why it is no metric, "" if it is one (`reason_against`).
    once
        The names that have one value for each run.
    """
    left_out: dict[str, str] = {}
    chosen: list[Metric] = []
    for name, reason in reasons.items():
        if reason:
            left_out[name] = reason
        else:
            chosen.append(Metric(name, guess_goal(name), False, reduce))
    if not chosen:  # a script that reports nothing but a duration means it
        for name in [n for n, reason in left_out.items() if reason == "a duration"]:
            del left_out[name]
            chosen.append(Metric(name, Goal.MIN, False, reduce))
    by_name = {metric.name: metric for metric in chosen}
    ordered, asked_for = headline.order(list(by_name), once)
    chosen = [by_name[name] for name in ordered]
    for metric in chosen[_MOST_SHOWN:]:
        left_out[metric.name] = f"more than {_MOST_SHOWN} metrics: ask for it with {option(f'--metric {metric.name}')}"
    return Choice(tuple(chosen[:_MOST_SHOWN]), left_out, asked_for)


def _choose_asked(finished: list[Run], asked: Sequence[Metric], names: Iterable[str]) -> Choice:
    chosen: list[Metric] = []
    left_out: dict[str, str] = {}
    plain = {re.sub(r"[\s_]+", "_", name.lower()): name for name in names}
    for metric in asked:
        found = metric.name if metric.name in names else plain.get(re.sub(r"[\s_]+", "_", metric.name.lower()))
        if found is None:
            if finished:
                known = ", ".join(list(names)[:20]) or "nothing that is a number with a name"
                left_out[metric.name] = f"no run gave it{did_you_mean(metric.name, names)}; found: {known}"
            continue
        goal = metric.goal if metric.goal_said else guess_goal(found)
        chosen.append(Metric(found, goal, metric.goal_said, metric.reduce, metric.pattern))
    return Choice(tuple(chosen), left_out)


def _why_not(name: str, finished: list[Run]) -> str:
    """Why a name is not a metric; "" if it is one."""
    lacking = [run.seed for run in finished if name not in run.series]
    if lacking:
        shown = ", ".join(map(str, lacking[:10])) + (" …" if len(lacking) > 10 else "")
        return f"{len(lacking)} of {len(finished)} finished runs do not have it: seed {shown}"
    values = [run.series[name].values[-1] for run in finished]
    as_seed = len(finished) > 1 and all(value == run.seed for value, run in zip(values, finished, strict=True))
    same = values[0] if len(finished) > 1 and len({_key(value) for value in values}) == 1 else None
    return reason_against(name, as_seed, same, same is not None and _is_setting(name, finished))


def reason_against(name: str, as_seed: bool, same: float | None, setting: bool) -> str:
    """Why what every run has under a name is no metric; "" if it is one.

    Parameters
    ----------
    as_seed
        In each run it equals the seed.
    same
        The number, if it is the same in every run.
    setting
        It never changes, and its name says more than a measure.
    """
    said = set(goals.words(name))
    if _is_counted(said) and not looks_like_metric(name):
        return "a counter"
    if as_seed:
        return "equal to the seed"
    if said & goals.DURATIONS and not said & goals.METRIC_WORDS:
        return "a duration"
    if said & goals.RATES or name.lower().endswith(("_per_second", "_per_sec", "/s", "/sec")):
        return "a rate, not a result"
    if same is not None and name != "value" and (guess_goal(name) is None or setting):
        return f"the same in every run: {same:g}"
    return ""


def _is_setting(name: str, finished: list[Run]) -> bool:
    """Whether what never changed, within a run or between runs, says more than a measure: `cost_class`, `target_kl`."""
    every = {_key(value) for run in finished for value in run.series[name].values}
    return len(every) == 1 and named_like_setting(name)


def named_like_setting(name: str) -> bool:
    """Whether a name says more than a measure, or none: `cost_class`, `target_kl`."""
    return goals.says_more(name) or not looks_like_metric(name)


def _key(value: float) -> float | str:
    """The value, and one thing for all NaN."""
    return "nan" if math.isnan(value) else value


def series_of(pairs: Mapping[str, Sequence[float]]) -> dict[str, Series]:
    """Names and their values in order, as series counted from 1."""
    return {n: Series(tuple(range(1, len(v) + 1)), tuple(v)) for n, v in pairs.items() if v}


def read_run(logged: Mapping[str, Series], out: str, err: str, patterns: Mapping[str, str]) -> dict[str, Series]:
    """The series of one run.

    With patterns, what they find on standard output, then on standard error. Otherwise `seedwise.log`; else JSON lines,
    other lines of standard output and standard error, in this order, until something is named like a metric.
    """
    from . import stdout  # its many patterns take a while; a report that reads the store does without

    if patterns:
        matched = {name: stdout.by_pattern(stdout.lines_of(out), p) for name, p in patterns.items()}
        for name, pattern in patterns.items():
            matched[name] = matched[name] or stdout.by_pattern(stdout.lines_of(err), pattern)
        return series_of(matched)
    if logged:
        return dict(logged)
    found: dict[str, list[float]] = {}
    for text in (out, err):
        for source in stdout.read(stdout.lines_of(text)):
            if any(looks_like_metric(name) for name in found):
                return series_of(found)
            if any(not _is_counter(name) for name in source.values):
                found = {**source.values, **found}
    return series_of(found)


def _is_counter(name: str) -> bool:
    said = set(goals.words(name))
    return (_is_counted(said) or bool(said & goals.DURATIONS)) and not looks_like_metric(name)


def _is_counted(said: set[str]) -> bool:
    """Whether words speak of a count; the average of one is none."""
    return bool(said & _COUNTERS) and not said & {"average", "avg", "mean"}


def split_by_seed(out: str) -> dict[int, dict[str, Series]]:
    """For a script that loops over seeds itself: the series under each seed that it printed.

    A line that says `seed` (or another name with that word) opens a record; the metrics of that line and of those up
    to the next seed belong to it. Raises UsageError when one seed comes back with other numbers in between.
    """
    from . import stdout

    records: dict[int, dict[str, list[float]]] = {}
    current: int | None = None
    finished: set[int] = set()
    as_json, as_text = stdout.read(stdout.lines_of(out))
    source = as_json if any(_seed_of(pairs) is not None for pairs in as_json.records) else as_text
    for pairs, overall in zip(source.records, source.overall, strict=True):
        if overall and _seed_of(pairs) is None:
            current = None  # what comes after the loop speaks of all seeds
            continue
        seed = _seed_of(pairs)
        if seed is not None and seed != current:
            if current is not None:
                finished.add(current)
            if seed in finished:
                raise UsageError(f"the script printed seed {seed} twice: as one run each, seeds must not repeat")
            current = seed
        if current is not None:
            for name, value in pairs.items():
                if not _names_seed(name):
                    records.setdefault(current, {}).setdefault(name, []).append(value)
    return {seed: series_of(pairs) for seed, pairs in records.items()}


def _names_seed(name: str) -> bool:
    parts = re.split(r"[^a-z]+", name.lower())
    return parts[-1:] in (["seed"], ["state"]) and not {"best", "worst", "n", "num", "base"} & set(parts)


def _seed_of(pairs: Mapping[str, float]) -> int | None:
    for name, value in pairs.items():
        if _names_seed(name) and 0 <= value < 2**32 and value == int(value):
            return int(value)
    return None
