"""What a user chose for an experiment, and how the seed gets into its script."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from ..errors import UsageError
from ..sandbox.workdir import Workdir, workdir_named
from .command import PLACEHOLDER, placeholders


class Mode(StrEnum):
    """How a seed gets into the script."""

    SUBSTITUTE = "substitute"
    """Where it is typed in the source."""
    PLACEHOLDER = "placeholder"
    """As `{seed}` in the command."""
    CONFIG = "config"
    """As a value in a configuration file."""
    AS_IS = "as-is"
    """Not at all: the script loops over its seeds itself."""


@dataclass(frozen=True)
class Options:
    """What a user chose for an experiment, beside command and seeds.

    Raises
    ------
    UsageError
        For a value that cannot be, with what can.
    """

    as_is: bool = False
    """The script loops over its seeds itself."""
    keep: tuple[str, ...] = ()
    """Seed sites that stay as typed."""
    seed_site: str | None = None
    """`file:line` of *the* number, or `file:key` of a seed in a configuration file."""
    threads: int | None = 1
    """None leaves the script's own."""
    jobs: int | None = None
    """Runs at a time."""
    workdir: Workdir = Workdir.AUTO
    share: tuple[str, ...] = ()
    """Files and folders that all runs share."""
    accept_change: bool = False
    """Go on with the newest experiment of this name though code or packages have changed."""
    timeout: float | None = None
    """Seconds."""
    retries: int = 0
    fail_fast: bool = False
    gpus: tuple[str, ...] = ()
    """Numbers of the cards; each run sees one."""
    nice: int = 0
    fresh: bool = False
    """Start an interpreter for each run."""
    isolate_network: bool = False
    """Give each run a network of its own, with nothing but its loopback."""

    def __post_init__(self) -> None:
        for what, number in (("threads", self.threads), ("jobs", self.jobs)):
            if number is not None and number < 1:
                raise UsageError(f"--{what} is at least 1; got {number}")
        if self.timeout is not None and not self.timeout > 0:
            raise UsageError(f"--timeout is a number of seconds above 0; got {self.timeout}")
        if self.retries < 0:
            raise UsageError(f"--retries is 0 or more; got {self.retries}")
        if not 0 <= self.nice <= 19:
            raise UsageError(f"--nice is 0 to 19; got {self.nice}")
        if self.seed_site is not None and ":" not in self.seed_site:
            raise UsageError(f"--seed-site takes FILE.py:LINE or CONFIG:KEY; got {self.seed_site!r}")

    @property
    def number_at(self) -> str | None:
        """`file:line` of *the* number, where the user named it."""
        return self.seed_site if self.seed_site is not None and _is_a_line(self.seed_site) else None

    @property
    def config_site(self) -> str | None:
        """`file:key` of a seed in a configuration file, where the user named one."""
        return None if self.seed_site is None or _is_a_line(self.seed_site) else self.seed_site

    def kept(self) -> dict[str, object]:
        """Those that `resume` takes up again and that are not in the manifest, as plain values for the store."""
        return {
            "share": list(self.share),
            "workdir": self.workdir.value,
            "timeout": self.timeout,
            "retries": self.retries,
            "fail_fast": self.fail_fast,
            "gpus": list(self.gpus),
            "nice": self.nice,
            "fresh": self.fresh,
            "isolate_network": self.isolate_network,
        }

    @classmethod
    def of_experiment(cls, manifest: Mapping[str, object], said: Mapping[str, object], jobs: int | None) -> "Options":
        """Those with which an experiment was run: what its manifest says, and what `kept` gave."""
        of, kept = dict[str, Any](manifest), dict[str, Any](said)
        return cls(
            as_is=of["mode"] == Mode.AS_IS,
            keep=tuple(of["keep"]),
            seed_site=of["seed site"] or None,
            threads=of["threads"],
            jobs=jobs,
            workdir=workdir_named(kept.get("workdir", "auto")),
            share=tuple(kept.get("share", ())),
            timeout=kept.get("timeout"),
            retries=kept.get("retries", 0),
            fail_fast=kept.get("fail_fast", False),
            gpus=cards_named(kept.get("gpus", ())),
            nice=kept.get("nice", 0),
            fresh=kept.get("fresh", False),
            isolate_network=kept.get("isolate_network", False),
        )


def _is_a_line(site: str) -> bool:
    return site.rpartition(":")[2].isdigit()


def cards_named(gpus: Sequence[str | int]) -> tuple[str, ...]:
    """Numbers of cards, as text. Raises UsageError."""
    cards = tuple(str(card).strip() for card in gpus)
    if len(set(cards)) < len(cards) or not all(c and all(x.isalnum() or x in "-/:" for x in c) for c in cards):
        raise UsageError(f"--gpus takes numbers of cards, each once, such as 0,1; got {','.join(cards)}")
    return cards


def mode_of(command: Sequence[str], options: Options) -> Mode:
    """How the seed gets in. Raises UsageError when two ways are asked for at once."""
    ways = {
        "{seed} in the command": any(PLACEHOLDER in word for word in placeholders(command)),
        "--seed-site of a configuration file": options.config_site is not None,
        "--as-is": options.as_is,
    }
    chosen = [way for way, there in ways.items() if there]
    if len(chosen) > 1:
        raise UsageError(f"one way for the seed to get in, not two: {' and '.join(chosen)}")
    if not chosen:
        return Mode.SUBSTITUTE
    return dict(zip(ways, (Mode.PLACEHOLDER, Mode.CONFIG, Mode.AS_IS), strict=True))[chosen[0]]
