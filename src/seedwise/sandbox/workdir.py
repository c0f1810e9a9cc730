"""The setting `--workdir`: how runs are kept from sharing files."""

from enum import StrEnum

from ..errors import UsageError
from ..typos import did_you_mean, one_of
from ..wording import option


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
        raise UsageError(
            f"{option('--workdir')} is {one_of(Workdir)}; got {name!r}{did_you_mean(str(name), Workdir)}"
        ) from None
