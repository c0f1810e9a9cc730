"""How an experiment's forked runs were compared with fresh runs. This record is kept with the experiment."""

import platform
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from enum import StrEnum
from typing import Any

from ..nodes import processor


class Verdict(StrEnum):
    """What a comparison of forked runs with fresh runs has shown."""

    SAME = "same"
    DIFFERS = "differs"
    UNSTEADY = "unsteady"
    """The script does not repeat itself: two fresh runs under one seed differ."""


@dataclass
class Record:
    """How an experiment's forked runs were compared with fresh runs."""

    verdict: Verdict | None = None
    seeds: list[int] = field(default_factory=list)
    """The seeds under which forked and fresh runs were compared."""
    different: str = ""
    """The first difference, in words."""
    imports: list[str] = field(default_factory=list)
    """What the forking process imports after the first lines."""
    first_lines_only: bool = False
    """True if further imports made a difference; then there are none."""
    machine: str = ""

    def as_dict(self) -> dict[str, object]:
        """Plain values, for the store. `from_dict` reads them."""
        return {
            "verdict": None if self.verdict is None else self.verdict.value,
            "seeds": self.seeds,
            "different": self.different,
            "imports": self.imports,
            "first_lines_only": self.first_lines_only,
            "machine": self.machine,
        }

    @classmethod
    def from_dict(cls, kept: Mapping[str, object]) -> "Record":
        """The record of which `as_dict` gave these values."""
        values = dict[str, Any](kept)
        if not values:
            return cls(machine=this_machine())
        verdict = values["verdict"]
        return cls(
            None if verdict is None else Verdict(verdict),
            [int(s) for s in values["seeds"]],
            str(values["different"]),
            [str(name) for name in values["imports"]],
            bool(values["first_lines_only"]),
            str(values["machine"]),
        )

    def here(self) -> "Record":
        """This record if it was made on this machine; otherwise an empty one."""
        return self if self.machine == this_machine() else Record(machine=this_machine())

    def of_another(self) -> "Record":
        """This record for an experiment that is like its own one: the verdict holds, and no seed was compared yet."""
        return replace(self, seeds=[*self.seeds] if self.verdict is not Verdict.SAME else [])

    def sentence_of_difference(self) -> str:
        """Why runs are not forked, after the comparison."""
        seed = self.seeds[-1] if self.seeds else "?"
        if self.verdict is Verdict.UNSTEADY:
            return (
                f"the script does not repeat itself: two fresh runs under seed {seed} differ ({self.different}); "
                "`seedwise check` finds out why"
            )
        return f"under seed {seed} a forked run was not what a fresh one is ({self.different})"

    def sentence(self, runs: int, forked: int) -> str:
        """What was done, for the report; "" if nothing was forked."""
        bad = self.verdict is not Verdict.SAME
        seeds = self.seeds[:-1] if bad else self.seeds
        if not forked or not seeds:
            return ""
        shown = ", ".join(map(str, seeds[:-1])) + f" and {seeds[-1]}" if len(seeds) > 1 else f"{seeds[0]}"
        if len(seeds) > 6:
            shown = ", ".join(map(str, seeds[:5])) + f" and {len(seeds) - 5} more"
        were = "was" if forked == 1 else "were"
        same = (
            f"{forked} of {runs} runs {were} forked; compared with fresh ones under seed{'s' if len(seeds) > 1 else ''} {shown}: "
            "the same"
        )
        return f"{same}; then {self.sentence_of_difference()}" if bad else same


def this_machine() -> str:
    """A name for this machine and its processor. Only under the same name are two runs expected to compute the same."""
    return f"{platform.node()} {processor()}".strip()
