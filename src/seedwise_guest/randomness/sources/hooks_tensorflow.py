"""TensorFlow: the numbers from which its operations start, the stateless operations, and its generators.

An operation takes two numbers when it is made: from these its kernel draws. Where a source varies, its operations take
others. TensorFlow counts on as in a plain run, so every other operation takes what it takes there. What is compiled is
executed by Python once, when TensorFlow traces it, and is counted there.
"""

from __future__ import annotations

import functools
import sys
from typing import Any, Callable
from zlib import crc32

from ..streams import derive
from .apart import Apart, Handle

_STATELESS = (
    "stateless_shuffle stateless_random_uniform stateless_random_binomial stateless_random_gamma stateless_random_poisson "
    "stateless_random_normal stateless_truncated_normal stateless_multinomial stateless_categorical "
    "stateless_parameterized_truncated_normal"
).split()
_OF_GENERATORS = "normal truncated_normal uniform uniform_full_int binomial make_seeds".split()
_PYTHON = "tensorflow.python."
_HOMES = (
    _PYTHON + "ops.stateless_random_ops",
    "tensorflow._api.v2.random",
    "tensorflow._api.v2.random.experimental",
    "tensorflow._api.v2.compat.v1.random",
    "tensorflow._api.v2.compat.v2.random",
)


def install(apart: Apart) -> Callable[[], None]:
    """Let `apart` see every draw of TensorFlow. Returns a function that ends this."""
    undo: list[Callable[[], None]] = []

    def put(home: Any, name: str, new: Any) -> None:
        original = getattr(home, name)
        setattr(home, name, functools.update_wrapper(new, original, updated=()))
        undo.append(lambda: setattr(home, name, original))

    seeds: Any = sys.modules[_PYTHON + "framework.random_seed"]
    put(seeds, "get_seed", _get_seed(apart, seeds.get_seed))
    stateless: Any = sys.modules[_PYTHON + "ops.stateless_random_ops"]
    for name in _STATELESS:
        original = getattr(stateless, name, None)
        if original is None:
            continue
        seen = _stateless(apart, stateless.fold_in, original, "order" if "shuffle" in name else "other")
        for home in filter(None, map(sys.modules.get, _HOMES)):
            for other in [key for key, value in vars(home).items() if value is original]:
                put(home, other, seen)
    generator: Any = sys.modules[_PYTHON + "ops.stateful_random_ops"].Generator
    for name in _OF_GENERATORS:
        put(generator, name, _of_generator(apart, getattr(generator, name)))

    def put_back() -> None:
        while undo:
            undo.pop()()

    return put_back


def _get_seed(apart: Apart, original: Any) -> Any:
    def get_seed(op_seed: Any) -> Any:
        pair = apart.aside(lambda: original(op_seed))  # it draws from a generator of TensorFlow's own
        if pair == (None, None) or not all(isinstance(number, int) for number in pair):
            return pair
        shuffles = sys._getframe(1).f_code.co_name == "random_shuffle"
        look = lambda numbers: crc32(repr(numbers).encode())  # noqa: E731
        return apart.draw_with_key(
            "tensorflow", "order" if shuffles else "other", pair, lambda numbers: numbers, _other_pair, look
        )

    return get_seed


def _other_pair(pair: tuple[int, int], number: int) -> tuple[int, int]:
    return tuple(derive(number, "tensorflow", *map(str, pair), half, bits=30) + 1 for half in "12")  # type: ignore[return-value]


def _stateless(apart: Apart, fold_in: Any, original: Any, usual: str) -> Any:
    def draw(*args: Any, **kwargs: Any) -> Any:
        import inspect

        bound = inspect.signature(original).bind(*args, **kwargs)

        def call(seed: Any) -> Any:
            bound.arguments["seed"] = seed
            return original(*bound.args, **bound.kwargs)

        return apart.draw_with_key("tensorflow", usual, bound.arguments.get("seed"), call, fold_in, _look)

    return draw


def _look(seed: Any) -> int:
    """A number for a seed of a stateless operation; 0 for one that has no value yet."""
    tensorflow: Any = sys.modules["tensorflow"]
    if not tensorflow.executing_eagerly() or (tensorflow.is_tensor(seed) and not hasattr(seed, "numpy")):
        return 0
    return crc32(tensorflow.convert_to_tensor(seed).numpy().tobytes())


def _of_generator(apart: Apart, original: Any) -> Any:
    def draw(self: Any, *args: Any, **kwargs: Any) -> Any:
        tensorflow: Any = sys.modules["tensorflow"]
        if not tensorflow.executing_eagerly():
            apart.not_apart.add("tf.random.Generator in a tf.function")
            return original(self, *args, **kwargs)
        return apart.draw(_handle(self), "other", lambda: original(self, *args, **kwargs))

    return draw


def _handle(generator: Any) -> Handle:
    def start(number: int) -> None:
        generator.reset_from_seed(number)

    def take() -> Any:
        return generator.state.numpy()

    return Handle("tensorflow", take, generator.state.assign, start, lambda state: bytes(state.tobytes()))
