"""What could make a program differ between runs, and for each possibility the change that tests it.

What the first process did decides what is possible.
"""

import os
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from seedwise_guest import State

from ..experiments.command import available_cores
from . import Cause, Fix, Outcome, Trace, Tried, fix_for, set_order_line
from .rerunning import Change

LONG = 120.0
"""Seconds. A program that takes longer is run as few times as possible."""
_HASH_SEEDS = ("1", "4242", "2", "3", "5", "7", "11")
_NOT_GOVERNED = (State.UNSEEDED, State.SEEDED_LATE)


@dataclass(frozen=True)
class Hypothesis:
    """A cause that this program may have, its line, and, if the cause is a generator, the generators."""

    cause: Cause
    where: str = ""
    generators: tuple[str, ...] = ()

    def fix(self, trace: Trace) -> Fix:
        """The smallest change against this cause, for the program of `trace`."""
        return fix_for(
            self.cause,
            self.where,
            self.generators,
            libraries={e["generator"].partition(" ")[0] for e in trace.ledger},
            gpu="gpu" in trace.facts,
            xla_flags=os.environ.get("XLA_FLAGS", ""),
        )


def may_agree_by_chance(trace: Trace) -> bool:
    """Whether two runs may be the same by chance although a third would differ.

    This is so if something was drawn without a seed.
    """
    drawn = any(entry["state"] in _NOT_GOVERNED for entry in trace.ledger)
    return drawn or bool({"entropy", "pid", "completion"} & set(trace.facts))


def hypotheses(trace: Trace, kernel_first: bool) -> list[Hypothesis]:
    """What could make reruns differ, most likely first.

    `kernel_first` says that an operation gave different output for the same input.
    """
    found: list[Hypothesis] = []
    free = [e for e in trace.ledger if e["state"] in _NOT_GOVERNED and "system" not in e.get("note", "")]
    free.sort(key=lambda e: not _place(e))
    alone = [_generator(entry) for entry in free]
    found += [hypothesis for hypothesis in alone if hypothesis.where]
    for cause in (Cause.ENTROPY, Cause.CLOCK, Cause.PID, Cause.COMPLETION, Cause.MEMORY):
        fact = _FACTS[cause]
        if fact in trace.facts:
            found.append(Hypothesis(cause, trace.facts[fact]))
    found += [hypothesis for hypothesis in alone if not hypothesis.where]  # only libraries draw from these, as it seems
    if len(free) > 1:
        found.append(Hypothesis(Cause.GENERATOR, _place(free[0]), tuple(e["generator"] for e in free)))
    line = set_order_line(trace.loaded)
    if line:
        found.append(Hypothesis(Cause.ADDRESS, line))
    if threads() > 1:
        if kernel_first:
            found = [Hypothesis(Cause.KERNEL), Hypothesis(Cause.THREADS), *found]
        else:
            found += [Hypothesis(Cause.KERNEL)] if trace.steps.size else []
            found += [Hypothesis(Cause.THREADS)]
    if not line:
        found.append(Hypothesis(Cause.ADDRESS))
    return found


def _generator(entry: Mapping[str, Any]) -> Hypothesis:
    late = entry["state"] == State.SEEDED_LATE
    return Hypothesis(Cause.LATE if late else Cause.GENERATOR, _place(entry), (entry["generator"],))


def _place(entry: Mapping[str, Any]) -> str:
    return str(entry.get("made_at") or entry.get("drawn_at") or "")


_FACTS = {
    Cause.ENTROPY: "entropy",
    Cause.CLOCK: "clock",
    Cause.PID: "pid",
    Cause.COMPLETION: "completion",
    Cause.MEMORY: "memory",
    Cause.LISTING: "listing",
    Cause.WORKERS: "workers",
}
_PERTURBED_BY: dict[Cause, dict[str, object]] = {
    Cause.LISTING: {"listing": "other"},
    Cause.COMPLETION: {"completion": "delay"},
    Cause.CLOCK: {"clock": "shift"},
    Cause.MEMORY: {"memory": "nan"},
    Cause.WORKERS: {"workers": True},
}


def perturbations(trace: Trace) -> tuple[list[tuple[Hypothesis, Change]], list[Tried]]:
    """What to change, one thing at a time, if reruns agree. Also what need not be tried, with the reason."""
    found: list[tuple[Hypothesis, Change]] = []
    skipped: list[Tried] = []
    line = set_order_line(trace.loaded)
    if os.environ.get("PYTHONHASHSEED", "") in ("", "random"):
        # two words may keep their order under another hash seed, so a program that iterates over sets is tried under
        # several
        seeds = _HASH_SEEDS if line and trace.seconds < LONG / 8 else _HASH_SEEDS[:2]
        found += [(Hypothesis(Cause.HASH, line), Change({}, {"PYTHONHASHSEED": seed})) for seed in seeds]
    else:
        skipped.append(Tried(Cause.HASH, Outcome.NOT_TRIED, "PYTHONHASHSEED is set in your environment"))
    for cause, change in _PERTURBED_BY.items():
        if _FACTS[cause] in trace.facts:
            found.append((Hypothesis(cause, trace.facts[_FACTS[cause]]), Change(change, {})))
        else:
            skipped.append(Tried(cause, Outcome.NOT_TRIED, "no use of it was seen"))
    if threads() > 1:
        found.append(_applied(Hypothesis(Cause.THREADS), trace))
    else:
        skipped.append(
            Tried(Cause.THREADS, Outcome.NOT_TRIED, "there is one core, or the program is held to one thread")
        )
    if "gpu" in trace.facts:
        found.append(_applied(Hypothesis(Cause.KERNEL), trace))
    else:
        skipped.append(Tried("GPU switches", Outcome.NOT_TRIED, "no GPU was in use"))
    return found, skipped


def _applied(hypothesis: Hypothesis, trace: Trace) -> tuple[Hypothesis, Change]:
    return hypothesis, as_change([hypothesis.fix(trace)])


def threads() -> int:
    """How many threads the program's libraries use."""
    named = os.environ.get("OMP_NUM_THREADS", "")
    return int(named) if named.isdigit() and int(named) > 0 else available_cores()


def as_change(fixes: Iterable[Fix]) -> Change:
    """All these fixes together, as one change that is applied from outside."""
    interventions: dict[str, object] = {}
    environment: dict[str, str] = {}
    generators: list[str] = []
    for fix in fixes:
        generators += fix.generators
        interventions.update(fix.interventions)
        environment.update(fix.environment)
    if generators:
        interventions["generators"] = generators
    return Change(interventions, environment)
