"""NumPy: the functions of `np.random`, and the generators that the script makes with `default_rng` and `RandomState`."""

from __future__ import annotations

import functools
import sys
from typing import Any, Callable

from .apart import Apart, Handle, drawing, on_copies

_ORDER = frozenset({"permutation", "shuffle", "permuted"})
_OVERWRITES = frozenset({"shuffle"})
_DRAWS = (
    "beta binomial bytes chisquare choice dirichlet exponential f gamma geometric gumbel hypergeometric laplace logistic "
    "lognormal logseries multinomial multivariate_hypergeometric multivariate_normal negative_binomial "
    "noncentral_chisquare noncentral_f normal pareto permutation permuted poisson power rand randint randn random "
    "random_integers random_sample ranf sample rayleigh shuffle standard_cauchy standard_exponential standard_gamma "
    "standard_normal standard_t triangular uniform vonmises wald weibull zipf integers tomaxint"
).split()


def install(apart: Apart) -> Callable[[], None]:
    """Let `apart` see every draw of NumPy. Returns a function that ends this."""
    np_random: Any = sys.modules["numpy.random"]
    state = np_random.mtrand._rand
    undo: list[Callable[[], None]] = []

    def put(name: str, new: Any) -> None:
        original = getattr(np_random, name)
        functools.update_wrapper(new, original, updated=())
        setattr(np_random, name, new)
        undo.append(lambda: setattr(np_random, name, original))

    handle = _legacy(state)
    for name in _DRAWS:
        if hasattr(np_random, name):
            put(name, drawing(apart, handle, _usual(name), getattr(np_random, name), name in _OVERWRITES))
    generator = _generator_class(apart, np_random.Generator)
    default_rng = np_random.default_rng

    def own_default_rng(seed: Any = None) -> Any:
        made = default_rng(seed)
        return generator(made.bit_generator) if type(made) is np_random.Generator else made

    put("default_rng", own_default_rng)
    original, own = np_random.RandomState, _state_class(apart, np_random.RandomState)
    np_random.RandomState = own
    undo.append(lambda: setattr(np_random, "RandomState", original))

    def put_back() -> None:
        while undo:
            undo.pop()()

    return put_back


def _usual(name: str) -> str:
    return "order" if name in _ORDER else "other"


def _legacy(state: Any) -> Handle:
    def start(number: int) -> None:
        np_random: Any = sys.modules["numpy.random"]
        bits = state._bit_generator
        fresh = type(bits)(np_random.SeedSequence(number))
        state.set_state({**state.get_state(legacy=False), **fresh.state, "has_gauss": 0, "gauss": 0.0})

    return Handle("numpy", lambda: state.get_state(legacy=False), state.set_state, start, _bytes)


def _modern(generator: Any) -> Handle:
    bits = generator.bit_generator

    def put(state: Any) -> None:
        bits.state = state

    def start(number: int) -> None:
        bits.state = type(bits)(sys.modules["numpy.random"].SeedSequence(number)).state

    return Handle("numpy", lambda: bits.state, put, start, _bytes)


def _bytes(state: Any) -> bytes:
    inner = state["state"]
    key: Any = inner.get("key") if isinstance(inner, dict) else None
    if hasattr(key, "tobytes"):
        return bytes(key.tobytes()) + repr((inner.get("pos"), state.get("has_gauss"), state.get("gauss"))).encode()
    return repr(state).encode()


def _generator_class(apart: Apart, base: Any) -> Any:
    """A `Generator` whose draws `apart` sees. It is pickled as a plain one."""

    def reduce(self: Any) -> Any:
        return base, (self.bit_generator,)

    methods = _methods(apart, base, _modern)
    return type("Generator", (base,), {**methods, "__reduce__": reduce, "__module__": base.__module__})


def _state_class(apart: Apart, base: Any) -> Any:
    """A `RandomState` whose draws `apart` sees. It is pickled as a plain one, and a plain one is an instance of it."""

    class Kind(type(base)):  # type: ignore[misc]
        def __instancecheck__(cls, instance: Any) -> bool:
            return isinstance(instance, base)

        def __subclasscheck__(cls, kind: Any) -> bool:
            return issubclass(kind, base)

    def reduce(self: Any) -> Any:
        plain = base.__new__(base)
        base.__init__(plain, 0)
        plain.set_state(self.get_state(legacy=False))
        return plain.__reduce__()

    methods = _methods(apart, base, _legacy)
    return Kind("RandomState", (base,), {**methods, "__reduce__": reduce, "__module__": base.__module__})


def _methods(apart: Apart, base: Any, handle_of: Callable[[Any], Handle]) -> dict[str, Any]:
    def make(name: str, original: Any) -> Any:
        def method(self: Any, *args: Any, **kwargs: Any) -> Any:
            bound = functools.partial(original, self)
            overwrites = name in _OVERWRITES or kwargs.get("out") is not None
            rehearse = on_copies(bound, args, kwargs) if overwrites else None
            return apart.draw(handle_of(self), _usual(name), lambda: bound(*args, **kwargs), rehearse)

        functools.update_wrapper(method, original, assigned=("__name__", "__doc__"), updated=())
        return method

    return {name: make(name, getattr(base, name)) for name in _DRAWS if hasattr(base, name)}
