"""What a user chose for an experiment, and how the seed gets into its script."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from numbers import Integral, Real
from typing import Any

from seedwise_guest.protocol import as_place

from ..errors import UsageError
from ..results import several
from ..sandbox.workdir import Workdir, workdir_named
from ..typos import did_you_mean, one_of
from ..wording import option, switched_on
from .command import PLACEHOLDER, placeholders


class Mode(StrEnum):
    """How a seed gets into the script."""

    SUBSTITUTE = "substitute"
    """The seed replaces the number that is typed in the source."""
    PLACEHOLDER = "placeholder"
    """The seed replaces `{seed}` in the command."""
    CONFIG = "config"
    """The seed replaces a value in a configuration file."""
    AS_IS = "as-is"
    """No seed is put in: the script loops over its seeds itself."""
    BATCHED = "batched"
    """Seeds are trained together by `seedwise.batched`, which seeds each as a script would."""


@dataclass(frozen=True)
class Options:
    """What a user chose for an experiment, apart from command and seeds.

    Raises
    ------
    UsageError
        A value is out of range. The message says what is allowed.
    """

    as_is: bool = False
    """Whether the script loops over its seeds itself."""
    keep: tuple[str, ...] = ()
    """Seed sites that stay as typed."""
    seed_site: str | None = None
    """`file:line` of *the* number, or `file:key` of a seed in a configuration file."""
    threads: int | None = 1
    """Threads of each run. None leaves the number to the script."""
    jobs: int | None = None
    """How many runs go on at the same time."""
    workdir: Workdir = Workdir.AUTO
    share: tuple[str, ...] = ()
    """Files and folders that all runs share."""
    accept_change: bool = False
    """Whether to continue the newest experiment of this name although code or packages have changed."""
    timeout: float | None = None
    """Seconds after which a run is ended and counts as failed."""
    retries: int = 0
    fail_fast: bool = False
    keep_going: bool = False
    """Whether to run the other seeds though the first three failed alike."""
    gpus: tuple[str, ...] = ()
    """Numbers of the GPUs. Each run sees one."""
    nice: int = 0
    fresh: bool = False
    """Whether to start an interpreter for each run."""
    isolate_network: bool = False
    """Whether to give each run its own network, which has only a loopback device."""
    vary: tuple[str, ...] = ()
    """The sources of randomness that get the seed. Every other source draws what it draws in a plain run. () where the
    seed takes the place of what is typed.
    """
    at: tuple[tuple[str, tuple[int, ...]], ...] = ()
    """Sources whose seeds a design fixes: for each source, its seed in the runs under seeds 1, 2, 3 …, again from the
    first where there are fewer.
    """
    corrections: tuple[str, ...] = ()
    """`model.py:41=augment`: the source of what is drawn there."""
    metric_files: tuple[str, ...] = ()
    """Files that each run writes, with its metrics: `out/metrics.json`, `logs/*/events*`; instead of what it prints."""
    checkpoints: str | None = None
    """A folder below the working directory. What a run has written there is there again when its seed is given out again."""

    def __post_init__(self) -> None:
        self._check_types()
        for what, number in (("threads", self.threads), ("jobs", self.jobs)):
            if number is not None and number < 1:
                raise UsageError(f"{option(f'--{what}')} is at least 1; got {number}")
        if self.timeout is not None and not self.timeout > 0:
            raise UsageError(f"{option('--timeout')} is a number of seconds above 0; got {self.timeout}")
        if self.fail_fast and self.keep_going:
            raise UsageError(f"{switched_on('--fail-fast')} or {switched_on('--keep-going')}, not both")
        if self.retries < 0:
            raise UsageError(f"{option('--retries')} is 0 or more; got {self.retries}")
        if not 0 <= self.nice <= 19:
            raise UsageError(f"{option('--nice')} is 0 to 19; got {self.nice}")
        if self.vary or self.corrections:
            check_vary(self.vary, self.corrections)
            self._check_with_vary()
        if self.metric_files and self.workdir is Workdir.SHARED:
            raise UsageError(
                f"{option('--metric-file')} reads what each run wrote, which with {option('--workdir shared')} is not kept apart"
            )
        if any(path.startswith(("/", "~", "..")) for path in self.metric_files):
            raise UsageError(
                f"{option('--metric-file')} takes a path below this folder, as a run writes it: out/metrics.json"
            )
        self._check_checkpoints()
        if self.seed_site is not None and ":" not in self.seed_site:
            raise UsageError(f"{option('--seed-site')} takes FILE.py:LINE or CONFIG:KEY; got {self.seed_site!r}")

    def _check_types(self) -> None:
        for what in ("threads", "jobs", "retries", "nice"):
            if getattr(self, what) is not None:
                check_whole(option(f"--{what}"), getattr(self, what))
        if self.timeout is not None:
            check_number(option("--timeout"), self.timeout)

    def _check_checkpoints(self) -> None:
        path = self.checkpoints
        if path is None:
            return
        if not path.strip("./") or path.startswith(("/", "~", "..")):
            raise UsageError(
                f"{option('--checkpoints')} takes a folder below this one, where a run keeps what it resumes from: out/checkpoints"
            )
        if self.workdir in (Workdir.SHARED, Workdir.SEQUENTIAL):
            raise UsageError(
                f"{option('--checkpoints')} needs private files for each run: it cannot go with {option(f'--workdir {self.workdir}')}"
            )

    def _check_with_vary(self) -> None:
        """Refuse what goes with seeds that are substituted, and not with sources."""
        for given, name in (
            (self.as_is, switched_on("--as-is")),
            (self.keep, option("--keep")),
            (self.seed_site, option("--seed-site")),
        ):
            if given:
                raise UsageError(
                    f"{name} would be ignored: with {option('--vary')} every seed stays as typed, and sources vary"
                )

    @property
    def sources(self) -> tuple[str, ...]:
        """All sources that vary, or stand at a seed of a design."""
        return (*self.vary, *(source for source, _ in self.at))

    def seeds_of_sources(self, seed: int) -> dict[str, int]:
        """Source → seed, in the run under `seed`."""
        fixed = {source: row[(seed - 1) % len(row)] for source, row in self.at}
        return {**dict.fromkeys(self.vary, seed), **fixed}

    def corrected(self) -> dict[str, str]:
        """`file:line` → source."""
        return {as_place(text.rpartition("=")[0]): text.rpartition("=")[2] for text in self.corrections}

    @property
    def number_at(self) -> str | None:
        """`file:line` of *the* number, if the user named it."""
        return self.seed_site if self.seed_site is not None and _is_a_line(self.seed_site) else None

    @property
    def config_site(self) -> str | None:
        """`file:key` of a seed in a configuration file, if the user named one."""
        return None if self.seed_site is None or _is_a_line(self.seed_site) else self.seed_site

    def kept(self) -> dict[str, object]:
        """The options that `resume` uses again and that are not in the manifest, as plain values for the store."""
        return {
            "share": list(self.share),
            "workdir": self.workdir.value,
            "timeout": self.timeout,
            "retries": self.retries,
            "fail_fast": self.fail_fast,
            "keep_going": self.keep_going,
            "gpus": list(self.gpus),
            "nice": self.nice,
            "fresh": self.fresh,
            "isolate_network": self.isolate_network,
            "metric_files": list(self.metric_files),
            "checkpoints": self.checkpoints,
        }

    @classmethod
    def of_experiment(cls, manifest: Mapping[str, object], said: Mapping[str, object], jobs: int | None) -> "Options":
        """The options with which an experiment was run. They come from its manifest and from what `kept` gave."""
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
            keep_going=kept.get("keep_going", False),
            gpus=cards_named(kept.get("gpus", ())),
            nice=kept.get("nice", 0),
            fresh=kept.get("fresh", False),
            isolate_network=kept.get("isolate_network", False),
            metric_files=tuple(kept.get("metric_files", ())),
            checkpoints=kept.get("checkpoints"),
            vary=tuple(of.get("vary", {}).get("sources", ())),
            at=tuple((source, tuple(row)) for source, row in sorted(of.get("vary", {}).get("at", {}).items())),
            corrections=tuple(of.get("vary", {}).get("corrections", ())),
        )


def sources_named(texts: str | Sequence[str]) -> tuple[str, ...]:
    """The names in `init,order`, or in several such texts."""
    return tuple(name.strip() for text in several(texts, "vary") for name in text.split(",") if name.strip())


def check_vary(vary: Sequence[str], corrections: Sequence[str], beside: Sequence[str] = ()) -> None:
    """Raises UsageError for a source that does not exist or stands twice, and for a correction that cannot be read.

    `beside` names what may vary beside sources.
    """
    from seedwise_guest.protocol import SOURCES

    if not vary:
        raise UsageError(f"{option('--source')} goes with {option('--vary')}: it says to which source a draw belongs")
    for name in vary:
        if name not in (*SOURCES, *beside):
            more = f", and {one_of(beside)}" if beside else ""
            raise UsageError(
                f"{option('--vary')} takes sources of randomness, {one_of(SOURCES)}{more}; "
                f"got {name!r}{did_you_mean(name, (*SOURCES, *beside))}"
            )
    twice = next((name for k, name in enumerate(vary) if name in vary[:k]), None)
    if twice is not None:
        raise UsageError(f"{option('--vary')}: {twice} stands twice")
    for text in corrections:
        place, _, source = text.rpartition("=")
        file, _, line = as_place(place).rpartition(":")
        if not file or not line.isdigit() or source not in SOURCES:
            raise UsageError(
                f"{option('--source')} takes FILE:LINE=SOURCE, such as model.py:41=augment, with {one_of(SOURCES)}; got {text!r}"
            )


def check_whole(what: str, number: object) -> None:
    """Raises UsageError for what is no whole number, and says so of `what`."""
    if isinstance(number, bool) or not isinstance(number, Integral):
        raise UsageError(f"{what} takes a whole number; got {number!r:.60}")


def check_number(what: str, number: object) -> None:
    """Raises UsageError for what is no number, and says so of `what`."""
    if isinstance(number, bool) or not isinstance(number, Real):
        raise UsageError(f"{what} takes a number; got {number!r:.60}")


def _is_a_line(site: str) -> bool:
    return as_place(site).rpartition(":")[2].isdigit()


def cards_named(gpus: Sequence[str | int]) -> tuple[str, ...]:
    """Numbers of GPUs as text. Raises UsageError for a number that is wrong or that is given twice."""
    cards = tuple(str(card).strip() for card in gpus)
    if len(set(cards)) < len(cards) or not all(c and all(x.isalnum() or x in "-/:" for x in c) for c in cards):
        raise UsageError(f"{option('--gpus')} takes numbers of cards, each once, such as 0,1; got {','.join(cards)}")
    return cards


def mode_of(command: Sequence[str], options: Options) -> Mode:
    """How the seed gets in. Raises UsageError if two ways are asked for at the same time."""
    ways = {
        "{seed} in the command": any(PLACEHOLDER in word for word in placeholders(command)),
        f"{option('--seed-site')} of a configuration file": options.config_site is not None,
        option("--as-is"): options.as_is,
    }
    chosen = [way for way, there in ways.items() if there]
    if len(chosen) > 1:
        raise UsageError(f"one way for the seed to get in, not two: {' and '.join(chosen)}")
    if not chosen:
        return Mode.SUBSTITUTE
    return dict(zip(ways, (Mode.PLACEHOLDER, Mode.CONFIG, Mode.AS_IS), strict=True))[chosen[0]]
