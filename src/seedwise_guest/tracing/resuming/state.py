"""The state of a torch training: taken, compared with another process's, and put back, one part at a time."""

from __future__ import annotations

import gc
import sys
from typing import Any
from zlib import crc32

from ..digests import digest
from . import making

PARAMETERS, OPTIMIZER, RATES, SCHEDULE = "parameters", "optimizer", "rates", "schedule"
SCALER, BUFFERS, COPIES = "scaler", "buffers", "copies"
GRADIENTS, TRAINED, GROUPS = "gradients", "trained", "groups"
GENERATORS, OWN = "generators", "own generators"
COMPARED = (GROUPS, PARAMETERS, OPTIMIZER, RATES, SCHEDULE, SCALER, BUFFERS, COPIES, GRADIENTS, TRAINED, GENERATORS)
_WRAPPERS = ("accelerate", "lightning", "pytorch_lightning", "lightning_fabric")
_MOST_BYTES = 2**30
_PLAIN = (bool, int, float, str, type(None))


class Objects:
    """The optimizers, schedules, scalers and models that are alive, each kind in the order in which it was made."""

    def __init__(self) -> None:
        import torch

        optimizer, module = torch.optim.Optimizer, torch.nn.Module
        schedule, scaler = torch.optim.lr_scheduler.LRScheduler, torch.amp.GradScaler
        self.optimizers: list[Any] = []
        self.schedules: list[Any] = []
        self.scalers: list[Any] = []
        modules: list[Any] = []
        gc.collect()
        for one in gc.get_objects():
            of = type(one)
            if str(of.__module__).partition(".")[0] in _WRAPPERS:
                continue
            for kind, into in ((module, modules), (optimizer, self.optimizers), (schedule, self.schedules)):
                if issubclass(of, kind):
                    into.append(one)
            if issubclass(of, scaler):
                self.scalers.append(one)
        self.optimizers = [o for o in making.in_order(self.optimizers) if getattr(o, "param_groups", None)]
        self.schedules, self.scalers = making.in_order(self.schedules), making.in_order(self.scalers)
        self.trained = {id(p) for o in self.optimizers for g in o.param_groups for p in g["params"]}
        inner = {id(child) for one in modules for child in vars(one).get("_modules", {}).values()}
        outer = [one for one in modules if id(one) not in inner and "_parameters" in vars(one)]
        self.models = [one for one in making.in_order(outer) if not _is_of_keras(type(one))]

    def parameters(self) -> list[Any]:
        return [p for o in self.optimizers for g in o.param_groups for p in g["params"]]

    def by_name(self) -> dict[str, Any]:
        """What is trained, by the name that a model has for it; by its place where it has none."""
        names = {id(p): name for name, p in reversed(self.all_parameters().items())}
        return {names.get(id(p), str(k)): p for k, p in enumerate(self.parameters())}

    def groups(self) -> list[list[list[str]]]:
        """The names of the parameters in each group of each optimizer; where no model has a name for one, nothing."""
        names = {id(p): name for name, p in reversed(self.all_parameters().items())}
        return [[[names.get(id(p), "") for p in g["params"]] for g in o.param_groups] for o in self.optimizers]

    def all_parameters(self) -> dict[str, Any]:
        """Every parameter of every model, by its name."""
        return {f"{label}: {name}": p for label, model in self._labelled() for name, p in model.named_parameters()}

    def _labelled(self) -> list[tuple[str, Any]]:
        """The models, each with its class and its number among those of this class."""
        counts: dict[str, int] = {}
        found = []
        for model in self.models:
            of = type(model).__name__
            counts[of] = counts.get(of, 0) + 1
            found.append((f"{of} {counts[of]}", model))
        return found

    def named(self, kind: str) -> dict[str, Any]:
        """The buffers of what is trained; or the parameters that no optimizer has, and the buffers of models of such alone."""
        found: dict[str, Any] = {}
        for label, model in self._labelled():
            parameters = dict(model.named_parameters())
            is_trained = any(id(p) in self.trained for p in parameters.values())
            each = {} if kind == BUFFERS else {n: p for n, p in parameters.items() if id(p) not in self.trained}
            each.update(model.named_buffers() if is_trained == (kind == BUFFERS) else ())
            for name, tensor in each.items():
                if tensor is not None:
                    found[f"{label}: {name}"] = tensor
        return found


