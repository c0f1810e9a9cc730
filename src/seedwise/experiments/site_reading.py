"""Lets the user's own interpreter read the user's source and report its seed sites, before the user's code runs."""

import contextlib
import json
import os
import re
import subprocess
import tempfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from seedwise_guest.protocol import (
    INSTRUCTIONS,
    PROTOCOL,
    SEED,
    SITES_FOUND,
    SPOOL,
    Findings,
    Placement,
    Remark,
    Site,
    Use,
    place_seeds,
)

from ..errors import ScriptError, UsageError
from ..signals import session, signal_name
from ..typos import did_you_mean
from ..wording import option
from .options import Mode, Options

_PATIENCE = 300.0


Start = Callable[[Sequence[str]], AbstractContextManager[tuple[Sequence[str], str]]]


@contextmanager
def in_place(words: Sequence[str]) -> Iterator[tuple[Sequence[str], str]]:
    """The command unchanged, with a spool of its own."""
    with tempfile.TemporaryDirectory(prefix="seedwise-plan-", ignore_cleanup_errors=True) as spool:
        yield words, spool


@dataclass(frozen=True)
class Reading:
    """What the user's interpreter reported: its version and packages, the script, and its seed sites."""

    placement: Placement
    script: str | None
    launch: Mapping[str, Any]
    python: Mapping[str, Any]
    packages: Mapping[str, str]
    entered: bool
    """Whether any Python process reported."""


def read_sites(
    command: Sequence[str],
    environment: Mapping[str, str],
    options: Options,
    mode: Mode,
    start: Start | None = None,
) -> Reading:
    """Start the command with a guest that reads its source, reports and exits.

    Parameters
    ----------
    start
        Returns the words that start the command, and the folder for its spool; it cleans up afterwards. By default
        the command is started unchanged.

    Raises
    ------
    ScriptError
        There is no such script, it has a syntax error, or Seedwise could enter no Python process.
    UsageError
        `--keep` or `--seed-site` names something that is no site.
    """
    words = [word.replace("{seed}", "1") if mode is Mode.PLACEHOLDER else word for word in command]
    with (start or in_place)(words) as (argv, spool):
        with open(os.path.join(spool, INSTRUCTIONS), "w", encoding="utf-8") as file:
            json.dump({"v": PROTOCOL, "mode": "plan"}, file)
        status, output = _start(argv, {**environment, SPOOL: spool, SEED: "1"})
        report = Path(spool, SITES_FOUND)
        if not report.exists() and mode is Mode.PLACEHOLDER:
            return Reading(Placement([], None), None, {}, {}, {}, entered=False)
        if not report.exists():
            if status is None:
                raise ScriptError(
                    f"`{' '.join(command)}` was started for its source, and had not reported after {_PATIENCE:g} s"
                )
            if status < 0:
                raise ScriptError(
                    f"`{' '.join(command)}` was started for its source, and killed by {signal_name(-status)} before it could report: "
                    "nothing was run; start again"
                )
            raise ScriptError(_not_entered(command, output))
        data = json.loads(report.read_text(encoding="utf-8"))
    if data.get("error"):
        raise ScriptError(data["error"])
    findings = Findings(
        [Site(**{**site, "order": tuple(site["order"])}) for site in data.get("sites", [])],
        [Remark(**remark) for remark in data.get("remarks", [])],
        [Use(**use) for use in data.get("split_uses", [])],
        data.get("files", {}),
        data.get("unreadable", {}),
    )
    if mode is not Mode.SUBSTITUTE:
        if options.keep or options.number_at:
            raise UsageError(
                f"{option('--keep')} and {option('--seed-site FILE.py:LINE')} are for seeds that Seedwise substitutes"
            )
        findings.sites, findings.split_uses = [], []
    try:
        placement = place_seeds(findings, list(options.keep), options.number_at)
    except LookupError as error:
        raise UsageError(str(error.args[0])) from None
    if options.vary:
        placement.keep_for_sources(split="split" in options.sources)
    return Reading(
        placement, data.get("script"), data.get("launch", {}), data["python"], data["packages"], entered=True
    )


def _start(command: Sequence[str], environment: Mapping[str, str]) -> tuple[int | None, bytes]:
    """Run the command until it reports. Returns its exit status (None if it took too long) and what it printed."""
    with tempfile.TemporaryFile() as said:
        status: int | None = None
        try:
            with session(command, env=dict(environment), stdin=subprocess.DEVNULL, stdout=said, stderr=said) as process:
                with contextlib.suppress(subprocess.TimeoutExpired):
                    status = process.wait(_PATIENCE)
        except OSError as error:
            raise ScriptError(f"cannot start {command[0]}: {error.strerror or error}") from None
        said.seek(0)
        return status, said.read(20_000)


def _not_entered(command: Sequence[str], output: bytes) -> str:
    text = output.decode(errors="replace").strip().splitlines()
    missing = re.search(r"No module named '?([\w.]+)", text[-1]) if text else None
    if missing is not None and missing[1] in command:
        there = [path.stem for path in Path().glob("*.py")] + [
            path.parent.name for path in Path().glob("*/__main__.py")
        ]
        return f"no module {missing[1]} for `{' '.join(command)}`{did_you_mean(missing[1], there) or ' here, nor installed'}"
    last = f" It said: {text[-1][:200]}" if text else ""
    return (
        f"no Python process of `{' '.join(command)}` let Seedwise in, so no seed could be placed.{last} "
        "Python enters unless it is started with -I, -E or -S, or with an environment of its own; a program that is not "
        "Python takes the seed as {seed} in its command"
    )


def placement_to_dict(placement: Placement) -> dict[str, object]:
    """The placement as plain values, for the store."""
    return {
        "sites": [asdict(site) for site in placement.sites],
        "number": placement.number,
        "kept": placement.kept,
        "remarks": [asdict(remark) for remark in placement.remarks],
        "split_uses": [asdict(use) for use in placement.split_uses],
        "live": placement.live,
        "seen": placement.seen,
    }


def placement_from_dict(kept: Mapping[str, object]) -> Placement:
    """The placement of which `placement_to_dict` gave these values."""
    data = dict[str, Any](kept)
    return Placement(
        [Site(**{**site, "order": tuple(site["order"])}) for site in data["sites"]],
        data["number"],
        list(data["kept"]),
        [Remark(**remark) for remark in data["remarks"]],
        [Use(**use) for use in data["split_uses"]],
        live=data.get("live", ""),
        seen=data.get("seen", False),
    )
