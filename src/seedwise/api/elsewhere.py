"""Whether a name means an experiment of the store, or a file or folder with scores that were made elsewhere."""

import os

from ..errors import SeedwiseError
from ..experiments.members import members_in
from ..experiments.store import open_store


def is_made_elsewhere(what: str, store: str | None = None) -> bool:
    """Whether `what` is a file, or a folder of a tracker's runs.

    A bare name that an experiment has as well means the experiment; `NAME/` is then the folder.
    """
    if os.path.isfile(what):
        return True
    if not os.path.isdir(what):
        return False
    if os.path.basename(what) != what:  # with a separator
        return True
    try:
        with open_store(store) as opened:
            return not opened.experiments(what) and not members_in(opened, what)
    except SeedwiseError:
        return True  # there is no store
