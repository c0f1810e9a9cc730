"""In which order a program makes its models, optimizers and schedules.

The garbage collector lists them too, but each of its passes may change their order: two models of one class would be taken for each other.
"""

from __future__ import annotations

import functools
from itertools import count
from typing import Any

from ..compiling import put as put_in_place

_next = count(1)
_numbers: dict[int, int] = {}
"""id of an object → its number. An id that is used again gets another number."""


def watch(*classes: Any) -> None:
    """Number the objects of these classes and of their subclasses from now on, also those that are copies or read from a file."""
    for owner in classes:
        for name in ("__init__", "__setstate__"):
            if name in vars(owner):
                put_in_place(owner, name, _numbering(vars(owner)[name], is_new=name == "__init__"))


def _numbering(original: Any, is_new: bool) -> Any:
    @functools.wraps(original)
    def own(this: Any, *args: Any, **kwargs: Any) -> Any:
        if is_new or id(this) not in _numbers:  # an optimizer calls __setstate__ again where it is loaded
            _numbers[id(this)] = next(_next)
        return original(this, *args, **kwargs)

    return own


def in_order(objects: list[Any]) -> list[Any]:
    """The same objects, those made first at the beginning."""
    return sorted(objects, key=lambda one: _numbers.get(id(one), 0))
