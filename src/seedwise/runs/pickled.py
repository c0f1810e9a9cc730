"""What a pickle or a file of joblib holds, read without executing anything: each value in a line, behind the way to it.

The order in which keys of a dict and elements of a set were added is no part of it, nor is which object came first and which one
refers to it. Objects are shown as the call that would make them. The instructions are those of Python's `pickletools`.
"""

import hashlib
import io
import math
import pickletools
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from keyword import iskeyword
from typing import Any

import numpy as np

_MOST_VALUES, _NUMBERS_TO_A_VALUE = 200_000, 8
"""More values are not read: objects that refer to each other have many ways to them. So many numbers of an array count as one value."""
_SHORT = 16
"""Bytes that are shown as they are; of more, a digest."""
_LITERAL = {"NONE": None, "NEWTRUE": True, "NEWFALSE": False}
_TUPLES = {"TUPLE1": 1, "TUPLE2": 2, "TUPLE3": 3}
_OF_JOBLIB = "joblib.numpy_pickle.NumpyArrayWrapper"
_DATES = ("datetime.datetime", "datetime.date", "datetime.time", "Timestamp", "_timestamp_unpickle")
"""Endings of the names of what makes a date or a time of day."""


@dataclass
class Made:
    """An object as the call that would make it, and what is put into it then."""

    by: str
    given: tuple[Any, ...]
    state: Any = None
    items: list[Any] = field(default_factory=list)
    pairs: list[tuple[Any, Any]] = field(default_factory=list)
    behind: bytes | None = None
    """The bytes of an array that joblib wrote behind its description."""


@dataclass
class Pairs:
    """A dict, with keys of any kind."""

    pairs: list[tuple[Any, Any]] = field(default_factory=list)


@dataclass
class Elements:
    """A set."""

    items: list[Any] = field(default_factory=list)


_EMPTY: dict[str, Callable[[], Any]] = {
    "EMPTY_DICT": Pairs,
    "EMPTY_SET": Elements,
    "EMPTY_LIST": list,
    "EMPTY_TUPLE": tuple,
}


class NotRead(ValueError):
    """A pickle that is damaged, or of a kind that is not known."""


def lines_of_pickle(data: bytes, of_bytes: str) -> list[tuple[str, str, Any]]:
    """Each value of a pickle as the way to it, its last name, and what it is: a number, an array, or text that shows it.

    `of_bytes` stands before digests. Raises NotRead.
    """
    try:
        value = _Machine().run(data)
        found: list[tuple[str, str, Any]] = []
        found.extend(_Lines(of_bytes).of(value, "", ""))
    except (ValueError, LookupError, TypeError, AttributeError, OverflowError, RecursionError) as error:
        raise NotRead(str(error)) from None
    return found


