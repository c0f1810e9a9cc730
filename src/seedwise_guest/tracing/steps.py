"""The trace of a training: a digest of all parameters after each optimizer step, and every operation of one step."""

from __future__ import annotations

import os
from typing import Any

from ..process import spool
from .digests import digest
from .epochs import Epochs

_MOST_STEPS = 2_000_000
_MOST_NUMBERS = 20_000_000


class Steps:
    """Digests of all parameters after each step of every torch optimizer.

    Parameters
    ----------
    asked
        `ops`: the step (from 0) of which every operation is recorded; -1 for none.
    """

    def __init__(self, asked: dict[str, Any]) -> None:
        self.digests: list[int] = []
        self.ops_at = int(asked.get("ops", -1))
        self.recorder: Any = None
        self._parameters: dict[int, Any] = {}
        self._done = False
        self.epochs = Epochs()
        self.following: Any = None
        if "resuming" in asked:
            from .resuming.following import Following

            self.following = Following(asked["resuming"])

    def watch(self) -> None:
        """Hook every optimizer. Called when torch.optim has been imported."""
        from torch.optim.optimizer import register_optimizer_step_post_hook

        register_optimizer_step_post_hook(self._after)  # before those of `following`, which may end the process
        if self.ops_at == 0:
            self._begin()

    def _begin(self) -> None:
        from .ops import Recorder

        self.recorder = Recorder()
        self.recorder.start()

    def _after(self, optimizer: Any, args: Any, kwargs: Any) -> None:
        if self.recorder is not None and not self._done:
            self._done = True
            self.recorder.stop()
        if len(self.digests) >= _MOST_STEPS:
            return
        found = 0
        for group in optimizer.param_groups:
            for parameter in group["params"]:
                found = digest(parameter, found)
                self._parameters[id(parameter)] = parameter
        self.digests.append(found)
        if len(self.digests) == self.ops_at and not self._done:
            self._begin()

    def as_dict(self) -> dict[str, Any]:
        """Write the digests and the final parameters into files of the spool.

        If operations were recorded, they get a file too. Returns the names of the files.
        """
        if self.recorder is not None:
            self.recorder.stop()
        place = spool.folder()
        digests = self.digests or self.epochs.digests
        told: dict[str, Any] = {"steps": len(digests), "unit": "step" if self.digests else "epoch"}
        if digests:
            import array

            told["digests"] = "trace-steps.bin"
            with open(os.path.join(place, told["digests"]), "wb") as file:
                file.write(array.array("I", digests).tobytes())
            told["parameters"] = self._dump(place)
        if self.following is not None:
            told.update(self.following.as_dict())
        if self.recorder is not None:
            told["ops"] = self.recorder.write(os.path.join(place, "trace-ops.jsonl"))
        return told

    def _dump(self, place: str) -> str:
        import numpy as np

        if not self.digests:
            np.save(os.path.join(place, "trace-parameters.npy"), self.epochs.parameters())
            return "trace-parameters.npy"
        parts: list[Any] = []
        total = 0
        for parameter in self._parameters.values():
            total += parameter.numel()
            if total > _MOST_NUMBERS:
                parts.clear()  # too many to keep; the distance between two runs is then not known
                break
            parts.append(parameter.detach().to("cpu").double().reshape(-1).numpy().astype(np.float32))
        np.save(
            os.path.join(place, "trace-parameters.npy"), np.concatenate(parts) if parts else np.zeros(0, np.float32)
        )
        return "trace-parameters.npy"
