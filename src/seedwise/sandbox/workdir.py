"""The setting `--workdir`: how runs are kept from sharing files."""

from enum import StrEnum

from ..choices import named


class Workdir(StrEnum):
    """How runs are kept from sharing files."""

    AUTO = "auto"
    OVERLAY = "overlay"
    FARM = "farm"
    SEQUENTIAL = "sequential"
    SHARED = "shared"


def workdir_named(name: str) -> Workdir:
    """The `Workdir` of this name. Raises UsageError if there is none."""
    return named(Workdir, name, "--workdir")
