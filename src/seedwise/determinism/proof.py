"""Shows that a fix works: enough runs agree under it that chance is ruled out, and their result is as good as a plain one."""

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from enum import StrEnum

import numpy as np

from .causes import Fix
from .chance import runs_for_agreement
from .hypotheses import as_change
from .lines import rows_of
from .parts import METRICS, OUTPUT, counts_durations, parts_of
from .plain import Plain
from .rerunning import NOTHING, Change
from .trace import Trace


class Held(StrEnum):
    """What runs under a fix gave."""

    SAME = "same"
    DIFFERENT = "different"
    FAILED = "failed"
    """The program fails under it, so nothing is known."""
    NOT_FINITE = "not finite"
    """They agree, and on nothing: their numbers are NaN or infinite, where plain ones are not."""
    ELSEWHERE = "elsewhere"
    """They agree on numbers far outside those of plain runs."""
    TOO_RARE = "too rare"
    """They agree so far; but plain runs differ so seldom that this may be chance."""


@dataclass(frozen=True)
class Proof:
    """What runs under a fix gave, how many there were, and one of them."""

    held: Held
    runs: int
    trace: Trace | None = None

    def __bool__(self) -> bool:
        return self.held is Held.SAME


class Prover:
    """Tries fixes.

    Parameters
    ----------
    plain
        The plain runs so far.
    most
        How many runs a single proof may take.
    """

    def __init__(self, plain: Plain, most: int) -> None:
        self._plain, self._most = plain, most
        self._count = 0
        self.hash_seeds: frozenset[str] = frozenset()
        """The hash seeds under which runs agreed with the last fix that was proved."""
        self.rare = False
        """Whether some proof ended because plain runs differ too seldom."""

    @property
    def needed(self) -> int:
        """How many runs must agree, for the next fix, before chance is ruled out.

        The k-th fix that is tried gets the share 1 / (k (k + 1)) of the chance that is allowed over all of them: these
        shares add up to 1, and the likely causes, which come first, take the fewest runs.
        """
        return runs_for_agreement(self._plain.count, self._plain.others, (self._count + 1) * (self._count + 2))

    def hold(self, fixes: Iterable[Fix], base: Change = NOTHING) -> Proof:
        """Run with these fixes until runs differ, or enough agree."""
        plain, change = self._plain, base | as_change(fixes)
        wanted = self.needed if plain.count > 1 and plain.others else 3
        self._count += 1
        runs: list[Trace] = []
        for one in plain.checker.repeat(change, min(wanted, self._most)):
            runs.append(one)
            if one.failed:
                return Proof(Held.FAILED, len(runs), one)
            if len(runs) > 1 and plain.compare(runs[0], one, changed=True):
                return Proof(Held.DIFFERENT, len(runs), runs[0])
        held = Held.TOO_RARE if wanted > self._most else quality(plain.runs, runs[0])
        self.rare = self.rare or held is Held.TOO_RARE
        if held is Held.SAME:
            self.hash_seeds = frozenset(one.settings.get("PYTHONHASHSEED", "") for one in runs)
        return Proof(held, len(runs), runs[0])


def quality(plain: Sequence[Trace], mended: Trace) -> Held:
    """Whether the result under a fix is as good as a plain one: finite, and within the spread of plain runs.

    Within: not further beyond the smallest and the largest number that plain runs printed in its place than ten times the
    distance of these two; thirty times where there are fewer than five plain runs. A generator that is seeded draws one
    more number of that kind: it is this far away in 2 of 100,000 cases (sums of four uniform numbers, five plain runs;
    three times the distance would be 1 of 800).
    """
    if _not_finite(mended) > max(map(_not_finite, plain)):
        return Held.NOT_FINITE
    far = 10.0 if len(plain) >= 5 else 30.0
    durations = counts_durations(*plain, mended)
    texts = [parts_of(t, durations) for t in (*plain, mended)]
    for part in (OUTPUT, METRICS):
        *before, after = (rows_of(text[part]) for text in texts)
        for template, rows in after.items():
            for k in range(len(rows[0])):
                known = [row[k].value for found in before for row in found.get(template, ())]
                known = [value for value in known if math.isfinite(value)]
                if len(known) < 3 or min(known) == max(known):
                    continue
                room = far * (max(known) - min(known))
                if any(not min(known) - room <= row[k].value <= max(known) + room for row in rows):
                    return Held.ELSEWHERE
    return Held.SAME


def _not_finite(trace: Trace) -> int:
    """How many of the numbers of a run are NaN or infinite: those it printed, those it logged, its parameters."""
    found = 0 if trace.parameters is None else int((~np.isfinite(trace.parameters)).sum())
    found += sum(not math.isfinite(value) for values in trace.logged.values() for value in values)
    rows = rows_of(parts_of(trace, durations=True)[OUTPUT])
    return found + sum(not math.isfinite(n.value) for lines in rows.values() for row in lines for n in row)