def _is_of_keras(of: type) -> bool:
    """Whether it is a model or layer of Keras: with torch below, it is a module too, and no optimizer of torch trains it."""
    return "keras" in sys.modules and any(str(base.__module__).startswith("keras.") for base in of.__mro__)


def take(own: dict[str, Any], backends: list[Any]) -> dict[str, Any]:
    """A copy of the state. Empty parts where there is no torch; without large parts if it is above a gigabyte."""
    found: dict[str, Any] = {GENERATORS: generators_now(backends), OWN: {k: own_state(g) for k, g in own.items()}}
    if "torch.optim" not in sys.modules:
        return found
    objects = Objects()
    if sum(p.numel() * p.element_size() for p in objects.parameters()) > _MOST_BYTES:
        found["large"] = True
        return found
    found.update(_torch_state(objects))
    return _copy(found)  # type: ignore[no-any-return]


def rates_of(optimizers: list[Any]) -> list[Any]:
    """The settings of each group of parameters: rate, momentum, decay."""
    return [[_copy({k: v for k, v in g.items() if k != "params"}) for g in o.param_groups] for o in optimizers]


def schedules_of(schedules: list[Any]) -> list[Any]:
    """What each schedule counts."""
    return [_copy(_plain_state(s)) for s in schedules]


def _torch_state(objects: Objects) -> dict[str, Any]:
    import torch

    trained = objects.by_name()
    return {
        GROUPS: objects.groups(),
        PARAMETERS: trained,
        OPTIMIZER: [
            {name: dict(o.state[p]) for name, p in trained.items() if p in o.state} for o in objects.optimizers
        ],
        RATES: rates_of(objects.optimizers),
        SCHEDULE: schedules_of(objects.schedules),
        SCALER: [s.state_dict() for s in objects.scalers],
        BUFFERS: objects.named(BUFFERS),
        COPIES: objects.named(COPIES),
        GRADIENTS: {
            n: p.grad if p.grad is None or p.grad.layout is torch.strided else None for n, p in trained.items()
        },
        TRAINED: {name: p.requires_grad for name, p in objects.all_parameters().items()},
    }


def digests_now() -> dict[str, int]:
    """A digest of each part, by its name; {} where there is no torch, or where it is very large."""
    if "torch.optim" not in sys.modules:
        return {}
    objects = Objects()
    if sum(p.numel() * p.element_size() for p in objects.parameters()) > _MOST_BYTES:
        return {}
    found = {}
    for part, value in _torch_state(objects).items():
        found[part] = 0
        for key, inner in _flat(value).items():
            shown = digest(inner) if hasattr(inner, "detach") else repr(inner) if _is_plain(inner) else ""
            found[part] = crc32(repr((key, shown)).encode(), found[part])
    return found


def generators_now(backends: list[Any]) -> dict[str, Any]:
    """The state of each library's global generator that can be pickled."""
    found: dict[str, Any] = {}
    for backend in backends:
        if backend.name in ("random", "numpy", "torch") and backend.module in sys.modules:
            state = backend.take()
            found[backend.generator] = state["cpu"] if backend.name == "torch" else state
    return found


def own_state(generator: Any) -> Any:
    if hasattr(generator, "bit_generator"):
        return generator.bit_generator.state
    if hasattr(generator, "getstate"):
        return generator.getstate()
    return generator.get_state()


def _plain_state(schedule: Any) -> dict[str, Any]:
    return {k: v for k, v in vars(schedule).items() if _is_plain(v) and not k.startswith("_get_lr")}


def _is_plain(value: Any) -> bool:
    if isinstance(value, (list, tuple)):
        return all(_is_plain(v) for v in value)
    return isinstance(value, _PLAIN)