class _Machine:
    """Carries out the instructions of a pickle on descriptions of objects instead of objects."""

    def __init__(self) -> None:
        self._stack: list[Any] = []
        self._below: list[list[Any]] = []
        self._memo: dict[int, Any] = {}
        self._data = io.BytesIO()

    def run(self, data: bytes) -> Any:
        self._data = io.BytesIO(data)
        for code, argument, _ in pickletools.genops(self._data):
            if code.name == "STOP":
                if self._data.tell() != len(data):
                    raise NotRead("something follows")
                return self._stack[-1]
            if code.name not in ("PROTO", "FRAME"):
                self._do(code.name, argument)
        raise NotRead("it has no end")

    def _do(self, name: str, argument: Any) -> None:
        stack = self._stack
        if name in _LITERAL:
            stack.append(_LITERAL[name])
        elif name == "MARK":
            self._below.append(stack)
            self._stack = []
        elif name in _EMPTY:
            stack.append(_EMPTY[name]())
        elif name in _TUPLES:
            stack[-_TUPLES[name] :] = [tuple(stack[-_TUPLES[name] :])]
        elif name in ("GET", "BINGET", "LONG_BINGET"):
            stack.append(self._memo[int(argument)])
        elif name in ("PUT", "BINPUT", "LONG_BINPUT", "MEMOIZE"):
            self._memo[len(self._memo) if argument is None else int(argument)] = stack[-1]
        elif (own := getattr(self, f"_{name.lower()}", None)) is not None:
            own(argument)
        elif argument is not None and name.endswith(_CONSTANTS):
            stack.append(argument)
        else:
            raise NotRead(name)

    def _marked(self) -> list[Any]:
        items, self._stack = self._stack, self._below.pop()
        return items

    def _tuple(self, _: Any) -> None:
        items = self._marked()
        self._stack.append(tuple(items))

    def _list(self, _: Any) -> None:
        items = self._marked()
        self._stack.append(items)

    def _dict(self, _: Any) -> None:
        items = self._marked()
        self._stack.append(Pairs(_in_pairs(items)))

    def _frozenset(self, _: Any) -> None:
        items = self._marked()
        self._stack.append(Elements(items))

    def _append(self, _: Any) -> None:
        item = self._stack.pop()
        _items_of(self._stack[-1]).append(item)

    def _appends(self, _: Any) -> None:
        items = self._marked()
        _items_of(self._stack[-1]).extend(items)

    _additems = _appends

    def _setitem(self, _: Any) -> None:
        value, key = self._stack.pop(), self._stack.pop()
        self._stack[-1].pairs.append((key, value))

    def _setitems(self, _: Any) -> None:
        items = self._marked()
        self._stack[-1].pairs.extend(_in_pairs(items))

    def _global(self, argument: str) -> None:
        self._stack.append(Made("class", (argument.replace(" ", "."),)))

    def _stack_global(self, _: Any) -> None:
        name, module = self._stack.pop(), self._stack.pop()
        self._stack.append(Made("class", (f"{module}.{name}",)))

    def _reduce(self, _: Any) -> None:
        given, by = self._stack.pop(), self._stack.pop()
        made = Made(_name_of(by), tuple(given))
        bytes_of_old = made.by == "_codecs.encode" and made.given[1:] == ("latin1",)  # bytes up to protocol 2
        self._stack.append(str(made.given[0]).encode("latin-1") if bytes_of_old else made)

    _newobj = _reduce

    def _newobj_ex(self, _: Any) -> None:
        named, given, by = self._stack.pop(), self._stack.pop(), self._stack.pop()
        self._stack.append(Made(_name_of(by), (*given, named)))

    def _obj(self, _: Any) -> None:
        by, *given = self._marked()
        self._stack.append(Made(_name_of(by), tuple(given)))

    def _inst(self, argument: str) -> None:
        given = self._marked()
        self._stack.append(Made(argument.replace(" ", "."), tuple(given)))

    def _build(self, _: Any) -> None:
        state = self._stack.pop()
        made = self._stack[-1]
        made.state = state
        if made.by == _OF_JOBLIB:
            made.behind = self._behind(dict(state.pairs))

    def _behind(self, described: dict[str, Any]) -> bytes:
        """The bytes that follow the description of an array in a file of joblib."""
        kind = _kind_of(described["dtype"])
        if kind is None:
            raise NotRead("an array of objects")
        if described.get("numpy_array_alignment_bytes") is not None:
            self._data.read(self._data.read(1)[0])
        size = kind.itemsize * math.prod(described["shape"])
        found = self._data.read(size)
        if len(found) != size:
            raise NotRead("it ends in an array")
        return found

    def _binpersid(self, _: Any) -> None:
        self._stack.append(Made("elsewhere", (self._stack.pop(),)))

    def _persid(self, argument: str) -> None:
        self._stack.append(Made("elsewhere", (argument,)))

    def _pop(self, _: Any) -> None:
        self._stack.pop()

    def _pop_mark(self, _: Any) -> None:
        self._marked()

    def _dup(self, _: Any) -> None:
        self._stack.append(self._stack[-1])


_CONSTANTS = (
    *("INT", "BININT", "BININT1", "BININT2", "LONG", "LONG1", "LONG4", "FLOAT", "BINFLOAT"),
    *("STRING", "UNICODE", "UNICODE8", "BYTES", "BYTES8", "BYTEARRAY8"),
)


def _in_pairs(items: list[Any]) -> list[tuple[Any, Any]]:
    return list(zip(items[::2], items[1::2], strict=True))


def _items_of(value: Any) -> list[Any]:
    found: list[Any] = value if isinstance(value, list) else value.items
    return found


def _name_of(made: Any) -> str:
    return str(made.given[0]) if isinstance(made, Made) and made.by == "class" else "something"


