"""`python -m seedwise.cli`, where the `seedwise` command is not on PATH."""

from . import main

main()
