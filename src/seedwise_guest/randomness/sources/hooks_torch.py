"""torch: every function and method that draws, on CPU and CUDA."""

from __future__ import annotations

import functools
import sys
from typing import Any, Callable
from zlib import crc32

from .apart import Apart, Handle

_METHODS = (
    "uniform_ normal_ random_ bernoulli_ exponential_ geometric_ cauchy_ log_normal_ bernoulli multinomial".split()
)
_FUNCTIONS = (
    "rand randn randint rand_like randn_like randint_like normal bernoulli multinomial poisson binomial _standard_gamma "
    "_sample_dirichlet"
).split()
_LAYERS = (
    "dropout dropout_ alpha_dropout alpha_dropout_ feature_dropout feature_dropout_ feature_alpha_dropout "
    "feature_alpha_dropout_ native_dropout"
).split()
_RECURRENT = "lstm gru rnn_tanh rnn_relu".split()


def install(apart: Apart) -> Callable[[], None]:
    """Let `apart` see every draw of torch. Returns a function that ends this."""
    import torch
    from torch.utils import _device

    _device._device_constructors()  # torch remembers what it finds there, and `torch.set_default_device` needs the originals
    undo: list[Callable[[], None]] = []

    def patch(home: Any, name: str, make: Callable[..., Any], *more: Any) -> None:
        original = getattr(home, name, None)
        if original is None:
            return
        own = name in vars(home)
        new = make(apart, original, *more)
        functools.update_wrapper(new, original, assigned=("__name__", "__qualname__", "__doc__"), updated=())
        _tell_jit(original, new)
        setattr(home, name, new)
        undo.append(lambda: setattr(home, name, original) if own else delattr(home, name))

    for name in _METHODS:
        patch(torch.Tensor, name, _method)
    for name in _FUNCTIONS:
        patch(torch, name, _function, "other")
    for home in (torch, torch.utils.data.dataset):  # `random_split` has its own name for it
        patch(home, "randperm", _function, "order")
    for home in (torch, torch._VF):
        for name in _LAYERS:
            patch(home, name, _layer)
        for name in _RECURRENT:
            patch(home, name, _recurrent)
    patch(torch.nn.functional, "scaled_dot_product_attention", _attention)
    patch(torch, "compile", _compile)
    apart.follow("torch", _handle(None, None))  # type: ignore[arg-type]

    def put_back() -> None:
        while undo:
            undo.pop()()

    return put_back


def _tell_jit(original: Any, new: Any) -> None:
    """Let `torch.jit.script` compile a call of the new function as it compiles one of the original."""
    builtins: Any = sys.modules.get("torch.jit._builtins")
    found = builtins._find_builtin(original) if builtins is not None else None
    if found is not None:
        builtins._register_builtin(new, found)


_handles: dict[Any, Handle] = {}


def _bytes(state: Any) -> bytes:
    import ctypes

    return ctypes.string_at(state.data_ptr(), state.numel())


def _made(generator: Any) -> Handle:
    def look() -> int:
        return crc32(_bytes(generator.get_state()))

    return Handle("torch", generator.get_state, generator.set_state, generator.manual_seed, _bytes, look)


def _handle(generator: Any, device: Any) -> Handle | None:
    """The generator that a draw on `device` takes, if it is given none."""
    import torch

    if generator is not None:
        return _made(generator)
    kind = "cpu" if device is None else device.type
    key = (kind, device.index if kind == "cuda" else None)
    found = _handles.get(key)
    if found is None:
        if kind == "cpu":
            own: Any = torch.default_generator
        elif kind == "cuda":
            torch.cuda.init()
            own = torch.cuda.default_generators[torch.cuda.current_device() if device.index is None else device.index]
            if device.index is None:
                return _made(own)
        else:
            return None
        found = _handles[key] = _made(own)
    return found


def _is_traced() -> bool:
    import torch

    return bool(torch.compiler.is_compiling())


def _method(apart: Apart, original: Any) -> Any:
    def method(self: Any, *args: Any, **kwargs: Any) -> Any:
        if _is_traced():
            return original(self, *args, **kwargs)
        generator = kwargs.get("generator")
        handle = _handle(generator, self.device)

        def rehearse() -> None:
            import torch

            with torch.no_grad():  # it is overwritten by the draw that counts
                original(self, *args, **kwargs)

        return apart.draw(handle, "other", lambda: original(self, *args, **kwargs), rehearse)

    return method


def _function(apart: Apart, original: Any, usual: str) -> Any:
    def function(*args: Any, **kwargs: Any) -> Any:
        import torch

        if _is_traced():
            return original(*args, **kwargs)
        generator = kwargs.get("generator") or next((a for a in args if isinstance(a, torch.Generator)), None)
        device = kwargs.get("device")
        if device is None:
            tensor = next((a for a in args if isinstance(a, torch.Tensor)), None)
            device = torch.get_default_device() if tensor is None else tensor.device
        elif not isinstance(device, torch.device):
            device = torch.device(device)

        def rehearse() -> None:
            with torch.no_grad():
                original(*args, **kwargs)

        source = "init" if kwargs.get("requires_grad") else usual
        return apart.draw(_handle(generator, device), source, lambda: original(*args, **kwargs), rehearse)

    return function


def _layer(apart: Apart, original: Any) -> Any:
    in_place = original.__name__.endswith("_")

    def layer(input: Any, p: Any = 0.5, train: Any = False, *args: Any, **kwargs: Any) -> Any:
        train = kwargs.pop("training", train)
        if _is_traced() or not train or p == 0:
            return original(input, p, train, *args, **kwargs)

        def rehearse() -> None:
            import torch

            with torch.no_grad():
                original(input.detach().clone() if in_place else input.detach(), p, train, *args, **kwargs)

        call = lambda: original(input, p, train, *args, **kwargs)  # noqa: E731
        return apart.draw(_handle(None, input.device), "dropout", call, rehearse)

    return layer


def _recurrent(apart: Apart, original: Any) -> Any:
    def layer(*args: Any, **kwargs: Any) -> Any:
        # (input, hidden, weights, bias, layers, dropout, train, bidirectional, …), or with batch sizes in second place
        import torch

        rates = [a for a in args if isinstance(a, float)]
        flags = [a for a in args if isinstance(a, bool)]
        if _is_traced() or not rates or rates[0] == 0.0 or len(flags) < 2 or not flags[1]:
            return original(*args, **kwargs)

        def rehearse() -> None:
            with torch.no_grad():
                original(*args, **kwargs)

        return apart.draw(_handle(None, args[0].device), "dropout", lambda: original(*args, **kwargs), rehearse)

    return layer


def _attention(apart: Apart, original: Any) -> Any:
    def attention(
        query: Any, key: Any, value: Any, attn_mask: Any = None, dropout_p: float = 0.0, *more: Any, **kw: Any
    ) -> Any:
        def call() -> Any:
            return original(query, key, value, attn_mask, dropout_p, *more, **kw)

        if _is_traced() or dropout_p == 0.0:
            return call()

        def rehearse() -> None:
            import torch

            with torch.no_grad():
                call()

        return apart.draw(_handle(None, query.device), "dropout", call, rehearse)

    return attention


def _compile(apart: Apart, original: Any) -> Any:
    def compiling(*args: Any, **kwargs: Any) -> Any:
        apart.not_apart.add("torch.compile")
        return original(*args, **kwargs)

    return compiling
