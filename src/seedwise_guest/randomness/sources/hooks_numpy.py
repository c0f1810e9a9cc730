"""NumPy: the functions of `np.random`, and the generators that the script makes with `default_rng` and `RandomState`."""

from __future__ import annotations

import functools
import sys
from typing import Any, Callable
from zlib import crc32

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
_STATE_BYTES = 624 * 4 + 4
_BIT_GENERATORS = ("MT19937", "PCG64", "PCG64DXSM", "Philox", "SFC64")


def install(apart: Apart) -> Callable[[], None]:
    """Let `apart` see every draw of NumPy. Returns a function that ends this."""
    np_random: Any = sys.modules["numpy.random"]
    state = np_random.mtrand._rand
    undo: list[Callable[[], None]] = []

    def put(home: Any, name: str, new: Any) -> None:
        original = getattr(home, name)
        setattr(home, name, new)
        undo.append(lambda: setattr(home, name, original))

    kept = _place_of_kept_number(np_random)
    handle = _legacy(state, kept)
    apart.follow("numpy.random", handle)
    for name in _DRAWS:
        original = getattr(np_random, name, None)
        if original is not None:
            seen = drawing(apart, handle, _usual(name), original, name in _OVERWRITES)
            put(np_random, name, functools.update_wrapper(seen, original, updated=()))
    own_state = _state_class(apart, np_random.RandomState, kept)
    put(np_random.mtrand, "_rand", _facade(apart, state, handle, own_state))
    put(np_random, "RandomState", own_state)
    generator, plain = _generator_class(apart, np_random.Generator), np_random.Generator
    put(np_random, "Generator", generator)
    default_rng = np_random.default_rng

    def own_default_rng(seed: Any = None) -> Any:
        made = default_rng(seed)
        return generator(made.bit_generator) if type(made) is plain else made

    put(np_random, "default_rng", functools.update_wrapper(own_default_rng, default_rng, updated=()))
    for name in _BIT_GENERATORS:
        if hasattr(np_random, name):
            put(np_random, name, _bits_class(apart, getattr(np_random, name)))

    def put_back() -> None:
        while undo:
            undo.pop()()

    return put_back


def _usual(name: str) -> str:
    return "order" if name in _ORDER else "other"


def _legacy(state: Any, kept: int | None) -> Handle:
    def start(number: int) -> None:
        np_random: Any = sys.modules["numpy.random"]
        bits = state._bit_generator
        fresh = type(bits)(np_random.SeedSequence(number))
        state.set_state({**state.get_state(legacy=False), **fresh.state, "has_gauss": 0, "gauss": 0.0})

    def take() -> Any:
        return state.get_state(legacy=False)

    return Handle("numpy", take, state.set_state, start, _bytes, _quick_look(state, kept))


def _quick_look(state: Any, kept: int | None) -> Callable[[], int] | None:
    """A look at the memory of the old generator; None where it is not known.

    It is the Mersenne twister with its 624 words and its place in them, and the normal number that it keeps for later: it makes
    two at a time. `kept` is where that one stands.
    """
    import ctypes

    bits = state._bit_generator
    if getattr(type(bits), "__name__", "") != "MT19937" or kept is None:
        return None
    memory = (ctypes.c_char * _STATE_BYTES).from_address(bits.ctypes.state_address)
    number = (ctypes.c_char * 8).from_address(id(state) + kept)

    def look() -> int:
        if state._bit_generator is not bits:  # somebody has put in another one
            return crc32(_bytes(state.get_state(legacy=False)))
        return crc32(number, crc32(memory))

    return look


def _place_of_kept_number(np_random: Any) -> int | None:
    """Where in a `RandomState` the number stands that it keeps for later: found by putting in two, one after the other."""
    import ctypes
    import struct

    if sys.implementation.name != "cpython":
        return None
    kind = np_random.RandomState
    probe, places = kind(np_random.MT19937(np_random.SeedSequence(0))), []  # with a seed: nothing is asked for entropy
    for number in (1.2345678901234567, -9.876543210987654):
        probe.set_state({**probe.get_state(legacy=False), "has_gauss": 1, "gauss": number})
        places.append(ctypes.string_at(id(probe), kind.__basicsize__).find(struct.pack("d", number)))
    return places[0] if places[0] > 0 and places[0] == places[1] else None


