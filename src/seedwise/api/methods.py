"""What a paper has to say of its runs, read from the store."""

import shlex
from collections.abc import Sequence
from typing import Any

from ..decisions import Comparison, Ranking
from ..errors import SeedwiseError, UsageError
from ..experiments.loading import results_of
from ..experiments.store import Experiment, Store, open_store
from ..metrics.choose import parse_metric
from ..reports.methods import Methods, Ran
from ..results import Reduce, Results, Status
from ..words import failing_alike, failure
from .compare import compare
from .experiment_page import machine_of
from .pictures import leading, scores_of
from .rankings import compare_many
from .summary import summarize_all


def methods_of(
    names: Sequence[str],
    *,
    metric: Sequence[str] = (),
    level: float = 0.95,
    rng: int = 0,
    paired: bool = False,
    store: str | None = None,
) -> Methods:
    """What a paper has to say of experiments; of two or more also how they compare.

    Raises
    ------
    UsageError, StoreError
        There is no such experiment, or no store.
    """
    import seedwise

    with open_store(store) as opened:
        found = []
        for name in names:
            experiment = opened.experiment(name)
            reduce = Reduce(experiment.plan.get("options", {}).get("reduce", "last"))
            asked = [parse_metric(text, reduce) for text in metric]
            found.append((experiment, results_of(opened, experiment, asked, reduce, brief=True)))
        if len({experiment.id for experiment, _ in found}) < len(found):
            raise UsageError(f"each experiment once: {' '.join(names)}")
        ran = tuple(_ran(opened, experiment, results, level) for experiment, results in found)
        project = sum(run.seconds or 0.0 for e in opened.experiments() for run in opened.runs(e.id, last_only=True))
    compared = _compared({results.name: results for _, results in found}, level, rng, paired)
    return Methods(ran, compared, project, seedwise.__version__)


def _compared(groups: dict[str, Results], level: float, rng: int, paired: bool) -> Comparison | Ranking | None:
    if len(groups) < 2:
        return None
    try:
        scores = scores_of(groups, leading(groups, None))
        if len(scores) > 2:
            return compare_many(scores, level=level, rng=rng, paired=paired)
        (new, a), (base, b) = scores.items()
        return compare(a, b, names=(new, base), level=level, rng=rng, paired=paired)
    except SeedwiseError:
        return None


def _ran(store: Store, experiment: Experiment, results: Results, level: float) -> Ran:
    manifest, plan = experiment.manifest, experiment.plan
    finished = [run.seconds for run in results.finished if run.seconds is not None]
    packages = [
        f"{name} {value}" for (kind, name), value in sorted(store.inputs(experiment.id).items()) if kind == "package"
    ]
    sites = [site for site in results.sites if site["receives"] != "as typed"]
    threads = manifest.get("threads")
    machine = machine_of(experiment)
    return Ran(
        results.name,
        shlex.join(experiment.command),
        results.seeds,
        len(results.finished),
        len(results.failed),
        len(results.having(Status.INTERRUPTED)) + len(results.having(Status.RUNNING)),
        tuple(_cause(runs[0].seed, failure(runs[0]), len(runs)) for runs in failing_alike(results.failed)[:4]),
        _rule(plan.get("options", {}).get("until")),
        store.commands(experiment.id),
        tuple(str(site["location"]) for site in sites),
        tuple(_varied(results)),
        "as many threads as the script takes" if threads is None else f"{threads} thread{'s' if threads != 1 else ''}",
        str(manifest.get("python", "")).split(" ", maxsplit=1)[0],
        tuple(packages),
        machine.partition(" ")[2] or machine,
        sum(run.seconds or 0.0 for run in results.runs),
        sum(finished) / len(finished) if finished else None,
        tuple(summarize_all(results, level=level).values()),
    )


def _cause(seed: int, why: str, count: int) -> str:
    return f"seed {seed}{f' and {count - 1} more' if count > 1 else ''}: {why}"


def _varied(results: Results) -> list[str]:
    """Sources other than the seed itself: where sources are kept apart, those that varied; else what follows the seed."""
    if results.draws:
        return [draw.source for draw in results.draws if draw.varied]
    split = [
        str(site["location"]) for site in results.sites if site["source"] == "split" and site["receives"] != "as typed"
    ]
    return [f"the split of the data ({', '.join(split)})"] if split else []


def _rule(until: Any) -> str:
    """The stopping rule in words; "" if there was none."""
    if not until:
        return ""
    how = {
        "sequence": "t confidence sequence (Lai 1976), which is valid at every number of seeds",
        "stein": "two-stage rule of Stein (1945)",
        "betting": "betting confidence sequence (Waudby-Smith and Ramdas 2024), which is valid at every number of seeds",
    }.get(until["rule"], until["rule"])
    return f"the margin ± {until['margin']:g} was reached at level {until['level']:g} by the {how}"
