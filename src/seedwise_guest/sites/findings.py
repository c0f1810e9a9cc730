"""What reading a script tells of its seeds."""

from __future__ import annotations

from dataclasses import asdict, dataclass, field
from typing import Any

from ..notebooks.cells import place_of


@dataclass
class Site:
    """One place where a seed is typed.

    `line` starts at 1, `column` and `end` count UTF-8 bytes of that line; `old` is what stands there. `number` is the
    typed seed, None for the clock. `order` is the rank by which the script reaches it: a tuple that sorts first for the
    number that reaches a global generator first. `group` joins the branches of one conditional expression.
    """

    path: str
    line: int
    column: int
    end: int
    old: str
    number: int | None
    where: str
    """What stands around it, for a person: `torch.manual_seed(…)`, `SEED = …`."""
    order: tuple[int, ...] = (9,)
    group: list[int] = field(default_factory=list)
    source: str = "other"
    reaches_global: bool = False
    overridden: bool = False
    """A default that every caller replaces."""
    special: bool = False
    """The script asks whether it is this number: 0 or -1 that means "none" or "the defaults"."""
    weak: bool = False
    """It only stands beside the name of a seed, as in `["SEED", 7]`: a site if it is seen to reach a generator first."""

    @property
    def place(self) -> str:
        return place_of(self.path, self.line)

    @property
    def key(self) -> str:
        """What sets it apart from all others."""
        return f"{self.path}:{self.line}:{self.column}"

    def as_dict(self) -> dict[str, Any]:
        return asdict(self)


@dataclass
class Remark:
    """Something about seeds in the source that is not a site. `kind` is one of: list, random, elsewhere,
    as text, zero, text, environment."""

    kind: str
    path: str
    line: int
    text: str


@dataclass
class Use:
    """An expression that hands a seed to a call which divides data, and the sites it comes from."""

    path: str
    line: int
    column: int
    end: int
    old: str
    sites: list[str]
    numbers: list[int]


@dataclass
class Findings:
    """Everything that reading the source told."""

    sites: list[Site]
    remarks: list[Remark]
    split_uses: list[Use]
    files: dict[str, str]
    """Every user file that was read: path → SHA-256."""
    unreadable: dict[str, str]
