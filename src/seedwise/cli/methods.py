"""`seedwise report --methods`: what a paper has to say of its runs."""

import os
import sys
from collections.abc import Sequence

from .drawn import Where
from .printing import print_json, write_file


def print_methods(
    names: Sequence[str], metric: Sequence[str], where: Where, output: str | None, json: bool, store: str | None
) -> int:
    """Print paragraph, table and answers, or write them to a file as its ending says."""
    from ..api.methods import methods_of
    from ..errors import UsageError
    from ..experiments.members import expanded
    from ..reports.formats import Format, format_of, written
    from ..reports.methods import methods_written
    from ..reports.screen import screen_of

    files = [name for name in names if os.path.isfile(name)]
    if files:
        raise UsageError(f"{files[0]} is a file: --methods reads what was run from the store")
    format = None if output is None else format_of(output)
    if format is Format.CSV:
        raise UsageError("a paragraph is no table: --methods writes .tex, .md, .txt or .json")
    found = methods_of(expanded(names, store), metric=metric, level=where.level, rng=where.rng, store=store)
    if output is not None and format is not None:
        text = written(format, (), found.as_dict()) if format is Format.JSON else methods_written(found, format)
        write_file(output, text)
    if json:
        print_json(found.as_dict())
    else:
        sys.stdout.write(methods_written(found, Format.TEXT, screen_of(sys.stdout)))
    return 0
