"""Parse, call the api, print."""

import signal
import sys
from collections.abc import Sequence

_INTERRUPTED = 130


def main(arguments: Sequence[str] | None = None) -> None:
    """The `seedwise` command."""
    from .start import start

    try:
        status = start(sys.argv[1:] if arguments is None else arguments)
        if status == _INTERRUPTED and arguments is None:
            signal.signal(signal.SIGINT, signal.SIG_IGN)  # one more Ctrl-C changes nothing any more
    except KeyboardInterrupt:
        status = _INTERRUPTED
    sys.exit(status)
