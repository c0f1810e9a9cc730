"""How many runs it takes until chance is no explanation.

A race that differs in one run of twenty can look like a cause: a change that does nothing meets the rare result, or a
fix that does nothing never meets it. These functions say how many runs must have been seen before a cause is named.
"""

import math

LEVEL = 0.005
"""How likely chance may be, over all causes that were tried in one check: half of one per cent for those that are
changed, and half for those that are held still.
"""


def largest_share(runs: int, level: float = 0.95) -> float:
    """The largest share of runs that may differ though none of `runs` reruns did.

    The upper end of the one-sided Clopper-Pearson interval for 0 of n: 1 - (1 - level)^(1/n) (Biometrika 26, 1934).
    """
    return 1.0 if runs < 1 else 1.0 - (1.0 - level) ** (1.0 / runs)


def chance_of_change(same: int, changed: int, tried: int) -> float:
    """How likely, at most, a race alone gives this: `same` plain runs agree, and `changed` runs with a change all differ.

    Each run differs with some probability p; the likelihood p^changed (1-p)^(same-1) is taken at its largest, and
    multiplied by the number of changes that were tried (Bonferroni).
    """
    n, s = max(same - 1, 0), changed
    if s == 0:
        return 1.0
    p = s / (s + n)
    return min(1.0, tried * p**s * (1.0 - p) ** n)


def runs_for_change(same: int, tried: int) -> tuple[int, int]:
    """How many runs, plain ones and changed ones, are enough in all before a change is accused: the fewest in sum."""
    best = (same, 200)
    for plain in range(same, same + 60):
        for changed in range(1, 60):
            if chance_of_change(plain, changed, tried) < LEVEL:
                if plain + changed < sum(best):
                    best = (plain, changed)
                break
    return best


def chance_of_agreement(runs: int, others: int, held: int, tried: int) -> float:
    """How likely a fix that does nothing gives `held` runs that all agree.

    `others` of `runs` plain runs differed from the most frequent result. The share of runs that give that result has
    the posterior Beta(runs - others + 1, others + 1) from a uniform prior (Laplace's rule of succession); the chance
    that `held - 1` further runs give it is the product below. Where no two plain runs agree, the same is done for pairs
    of runs: none of `runs (runs - 1) / 2` agreed. The chance is multiplied by the number of causes that were tried.
    """
    if held < 2:
        return 1.0
    if others == runs - 1:
        pairs = runs * (runs - 1) // 2
        log = sum(math.log((1 + i) / (pairs + 2 + i)) for i in range(held - 1))
        return min(1.0, tried * math.exp(log))
    log = sum(math.log((runs - others + 1 + i) / (runs + 2 + i)) for i in range(held - 1))
    return min(1.0, tried * math.exp(log))


def runs_for_agreement(runs: int, others: int, tried: int, most: int = 2000) -> int:
    """How many runs with a fix must agree before it counts as proved. `most` if no number below it is enough."""
    held = 2
    while held < most and chance_of_agreement(runs, others, held, tried) >= LEVEL:
        held += 1
    return held
