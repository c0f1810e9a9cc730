"""What host and guest say to each other. The host imports from the guest only through this module.

For each attempt the host makes a folder, the *spool*. It writes `INSTRUCTIONS` into it and starts the command with
`SPOOL` and `SEED` in its environment. Every Python process of the command reads the instructions and answers in its
own file of JSON lines: `{"v": 1, "type": "hello", "pid": 7, …}`. Arrays are `.npy` files in the same folder. The
process that forks runs also has a pair of pipes to the host. The program that enters a world (`sandbox/world.py`)
reads another specification, which `seedwise/sandbox/worlds.py` writes.
"""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any, Literal, TypedDict

if TYPE_CHECKING:
    from .notebooks.cells import NotebookError, as_place, code_digest, kernel_of, place_of
    from .process.frames import is_user_file
    from .randomness.backends.interface import Backend
    from .randomness.sources.attribution import SOURCES
    from .randomness.streams import check_seed, derive
    from .sandbox.guard import end as end_users_of
    from .sandbox.world import FAILED as WORLD_FAILED
    from .sandbox.world import LARGE, inside
    from .sites.edits import apply_edits
    from .sites.findings import Findings, Remark, Site, Use
    from .sites.names import is_seed_name, is_seeding_helper, later_seed, names_a_seed
    from .sites.placement import Placement, place_seeds
    from .tracing.names import (
        ALIAS,
        ASIDE,
        IN_CHILDREN,
        METER,
        ORDER,
        PLACED,
        REPLAY,
        RESUMING,
        ROUNDED,
        SHIFT,
        SHOWN,
        STATE,
    )

__all__ = [
    "ALIAS",
    "ASIDE",
    "CALL",
    "CONFIGURATION",
    "ENTRY",
    "GUARD",
    "INSTRUCTIONS",
    "IN_CHILDREN",
    "LARGE",
    "LAUNCHER",
    "METER",
    "ORDER",
    "PIPES",
    "PLACED",
    "PROTOCOL",
    "REPLAY",
    "RESUMING",
    "ROUNDED",
    "SEED",
    "SHIFT",
    "SHOWN",
    "SITES_FOUND",
    "SOURCES",
    "SPOOL",
    "STATE",
    "WORLD_ERROR",
    "WORLD_FAILED",
    "Backend",
    "CheckInstructions",
    "DrawnFrom",
    "Findings",
    "FromForking",
    "Job",
    "NotebookError",
    "Placement",
    "PreforkInstructions",
    "ProbeInstructions",
    "Refusal",
    "Remark",
    "RunInstructions",
    "Site",
    "ToForking",
    "Use",
    "Vary",
    "apply_edits",
    "as_place",
    "check_seed",
    "code_digest",
    "derive",
    "end_users_of",
    "inside",
    "is_seed_name",
    "is_seeding_helper",
    "is_user_file",
    "kernel_of",
    "later_seed",
    "names_a_seed",
    "place_of",
    "place_seeds",
]

PROTOCOL = 1
"""Version of this protocol. Both sides refuse any other version."""

# --- where things are
# -------------------------------------------------------------------------------------------------

_HOME = os.path.dirname(os.path.realpath(__file__))
ENTRY = os.path.join(_HOME, "process", "entry")
"""The folder that is put on PYTHONPATH. Python imports the `sitecustomize` in it when it starts."""
CALL = os.path.join(ENTRY, "call.py")
"""The script of a run that is the call of a function."""
LAUNCHER = os.path.join(_HOME, "sandbox", "world.py")
"""The script that enters a run's world and then becomes the command."""
GUARD = os.path.join(_HOME, "sandbox", "guard.py")
"""The script that cleans up after a supervisor was killed."""

SPOOL = "SEEDWISE_SPOOL"
"""Environment variable: the spool of this attempt."""
SEED = "SEEDWISE_SEED"
"""Environment variable: the seed of this run. The user's script may read it too."""
PIPES = "SEEDWISE_PREFORK"
"""Environment variable: the descriptors of the pipes between the host and the process that forks, as
`reading,writing`.
"""
INSTRUCTIONS = "plan.json"
"""File in the spool: the instructions for every process of this attempt."""
SITES_FOUND = "plan-report.json"
"""File in the spool: what was found when the source was read."""
WORLD_ERROR = "world-error.json"
"""File in the spool: why the run's private files could not be set up, or why its command could not be started."""

CONFIGURATION = (
    ".json",
    ".yaml",
    ".yml",
    ".toml",
    ".ini",
    ".cfg",
    ".conf",
    ".env",
    ".gin",
    ".properties",
    ".xml",
    ".jsonnet",
)
"""The endings of configuration files' names. The contents of these files belong to an experiment's identity."""

# --- what a process is told -------------------------------------------------------------------------------------------

