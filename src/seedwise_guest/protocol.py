"""What host and guest say to each other, and the one door through which the host reaches into the guest.

For each attempt the host makes a folder, the *spool*, writes `INSTRUCTIONS` into it, and starts the command with `SPOOL` and
`SEED` in its environment. Every Python process of the command reads the instructions and answers in a file of JSON lines of its
own: `{"v": 1, "type": "hello", "pid": 7, …}`. Arrays are `.npy` files beside them. The process that forks runs also has a pair of pipes
to the host. What enters a world (`sandbox/world.py`) reads a specification of its own, which `seedwise/sandbox/worlds.py` writes.
"""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any, Literal, TypedDict

if TYPE_CHECKING:
    from .process.frames import is_user_file
    from .randomness.backends.interface import Backend
    from .randomness.streams import check_seed, derive
    from .sandbox.guard import end as end_users_of
    from .sandbox.world import FAILED as WORLD_FAILED
    from .sandbox.world import LARGE, inside
    from .sites.edits import apply_edits
    from .sites.findings import Findings, Remark, Site, Use
    from .sites.names import names_a_seed
    from .sites.placement import Placement, place_seeds

__all__ = [
    "CALL",
    "CONFIGURATION",
    "ENTRY",
    "GUARD",
    "INSTRUCTIONS",
    "LARGE",
    "LAUNCHER",
    "PIPES",
    "PROTOCOL",
    "SEED",
    "SITES_FOUND",
    "SPOOL",
    "WORLD_ERROR",
    "WORLD_FAILED",
    "Backend",
    "CheckInstructions",
    "Findings",
    "FromForking",
    "Job",
    "Placement",
    "PreforkInstructions",
    "ProbeInstructions",
    "Refusal",
    "Remark",
    "RunInstructions",
    "Site",
    "ToForking",
    "Use",
    "apply_edits",
    "check_seed",
    "derive",
    "end_users_of",
    "inside",
    "is_user_file",
    "names_a_seed",
    "place_seeds",
]

PROTOCOL = 1
"""Version of all that follows; both sides refuse another."""

# --- where things are --------------------------------------------------------------------------------------------------

_HOME = os.path.dirname(os.path.realpath(__file__))
ENTRY = os.path.join(_HOME, "process", "entry")
"""The folder that is put on PYTHONPATH: Python imports the `sitecustomize` in it at its start."""
CALL = os.path.join(ENTRY, "call.py")
"""The script of a run that is the call of a function."""
LAUNCHER = os.path.join(_HOME, "sandbox", "world.py")
"""Enters a run's world, and becomes the command."""
GUARD = os.path.join(_HOME, "sandbox", "guard.py")
"""Outlives a supervisor that is killed."""

SPOOL = "SEEDWISE_SPOOL"
"""Environment variable: the spool of this attempt."""
SEED = "SEEDWISE_SEED"
"""Environment variable: the seed of this run, for the user's own use too."""
PIPES = "SEEDWISE_PREFORK"
"""Environment variable: numbers of the pipes between the host and the process that forks, `reading,writing`."""
INSTRUCTIONS = "plan.json"
"""In the spool: what every process of this attempt is told."""
SITES_FOUND = "plan-report.json"
"""In the spool: what reading the source found."""
WORLD_ERROR = "world-error.json"
"""In the spool: why the run's private files could not be set up, or its command not started."""

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
"""How the names of configuration files end: their contents belong to an experiment's identity."""

# --- what a process is told --------------------------------------------------------------------------------------------

Job = Literal["run", "plan", "probe", "check", "prefork"]
"""To be a run; to read the seed sites and leave; to tell which site's number reaches a generator first, and leave; to be watched for
`check`; to execute the first lines once and fork runs."""


class Instructions(TypedDict):
    """What all are told."""

    v: int
    mode: Job


class RunInstructions(Instructions):
    """A process of a run."""

    seed: int
    number: int | None
    """*The* number that is typed in the script, which the seed replaces."""
    has_sites: bool
    """Whether the script seeds itself; if not, every global generator starts at the seed."""
    substitute: bool
    """Seeds are placed in the source while it is loaded."""
    control: bool
    """Generators are started and followed."""
    edits: dict[str, list[list[Any]]]
    """For each file: [line, column, end column, typed text, what stands there instead]."""
    digests: dict[str, str]
    """For each file that was read for its sites, SHA-256; a file that has changed since is refused."""
    script: str | None
    announce: bool
    """Say what libraries import later, inside their functions."""


