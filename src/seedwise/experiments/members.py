"""Which experiments a name stands for: one, or all settings of a family."""

import os
from collections.abc import Iterable

from ..errors import SeedwiseError
from .grids import family_named, is_confirmation
from .store import Store, open_store


def members_of(name: str, store: str | None = None) -> list[str]:
    """The names of the experiments in a family; [] for the name of one experiment, or of none."""
    try:
        with open_store(store) as opened:
            return members_in(opened, name)
    except SeedwiseError:
        return []


def members_in(store: Store, name: str) -> list[str]:
    """The same, from an open store."""
    return family_named(name, (experiment.name for experiment in store.experiments()))


def expanded(sides: Iterable[str], store: str | None) -> tuple[str, ...]:
    """Each family in a list of names replaced by its settings; files and single experiments stay.

    The fresh seeds that confirmed the best setting are compared with nothing: they are of one setting alone.
    """
    found: list[str] = []
    for side in sides:
        members = [] if os.path.exists(side) and os.path.basename(side) != side else members_of(side, store)
        members = [] if os.path.isfile(side) else members
        found += [member for member in members if not is_confirmation(member)] or [side]
    return tuple(found)