def _copy(value: Any) -> Any:
    if isinstance(value, dict):
        return {k: _copy(v) for k, v in value.items()}
    if isinstance(value, (list, tuple)):
        return type(value)(_copy(v) for v in value) if type(value) in (list, tuple) else value
    return value.detach().clone() if hasattr(value, "detach") else value


def differences(given: dict[str, Any], now: dict[str, Any]) -> dict[str, list[str]]:
    """For each part that differs: where in it, the first places."""
    found: dict[str, list[str]] = {}
    for part in COMPARED:
        if part not in given or part not in now:
            continue
        a, b = _flat(given[part]), _flat(now[part])
        places = [key for key in {**a, **b} if not _same(a.get(key), b.get(key))]
        if places:
            found[part] = list(dict.fromkeys(_told(part, key, a.get(key), b.get(key)) for key in places))[:8]
    if PARAMETERS in found:
        found[PARAMETERS] = _precision(given[PARAMETERS], now[PARAMETERS]) or found[PARAMETERS]
    return found


def _told(part: str, key: tuple[Any, ...], a: Any, b: Any) -> str:
    if part == OPTIMIZER:
        return str(key[-1]) if len(key) > 2 else "state"
    if part == GROUPS:
        return _first_of(a, b)
    if part == RATES:
        return f"{key[2]}: {a!r} → {b!r}" if len(key) > 2 else "groups"
    if part == SCHEDULE:
        return f"{key[1]}: {a!r} → {b!r}" if len(key) > 1 else "schedules"
    if part == TRAINED:
        return f"{key[0]} {_trained(a)}, resumed {_trained(b)}"
    if part == SCALER:
        return f"{key[1]}: {a!r} → {b!r}" if len(key) > 1 else "scalers"
    return str(key[0])


def _first_of(a: Any, b: Any) -> str:
    """The first parameter that has another place, without the model's name: `layer2.weight, resumed layer1.weight`."""
    ours, theirs = (
        [name.partition(": ")[2] for groups in value or () for names in groups for name in names] for value in (a, b)
    )
    return next((f"{x}, resumed {y}" for x, y in zip(ours, theirs) if x != y), "groups of other sizes")


def _trained(value: Any) -> str:
    return "trained" if value else "frozen"


def _precision(before: dict[str, Any], after: dict[str, Any]) -> list[str]:
    """The precision to which the parameters were rounded, if that is all that differs."""
    import torch

    given, now = list(before.values()), list(after.values())
    if before.keys() != after.keys() or [t.shape for t in given] != [t.shape for t in now]:
        return []
    for kind in (torch.float16, torch.bfloat16, torch.float32):
        if all(_same(a.to(kind).to(b.dtype), b) for a, b in zip(given, now)):
            return [f"rounded to {str(kind).partition('.')[2]}"]
    return []


def _flat(value: Any, path: tuple[Any, ...] = ()) -> dict[tuple[Any, ...], Any]:
    if isinstance(value, dict):
        items: Any = value.items()
    elif isinstance(value, (list, tuple)) and not _is_plain(value):
        items = enumerate(value)
    else:
        return {path or ("",): value}
    found: dict[tuple[Any, ...], Any] = {}
    for key, child in items:
        found.update(_flat(child, (*path, key)))
    return found


def same(a: Any, b: Any) -> bool:
    """Whether two states are the same."""
    x, y = _flat(a), _flat(b)
    return x.keys() == y.keys() and all(_same(value, y[key]) for key, value in x.items())


def _same(a: Any, b: Any) -> bool:
    if hasattr(a, "detach") and hasattr(b, "detach"):
        if a.shape != b.shape or a.dtype != b.dtype:
            return a.numel() == 1 == b.numel() and float(a) == float(b)
        return digest(a) == digest(b)
    if hasattr(a, "tobytes") and hasattr(b, "tobytes"):
        return bool(a.tobytes() == b.tobytes())
    if any(hasattr(v, "tobytes") and v.size != 1 for v in (a, b)):
        return False  # one is an array of several numbers, the other none
    if hasattr(a, "detach") or hasattr(b, "detach"):
        try:
            return float(a) == float(b)
        except (TypeError, ValueError):
            return False
    if isinstance(a, _PLAIN) or isinstance(b, _PLAIN) or isinstance(a, (list, tuple)):
        return bool(a == b) or (a != a and b != b)
    return True  # something that cannot be compared


