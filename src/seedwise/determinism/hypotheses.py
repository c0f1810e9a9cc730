"""What could make a program differ between runs, and for each possibility the change that tests it.

What the first process did decides what is possible.
"""

import os
import sys
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from seedwise_guest import State

from . import Cause, Fix, Outcome, Trace, Tried, fix_for, set_order_line
from .rerunning import FIRST_HASH_SEED, HASH_SEEDS, NOTHING, Change, threads_of

LONG = 120.0
"""Seconds. A program that takes longer is run as few times as possible."""
_FEW_HASH_SEEDS = 3
"""So many hash seeds are seen where no line iterates over a set."""
_NOT_GOVERNED = (State.UNSEEDED, State.SEEDED_LATE)


@dataclass(frozen=True)
class Hypothesis:
    """A cause that this program may have, its line, and, if the cause is a generator, the generators."""

    cause: Cause
    where: str = ""
    generators: tuple[str, ...] = ()
    made_by: str = ""
    """The library that made the generator."""
    sorted_at: tuple[tuple[str, str], ...] = ()
    """Lines at which sorting a set was shown to be enough, each with what is ordered there."""

    classes: tuple[str, ...] = ()
    """The classes whose objects are ordered by their addresses, as `module:name`."""

    def fix(self, trace: Trace) -> Fix:
        """The smallest change against this cause, for the program of `trace`."""
        found = fix_for(
            self.cause,
            self.where,
            self.generators,
            libraries={e["generator"].partition(" ")[0] for e in trace.ledger},
            gpu="gpu" in trace.facts,
            xla_flags=os.environ.get("XLA_FLAGS", ""),
            sorted_at=self.sorted_at,
            made_by=self.made_by,
        )
        if not self.classes:
            return found
        return replace(found, interventions={**found.interventions, "numbered": list(self.classes)})


def may_agree_by_chance(trace: Trace) -> bool:
    """Whether two runs may be the same by chance although a third would differ.

    This is so if something was drawn without a seed.
    """
    drawn = any(entry["state"] in _NOT_GOVERNED for entry in trace.ledger)
    return drawn or bool({"entropy", "pid", "completion"} & set(trace.facts))


def hypotheses(trace: Trace, kernel_first: bool, *, varies_hash_seed: bool = False) -> list[Hypothesis]:
    """What could make reruns differ, most likely first.

    `kernel_first` says that an operation gave different output for the same input; `varies_hash_seed`, that each run
    has another hash seed.
    """
    found: list[Hypothesis] = []
    free = [e for e in trace.ledger if e["state"] in _NOT_GOVERNED and "system" not in e.get("note", "")]
    free.sort(key=lambda e: not _place(e))
    alone = [_generator(entry) for entry in free]
    found += [hypothesis for hypothesis in alone if hypothesis.where]
    line = set_order_line(trace.loaded)
    by_hash = [Hypothesis(Cause.HASH, line)] if varies_hash_seed else []
    found += by_hash if line else []
    listed = trace.facts.get("listing", "")
    found += [Hypothesis(Cause.LISTING, listed), Hypothesis(Cause.DRAWN_NAMES, listed)] if listed else []
    for cause in (Cause.ENTROPY, Cause.CLOCK, Cause.MACHINE, Cause.PID, Cause.COMPLETION):
        fact = _FACTS[cause]
        if fact in trace.facts:
            by_numba = trace.facts.get("entropy-of-numba", "") if cause is Cause.ENTROPY else ""
            found.append(Hypothesis(cause, by_numba or trace.facts[fact], made_by="numba" if by_numba else ""))
    beside = next((trace.facts[fact] for fact in ("tasks", "threads") if fact in trace.facts), "")
    if beside and "completion" not in trace.facts:
        found.append(Hypothesis(Cause.COMPLETION, beside))
    if "memory" in trace.facts or "torch" in libraries_of(trace):
        found.append(Hypothesis(Cause.MEMORY, trace.facts.get("memory", "")))
    found += [hypothesis for hypothesis in alone if not hypothesis.where]  # only libraries draw from these, as it seems
    by_library = lines_of_fact(trace.facts, "clock-library")
    if by_library and "clock" not in trace.facts:
        found.append(Hypothesis(Cause.CLOCK, by_library[0]))
    if len(free) > 1:
        found.append(Hypothesis(Cause.GENERATOR, _place(free[0]), tuple(e["generator"] for e in free)))
    found += [] if line else by_hash
    if line:
        found.append(Hypothesis(Cause.ADDRESS, line))
    if threads_of(os.environ) > 1:
        if kernel_first:
            found = [Hypothesis(Cause.KERNEL), Hypothesis(Cause.THREADS), *found]
        else:
            found += [Hypothesis(Cause.KERNEL)] if trace.steps.size or "tensorflow" in libraries_of(trace) else []
            found += [Hypothesis(Cause.THREADS)]
    if not line:
        found.append(Hypothesis(Cause.ADDRESS))
    return found


