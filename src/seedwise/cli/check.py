"""`seedwise check`."""

from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated

from cyclopts import Parameter

from .app import Json, app
from .groups import RUNNING
from .printing import print_json, print_page

if TYPE_CHECKING:
    from ..determinism import Check
    from ..determinism.resuming import Resuming
    from ..reports.page import Block

_MEASURE = (
    "Also measure, over so many reruns, the spread that the uncontrolled source causes. With --with or --python: over so "
    "many seeds (5)."
)

_BEGINS_ANEW = "and nothing was kept; the same command begins anew"


@Parameter(name="*")
@dataclass(frozen=True)
class Interrupted:
    """How the program is interrupted, with --resume."""

    resume: Annotated[
        bool,
        Parameter(
            negative=(), show_default=False, help="Instead: end it after a checkpoint, start it again, and compare."
        ),
    ] = False
    resume_with: Annotated[
        str | None, Parameter(help='The command that goes on, if it is another: "python train.py --resume last.ckpt".')
    ] = None
    at: Annotated[int | None, Parameter(help="With --resume: end it after this optimizer step.")] = None
    all_: Annotated[
        bool,
        Parameter(
            name="--all", negative=(), show_default=False, help="With --resume: after every checkpoint, and by SIGTERM."
        ),
    ] = False

    def is_asked(self, others: list[str]) -> bool:
        """Whether the question is `--resume`. Raises UsageError for options that do not go together."""
        from ..errors import UsageError

        if not (self.resume or self.resume_with is not None):
            if self.at is not None or self.all_:
                raise UsageError("--at and --all go with --resume")
            return False
        if others:
            raise UsageError(f"{', '.join(others)}: not together with --resume")
        if self.at is not None and self.at < 2:
            raise UsageError(f"--at is the number of an optimizer step, 2 or more; got {self.at}")
        if self.at is not None and self.all_:
            raise UsageError("--at and --all: only one of them")
        return True


@Parameter(name="*")
@dataclass(frozen=True)
class TwoWays:
    """What the program is held against."""

    with_: Annotated[
        list[str] | None,
        Parameter(
            name="--with",
            negative=(),
            help='What changed it? Hold it against itself with NAME=VALUE in the environment, or against "another command".',
        ),
    ] = None
    python: Annotated[str | None, Parameter(help="The same under another interpreter: other/bin/python.")] = None


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
    measure: Annotated[int | None, Parameter(help=_MEASURE)] = None,
    thorough: Annotated[
        bool,
        Parameter(
            negative=(), show_default=False, help="59 plain runs instead of 2 to 5, and longer proofs: for rare races."
        ),
    ] = False,
    two_ways: TwoWays = TwoWays(),
    interrupted: Interrupted = Interrupted(),
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

    _check_values(command, rtol, timeout, measure)
    given: dict[str, object] = {"--save-trace": save_trace, "--against": against, "--measure": measure}
    given |= {"--thorough": thorough, "--with": two_ways.with_, "--python": two_ways.python}
    if interrupted.is_asked([name for name, value in given.items() if value]):
        return _resume(command, interrupted, seed, rtol, timeout, ledger, json)
    try:
        found = check_script(
            command,
            seed=seed,
            rtol=rtol,
            timeout=timeout,
            save_trace=save_trace,
            against=against,
            other=two_ways.with_ or (),
            python=two_ways.python,
            measure=measure,
            thorough=thorough,
            progress=True,
        )
    except ValueError as error:
        raise UsageError(str(error)) from None
    except KeyboardInterrupt:
        raise KeyboardInterrupt(_BEGINS_ANEW) from None
    return _show(found, page_of_check(found, ledger), json)


def _check_values(command: tuple[str, ...], rtol: float, timeout: float, measure: int | None) -> None:
    from ..errors import UsageError

    if not 0 <= rtol < 1:
        raise UsageError(f"--rtol is 0 or more and below 1; got {rtol}")
    if not timeout > 0:
        raise UsageError(f"--timeout is a number of seconds above 0; got {timeout}")
    if measure and measure < 3:
        raise UsageError(f"--measure takes 3 reruns or more; got {measure}")
    if not command:
        raise UsageError("no command: seedwise check -- python train.py")


def _resume(
    command: tuple[str, ...],
    how: Interrupted,
    seed: int | None,
    rtol: float,
    timeout: float,
    ledger: bool,
    json: bool,
) -> int:
    """`seedwise check --resume`."""
    from ..api.resume import check_resume_script
    from ..errors import UsageError
    from ..reports.resuming import page_of_resuming

    try:
        found = check_resume_script(
            command,
            resume_with=how.resume_with,
            seed=seed,
            at=how.at,
            every=how.all_,
            rtol=rtol,
            timeout=timeout,
            progress=True,
        )
    except ValueError as error:
        raise UsageError(str(error)) from None
    except KeyboardInterrupt:
        raise KeyboardInterrupt(_BEGINS_ANEW) from None
    return _show(found, page_of_resuming(found, ledger), json)


def _show(found: "Check | Resuming", page: "list[Block]", json: bool) -> int:
    """Print an answer. Returns the exit code: 0 if it is good, else 1."""
    if json:
        print_json(found.as_dict())
    else:
        print_page(page)
    return 0 if found.ok else 1