Job = Literal["run", "plan", "probe", "check", "prefork"]
"""What a process does. `run`: it is a run. `plan`: it reads the seed sites and exits. `probe`: it tells which site's number reaches a
generator first, and exits. `check`: `check` watches it. `prefork`: it executes the first lines once and forks runs.
"""


class Instructions(TypedDict):
    """What every process is told."""

    v: int
    mode: Job


class Vary(TypedDict):
    """Which sources of randomness vary in a run. Every other source draws what it draws in a plain run."""

    seeds: dict[str, int]
    """Source → seed."""
    corrections: dict[str, str]
    """`file:line` → the source of what is drawn there."""


class RunInstructions(Instructions):
    """What a process of a run is told."""

    seed: int
    number: int | None
    """*The* number that is typed in the script. The seed replaces it."""
    has_sites: bool
    """Whether the script seeds itself. If not, every global generator starts at the seed."""
    substitute: bool
    """Whether seeds are put into the source while it is loaded."""
    control: bool
    """Whether generators are started from the seed and followed."""
    edits: dict[str, list[list[Any]]]
    """For each file: [line, column, end column, typed text, the text that replaces it]."""
    digests: dict[str, str]
    """For each file that was read for its sites: its SHA-256. A process refuses a file that has changed since."""
    script: str | None
    announce: bool
    """Whether to report what libraries import later, inside their functions."""
    vary: Vary | None
    """Which sources vary; None where the seed itself is varied."""


class ProbeInstructions(RunInstructions):
    """The process that tells which site's number reaches a generator first."""

    numbers: list[int]
    """What the sites hold in it."""


class PreforkInstructions(RunInstructions, total=False):
    """What the process is told that executes the first lines. Its edits say only where the seeds stand."""

    own_arguments: bool
    """Whether each run has its own arguments. If so, the first lines must not read them."""
    own_variables: list[str]
    """Environment variables that differ from run to run."""
    shared: list[str]
    """Folders that all runs share."""
    config: str | None
    """The configuration file in which the seed is placed."""
    world: str | None
    """Specification of the world in which the first lines are executed."""


class CheckInstructions(Instructions):
    """What a checked process is told."""

    interventions: dict[str, Any]
    """What is changed or held still in this process."""
    trace: dict[str, Any]
    """`steps`: whether the parameters are recorded after each step. `ops`: the number of the step of which every
    operation is recorded. `resuming`: what is asked of a training that is interrupted or goes on; see `Following`.
    """


# --- what a process answers
# -------------------------------------------------------------------------------------------

Refusal = Literal["version", "changed", "fault"]
"""Why a process refuses to run. `version`: host and guest have different versions. `changed`: a source file was
changed after its sites were read. `fault`: an error in Seedwise.
"""


class Hello(TypedDict):
    """`hello`: Seedwise is in this process."""

    ppid: int
    argv: list[str]
    python: str


class Refused(TypedDict):
    """`refused`: the process ends; it has not run anything."""

    kind: Refusal
    reason: str


class Seeding(TypedDict):
    """`seeding`: in a probe, a generator is given a number."""

    generator: str
    given: int
    site: int | None
    """Whose number it is, or what was computed from it; None: no site's."""
    is_global: bool
    read: list[str]
    """Configuration files that were read until then."""


class Log(TypedDict):
    """`log`: metrics of one step. Where `step` is None, of the next step."""

    step: int | None
    values: dict[str, float]


class Array(TypedDict, total=False):
    """`array`: an array that a function returned, in `file` of the spool."""

    name: str
    file: str
    shape: list[int]
    dtype: str
    split: str
    """For predictions: the part of the data."""
    kind: str
    """For predictions: label, probability or value."""


class Reason(TypedDict):
    """`no-result`: a function returned something that cannot be a result.

    `returned-none`: a function returned None. It may have logged or printed its result.
    `not-forked`: a forked run could not continue as a fresh run would.
    """

    reason: str


class DrawnFrom(TypedDict):
    """What one source drew in one process."""

    count: int
    lines: dict[str, int]
    """`file:line` → how often. "" if no code of the user's was among the callers."""
    more: int
    """How many draws came from further lines."""
    positions: dict[str, str]
    """Number of a draw → link of the chain over where the generators stood until then; of sources that do not vary."""


class DrawnMessage(TypedDict):
    """`drawn`: at the end of a process whose sources were kept apart."""

    sources: dict[str, DrawnFrom]
    not_apart: list[str]
    """What draws where sources cannot be kept apart: `torch.compile`."""
    unseen: dict[str, list[str]]
    """Library → `file:line` of draws before which its global generator had moved without a draw that was seen."""
    seedings: dict[str, int]
    """`file:line` where a global generator was seeded → how often, the most of any one generator."""
    corrected: list[str]
    """The corrections that some draw has met."""


class Importing(TypedDict):
    """`importing`: a function of a library imports another library. The process that forks may import it earlier."""

    name: str


