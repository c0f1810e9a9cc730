"""`seedwise check`."""

import sys
from typing import Annotated

from cyclopts import Parameter

from .app import Json, app
from .groups import RUNNING
from .printing import print_json, print_page


@app.command(group=RUNNING)
def check(
    *command: Annotated[
        str, Parameter(help="The command, with or without -- before it: python train.py; or FILE.py:FUNCTION.")
    ],
    seed: Annotated[int | None, Parameter(help="For FILE.py:FUNCTION, or {seed} in the command.")] = None,
    rtol: Annotated[
        float, Parameter(help="Relative difference up to which numbers count as equal to rounding.")
    ] = 1e-4,
    timeout: Annotated[float, Parameter(help="Seconds for each process.")] = 600.0,
    save_trace: Annotated[str | None, Parameter(help="Keep what the first process did, in this file.")] = None,
    against: Annotated[
        str | None, Parameter(help="Compare with such a file: another machine, another version of the code.")
    ] = None,
    measure: Annotated[
        int, Parameter(help="Also measure, over so many reruns, the spread that the uncontrolled source causes.")
    ] = 0,
    ledger: Annotated[bool, Parameter(negative=(), show_default=False, help="Print every random generator.")] = False,
    json: Json = False,
) -> int:
    """Same seed, same result? If not: the cause, the line, and a fix that was tried.

    seedwise check -- python train.py

    The script runs as it is typed, in fresh processes with private files; one thing at a time is changed or held still.
    """
    from ..api.check import check_script
    from ..errors import UsageError
    from ..reports.check import page_of_check

    if not 0 <= rtol < 1:
        raise UsageError(f"--rtol is 0 or more and below 1; got {rtol}")
    if not timeout > 0:
        raise UsageError(f"--timeout is a number of seconds above 0; got {timeout}")
    if measure and measure < 3:
        raise UsageError(f"--measure takes 3 reruns or more; got {measure}")
    if not command:
        raise UsageError("no command: seedwise check -- python train.py")
    try:
        found = check_script(
            command,
            seed=seed,
            rtol=rtol,
            timeout=timeout,
            save_trace=save_trace,
            against=against,
            measure=measure,
            tell=_say,
        )
    except ValueError as error:
        raise UsageError(str(error)) from None
    if json:
        print_json(found.as_dict())
    else:
        _say_done()
        print_page(page_of_check(found, ledger))
    return 0 if found.ok else 1


def _say(text: str) -> None:
    if sys.stderr.isatty():
        print(f"\r\033[2K{text} …", end="", file=sys.stderr, flush=True)


def _say_done() -> None:
    if sys.stderr.isatty():
        print("\r\033[2K", end="", file=sys.stderr)
