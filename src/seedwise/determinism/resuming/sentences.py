"""The sentences of `check --resume`."""

import re
from collections.abc import Sequence
from pathlib import Path

from ...places import short_place
from ...wording import option
from ..compare import Difference
from ..trace import Trace
from .answer import Resumed, Resuming
from .checkpoints import Checkpoint
from .words import NOT_LOST, Lost


def short_path(path: str) -> str:
    """A path relative to the working folder, if it lies below it."""
    return short_place(f"{path}:1").removesuffix(":1")


_OPTIONS = re.compile(r"""["'](--?[\w-]*(?:resume|restart|ckpt|checkpoint|continue|load|restore)[\w-]*)["']""", re.I)


def sentence_of(found: Resuming) -> str:
    """The verdict, the cause, the lines, the fix."""
    lines = "; ".join(
        text
        for text in (
            f"saved at {found.saved_at}" if found.saved_at else "",
            f"loaded at {found.loaded_at}" if found.loaded_at else "",
        )
        if text
    )
    lines = f" ({lines})" if lines else ""
    if found.verdict is Resumed.IDENTICAL:
        after = f"interrupted after step {found.interrupted_after}" if found.interrupted_after else "interrupted"
        came = (
            f" and resumed from that of {found.unit} {found.resumed_from}"
            if found.resumed_from
            else " and started again"
        )
        how = (
            f"{found.unit} for {found.unit}" if found.resumed_from else "in all that it prints, logs and writes besides"
        )
        return f"{found.verdict}: {after}{came}, the training is the uninterrupted one, {how}{lines}."
    if found.verdict is Resumed.STARTED_ANEW:
        fix = f" To do: {found.fix}." if found.fix else ""
        return f"{found.verdict}: it started anew: {found.cause}{lines}.{fix}"
    where = f" from {found.unit} {found.first_difference} on" if found.first_difference else ""
    start = f"{found.verdict}: the resumed training differs{where}: "
    unproved = "" if found.fix_verified or found.cause == "not found" else "perhaps "
    cause = (
        "what was not restored was not found" if found.cause == "not found" else f"{unproved}{_with_lost(found.cause)}"
    )
    if not found.fix:
        return f"{start}{cause}{lines}."
    proved = (
        "Identical without that file. To do" if found.cause.startswith(Lost.CACHE) else "Identical with this put back"
    )
    proved = proved if found.fix_verified else "Proposed, and not proved from outside"
    return f"{start}{cause}{lines}. {proved}: {found.fix}."


def _with_lost(cause: str) -> str:
    """Which of the causes were not restored, in words."""
    first = cause.startswith(NOT_LOST)
    return cause if first else f"not restored: {cause}"


def none_sentence(first: Trace, found: Sequence[Checkpoint]) -> str:
    """Why there is no checkpoint to go on from."""
    done = int(first.resuming.get("done", 0))
    if not found:
        return "no-checkpoint: the program writes no checkpoint: a run that is interrupted starts anew."
    last = found[-1]
    name, line = short_path(last.paths[-1]), short_place(last.line)
    at = f" at {line}" if line else ""
    if not done:
        return f"no-checkpoint: the program writes {name}{at} once: there is no later point at which it could be interrupted."
    if last.step == 0:
        return (
            f"no-checkpoint: the program writes {name}{at} before its first step only: an interrupted run starts anew."
        )
    return (
        f"no-checkpoint: the program saves only at its end ({name}{at}, after step {last.step} of {done}): "
        "a run that is interrupted before starts anew."
    )


def unsteady_words(difference: Difference) -> str:
    """Two uninterrupted runs differ: first things first."""
    return (
        f"different: two uninterrupted runs differ already ({'; '.join(difference.what)}): "
        "nothing can be said about resuming until they agree. `seedwise check` without --resume finds the cause."
    )


def without_command(files: Sequence[str], checkpoint: str) -> str:
    """What to do if another command goes on from the checkpoint: with the option that the program itself has, if it has one."""
    for path in files:
        try:
            found = _OPTIONS.search(Path(path).read_text(encoding="utf-8", errors="replace"))
        except OSError:
            continue
        if found:
            given = option(f'--resume-with "… {found[1]} {checkpoint}"')
            return f"the program has the option {found[1]}: if that goes on from a checkpoint, say so: {given}"
    given = option('--resume-with "python train.py …"')
    return f"if another command goes on from {checkpoint}, say which: {given}"
