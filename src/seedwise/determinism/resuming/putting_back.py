"""The proof: what was lost is put back from the uninterrupted training, all of it, and then all but one."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

from ..finding import Outcome, Tried
from ..trace import Trace
from .lost import Suspect
from .running import Continuing, Interrupted
from .words import Lost


@dataclass(frozen=True)
class Proof:
    """What is needed.

    `proved`: with it, the resumed training is the uninterrupted one; without any one of it, it is not.
    """

    causes: list[Suspect]
    proved: bool
    tried: list[Tried] = field(default_factory=list)


class Prover:
    """Goes on from what an interrupted program left, with parts of the state put back.

    Parameters
    ----------
    left, files
        What the interrupted program left, and the paths of its checkpoints.
    skips
        Whether the program itself passes over the data that it had before.
    """

    def __init__(
        self, running: Continuing, left: Interrupted, files: list[str], skips: bool, tell: Callable[[str], None]
    ) -> None:
        self._running, self._left, self._files, self._skips, self._tell = running, left, files, skips, tell
        self._ahead = 0

    def prove(
        self,
        suspects: Sequence[Suspect],
        same: Callable[[Trace], bool],
        first_step: Callable[[Trace], int | None],
        before: int | None,
    ) -> Proof:
        """Put all back; if that is enough, leave them out one by one, as long as it still is."""
        kept = [s for s in suspects if s.part]
        if not kept:
            return Proof(list(suspects), False)
        tried: list[Tried] = []
        trace = self._with(kept, tried, same)
        if not same(trace) and any(s.lost is Lost.POSITION for s in kept):
            self._ahead, first = 1, trace  # some loaders (accelerate's) take a batch before the last one is used
            trace = self._with(kept, tried, same)
            if not same(trace) and (first_step(trace) or 0) <= (first_step(first) or 0):
                self._ahead, trace = 0, first
        enough = same
        if not same(trace):
            later = first_step(trace)
            if trace.failed or before is None or later is not None:
                helped = not trace.failed and before is not None and later is not None and later > before
                return Proof(list(suspects) if helped else [s for s in suspects if not s.part], False, tried)

            def enough(other: Trace) -> bool:  # every step is the same now; what else differs has another cause
                return not other.failed and first_step(other) is None and not other.resuming.get("lost")

        for suspect in reversed(list(kept)):  # the order of the data may follow from a generator
            rest = [s for s in kept if s is not suspect]
            if rest and enough(self._with(rest, tried, enough)):
                kept = rest
        return Proof(kept, enough is same, tried)

    def _with(self, parts: Sequence[Suspect], tried: list[Tried], same: Callable[[Trace], bool]) -> Trace:
        names = ", ".join(s.text if s.part.startswith("generators") else str(s.lost) for s in parts)
        self._tell(f"put back: {names}")
        asked: dict[str, Any] = {
            "files": self._files,
            "put": [name for s in parts for name in s.part.split("+")],
            "skips": self._skips,
        }
        asked["ahead"] = self._ahead
        trace = self._running.go_on(self._left, asked)
        outcome = Outcome.NOT_TRIED if trace.failed else Outcome.SAME if same(trace) else Outcome.DIFFERENT
        tried.append(Tried(f"put back: {names}", outcome, trace.failed))
        return trace
