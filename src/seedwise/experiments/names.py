"""What an experiment may be called: its name is typed, and is the name of a folder."""

import re

LONGEST = 100
"""Characters of a name."""

_NAME = re.compile(r"\w[\w.-]*(?: \w+=[\w.,+-]+)*")
"""The name of a script, and behind it the settings of a grid."""


def is_name(text: str) -> bool:
    """Whether an experiment may be called so."""
    return len(text) <= LONGEST and _NAME.fullmatch(text) is not None
