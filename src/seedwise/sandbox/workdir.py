"""The setting `--workdir`: how runs are kept from sharing files."""

from enum import StrEnum

from ..errors import UsageError


class Workdir(StrEnum):
    """How runs are kept from sharing files."""

    AUTO = "auto"
    OVERLAY = "overlay"
    FARM = "farm"
    SEQUENTIAL = "sequential"
    SHARED = "shared"


def workdir_named(name: str) -> Workdir:
    """The `Workdir` of this name. Raises UsageError if there is none."""
    try:
        return Workdir(name)
    except ValueError:
        raise UsageError(f"--workdir is one of {', '.join(Workdir)}; got {name!r}") from None
