"""Puts things into another order."""

from __future__ import annotations

from typing import Any, Callable


def reordered(names: list[Any], how: str, key: Callable[[Any], Any]) -> list[Any]:
    """Order `names` as `how` says.

    `sorted` sorts them by `key`; `other` gives another order than the one they have; "" changes nothing.
    """
    if how == "sorted":
        return sorted(names, key=key)
    if how == "other":
        # neither the order that came nor its reverse: a program that reverses the list also sees another order
        ordered = sorted(names, key=key)
        other = ordered[1::2][::-1] + ordered[0::2]
        for _ in names:  # a program that takes only the first or the last also sees another one
            if other[0] != names[0] and other[-1] != names[-1]:
                break
            other = other[1:] + other[:1]
        return other
    return names
