"""Gives the objects of some classes a hash that is the same in every run: their number, not their address.

A set of objects is ordered by their hashes, which Python takes from addresses in memory. These also move when the system
places everything at the same addresses: threads and other work on the machine decide who asks for memory first.
"""

from __future__ import annotations

import builtins
import functools
import weakref
from collections.abc import Callable
from itertools import count
from typing import Any


def number_objects(classes: list[str]) -> None:
    """Number the objects of these classes, named `module:qualified.name`, in the order in which a hash is first asked for."""
    build, wanted = builtins.__build_class__, frozenset(classes)

    def own(body: Any, name: str, /, *bases: Any, **options: Any) -> Any:
        made = build(body, name, *bases, **options)
        if name_of(made) in wanted and made.__hash__ is object.__hash__:
            _number(made)
        return made

    builtins.__build_class__ = own


def name_of(of: type) -> str:
    """`module:qualified.name` of a class."""
    return f"{of.__module__}:{of.__qualname__}"


def _number(of: Any) -> None:
    numbers: dict[int, int] = {}
    following = count(1)
    kept: dict[int, Any] = {}

    def forget(place: int) -> Callable[[Any], None]:
        def gone(reference: Any) -> None:
            numbers.pop(place, None)
            kept.pop(place, None)

        return gone

    def own_hash(this: Any) -> int:
        place = id(this)
        if place not in numbers:
            numbers[place] = next(following)
            try:
                kept[place] = weakref.ref(this, forget(place))
            except TypeError:  # slots without __weakref__: a new object at this place is numbered when it is made
                pass
        return numbers[place]

    if of.__init__ is not object.__init__:
        begin = of.__init__

        @functools.wraps(begin)
        def own_init(this: Any, *args: Any, **kwargs: Any) -> None:
            if id(this) not in kept:
                numbers.pop(id(this), None)
            begin(this, *args, **kwargs)

        of.__init__ = own_init
    of.__hash__ = own_hash
