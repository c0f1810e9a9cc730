"""What a model holds beside parameters and buffers. Stacked seeds share it, so it must be the same under every seed."""

from collections.abc import Mapping, Sequence

import numpy as np
import torch
from torch import nn
from torch.nn.utils.parametrize import is_parametrized

_TENSORS = frozenset({"_parameters", "_buffers", "_modules"})
_PLAIN = (bool, int, float, complex, str, bytes, type(None))


def parts_of(net: "nn.Module") -> dict[str, object]:
    """The attributes of a model and its modules that are numbers, text or arrays, by name; of others their type.

    Of parameters and buffers it is shape and type.
    """
    found: dict[str, object] = {
        name: (tuple(t.shape), t.dtype) for name, t in net.state_dict(keep_vars=True).items() if torch.is_tensor(t)
    }
    own = {id(t) for t in (*net.parameters(), *net.buffers())}  # an LSTM lists its parameters once more
    for name, module in net.named_modules():
        for key, value in vars(module).items():
            if key.endswith("_hooks") and isinstance(value, Mapping):
                found[f"{name}.{key}"] = [type(hook) for hook in value.values()]  # their keys count up in a process
            elif key not in _TENSORS:
                found[f"{name}.{key}" if name else key] = _comparable(value, own)
    found["modules"] = [_kind(module) for module in net.modules()]
    return found


def _kind(module: "nn.Module") -> type:
    """Its class. One with parametrizations has a class of its own, made for it, behind that which it was."""
    kind = type(module)
    return kind.__mro__[1] if is_parametrized(module) else kind


def _comparable(value: object, own: set[int]) -> object:
    if id(value) in own:
        return "its own"
    if isinstance(value, _PLAIN):
        return repr(value)  # a NaN is equal to itself there
    if isinstance(value, torch.Tensor):
        return tuple(value.shape), value.detach().cpu().numpy().tobytes()
    if isinstance(value, np.ndarray):
        return value.shape, value.tobytes()
    if isinstance(value, Mapping):
        return [(repr(key), _comparable(inner, own)) for key, inner in value.items()]
    if isinstance(value, list | tuple):
        return [_comparable(inner, own) for inner in value]
    if isinstance(value, set | frozenset):
        return sorted(map(repr, value))
    return type(value)


def difference(parts: Sequence[Mapping[str, object]]) -> str:
    """The name of a part that is not the same in all; "" if there is none."""
    first = parts[0]
    for other in parts[1:]:
        if other != first:
            return next(name for name in [*first, *other] if first.get(name) != other.get(name))
    return ""
