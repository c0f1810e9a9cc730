"""What stands on the page, before anything is laid out."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from ..page import Block
from ..pictures.kinds import Columns
from ..pictures.picture import Picture
from ..table import Table

SEED = "{the seed}"
"""Stands for a seed in the command and the folder of one run; not `{seed}`, which commands themselves may hold."""


@dataclass(frozen=True)
class Figure:
    """One place for a picture: for each metric the picture, or why there is none."""

    id: str
    title: str
    pictures: Mapping[str, Picture]
    missing: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Log:
    """The end of what a run printed. `whole` says whether this is all of it."""

    title: str
    text: str
    whole: bool


@dataclass(frozen=True)
class Highlight:
    """A run that is shown with its log: the best, the median, the worst, or one that failed."""

    which: str
    seed: int
    said: str
    logs: tuple[Log, ...]
    again: str
    opened: bool = False


@dataclass(frozen=True)
class Part:
    """What is known of one experiment besides pictures."""

    name: str
    blocks: tuple[Block, ...]
    highlights: tuple[Highlight, ...] = ()
    failures: tuple[Highlight, ...] = ()
    more_failures: int = 0
    sites: Table | None = None
    ledger: Table | None = None
    environment: tuple[tuple[str, str], ...] = ()
    changed: tuple[str, ...] = ()
    differs_from: str = ""
    runs: Columns = field(default_factory=dict)
    """A row for each run: seed, status, seconds, why it failed."""
    again: str = ""
    """The command that runs one seed again; `SEED` stands for it."""
    folder: str = ""
    """Where the runs' folders are; `SEED` stands for the seed."""


@dataclass(frozen=True)
class Page:
    """The whole page."""

    title: str
    sentences: tuple[str, ...]
    blocks: tuple[Block, ...]
    metrics: tuple[str, ...]
    figures: tuple[Figure, ...]
    parts: tuple[Part, ...]
    notes: tuple[str, ...] = ()
    made: str = ""
    """When the page was made, and by which version."""
    later: tuple[Figure, ...] = ()
    """Pictures that stand behind the runs."""
    live: bool = False
    """Whether the page is served while runs go on, and not a file."""
