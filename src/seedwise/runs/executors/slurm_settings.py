"""What a user may say to Slurm: options of sbatch, and a few of ours."""

import re
from collections.abc import Mapping, Sequence

from ...errors import UsageError
from ...wording import option

OURS: Mapping[str, str] = {
    "setup": "lines of shell that come before the worker: module load python/3.11",
    "python": "the interpreter with Seedwise on the nodes",
    "poll": "seconds between two questions to Slurm (30)",
    "lag": "seconds after which a file that a node wrote is certainly seen here (30)",
}
"""Settings that are no options of sbatch."""
_TAKEN = frozenset(
    "array output error job-name requeue no-requeue open-mode signal chdir wrap parsable input export dependency test-only "
    "wait nodes ntasks hold".split()
)
_NAME = re.compile(r"[a-z][a-z0-9-]*")


def read_settings(texts: str | Sequence[str]) -> dict[str, str]:
    """`partition=gpu,time=6:00:00` as names and values. A comma inside a value stands in a text of its own: `nodelist=a,b`.

    Raises UsageError.
    """
    found: dict[str, str] = {}
    for text in (texts,) if isinstance(texts, str) else texts:
        parts = [part for part in text.split(",") if part.strip()]
        alone = sum("=" in part for part in parts) == 1 and "=" in parts[0]
        for part in [text] if alone else parts:
            name, _, value = part.strip().partition("=")
            found[name.lstrip("-").replace("_", "-")] = value
    return found


def checked(settings: Mapping[str, str]) -> dict[str, str]:
    """The settings, if they can be given to sbatch. Raises UsageError."""
    for name, value in settings.items():
        if not _NAME.fullmatch(name):
            raise UsageError(f"{option('--slurm')} takes options of sbatch, partition=gpu,time=6:00:00; got {name!r}")
        if name in _TAKEN:
            raise UsageError(f"{option('--slurm')}: Seedwise sets {name} itself")
        if name != "setup" and ("\n" in value or (name not in OURS and any(c in value for c in " \"'\\"))):
            raise UsageError(f"{option('--slurm')}: {name} cannot be {value!r}")
        if name in ("poll", "lag"):
            try:
                good = float(value) > 0
            except ValueError:
                good = False
            if not good:
                raise UsageError(f"{option('--slurm')}: {name} is a number of seconds above 0; got {value!r}")
    return dict(settings)


def seconds_of(time: str) -> float | None:
    """Seconds of a time limit as sbatch reads it: minutes, minutes:seconds, hours:minutes:seconds, days-hours, days-hours:minutes …

    None if it has no limit, or cannot be read. Source: the manual of sbatch, --time.
    """
    days, dash, rest = time.rpartition("-")
    parts = rest.split(":")
    if not all(part.isdigit() for part in parts) or (dash and not days.isdigit()) or not 1 <= len(parts) <= 3:
        return None
    numbers = [int(part) for part in parts]
    if dash:
        hours, minutes, seconds = [*numbers, 0, 0][:3]
        return float(((int(days) * 24 + hours) * 60 + minutes) * 60 + seconds)
    if len(numbers) == 1:
        return numbers[0] * 60.0
    if len(numbers) == 2:
        return numbers[0] * 60.0 + numbers[1]
    return (numbers[0] * 60.0 + numbers[1]) * 60 + numbers[2]