class ProbeInstructions(RunInstructions):
    """The process that tells which site's number reaches a generator first."""

    numbers: list[int]
    """What the sites hold in it."""
    skip: int
    """How many seedings of global generators from a number of no site are passed over."""


class PreforkInstructions(RunInstructions, total=False):
    """The process that executes the first lines; its edits say only where the seeds stand."""

    own_arguments: bool
    """Each run has arguments of its own, so the first lines must not read them."""
    own_variables: list[str]
    """Environment variables that differ from run to run."""
    shared: list[str]
    """Folders that all runs share."""
    config: str | None
    """The configuration file in which the seed is placed."""
    world: str | None
    """Specification of the world in which the first lines are executed."""


class CheckInstructions(Instructions):
    """A process that is checked."""

    interventions: dict[str, Any]
    """What is changed or held still."""
    trace: dict[str, int]
    """`steps`: whether parameters are recorded after each; `ops`: the step of which every operation is recorded."""


# --- what a process answers --------------------------------------------------------------------------------------------

Refusal = Literal["version", "changed", "fault"]
"""Why a process refuses to run: the two sides are of two versions; a source file was changed since its sites were read; a fault of ours."""


class Hello(TypedDict):
    """`hello`: Seedwise is in this process."""

    ppid: int
    argv: list[str]
    python: str


class Refused(TypedDict):
    """`refused`: the process ends without having run anything."""

    kind: Refusal
    reason: str


class Seeding(TypedDict):
    """`seeding`: in a probe, a generator is given a number."""

    generator: str
    given: int
    site: int | None
    """Whose number it is, or what was computed from it; None: no site's."""
    is_global: bool


class Log(TypedDict):
    """`log`: metrics, of one step or of the next."""

    step: int | None
    values: dict[str, float]


class Array(TypedDict, total=False):
    """`array`: an array that a function returned, in `file` of the spool."""

    name: str
    file: str
    shape: list[int]
    dtype: str
    split: str
    """Of predictions: the part of the data that they are of."""
    kind: str
    """Of predictions: label, probability, value."""


class Reason(TypedDict):
    """`no-result`: a function returned something that cannot be a result. `not-forked`: a forked run could not go on as a fresh one would."""

    reason: str


class Importing(TypedDict):
    """`importing`: a library is imported inside another's function; the process that forks may import it beforehand."""

    name: str


class Checked(TypedDict, total=False):
    """For `check`. `checked`: what a process saw until its end. Told at once, since a worker may be killed: `made` and `unmade` (a generator
    without a seed), `fact` (something that could make two runs differ), `worker` (a DataLoader worker and its generators)."""

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


class End(TypedDict):
    """`end`: what a process of a run loaded, read and wrote, and its generators."""

    loaded: dict[str, str]
    """The user's source files, with their digests."""
    edited: list[str]
    """Those in which a seed was placed."""
    read: list[str]
    read_more: int
    """How many data files more were read than are named."""
    written: list[str]
    libraries: list[str]
    late_sites: list[dict[str, Any]]
    """Seed sites in files that no import statement led to."""
    path: list[str | int]
    """What sets this process apart from the others of its run; [] for the first."""
    ends: dict[str, str]
    """A digest of each global generator at the end."""
    ledger: list[dict[str, Any]]


class FromForking(TypedDict, total=False):
    """From the process that forks, over its pipe. `ready`: the first lines are through; `imported`, `left`, `dropped`: what was asked to be
    imported; `started`, `ended`: a run."""

    type: Literal["ready", "imported", "left", "dropped", "started", "ended", "gone"]
    pid: int
    root: int
    """The process that the host started."""
    line: int
    """Where the runs go on."""
    why: str
    name: str
    seconds: float
    id: int
    status: int


class ToForking(TypedDict, total=False):
    """To the process that forks: `import` a library, `drop` what was imported so, `fork` a run."""

    type: Literal["import", "drop", "fork"]
    name: str
    id: int
    specification: str
    stdout: str
    stderr: str
    arguments: list[str]
    environment: dict[str, str]


_ELSEWHERE = {
    "Backend": ("randomness.backends.interface", "Backend"),
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
    "names_a_seed": ("sites.names", "names_a_seed"),
    "Placement": ("sites.placement", "Placement"),
    "place_seeds": ("sites.placement", "place_seeds"),
}


def __getattr__(name: str) -> Any:
    # loaded when the host asks for it: a run's process reads this module too, and needs none of these
    if name in _ELSEWHERE:
        from importlib import import_module

        module, there = _ELSEWHERE[name]
        return getattr(import_module("." + module, __package__), there)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