class _Lines:
    """The lines for one pickle."""

    def __init__(self, of_bytes: str) -> None:
        self._of_bytes = of_bytes
        self._inside: set[int] = set()
        self._values = 0

    def of(self, value: Any, way: str, name: str) -> Iterator[tuple[str, str, Any]]:
        self._count(1)
        if isinstance(value, (bytes, bytearray)):
            yield way, name, repr(bytes(value)) if len(value) < _SHORT else self._digest(value)
        elif not isinstance(value, (list, tuple, Made, Pairs, Elements)):
            yield way, name, value if type(value) is float else repr(value)
        elif id(value) in self._inside:
            yield way, name, "an object around it"
        else:
            self._inside.add(id(value))
            yield from self._parts(value, way, name)
            self._inside.discard(id(value))

    def _count(self, values: int) -> None:
        self._values += values
        if self._values > _MOST_VALUES:
            raise NotRead("too many values")

    def _digest(self, data: bytes | bytearray) -> str:
        return f"{self._of_bytes} {hashlib.sha256(data).hexdigest()}"

    def _parts(self, value: Any, way: str, name: str) -> Iterator[tuple[str, str, Any]]:
        if isinstance(value, Made):
            yield from self._made(value, way, name)
        elif isinstance(value, Pairs) and value.pairs:
            yield from self._pairs(value.pairs, way)
        elif isinstance(value, Elements) and value.items:
            yield from self._unordered(value.items, way, name)
        elif isinstance(value, (Pairs, Elements)):
            yield way, name, "{}"
        elif not value:
            yield way, name, "[]"
        else:
            for k, item in enumerate(value):
                yield from self.of(item, f"{way}[{k}]", name)

    def _pairs(self, pairs: list[tuple[Any, Any]], way: str) -> Iterator[tuple[str, str, Any]]:
        shown = [(self._said(key), value) for key, value in pairs]
        for key, value in sorted(shown, key=lambda pair: pair[0]):
            yield from self.of(value, f"{way}/{key}" if way else key, key)

    def _unordered(self, items: list[Any], way: str, name: str) -> Iterator[tuple[str, str, Any]]:
        for shown in sorted(self._said(item) for item in items):
            yield f"{way}{{}}", name, shown

    def _said(self, value: Any) -> str:
        """A value in one line, as a key or an element."""
        if isinstance(value, str):
            return value if value.isidentifier() and not iskeyword(value) else repr(value)
        parts = (shown for _, _, shown in self.of(value, "", ""))
        return " ".join(str(part.tolist() if isinstance(part, np.ndarray) else part) for part in parts)

    def _made(self, made: Made, way: str, name: str) -> Iterator[tuple[str, str, Any]]:
        number = _number(made)
        array = _array(made)
        if made.by.endswith(_DATES):
            yield way, name, "DATE"
        elif number is not None:
            yield way, name, number
        elif array is not None:
            self._count(array.size // _NUMBERS_TO_A_VALUE)
            yield way, name, array
        else:
            yield way, name, made.given[0] if made.by == "class" else made.by
            if made.by != "class":
                for k, given in enumerate(made.given):
                    own = _without_addresses(given) if made.by == _OF_TORCH else given
                    yield from self.of(own, f"{way}({k})", name)
            if made.state is not None:
                yield from self.of(made.state, way, name)
            for k, item in enumerate(made.items):
                yield from self.of(item, f"{way}[{k}]", name)
            yield from self._pairs(made.pairs, way)


_OF_TORCH = "torch.storage._load_from_bytes"
_ADDRESS = re.compile(rb"(?s:X.\0{3})?(?<!\d)\d{9,20}(?!\d)")


def _without_addresses(data: Any) -> Any:
    """The bytes of a tensor of torch's, in which its storage is named by its address in memory."""
    return _ADDRESS.sub(b"ID", data) if isinstance(data, bytes) else data


def _number(made: Made) -> float | str | None:
    """The number, if this is a single one of NumPy's."""
    if not made.by.endswith("multiarray.scalar") or len(made.given) != 2 or not isinstance(made.given[1], bytes):
        return None
    found = _numbers(made.given[0], made.given[1])
    if found is None or found.size != 1:
        return None
    value = found.item()
    return value if type(value) is float else repr(value)


def _array(made: Made) -> "np.ndarray[Any, Any] | None":
    """The array, if this is one of numbers: as NumPy pickles it up to protocol 4, or from 5 on."""
    if made.by.endswith("multiarray._reconstruct") and isinstance(made.state, tuple) and len(made.state) == 5:
        _, shape, dtype, by_column, data = made.state
        order = "F" if by_column else "C"
    elif made.by.endswith("numeric._frombuffer") and len(made.given) == 4:
        data, dtype, shape, order = made.given
    elif made.behind is not None:
        described = dict(made.state.pairs)
        data, dtype, shape, order = made.behind, described["dtype"], described["shape"], described["order"]
    else:
        return None
    found = _numbers(dtype, data) if isinstance(data, (bytes, bytearray)) else None
    return None if found is None else found.reshape(shape, order="F" if order == "F" else "C")


def _numbers(dtype: Any, data: bytes | bytearray) -> "np.ndarray[Any, Any] | None":
    kind = _kind_of(dtype)
    return None if kind is None or kind.kind not in "biufc" else np.frombuffer(data, kind)


def _kind_of(dtype: Any) -> "np.dtype[Any] | None":
    """The kind of an array's numbers; None for objects and records."""
    if not isinstance(dtype, Made) or not dtype.by.endswith("dtype") or not isinstance(dtype.state, tuple):
        return None
    kind = np.dtype(str(dtype.given[0]))
    if kind.hasobject or kind.kind == "V":
        return None
    return kind.newbyteorder(">") if dtype.state[1] == ">" else kind