def lines_of_fact(facts: Mapping[str, str], name: str) -> list[str]:
    """The lines of a fact that has several, one below the other."""
    return [line for line in facts.get(name, "").split("\n") if line]


OF_THE_MACHINE = (Cause.CLOCK, Cause.MACHINE, Cause.PID, Cause.ENTROPY, Cause.ADDRESS)
"""What tells a program when and where it runs. Sound programs write it beside their results."""
BESIDE_RESULTS = frozenset((*OF_THE_MACHINE, Cause.BUDGET, Cause.COMPLETION, Cause.DRAWN_NAMES))
"""Causes that are none where the result is the same: sound programs write times and addresses, and who was first."""
NOT_KNOWN = frozenset((Cause.UNKNOWN, Cause.BESIDE, Cause.RACE))
"""What is told where no cause was shown."""


def machine_of(trace: Trace) -> list[Hypothesis]:
    """What of the machine this program reads, with the lines that do; addresses always."""
    read = [
        Hypothesis(cause, trace.facts[_FACTS[cause]]) for cause in OF_THE_MACHINE if _FACTS.get(cause) in trace.facts
    ]
    return [*read, Hypothesis(Cause.ADDRESS)]


def libraries_of(trace: Trace) -> set[str]:
    """The libraries in the program that have generators, by the ledger's names."""
    return {str(e["generator"]).partition(" ")[0].partition(".")[0] for e in trace.ledger}


def _generator(entry: Mapping[str, Any]) -> Hypothesis:
    late = entry["state"] == State.SEEDED_LATE
    made_by = str(entry.get("note", "")).partition(" by ")[2]
    return Hypothesis(Cause.LATE if late else Cause.GENERATOR, _place(entry), (entry["generator"],), made_by)


def _place(entry: Mapping[str, Any]) -> str:
    return str(entry.get("made_at") or entry.get("drawn_at") or "")


_FACTS = {
    Cause.ENTROPY: "entropy",
    Cause.CLOCK: "clock",
    Cause.MACHINE: "meter",
    Cause.PID: "pid",
    Cause.COMPLETION: "completion",
    Cause.MEMORY: "memory",
    Cause.LISTING: "listing",
    Cause.WORKERS: "workers",
    Cause.BUDGET: "clock",
}
_PERTURBED_BY: tuple[tuple[Cause, dict[str, object]], ...] = (
    (Cause.LISTING, {"listing": "other"}),
    (Cause.COMPLETION, {"completion": "delay"}),
    (Cause.CLOCK, {"clock": {"shift": True}}),
    (Cause.BUDGET, {"clock": {"rate": 2.0}}),
    (Cause.BUDGET, {"clock": {"rate": 0.5}}),
    (Cause.MEMORY, {"memory": "nan"}),
    (Cause.WORKERS, {"workers": True}),
)
Proposal = tuple[Hypothesis, Change]


