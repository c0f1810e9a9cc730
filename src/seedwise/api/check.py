"""Does the same seed give the same result? If not: the cause, the line, and a fix that was tried."""

from collections.abc import Callable, Mapping, Sequence

from ..determinism import Check
from ..determinism.case import Say
from ..determinism.changed import SEEDS, WhatChanged, other_way, with_seed
from ..determinism.diagnosis import THOROUGH_RUNS, Examination
from ..determinism.plain import Plain
from ..errors import UsageError
from ..experiments.command import check_command, words_of
from ..experiments.functions import carried, is_call, parse_call
from ..experiments.kernels import sentence_about
from ..experiments.signatures import check_call
from ..reports.steps import steps_shown
from ..sandbox.worlds import private_folder
from ..wording import option


def check(
    function: Callable[..., object],
    seed: int = 0,
    *,
    config: Mapping[str, object] | None = None,
    rtol: float = 1e-4,
    timeout: float = 600.0,
    thorough: bool = False,
    progress: bool | None = None,
    tell: Say | None = None,
) -> Check:
    """Call `function(seed, **config)` in fresh processes, change one thing at a time, and say what changes its result.

    Parameters
    ----------
    function
        Returns the result of one call, as for `run`.
    seed
        The seed of every call. Whether another seed gives another result is checked too.
    config
        Keyword arguments of every call.
    rtol
        Relative difference up to which two numbers count as equal to rounding.
    timeout
        Seconds for each process.
    progress
        Show what is going on. By default on a terminal and in a notebook, unless there is a `tell`; False silences it.
    thorough
        Make 59 plain runs instead of 2 to 5, so that at most one in twenty may still differ (95 %), and longer proofs.
    tell
        Called with a line of text when a new step begins.

    Raises
    ------
    UsageError
        The function cannot be carried into another process.
    ScriptError
        The function fails already when nothing is changed. The message says how it ended.
    """
    if not callable(function):
        raise UsageError(
            f"check() takes a function; for a script there is `seedwise check python train.py`; got {function!r}"
        )
    check_call(function, dict(config or {}))
    with carried(function, dict(config or {}), private_folder()) as call, steps_shown(progress, tell) as say:
        words = [word.replace("{seed}", str(seed)) for word in call.words]
        other = [word.replace("{seed}", str(seed + 1)) for word in call.words]
        return Examination(words, other, rtol, timeout, say, is_function=True, thorough=thorough).run()


def check_script(
    command: str | Sequence[str],
    *,
    seed: int | None = None,
    rtol: float = 1e-4,
    timeout: float = 600.0,
    save_trace: str | None = None,
    against: str | None = None,
    other: str | Sequence[str] = (),
    python: str | None = None,
    measure: int | None = None,
    thorough: bool = False,
    progress: bool | None = None,
    tell: Say | None = None,
) -> Check:
    """As `check`, for an unmodified script as it is typed, or for `FILE.py:FUNCTION` under `seed`.

    Parameters
    ----------
    command
        Words such as `["python", "train.py"]`.
    save_trace
        Write what the first process did to this file, to compare it with another machine or another version of the
        code.
    against
        Such a file. The script is compared with it, not with reruns.
    other, python
        What changed it: hold the command against itself under settings `NAME=VALUE`, against another command, or under
        another interpreter. The answer says where they part, and, over a few seeds, whether the difference is inside the
        spread of seeds.
    measure
        Number of reruns that measure how much spread the uncontrolled source causes; with `other` or `python`, the number
        of seeds under which both are run. None: no reruns, and 5 seeds; 0 for none.
    thorough
        As for `check`.
    """
    command = words_of(command)
    is_function = is_call(command)
    words = list(parse_call(list(command)).words if is_function else check_command(command))
    placed = any("{seed}" in word for word in words)
    if seed is not None and not placed:
        raise UsageError(
            f"{option('--seed')} is for FILE.py:FUNCTION, or where the command takes it as {{seed}}; a script is checked as it is typed"
        )
    number = seed or 0
    way = other_way(words, [other] if isinstance(other, str) else list(other), python)
    if way is not None and against is not None:
        raise UsageError(f"{option('--against')} and {option('--with')}: only one of them")
    second = with_seed(words, number + 1) if placed else None
    with steps_shown(progress, tell) as say:
        about_kernel = sentence_about(command)
        notes = [about_kernel] if about_kernel else []
        examination = Examination(
            with_seed(words, number),
            second,
            rtol,
            timeout,
            say,
            is_function=is_function,
            thorough=thorough,
            notes=notes,
        )
        if way is None:
            return examination.run(save_trace, against, measure or 0)

        def what_changed(plain: Plain, notes: list[str]) -> Check:
            seeds = SEEDS if measure is None else measure
            reruns = THOROUGH_RUNS - 1 if thorough else 1
            return WhatChanged(plain, way, words if placed else None, number, seeds, notes, reruns).answer()

        return examination.run(save_trace, instead=what_changed)
