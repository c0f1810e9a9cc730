"""A choice among a few words, by its name."""

from enum import StrEnum
from typing import TypeVar

from .errors import UsageError
from .typos import did_you_mean, one_of
from .wording import option

Choice = TypeVar("Choice", bound=StrEnum)


def named(choices: type[Choice], name: str, setting: str) -> Choice:
    """The choice of this name. Raises UsageError, which says what `setting` takes, such as `--reduce`."""
    try:
        return choices(name)
    except ValueError:
        raise UsageError(
            f"{option(setting)} is {one_of(choices)}; got {name!r}{did_you_mean(str(name), choices)}"
        ) from None
