"""What each seed site receives under seed s, and the edits that put it there."""

from __future__ import annotations

import ast
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from ..notebooks.cells import as_place
from ..randomness.streams import derive
from .findings import Findings, Remark, Site, Use

_ANY_SEED = 7


@dataclass
class Placement:
    """The seed sites of one experiment, made once; the same for every seed.

    `number` is *the* typed seed: where it stands, s goes. `kept` are the places (`file:line`, or a source such as
    `split`) that stay as typed.
    """

    sites: list[Site]
    number: int | None
    kept: list[str] = field(default_factory=list)
    remarks: list[Remark] = field(default_factory=list)
    split_uses: list[Use] = field(default_factory=list)
    files: dict[str, str] = field(default_factory=dict)
    unreadable: dict[str, str] = field(default_factory=dict)
    live: str = ""
    """`file:line:column` of the site that holds the number; "" where there is none."""
    seen: bool = False
    """Whether a probe saw this site's number reach a generator first; else it was told from reading."""

    def is_kept(self, site: Site) -> bool:
        """Whether the user asked to leave this site as typed."""
        return _matches(site.path, site.line, self.kept) or site.source in self.kept

    @property
    def own(self) -> list[Site]:
        """The sites, without numbers that only stand beside the name of a seed and were not seen to be one."""
        return [site for site in self.sites if not site.weak or site.key == self.live]

    @property
    def varied(self) -> list[Site]:
        """The sites that receive a number."""
        return [site for site in self.sites if not self.is_kept(site)]

    @property
    def kept_uses(self) -> list[Use]:
        """Where a seed that is varied elsewhere is held at the typed number, because it divides the data."""
        if "split" not in self.kept or "other" in self.kept:  # where all stays as typed, nothing is to be held
            return []
        return self._uses_apart()

    @property
    def varied_uses(self) -> list[Use]:
        """Where a seed that is kept elsewhere varies, because it divides the data."""
        return self._uses_apart() if "other" in self.kept and "split" not in self.kept else []

    def keep_for_sources(self, split: bool) -> None:
        """Leave every site as typed, except, with `split`, those that divide the data: sources vary, not seeds."""
        self.kept = ["other"] if split else ["other", "split"]

    def _uses_apart(self) -> list[Use]:
        """The uses of a seed that divide data, of a seed that is also used for something else."""
        places = {(site.path, site.line, site.column) for site in self.sites}
        own = {f"{s.path}:{s.line}:{s.column}" for s in self.sites if s.source == "split"}
        return [
            use
            for use in self.split_uses
            if len(use.numbers) == 1
            and (use.path, use.line, use.column) not in places
            and not set(use.sites) <= own
            and _plain(use.old)
        ]

    def value(self, site: Site, seed: int) -> int | None:
        """The number that a site receives under `seed`; None where it stays as typed."""
        if self.is_kept(site) or self.has_meaning(site) or (site.weak and site.key != self.live):
            return None
        if site.number is None:
            return seed if self.number is None else derive(seed, "clock", bits=31)
        if site.number == self.number or self._beside_the_number(site):
            return seed
        return derive(seed, "site", site.number, bits=31)

    def has_meaning(self, site: Site) -> bool:
        """Whether the typed number says something else than a seed (`--hparams_seed 0`: the defaults), so that it stays as typed."""
        return site.special and bool(self.live) and site.key != self.live

    def take(self, site: Site, seen: bool = False) -> None:
        """Let this site hold *the* number."""
        self.number, self.live, self.seen = site.number, site.key, seen

    def _beside_the_number(self, site: Site) -> bool:
        """Whether it is another branch of a conditional expression that also holds the number."""
        groups = set(site.group)
        return any(groups & set(other.group) for other in self.sites if other.number == self.number)

    def given(self) -> dict[tuple[str, int, int], int | None]:
        """For each site (path, line, column) what it receives under one and the same seed."""
        return {(site.path, site.line, site.column): self.value(site, _ANY_SEED) for site in self.sites}

    def edits(self, seed: int) -> dict[str, list[list[Any]]]:
        """For each file the replacements in it, from its end to its beginning."""
        return self.edits_to([self.value(site, seed) for site in self.sites], seed)

    def edits_to(self, values: Sequence[int | None], seed: int | None = None) -> dict[str, list[list[Any]]]:
        """The replacements that give each site its value of these; None leaves it as typed."""
        result: dict[str, list[list[Any]]] = {}
        for site, value in zip(self.sites, values):
            if value is not None:
                new = str(value) if site.number is None else _like(site.old, value)
                result.setdefault(site.path, []).append([site.line, site.column, site.end, site.old, new])
        for use in self.varied_uses if seed is not None else ():
            result.setdefault(use.path, []).append([use.line, use.column, use.end, use.old, str(seed)])
        for use in self.kept_uses:
            edit = [use.line, use.column, use.end, use.old, str(use.numbers[0])]
            result.setdefault(use.path, []).append(edit)
        for edits in result.values():
            edits.sort(reverse=True)
        return result


def place_seeds(findings: Findings, keep: list[str], number_at: str | None = None) -> Placement:
    """Decide which number is *the* seed.

    Parameters
    ----------
    keep
        `file:line` or a source, to be left as typed.
    number_at
        `file:line` of the site that holds the number; without it, the number that reaches a global generator first.

    Raises
    ------
    LookupError
        When `keep` or `number_at` names no site; the message lists the sites.
    """
    placement = Placement(
        _apart(findings.sites),
        None,
        list(keep),
        findings.remarks,
        findings.split_uses,
        findings.files,
        findings.unreadable,
    )
    for name in keep:
        used = any(_matches(s.path, s.line, [name]) or s.source == name for s in placement.sites)
        if not used and not (name == "split" and placement.split_uses):
            raise LookupError(f"nothing to keep at {name!r}; the seed sites are: {_list(placement.sites)}")
    candidates = [site for site in placement.varied if site.number is not None]
    if number_at is not None:
        candidates = [site for site in candidates if _matches(site.path, site.line, [number_at])]
        if not candidates:
            raise LookupError(f"no seed site at {number_at!r}; the seed sites are: {_list(placement.sites)}")
    candidates = candidates if number_at is not None else [site for site in candidates if not site.weak]
    if candidates:
        placement.take(min(candidates, key=lambda site: (site.order, site.path, site.line)))
    return placement


def _apart(sites: list[Site]) -> list[Site]:
    """The sites without those that lie inside another."""

    def inside(site: Site, other: Site) -> bool:
        same = site is not other and site.path == other.path and site.line == other.line
        return same and other.column <= site.column and site.end <= other.end

    return [site for site in sites if not any(inside(site, other) for other in sites)]


def _like(old: str, value: int) -> str:
    """The number in the form of what it replaces: quoted where that was a text of digits."""
    quote = old.find(old[-1]) if old[-1:] in ('"', "'") else -1
    return f"{old[: quote + 1]}{value}{old[-1]}" if quote >= 0 else str(value)


def _matches(path: str, line: int, places: list[str]) -> bool:
    """Whether one of `places` is this `file:line`; a file may be given by the end of its path."""
    for place in places:
        file, colon, number = as_place(place).rpartition(":")
        if colon and number == str(line) and (path == file or ("/" + path).endswith("/" + file.lstrip("./"))):
            return True
    return False


def _plain(text: str) -> bool:
    try:
        node = ast.parse(text, mode="eval").body
    except SyntaxError:
        return False
    return isinstance(node, (ast.Name, ast.Attribute, ast.Subscript))


def _list(sites: list[Site]) -> str:
    return ", ".join(site.place for site in sites) or "none"
