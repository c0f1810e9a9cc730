"""Reads the seed sites of a script without running it."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from seedwise_guest.protocol import Placement, place_of

from ..experiments.command import check_command, run_environment
from ..experiments.kernels import sentence_about
from ..experiments.options import Options, mode_of
from ..experiments.site_reading import read_sites
from ..reports.page import Block, Line
from ..reports.report import sites_table
from ..results import check_seeds
from ..words import printable


@dataclass(frozen=True)
class SiteList:
    """The seed sites of a script, and what each one receives under one seed."""

    placement: Placement
    seed: int
    folder: str
    kernel: str = ""
    """With which interpreter a notebook would run."""

    def _shown(self, path: str) -> str:
        return path[len(self.folder) + 1 :] if path.startswith(self.folder + "/") else path

    def as_dict(self) -> dict[str, object]:
        """Plain values, for JSON."""
        return self._data()

    def _data(self) -> dict[str, Any]:
        return {
            "number": self.placement.number,
            "seed": self.seed,
            "sites": [
                {
                    "location": place_of(self._shown(site.path), site.line),
                    "column": site.column + 1,
                    "typed": site.old,
                    "number": site.number,
                    "where": site.where,
                    "source": site.source,
                    "kept": self.placement.value(site, self.seed) is None,
                    "receives": self.placement.value(site, self.seed),
                }
                for site in self.placement.own
            ]
            + [
                {
                    "location": place_of(self._shown(use.path), use.line),
                    "column": use.column + 1,
                    "typed": use.old,
                    "number": use.numbers[0],
                    "where": "the split",
                    "source": "split",
                    "kept": True,
                    "receives": use.numbers[0],
                }
                for use in self.placement.kept_uses
            ],
            "remarks": [
                {"kind": r.kind, "location": place_of(self._shown(r.path), r.line), "text": r.text}
                for r in self.placement.remarks
            ],
            "files": [self._shown(path) for path in self.placement.files],
            "unreadable": {self._shown(path): reason for path, reason in self.placement.unreadable.items()},
        }

    def page(self) -> list[Block]:
        """The same as it is printed."""
        data = self._data()
        files = len(data["files"])
        lines: list[Block] = [Line(self.kernel)] if self.kernel else []
        if data["sites"]:
            rows = [
                {**s, "receives": "as typed" if s["receives"] is None else f"{s['receives']}"} for s in data["sites"]
            ]
            which = "" if self.placement.number is None else f"; the seed is {self.placement.number}"
            if len({s["number"] for s in data["sites"] if s["number"] is not None and not s["kept"]}) > 1:
                which += " as far as reading tells (`run` looks which of them reaches a generator first)"
            lines.append(
                Line(
                    f"{len(rows)} seed site{'s' if len(rows) > 1 else ''} in {files} file{'s' if files > 1 else ''}{which}."
                )
            )
            lines += [Line(f"Under seed {self.seed} they receive:"), sites_table(rows)]
        else:
            weak = [site for site in self.placement.sites if site.weak]
            elsewhere = not weak and any(r["kind"] in ("elsewhere", "as text", "list") for r in data["remarks"])
            lines.append(
                Line(
                    f"No seed that Seedwise could replace is typed in {files} file{'s' if files != 1 else ''}; the script is seeded "
                    "from elsewhere, so its runs would not follow the seed (see below)."
                    if elsewhere
                    else f"No seed is typed in {files} file{'s' if files != 1 else ''}: under seed s every global generator starts at s, "
                    "and the k-th generator without a seed gets child stream k."
                )
            )
        weak = [site for site in self.placement.sites if site.weak and site.key != self.placement.live]
        lines += [
            Line(
                f"{place_of(self._shown(site.path), site.line)}: {site.old} stands beside the name of a seed; `run` looks whether it reaches a generator first"
            )
            for site in weak
        ]
        if data["remarks"]:
            lines += [Line(""), *[Line(printable(f"{r['location']}: {r['text']}")) for r in data["remarks"]]]
        unread = data["unreadable"].items()
        return [*lines, *(Line(printable(f"not read: {path}: {reason}")) for path, reason in unread)]


def read(command: Sequence[str], *, seed: int = 7, keep: Sequence[str] = (), seed_site: str | None = None) -> SiteList:
    """The seed sites of a script (`["train.py"]`) or of the script that a command runs. None of the user's code is run.

    Raises
    ------
    UsageError, ScriptError
        There is no such script, it has a syntax error, or `keep` names something that is no site.
    """
    import os

    check_seeds([seed])
    options = Options(keep=tuple(keep), seed_site=seed_site)
    words = check_command(command)
    reading = read_sites(words, run_environment(1), options, mode_of(words, options))
    return SiteList(reading.placement, seed, os.getcwd(), sentence_about(command))
