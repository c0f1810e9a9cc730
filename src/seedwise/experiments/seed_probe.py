"""Finds out which of several typed numbers is *the* seed: the one that reaches a random generator first.

Reading cannot tell: a default may be replaced by a preset, a subclass, a keyword, an environment variable. So the command is
started once more, in a world that is thrown away, with a number of its own at each seed site, and ends with the first seeding
of a global generator. Where something was computed from the number (`seed * 1000 + rank`), it is started a few times more with
other numbers at some of the sites: the site for which the seeding changes is the one.
"""

import json
import os
import subprocess
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from seedwise_guest.protocol import (
    INSTRUCTIONS,
    PROTOCOL,
    SEED,
    SPOOL,
    Placement,
    ProbeInstructions,
    Site,
    apply_edits,
)

from ..signals import session
from ..wording import option
from .config_site import seeds_in
from .site_reading import Reading, Start

_LONGEST = 120.0
"""Seconds until a generator must have been seeded."""
_AFTER_OWN = 20.0
"""Seconds that a global seeding may come after one of a generator of the code's own."""
_FIRST, _LAST = 1_200_000, 4_000_000
"""The sites' own numbers lie between: `seed * 1000 + rank` must stay below 2**32."""
_FIRST_SMALL, _LAST_SMALL = 1_100, 9_000
"""For a script that refuses those: it checks the seed, or takes it for an index."""


@dataclass(frozen=True)
class Seeding:
    """What a probe saw first."""

    generator: str
    given: int
    site: int | None
    is_global: bool
    read: Sequence[str] = ()
    """Configuration files that were read until then."""


@dataclass(frozen=True)
class Probed:
    """The site whose number reaches a generator first, or why none was seen to."""

    site: Site | None
    reason: str = ""
    elsewhere: bool = False
    """Whether the first seed was one that is typed nowhere."""
    remedy: str = ""
    """What the user may do where the seed comes from a configuration file."""


def is_doubtful(placement: Placement) -> bool:
    """Whether reading cannot tell which typed number is the seed: several are typed, one has a meaning of its own, or the
    script is seeded with a number that is typed nowhere."""
    sites = [site for site in placement.varied if site.number is not None]
    if any(remark.kind == "elsewhere" for remark in placement.remarks):
        return True
    many = len({site.number for site in sites}) > 1
    return many or any(site.weak for site in sites) or (len(sites) > 1 and any(site.special for site in sites))


def find_live_site(words: Sequence[str], environment: Mapping[str, str], reading: Reading, start: Start) -> Probed:
    """Start the command until a generator is seeded, and tell which typed number that was.

    Parameters
    ----------
    start
        Gives the words that start the command in a world that is thrown away, and the folder for its spool.
    """
    probe = _Probe(words, environment, reading, start)
    for first, last in ((_FIRST, _LAST), (_FIRST_SMALL, _LAST_SMALL)):
        numbers = probe.spread(first, last)
        seen = probe.look(numbers)
        if seen is None and probe.timed_out:
            break  # it did not refuse the numbers
        if seen is not None:
            site = seen.site if seen.site is not None else probe.differing(numbers, seen)
            return Probed(probe.sites[site]) if site is not None else _typed_nowhere(seen)
    return Probed(None, "no seed of the script was seen to reach a generator" + probe.ended)


def _typed_nowhere(seen: Seeding) -> Probed:
    reason = f"{seen.generator} is seeded with {seen.given} first, which is typed nowhere in the source"
    return Probed(None, reason, True, _remedy(seen.given, seen.read))


def _remedy(given: int, read: Sequence[str]) -> str:
    """The option that places the seed in the configuration file from which this number came."""
    for path in read:
        for name, number in seeds_in(path):
            if number == given:
                return (
                    f"it stands in {os.path.relpath(path)}: add {option(f'--seed-site {os.path.relpath(path)}:{name}')}"
                )
    return ""


