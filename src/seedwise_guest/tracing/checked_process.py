"""A process that is checked.

Nothing is seeded or substituted. What the plan asks for is changed, held still or recorded.
"""

from __future__ import annotations

import atexit
import os
import sys
from typing import Any

from ..process import spool
from ..process.imports import when_imported
from ..process.launch import is_worker


def enter(plan: dict[str, Any]) -> None:
    """Do what the plan asks for, and report at the end what was seen."""
    from .facts import Facts
    from .identities import watch_identities
    from .interventions import install
    from .observing import Observer
    from .orbax_files import OrbaxFiles
    from .output import keep_output_apart, note_profiles, note_warnings
    from .recording import Recording
    from .tensorflow_files import TensorFlowFiles

    asked: dict[str, Any] = plan["interventions"]
    facts = Facts()
    recording = Recording(asked.get("readings", {}))
    watch_identities()
    install(asked, facts, recording)
    note_warnings()
    note_profiles()
    first = spool.claim("traced")
    keep_output_apart(is_worker())
    observer = Observer(asked, is_child=not first)
    observer.take_hold()
    recorder: Any = None
    if first and plan.get("trace"):
        recorder = _record(plan["trace"])
    lines = _Lines()
    checkpoints = TensorFlowFiles(), OrbaxFiles()
    for kind in checkpoints:
        kind.watch()
    told: set[int] = set()
    started = os.getpid()

    def tell() -> None:
        if os.getpid() in told:
            return
        told.add(os.getpid())
        here = os.getpid() == started
        torch = sys.modules.get("torch")
        if here and torch is not None and hasattr(torch, "cuda") and torch.cuda.is_initialized():
            facts.note("gpu", "cuda")
        facts.stop()
        recording.save()
        spool.send(
            "checked",
            first=first and here,
            ledger=observer.as_dicts(),
            generators=observer.digests(),
            facts=facts.as_dict(),
            trace=recorder.as_dict() if recorder is not None and here else {},
            files=lines.loaded(),
            contents={path: digest for kind in checkpoints for path, digest in kind.digests().items()} if here else {},
        )

    exit_now = os._exit

    def own_exit(status: int) -> Any:
        tell()  # forked processes end here; functions registered with atexit are not called in them
        exit_now(status)

    os._exit = own_exit
    atexit.register(tell)


def _record(trace: dict[str, Any]) -> Any:
    from .steps import Steps

    steps = Steps(trace)
    when_imported("torch.optim", lambda module: steps.watch())
    when_imported("keras.src.callbacks.callback_list", steps.epochs.watch)
    if steps.following is not None:
        steps.following.watch()
    return steps


class _Lines:
    """Which of the user's files were loaded. They are read afterwards."""

    def __init__(self) -> None:
        from ..process.launch import find_script, this_launch

        script = find_script(this_launch())  # Python removes `__file__` from the main module before atexit
        self._script = script.path if script is not None and os.path.isfile(script.path) else None

    def loaded(self) -> list[str]:
        from ..process.frames import is_user_file

        found: set[str] = {self._script} if self._script else set()
        for module in list(sys.modules.values()):
            path = getattr(module, "__file__", None)
            if isinstance(path, str) and path.endswith(".py") and is_user_file(path):
                found.add(os.path.abspath(path))
        return sorted(found)
