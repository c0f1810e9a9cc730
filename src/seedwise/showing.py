"""Values that `print` shows as the command line does.

The values stand below everything that could lay them out. So the page is asked for by name, when it is first needed.
"""

from importlib import import_module


class Shown:
    """A value whose `str` is its report, and whose `repr` is one line."""

    def __str__(self) -> str:
        return str(import_module("seedwise.api.printed").text_of(self))
