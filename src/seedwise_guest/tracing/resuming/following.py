"""Follows a training from step to step: what goes in, what its parts are, where it is ended, and where it goes on."""

from __future__ import annotations

import json
import os
import pickle
import signal
import sys
from contextlib import suppress
from typing import Any, Callable
from zlib import crc32

from ...process import spool
from ...process.imports import when_imported
from ...randomness.backends import all_backends
from ..compiling import put as put_in_place
from ..digests import digest
from ..names import RESUMING, STATE
from . import making, state
from .draws import watch_draws
from .files import CheckpointFiles
from .inputs import Inputs
from .lines import LinesAfter
from .order import Order
from .variables import generators, of_keras_optimizer, variables

_MOST_STEPS = 200_000
_MOST_ENTRIES = 40
_FRAMEWORKS = (
    "lightning",
    "pytorch_lightning",
    "transformers",
    "accelerate",
    "keras",
    "skorch",
    "ignite",
    "orbax",
    "flax",
)


OF_KERAS = "optimizer of Keras"


class Following:
    """What `check --resume` asks of a process.

    Parameters
    ----------
    asked
        `end_after`: end the process after so many steps. `end_before_write`: before the so-many-th writing of a
        checkpoint. `signal`: by which signal. `at_step`: where the state is taken, in steps done. `after_writes`: how many
        writings come before that. `resumed`: whether this process goes on from a checkpoint, and `files`: of which files.
        `complete`: only when these files are closed. `put`: the parts that are put back. `skips`: whether the program itself passes over the data that it had; `ahead`: how many batches its loader is ahead.
    """

    def __init__(self, asked: dict[str, Any]) -> None:
        self.asked = asked
        self.resumed = bool(asked.get("resumed"))
        self.done = 0
        self.files = CheckpointFiles(asked.get("files", []), self._writes, self._reads)
        self.order = Order(lambda where: self._may_enter(f"pass {where}"))
        self._backends = all_backends()
        self._armed = False
        self._busy = False
        self._inputs = Inputs()
        self._told: dict[str, Any] = {}
        self._batches: list[list[int | None]] = []
        self._rates: list[str] = []
        self._moments: list[int] = []
        self._at_mark: dict[str, object] = {}
        """Generator → a digest of it where the checkpoint is written."""
        self._moved: set[str] = set()
        """The global generators that are drawn from, or seeded, between this point and the end."""
        self._start: int | None = None
        self._given: dict[str, Any] | None = None
        self._is_unreadable = False
        self._taken: dict[str, Any] = {}
        self._optimizers: list[Any] = []
        self._schedules: list[Any] = []
        self._earlier: tuple[Any, ...] | None = None
        """Steps that were done before the checkpoint was read, and what was seen of them."""
        self._pending: dict[int, int | None] = {}
        """Of the uninterrupted training: what has gone in since the last step, where the checkpoint is written."""
        self._mark: dict[str, Any] = {}
        self._entries: dict[str, dict[str, Any]] = {}
        self._restored: set[str] = set()
        """Of a resumed training: the global generators that it has put where they were when the checkpoint was written."""
        self._seeded: dict[str, dict[str, tuple[str, int]]] = {}
        """Generator → the line that gives it a seed → the seed, and how often it was this one."""
        self._order = {} if not self.resumed else self._given_order()
        self._lines: LinesAfter | None = None if self.resumed else LinesAfter()

    def watch(self) -> None:
        """Begin."""
        self.files.watch()
        watch_draws(self._may_enter, self._applies, self._gets_seed)
        when_imported("torch", self._torch)
        when_imported("torch.utils.data.dataloader", self.order.watch)
        when_imported("keras.src.callbacks.callback_list", self._keras)

    # --- hooks ------------------------------------------------------------------------------------------------------

    def _torch(self, module: Any) -> None:
        from torch.nn import Module
        from torch.optim.lr_scheduler import LRScheduler
        from torch.optim.optimizer import (
            Optimizer,
            register_optimizer_step_post_hook,
            register_optimizer_step_pre_hook,
        )

        scalers = [module.amp.GradScaler] if hasattr(module.amp, "GradScaler") else []  # from torch 2.3 on
        making.watch(Module, Optimizer, LRScheduler, *scalers)
        register_optimizer_step_pre_hook(self._before_step)
        register_optimizer_step_post_hook(self._after_step)
        original = Module.__call__
        inside = [False]

        def own(this: Any, *args: Any, **kwargs: Any) -> Any:
            if inside[0]:
                return original(this, *args, **kwargs)
            inside[0] = True
            try:
                if not (module.is_grad_enabled() and getattr(this, "training", False)):
                    return original(this, *args, **kwargs)
                self._may_enter("model")
                self._inputs.go_in((args, kwargs))
                result = original(this, *args, **kwargs)
                self._inputs.came_out(result)
                return result
            finally:
                inside[0] = False

        put_in_place(Module, "__call__", own)

    def _keras(self, module: Any) -> None:
        owner = module.CallbackList
        ended, began, epoch = owner.on_train_batch_end, owner.on_train_batch_begin, owner.on_epoch_begin

        def own_begin(this: Any, *args: Any, **kwargs: Any) -> Any:
            model = getattr(this, "_model", None)
            if not self._moments and not self.done and self._start is None and model is not None:
                self._start = 0
                for weights in model.get_weights():
                    self._start = crc32(weights.tobytes(), self._start)
            if not self._moments:
                callbacks = list(getattr(this, "callbacks", ()))
                self._before(
                    sys._getframe(1),
                    lambda: {"callbacks": callbacks, OF_KERAS: of_keras_optimizer(getattr(model, "optimizer", None))},
                )
            return began(this, *args, **kwargs)

        def own_epoch(this: Any, *args: Any, **kwargs: Any) -> Any:
            found = epoch(this, *args, **kwargs)
            if not self._moments and len(self._rates) < _MOST_STEPS:
                with suppress(AttributeError, TypeError, ValueError, RuntimeError):  # an optimizer without a rate
                    self._rates.append(repr([float(this._model.optimizer.learning_rate)]))
            return found

        def own_end(this: Any, *args: Any, **kwargs: Any) -> Any:
            found = ended(this, *args, **kwargs)
            if not self._moments:
                self._after()
            return found

        owner.on_train_batch_end, owner.on_train_batch_begin, owner.on_epoch_begin = own_end, own_begin, own_epoch

    def _before_step(self, optimizer: Any, args: Any, kwargs: Any) -> None:
        if not self.done and self._start is None:
            self._start = 0
            for group in optimizer.param_groups:
                for parameter in group["params"]:
                    self._start = digest(parameter, self._start)
        self._may_enter("step")
        if self.resumed and not self.done:
            self._look_at_optimizer_again()
        self._before(sys._getframe(1))

    def _look_at_optimizer_again(self) -> None:
        """What an optimizer holds acts in its first step; some frameworks put it back right before."""
        differs, given = self._told.get("differs", {}), self._given_state() or {}
        if state.OPTIMIZER not in differs or state.OPTIMIZER not in given:
            return
        with suppress(Exception):  # the program itself must go on
            if not state.differences({state.OPTIMIZER: given[state.OPTIMIZER]}, state.take({}, [])):
                del differs[state.OPTIMIZER]

    def _after_step(self, optimizer: Any, args: Any, kwargs: Any) -> None:
        if len(self._moments) < _MOST_STEPS:
            found = 0
            for group in optimizer.param_groups:
                for parameter in group["params"]:
                    for value in optimizer.state.get(parameter, {}).values():
                        found = digest(value, found) if hasattr(value, "detach") else crc32(repr(value).encode(), found)
            self._moments.append(found)
            self._rates.append(repr([float(g["lr"]) for g in optimizer.param_groups if "lr" in g]))
            self._batches.append(self._inputs.take())
            self._note_moved()
        self._inputs.since = {}
        self.order.training = self.order.last
        self._after()

    def _note_moved(self) -> None:
        for backend in self._known_backends() if self._at_mark else ():
            if backend.generator not in self._moved and backend.digest() != self._at_mark.get(backend.generator):
                self._moved.add(backend.generator)

    def _known_backends(self) -> list[Any]:
        return [b for b in self._backends if b.name in ("random", "numpy", "torch") and b.module in sys.modules]

    # --- where it is ended, and where it goes on ----------------------------------------------------------------------

    def _writes(self, before: int) -> int:
        limit = self.asked.get("end_before_write")
        if limit is not None and before >= limit:
            self._end()
        if before + 1 == self.asked.get("after_writes"):
            self._armed = True
            self._mark = self.order.mark()
            self._take_now()
            if self._lines is not None and not self._has_steps():
                self._lines.begin(sys._getframe(1))
        return self.done

    def _reads(self) -> int:
        if self.resumed and self._moments and len(self.files.reads) == 1 and self._earlier is None:
            self._begins_now()
        self._applies()
        if self.resumed and not self._has_steps():
            given = self._given_state() or {}
            self._lines = self._lines or LinesAfter(frozenset(given.get("lines", ())))
            self._lines.begin(sys._getframe(1))
        return self.done

    def _begins_now(self) -> None:
        """The first checkpoint is read after some steps: those were made before, as a pretraining is, and do not count."""
        seen = (self.done, self._start, self._moments, self._rates, self._batches)
        self._earlier = (seen, dict(self._told))
        self.done, self._start = 0, None
        for name in ("variables", "output", "delivered", "pass"):
            self._told.pop(name, None)
        self._moments, self._rates, self._batches = [], [], []

    def _begun_before(self) -> int:
        """How many steps do not count. If none came after the checkpoint was read, it was read for something else."""
        if self._earlier is None:
            return 0
        seen, told = self._earlier
        if self.done:
            return int(seen[0])
        self.done, self._start, self._moments, self._rates, self._batches = seen
        self._told = {**told, **self._told}
        return 0

    def _applies(self) -> None:
        if not self.resumed or self.done or self._busy or not self.files.reads:
            return
        self._armed = True
        self._busy = True
        try:
            given = self._given_state()
            if given is not None:
                saved, here = given[state.GENERATORS], state.generators_now(self._known_backends())
                self._restored |= {name for name in saved if name in here and state.same(saved[name], here[name])}
                if state.OWN in self.asked.get("put", ()):
                    state.put(state.OWN, given, generators(sys._getframe(1)), [])
        except Exception as error:  # noqa: BLE001 (the program itself must go on)
            self._told["fault"] = f"{type(error).__name__}: {error}"
        finally:
            self._busy = False

    def _gets_seed(self, generator: str, where: str, seed: str) -> None:
        if not self._busy and self.done:
            lines = self._seeded.setdefault(generator, {})
            known, times = lines.get(where, (seed, 0))
            lines[where] = (known, times + (known == seed))

    def _take_now(self) -> None:
        """The uninterrupted training: its state where the checkpoint is written."""
        self._busy = True
        try:
            self._taken = state.take(generators(sys._getframe(1)), self._known_backends())
            if not self._inputs.since:
                self._taken.pop(state.GRADIENTS, None)  # those of the last step, which the next one begins by clearing
            self._pending = dict(self._inputs.since)
            self._at_mark = {backend.generator: backend.digest() for backend in self._known_backends()}
            if state.RATES in self._taken:
                objects = state.Objects()
                self._optimizers, self._schedules = objects.optimizers, objects.schedules
        except Exception as error:  # noqa: BLE001 (the program itself must go on)
            self._told["fault"] = f"{type(error).__name__}: {error}"
        finally:
            self._busy = False

    def _may_enter(self, what: str) -> None:
        """Something that a training does. The first time after a checkpoint was written or read, it goes on from here."""
        if not self._armed or self._busy:
            return
        self._busy = True
        try:
            if self.resumed and self.done:
                self._armed = False
            elif self.resumed:
                self._armed = not self._enters(what)
                self._without_steps(sys._getframe(1))
            elif self.done > self.asked.get("at_step", 0) or len(self._entries) >= _MOST_ENTRIES:
                self._armed = False
            elif what not in self._entries:
                self._entries[what] = {
                    state.GENERATORS: state.generators_now(self._known_backends()),
                    # the program may set them for each epoch
                    state.RATES: state.rates_of(self._optimizers),
                    state.SCHEDULE: state.schedules_of(self._schedules),
                    "digests": state.digests_now(),
                }
                self._without_steps(sys._getframe(1))
        except Exception as error:  # noqa: BLE001 (the program itself must go on)
            self._armed = False
            self._told["fault"] = f"{type(error).__name__}: {error}"
        finally:
            self._busy = False

    def _enters(self, what: str) -> bool:
        """The resumed training goes on, it seems. Returns whether the uninterrupted one did this too at this point.

        What only the resumed one does, such as an evaluation after the checkpoint was read, moves the generators.
        """
        given = self._given_state()
        if given is None:
            return True
        entries = given.get("entries", {})
        is_known = what in entries or not entries
        here = state.generators_now(self._known_backends())
        if not self._told.get("between"):
            self._enter(what, dict(given))
        elif is_known:
            self._put_generators({**given, **entries[what]})
        if not is_known:
            self._told.setdefault("between", []).append(what)
        else:
            self._told["first_there"] = next(iter(entries), what)
            self._told["drawn_between"] = self._moved_between(given, what, here)
        return is_known

    def _moved_between(self, given: dict[str, Any], what: str, here: dict[str, Any]) -> dict[str, str]:
        """Which generators were drawn from between the saving and this point, and by which of the two programs."""
        saved, found = given[state.GENERATORS], {}
        there = given.get("entries", {}).get(what, {}).get(state.GENERATORS, saved)
        for name in saved:
            if name not in here or name not in there or state.same(here[name], there[name]):
                continue
            if name in self._restored and not state.same(here[name], saved[name]):
                found[name] = "resumed"
            elif name in self._restored:
                found[name] = "uninterrupted"
        return found

    def _enter(self, what: str, given: dict[str, Any]) -> None:
        """Compare the state with that of the uninterrupted training, and put parts back."""
        self._told["entry"] = what
        given.update(given.pop("entries", {}).get(what, {}))
        there = given.pop("digests", {})
        self._inputs.since = given.pop("pending", {})  # so that the same data give the same digest
        if not self._told.get("differs"):
            here = state.digests_now()
            same = [part for part in there if there[part] == here.get(part)]  # by now, if not when it was written
            found = state.differences(given, state.take({}, self._known_backends()))
            self._told["differs"] = {part: places for part, places in found.items() if part not in same}
        self._told["lost"] = [
            part
            for part in ("buffers", "copies")
            if part in self._told["differs"] and part not in self.asked.get("put", ())
        ]
        for part in self.asked.get("put", ()):
            if part not in ("order", state.OWN):
                state.put(part, given, {}, self._known_backends())
        if "order" in self.asked.get("put", ()) and self._order:
            key = self._order["key"]
            self.order.replay[key] = [list(p) for p in self._order["passes"]]

    def _put_generators(self, given: dict[str, Any]) -> None:
        """The same for generators alone, where others than the training have drawn from them since."""
        there, here = given[state.GENERATORS], state.generators_now(self._known_backends())
        found = [name for name in there if name in here and not state.same(there[name], here[name])]
        names = self._told["differs"].get(state.GENERATORS, [])
        self._told["differs"][state.GENERATORS] = list(dict.fromkeys([*names, *found]))
        for part in self.asked.get("put", ()):
            if part.startswith(state.GENERATORS):
                state.put(part, given, {}, self._known_backends())

    def _given_state(self) -> dict[str, Any] | None:
        path = os.path.join(spool.folder(), STATE)
        if self._given is None and not self._is_unreadable and os.path.exists(path):
            try:
                with open(path, "rb") as file:
                    self._given = pickle.load(file)
            except Exception as error:  # noqa: BLE001 (the program itself must go on)
                self._is_unreadable = True
                self._told["fault"] = f"{type(error).__name__}: {error}"
        return self._given

    def _given_order(self) -> dict[str, Any]:
        path = os.path.join(spool.folder(), f"{STATE}.json")
        if not os.path.exists(path):
            return {}
        with open(path, encoding="utf-8") as file:
            order: dict[str, Any] = json.load(file).get("order", {})
        if not order:
            return {}
        had = 0 if self.asked.get("skips") else max(0, order["delivered"] - int(self.asked.get("ahead", 0)))
        rest = order["whole"][had:]
        order["passes"] = ([] if order["ended"] else [rest]) + order["later"]
        return order

    def _without_steps(self, frame: Any) -> None:
        """The variables of a program that has no optimizer: where it first draws after the checkpoint."""
        if not self._moments and not self._has_steps():
            self._told.setdefault("variables", variables(frame, {}))

    def _has_steps(self) -> bool:
        """Whether steps are seen, of torch's optimizers or Keras' `fit`; of a resumed program: whether the uninterrupted one had any."""
        given = self._given_state() if self.resumed else None
        return bool(self.done if given is None else given["has_steps"])

    def _before(self, frame: Any, known: Callable[[], dict[str, Any]] = dict) -> None:
        if self.done == (0 if self.resumed else self.asked.get("at_step", -1)) and "variables" not in self._told:
            try:
                self._told["variables"] = variables(frame, known())
            except Exception as error:  # noqa: BLE001 (the program itself must go on)
                self._told["variables"] = {}
                self._told["fault"] = f"{type(error).__name__}: {error}"
            self._told["output"] = _position()
            self._told["delivered"] = self.order.last.delivered if self.order.last is not None else None
            self._told["pass"] = self.order.last.where if self.order.last is not None else ""

    def _after(self) -> None:
        self.done += 1
        limit = self.asked.get("end_after")
        if limit is not None and self.done >= limit and not self.files.any_open(self.asked.get("complete", [])):
            self._end()

    def _end(self) -> None:
        with suppress(OSError, ValueError, AttributeError):
            sys.stdout.flush()  # so that it is known what was printed until here
        spool.send("interrupted", step=self.done)
        os.kill(os.getpid(), int(self.asked.get("signal", signal.SIGKILL)))
        self.asked = {**self.asked, "end_after": None, "end_before_write": None}  # it may go on to save itself

    # --- what is told -------------------------------------------------------------------------------------------------

    def as_dict(self) -> dict[str, Any]:
        """Write what was seen into files of the spool. Returns the name of the one for the host."""
        self._busy = True
        place = spool.folder()
        before = self._begun_before()
        told = {
            **self._told,
            "before": before,
            "done": self.done,
            "writes": self.files.writes,
            "reads": self.files.reads,
            "start": self._start,
            "batches": self._batches,
            "rates": self._rates,
            "moments": self._moments,
            "frameworks": [name for name in _FRAMEWORKS if name in sys.modules],
            "lines": self._lines.seen if self._lines is not None else {},
            "seeded": {g: {where: times for where, (_, times) in lines.items()} for g, lines in self._seeded.items()},
            "passes": [[p.where, p.delivered] for p in self.order.passes[:50]],
        }
        if self._taken:
            told["large"] = bool(self._taken.get("large"))
            self._note_moved()
            told["moved"] = sorted(self._moved)
            with open(os.path.join(place, STATE), "wb") as file:
                lines = list(self._lines.seen) if self._lines is not None else []
                more = {"pending": self._pending, "lines": lines, "has_steps": self._has_steps()}
                pickle.dump({**self._taken, "entries": self._entries, **more}, file)
        if self._mark:
            with open(os.path.join(place, f"{STATE}.json"), "w", encoding="utf-8") as file:
                json.dump({"order": self.order.since(self._mark)}, file, default=_number)
        with open(os.path.join(place, RESUMING), "w", encoding="utf-8") as file:
            json.dump(told, file, default=str)
        return {"resuming": RESUMING}


def _number(value: Any) -> Any:
    return value.item() if hasattr(value, "item") else str(value)


def _position() -> int:
    """How many bytes of output there are until here; -1 if that is not known."""
    try:
        sys.stdout.flush()
        return os.fstat(1).st_size
    except (OSError, ValueError, AttributeError):
        return -1