def _bits(bits: Any) -> Handle:
    def put(state: Any) -> None:
        bits.state = state

    def start(number: int) -> None:
        bits.state = type(bits)(sys.modules["numpy.random"].SeedSequence(number)).state

    return Handle("numpy", lambda: bits.state, put, start, _bytes)


def _modern(generator: Any) -> Handle:
    return _bits(generator.bit_generator)


def _bytes(state: Any) -> bytes:
    inner = state["state"]
    key: Any = inner.get("key") if isinstance(inner, dict) else None
    if hasattr(key, "tobytes"):
        return bytes(key.tobytes()) + repr((inner.get("pos"), state.get("has_gauss"), state.get("gauss"))).encode()
    return repr(state).encode()


def _kind_of(base: Any) -> Any:
    """A metaclass for a class that stands for `base`: what is of one kind is of the other."""

    class Kind(type(base)):  # type: ignore[misc]
        def __instancecheck__(cls, instance: Any) -> bool:
            return isinstance(instance, base) if cls.__bases__ == (base,) else super().__instancecheck__(instance)

        def __subclasscheck__(cls, kind: Any) -> bool:
            return issubclass(kind, base) if cls.__bases__ == (base,) else super().__subclasscheck__(kind)

    return Kind


def _class(base: Any, more: dict[str, Any]) -> Any:
    return _kind_of(base)(base.__name__, (base,), {**more, "__module__": base.__module__, "__doc__": base.__doc__})


def _generator_class(apart: Apart, base: Any) -> Any:
    """A `Generator` whose draws `apart` sees. It is pickled as a plain one, and a plain one is an instance of it."""

    def reduce(self: Any) -> Any:
        return base, (self.bit_generator,)

    return _class(base, {**_methods(apart, base, _modern), "__reduce__": reduce})


def _state_class(apart: Apart, base: Any, kept: int | None) -> Any:
    """A `RandomState` whose draws `apart` sees. It is pickled as a plain one, and a plain one is an instance of it."""

    def reduce(self: Any) -> Any:
        plain = base.__new__(base)
        base.__init__(plain, 0)
        plain.set_state(self.get_state(legacy=False))
        return plain.__reduce__()

    return _class(base, {**_methods(apart, base, functools.partial(_legacy, kept=kept)), "__reduce__": reduce})


def _bits_class(apart: Apart, base: Any) -> Any:
    """A bit generator whose raw numbers `apart` sees."""

    def random_raw(self: Any, *args: Any, **kwargs: Any) -> Any:
        return apart.draw(_bits(self), "other", lambda: base.random_raw(self, *args, **kwargs))

    def reduce(self: Any) -> Any:
        plain = base(0)
        plain.state = self.state
        return plain.__reduce__()

    return _class(base, {"random_raw": random_raw, "__reduce__": reduce})


def _facade(apart: Apart, state: Any, handle: Handle, own_state: Any) -> Any:
    """What libraries take as the global generator, `np.random.mtrand._rand`: scikit-learn and SciPy do, where they are
    given none. Each call goes to the real one, so that both are one generator.
    """
    methods: dict[str, Any] = {}

    def passing(name: str) -> Any:
        return lambda self, *args, **kwargs: getattr(state, name)(*args, **kwargs)

    def seen(name: str) -> Any:
        draw = drawing(apart, handle, _usual(name), getattr(state, name), name in _OVERWRITES)
        return lambda self, *args, **kwargs: draw(*args, **kwargs)

    for name in dir(type(state)):
        if not name.startswith("_") and callable(getattr(state, name)):
            methods[name] = seen(name) if name in _DRAWS else passing(name)
    kind = type(own_state)("RandomState", (own_state,), {**methods, "__module__": own_state.__module__})
    return kind(state._bit_generator)


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
