"""The seed that the name of a run says: `resnet-seed3`, `ppo/s_3`."""

import re
from collections.abc import Sequence

_SEED = re.compile(r"(?i)(?:^|[-_ ./=,])(?:random_)?seed[-_ =:/]?(\d+)(?=$|[-_ ./,])")
_SHORT = re.compile(r"(?i)(?:^|[-_ ./=,])s[-_ =:]?(\d+)(?=$|[-_ ./,])")
_ENDS = "-_ ./=,"


def seeds_in(names: Sequence[str]) -> list[tuple[str, int]] | None:
    """For each name the rest of it, and the seed. None where not every name says one seed, or two say the same."""
    pattern = _SEED if all(_SEED.search(name) for name in names) else _SHORT
    found = [list(pattern.finditer(name)) for name in names]
    said = [
        (_joined(name[: of[0].start()], name[of[0].end() :]), int(of[0][1]))
        for name, of in zip(names, found, strict=True)
        if len(of) == 1  # of two numbers nobody knows which is the seed
    ]
    return said if len(said) == len(names) and len(set(said)) == len(names) else None


def _joined(before: str, behind: str) -> str:
    return (before + behind).strip(_ENDS)