def put(part: str, given: dict[str, Any], own: dict[str, Any], backends: list[Any]) -> None:
    """Put one part back as it was given; `generators torch` is the part of a library's global generator."""
    value = given.get(part)
    if part.startswith(GENERATORS):
        name = part[len(GENERATORS) :].strip()
        put_generators({k: v for k, v in given.get(GENERATORS, {}).items() if k == name}, backends)
    elif part == OWN:
        for path, state in (value or {}).items():
            if path in own:
                _put_own(own[path], state)
    elif value is not None:
        import torch

        with torch.no_grad():
            _put_torch(part, value, Objects())


def put_generators(states: dict[str, Any], backends: list[Any]) -> None:
    """Put the libraries' global generators where they were."""
    for backend in backends:
        if backend.generator in states and backend.name in ("random", "numpy", "torch"):
            state = states[backend.generator]
            backend.put({"cpu": state} if backend.name == "torch" else state)


def _put_own(generator: Any, state: Any) -> None:
    if hasattr(generator, "bit_generator"):
        generator.bit_generator.state = state
    elif hasattr(generator, "setstate"):
        generator.setstate(state)
    else:
        generator.set_state(state)


def _put_torch(part: str, value: Any, objects: Objects) -> None:
    if part == GROUPS:
        _put_groups(value, objects)
    elif part in (PARAMETERS, GRADIENTS, TRAINED, BUFFERS, COPIES):
        _put_tensors(part, value, objects)
    elif part == OPTIMIZER:
        trained = objects.by_name()
        for optimizer, states in zip(objects.optimizers, value):
            optimizer.state.update({trained[name]: _copy(s) for name, s in states.items() if name in trained})
    elif part == RATES:
        groups = [g for o in objects.optimizers for g in o.param_groups]
        for group, old in zip(groups, (old for each in value for old in each)):
            group.update(_copy(old))
    else:
        _put_objects(objects.schedules if part == SCHEDULE else objects.scalers, value)


def _put_groups(value: list[list[list[str]]], objects: Objects) -> None:
    """Give each optimizer its groups and their parameters in the order that they had, if they are the same ones."""
    trained = objects.by_name()
    for optimizer, names, now in zip(objects.optimizers, value, objects.groups()):
        if any("" in group for group in (*names, *now)):
            continue  # no model has a name for one of them
        place = {frozenset(group): k for k, group in enumerate(now)}
        if len(place) == len(now) and place.keys() == {frozenset(group) for group in names}:
            groups = [optimizer.param_groups[place[frozenset(group)]] for group in names]
            for group, inside in zip(groups, names):
                group["params"] = [trained[name] for name in inside]
            optimizer.param_groups[:] = groups


def _put_tensors(part: str, value: Any, objects: Objects) -> None:
    """Parameters, their gradients, whether they are trained, buffers and second copies."""
    trained = objects.by_name()
    if part == PARAMETERS:
        for name in trained.keys() & value.keys():
            trained[name].copy_(value[name])
    elif part == GRADIENTS:
        for name in trained.keys() & value.keys():
            trained[name].grad = _copy(value[name])
    elif part == TRAINED:
        for name, tensor in objects.all_parameters().items():
            tensor.requires_grad_(value.get(name, tensor.requires_grad))
    else:
        for name, tensor in objects.named(part).items():
            if name in value:
                tensor.copy_(value[name])


def _put_objects(objects: list[Any], states: list[Any]) -> None:
    """Schedules and scalers."""
    for one, old in zip(objects, states):
        if hasattr(one, "get_scale"):
            one.load_state_dict(old)
        else:
            vars(one).update(_copy(old))