class _Probe:
    """One command, started for its first seeding under several assignments of numbers to its sites."""

    def __init__(self, words: Sequence[str], environment: Mapping[str, str], reading: Reading, start: Start) -> None:
        self._words = words
        self._environment = environment
        self._reading = reading
        self._start = start
        self.sites: list[Site] = [site for site in reading.placement.varied if site.number is not None]
        self.ended = ""
        self.timed_out = False
        self._step = 0

    def spread(self, first: int, last: int) -> list[int]:
        """A number for each site, far apart and at no regular distance: twice one of them is not another."""
        n = max(1, len(self.sites))
        self._step = max(3, (last - first) // n)
        return [first + k * self._step + k * k * 7919 % max(1, self._step // 2) for k in range(len(self.sites))]

    def differing(self, numbers: list[int], seen: Seeding) -> int | None:
        """The one site whose number changes what the generator is given.

        None if there is none: another number was given, or it is another at each start (a clock, a process number).
        """
        changed = [number + self._step // 3 for number in numbers]

        def depends(on: set[int]) -> bool:
            mixed = [changed[k] if k in on else number for k, number in enumerate(numbers)]
            now = self.look(mixed)
            return now is not None and now.given != seen.given

        candidates = set(range(len(numbers)))
        if not candidates or depends(set()) or not depends(candidates):
            return None
        while len(candidates) > 1:
            half = set(sorted(candidates)[: len(candidates) // 2])
            candidates = half if depends(half) else candidates - half
        return candidates.pop() if depends(candidates) else None

    def look(self, numbers: list[int]) -> Seeding | None:
        """What the first seeding is when each site holds its number of these; None if there was none."""
        placement, reading = self._reading.placement, self._reading
        own = {id(site): number for site, number in zip(self.sites, numbers, strict=True)}
        edits = placement.edits_to([own.get(id(site)) for site in placement.sites])
        words = list(self._words)
        if reading.launch.get("kind") == "command" and edits.get("-c"):
            text = str(reading.launch["target"])
            words = [apply_edits(text, edits.pop("-c")) if word == text else word for word in words]
        with self._start(words) as (argv, spool):
            instructions = self._instructions(edits, numbers)
            Path(spool, INSTRUCTIONS).write_text(json.dumps(instructions), encoding="utf-8", errors="surrogateescape")
            return self._watch(argv, Path(spool))

    def _instructions(self, edits: dict[str, list[list[Any]]], numbers: list[int]) -> ProbeInstructions:
        placement = self._reading.placement
        return {
            "v": PROTOCOL,
            "mode": "probe",
            "seed": 1,
            "number": None,
            "has_sites": True,
            "substitute": True,
            "control": True,
            "edits": edits,
            "digests": {path: digest for path, digest in placement.files.items() if path != "-c"},
            "script": self._reading.script,
            "announce": False,
            "vary": None,
            "numbers": numbers,
        }

    def _watch(self, argv: Sequence[str], spool: Path) -> Seeding | None:
        environment = {**self._environment, SPOOL: str(spool), SEED: "1"}
        nothing = subprocess.DEVNULL
        try:
            with session(argv, env=environment, stdin=nothing, stdout=nothing, stderr=nothing) as process:
                return self._first_seeding(process, spool)
        except OSError as error:
            self.ended = f": {error.strerror or error}"
            return None

    def _first_seeding(self, process: "subprocess.Popen[bytes]", spool: Path) -> Seeding | None:
        own: Seeding | None = None
        until = time.monotonic() + _LONGEST
        while True:
            over = process.poll() is not None
            for seen in _seedings(spool):
                if seen.is_global:
                    return seen
                if own is None:
                    own, until = seen, min(until, time.monotonic() + _AFTER_OWN)
            if over or time.monotonic() > until:
                self.timed_out = not over
                self.ended = "" if over else f" within {_LONGEST:g} s"
                return own
            time.sleep(0.01)


def _seedings(spool: Path) -> Iterator[Seeding]:
    for file in spool.glob("*.jsonl"):
        for line in file.read_bytes().splitlines():
            try:
                told = json.loads(line)
            except ValueError:
                continue  # half a line: the rest is being written
            if told.get("type") == "seeding":
                yield Seeding(told["generator"], told["given"], told["site"], told["is_global"], told["read"])