class Checked(TypedDict, total=False):
    """Messages for `check`.

    `checked`: what a process has seen, sent at its end. The others are sent at once, because a worker may be killed:
    `made` and `unmade` (a generator without a seed), `fact` (something that could make two runs differ), `worker` (a
    DataLoader worker and its generators), `identity` (what a process, a thread or a file is called in this run), `warned`
    (the text of a warning), `looked` (a file that was looked for and then written), `interrupted` (the process ends
    itself, because it was asked to).
    """

    first: bool
    ledger: list[dict[str, Any]]
    generators: dict[str, int]
    facts: dict[str, str]
    trace: dict[str, Any]
    files: list[str]
    entry: dict[str, Any]
    generator: str
    what: str
    where: str
    worker: int
    digest: str
    seed: int | None
    kind: str
    name: str
    text: str
    path: str


class End(TypedDict):
    """`end`: what a process of a run loaded, read and wrote, and the state of its generators."""

    loaded: dict[str, str]
    """The user's source files, with their digests."""
    edited: list[str]
    """Those files in which a seed was placed."""
    read: list[str]
    read_more: int
    """How many more data files were read, beyond those in `read`."""
    written: list[str]
    libraries: list[str]
    late_sites: list[dict[str, Any]]
    """Seed sites in files that no import statement led to."""
    path: list[str | int]
    """Names and numbers that distinguish this process from the others of its run. [] for the first one."""
    ends: dict[str, str]
    """For each library: a digest of its global generator at the end."""
    ledger: list[dict[str, Any]]


class FromForking(TypedDict, total=False):
    """Messages from the process that forks, over its pipe.

    `ready`: the first lines have been executed. `imported`, `left`, `dropped`: what became of an import that the host
    asked for. `started`, `ended`: a run.
    """

    type: Literal["ready", "imported", "left", "dropped", "started", "ended", "gone"]
    pid: int
    root: int
    """The process that the host started."""
    line: int
    """The line where the runs go on."""
    why: str
    name: str
    seconds: float
    id: int
    status: int


class ToForking(TypedDict, total=False):
    """Messages to the process that forks: `import` a library, `drop` what was imported that way, `fork` a run."""

    type: Literal["import", "drop", "fork"]
    name: str
    id: int
    specification: str
    stdout: str
    stderr: str
    arguments: list[str]
    environment: dict[str, str]


_ELSEWHERE = {
    "as_place": ("notebooks.cells", "as_place"),
    "NotebookError": ("notebooks.cells", "NotebookError"),
    "code_digest": ("notebooks.cells", "code_digest"),
    "kernel_of": ("notebooks.cells", "kernel_of"),
    "place_of": ("notebooks.cells", "place_of"),
    "IN_CHILDREN": ("tracing.names", "IN_CHILDREN"),
    "ALIAS": ("tracing.names", "ALIAS"),
    "ROUNDED": ("tracing.names", "ROUNDED"),
    "ASIDE": ("tracing.names", "ASIDE"),
    "METER": ("tracing.names", "METER"),
    "ORDER": ("tracing.names", "ORDER"),
    "PLACED": ("tracing.names", "PLACED"),
    "REPLAY": ("tracing.names", "REPLAY"),
    "RESUMING": ("tracing.names", "RESUMING"),
    "STATE": ("tracing.names", "STATE"),
    "SHIFT": ("tracing.names", "SHIFT"),
    "SHOWN": ("tracing.names", "SHOWN"),
    "Backend": ("randomness.backends.interface", "Backend"),
    "SOURCES": ("randomness.sources.attribution", "SOURCES"),
    "is_user_file": ("process.frames", "is_user_file"),
    "check_seed": ("randomness.streams", "check_seed"),
    "derive": ("randomness.streams", "derive"),
    "end_users_of": ("sandbox.guard", "end"),
    "WORLD_FAILED": ("sandbox.world", "FAILED"),
    "LARGE": ("sandbox.world", "LARGE"),
    "inside": ("sandbox.world", "inside"),
    "apply_edits": ("sites.edits", "apply_edits"),
    "Findings": ("sites.findings", "Findings"),
    "Remark": ("sites.findings", "Remark"),
    "Site": ("sites.findings", "Site"),
    "Use": ("sites.findings", "Use"),
    "is_seed_name": ("sites.names", "is_seed_name"),
    "is_seeding_helper": ("sites.names", "is_seeding_helper"),
    "later_seed": ("sites.names", "later_seed"),
    "names_a_seed": ("sites.names", "names_a_seed"),
    "Placement": ("sites.placement", "Placement"),
    "place_seeds": ("sites.placement", "place_seeds"),
}


def __getattr__(name: str) -> Any:
    # these names are loaded when the host asks for them; a run's process reads this module too, and needs none of
    # them
    if name in _ELSEWHERE:
        from importlib import import_module

        module, there = _ELSEWHERE[name]
        return getattr(import_module("." + module, __package__), there)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
