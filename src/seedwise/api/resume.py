"""Does a training that was interrupted, and goes on from its checkpoint, give what it gives uninterrupted?"""

import shlex
from collections.abc import Callable, Mapping, Sequence

from ..determinism.case import Say
from ..determinism.resuming import ResumeExamination, Resuming
from ..errors import UsageError
from ..experiments.command import check_command, words_of
from ..experiments.functions import carried, is_call, parse_call
from ..experiments.signatures import check_call
from ..reports.steps import steps_shown
from ..sandbox.worlds import private_folder
from ..wording import option


def check_resume(
    function: Callable[..., object],
    seed: int = 0,
    *,
    config: Mapping[str, object] | None = None,
    at: int | None = None,
    every: bool = False,
    rtol: float = 1e-4,
    timeout: float = 600.0,
    progress: bool | None = None,
    tell: Say | None = None,
) -> Resuming:
    """Call `function(seed, **config)`, end it after a checkpoint, call it again in the same files, and compare.

    Parameters
    ----------
    function
        A training that writes checkpoints into the working folder, and goes on from one that it finds there.
    seed, config
        Of every call.
    at
        End it after this step of its optimizers (from 1); None: after the checkpoint that lies nearest to its middle.
    every
        End it after every checkpoint, and once by SIGTERM.
    rtol, timeout, progress, tell
        As for `check`.

    Raises
    ------
    UsageError
        The function cannot be carried into another process, or there is no such step.
    ScriptError
        The function fails already when it is not interrupted.
    """
    if not callable(function):
        raise UsageError(
            f"check_resume() takes a function; for a script there is `seedwise check --resume`; got {function!r}"
        )
    check_call(function, dict(config or {}))
    with carried(function, dict(config or {}), private_folder()) as call, steps_shown(progress, tell) as say:
        words = [word.replace("{seed}", str(seed)) for word in call.words]
        return ResumeExamination(words, None, rtol, timeout, say, at=at, every=every).run()


def check_resume_script(
    command: str | Sequence[str],
    *,
    resume_with: str | Sequence[str] | None = None,
    seed: int | None = None,
    at: int | None = None,
    every: bool = False,
    rtol: float = 1e-4,
    timeout: float = 600.0,
    progress: bool | None = None,
    tell: Say | None = None,
) -> Resuming:
    """As `check_resume`, for an unmodified script, or for `FILE.py:FUNCTION` under `seed`.

    Parameters
    ----------
    command
        Words such as `["python", "train.py"]`.
    resume_with
        The command that goes on from a checkpoint, if it is another one: `"python train.py --resume last.ckpt"`.
    seed
        For `FILE.py:FUNCTION`, or for a command that takes it as `{seed}`. A script is checked as it is typed.
    at, every
        As for `check_resume`.
    rtol, timeout, progress, tell
        As for `check`.

    Raises
    ------
    UsageError
        The command is none, `seed` has no place in it, or there is no step `at`.
    ScriptError
        The command fails already when it is not interrupted.
    """
    after = None
    if resume_with is not None:
        after = shlex.split(resume_with) if isinstance(resume_with, str) else list(resume_with)
        if not after:
            raise UsageError(f'{option("--resume-with")} takes a command: "python train.py --resume last.ckpt"')
    words = _words(words_of(command), seed)
    after = None if after is None else _words(words_of(after), seed)
    with steps_shown(progress, tell) as say:
        return ResumeExamination(words, after, rtol, timeout, say, at=at, every=every).run()


def _words(command: Sequence[str], seed: int | None) -> list[str]:
    if is_call(command):
        words = list(parse_call(list(command)).words)
    else:
        words = list(check_command(command))
        if seed is not None and not any("{seed}" in word for word in words):
            raise UsageError(
                f"{option('--seed')} is for FILE.py:FUNCTION, or where the command takes it as {{seed}}; a script is checked as it is typed"
            )
    return [word.replace("{seed}", str(0 if seed is None else seed)) for word in words]