def perturbations(trace: Trace, hash_seeds: Collection[str] = ()) -> tuple[list[Proposal], list[Tried]]:
    """What to change, one thing at a time, if reruns agree. Also what need not be tried, with the reason.

    Runs under `hash_seeds` agreed already: if there are others, one at least of these is tried, else a known one again.
    """
    found: list[Proposal] = []
    skipped: list[Tried] = []
    line = set_order_line(trace.loaded)
    if os.environ.get("PYTHONHASHSEED", "") in ("", "random"):
        # two words may keep their order under another hash seed, so a program that iterates over sets is tried under
        # several
        most = len(HASH_SEEDS) if line and trace.seconds < LONG / 8 else _FEW_HASH_SEEDS
        had = {HASH_SEEDS[0], *hash_seeds}
        left = [seed for seed in HASH_SEEDS if seed not in had] or list(HASH_SEEDS[-1:])
        seeds = left[: max(1, most - len(had))]
        found += [(Hypothesis(Cause.HASH, line), Change({}, {"PYTHONHASHSEED": seed})) for seed in seeds]
    else:
        skipped.append(Tried(Cause.HASH, Outcome.NOT_TRIED, "PYTHONHASHSEED is set in your environment"))
    for cause, change in _PERTURBED_BY:
        fact = _FACTS[cause]
        if fact in trace.facts:
            found.append((Hypothesis(cause, trace.facts[fact]), FIRST_HASH_SEED | Change(change, {})))
        elif not any(t.name == cause for t in skipped):
            skipped.append(Tried(cause, Outcome.NOT_TRIED, "no use of it was seen"))
    if "memory" not in trace.facts and {"torch", "numpy"} & libraries_of(trace) and sys.platform == "linux":
        skipped = [t for t in skipped if t.name != Cause.MEMORY]
        found.append((Hypothesis(Cause.MEMORY), FIRST_HASH_SEED | OTHER_MEMORY[0]))
    if threads_of(os.environ) > 1:
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


OTHER_MEMORY = (Change({}, {"MALLOC_PERTURB_": "170"}), Change({}, {"MALLOC_PERTURB_": "85"}))
"""Memory that was never written holds other numbers (glibc fills it: mallopt(3))."""
TRIED_ALONE = (Cause.WORKERS, Cause.THREADS, Cause.KERNEL)
"""What changes the last digits of many programs: tried alone, never together with something else."""


def together(changes: Sequence[Proposal]) -> list[tuple[Change, list[Proposal]]]:
    """The changes in as few runs as possible: where such a run gives the same result, each of its changes does.

    Changes of one kind (two hash seeds, two speeds of the clock) go into different runs.
    """
    left = [one for one in changes if one[0].cause not in TRIED_ALONE]
    found: list[tuple[Change, list[Proposal]]] = []
    while left:
        taken: dict[Cause, Proposal] = {}
        for one in left:
            taken.setdefault(one[0].cause, one)
        left = [one for one in left if taken[one[0].cause] is not one]
        change = FIRST_HASH_SEED
        for hypothesis, part in taken.values():
            rest = {k: v for k, v in part.environment.items() if k != "PYTHONHASHSEED"}
            change = change | (part if hypothesis.cause is Cause.HASH else replace(part, environment=rest))
        found.append((change, list(taken.values())))
    return found


def _applied(hypothesis: Hypothesis, trace: Trace) -> tuple[Hypothesis, Change]:
    return hypothesis, FIRST_HASH_SEED | as_change([hypothesis.fix(trace)])


def as_change(fixes: Iterable[Fix]) -> Change:
    """All these fixes together, as one change that is applied from outside."""
    change = NOTHING
    for fix in fixes:
        named = {"generators": list(fix.generators)} if fix.generators else {}
        change = change | Change({**fix.interventions, **named}, fix.environment)
    return change
