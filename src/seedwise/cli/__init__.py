"""Parse, call the api, print."""

import sys
from collections.abc import Sequence


def main(arguments: Sequence[str] | None = None) -> None:
    """The `seedwise` command."""
    from .app import start

    sys.exit(start(sys.argv[1:] if arguments is None else arguments))
