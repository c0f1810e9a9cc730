"""Grids of settings: one experiment for each combination, named by its settings. Together they are a family."""

import fnmatch
import hashlib
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import product

from ..errors import UsageError
from ..typos import closest
from ..wording import option
from .command import PLACEHOLDER, placeholders
from .functions import is_call
from .names import LONGEST

Setting = Mapping[str, str]
"""One value for each name, as text."""

_MOST = 10_000
"""More combinations than this are a mistake."""


@dataclass(frozen=True)
class Grid:
    """For each name the values that it takes."""

    axes: Mapping[str, tuple[str, ...]]

    def settings(self) -> list[dict[str, str]]:
        """All combinations; the last name changes fastest."""
        return [dict(zip(self.axes, values, strict=True)) for values in product(*self.axes.values())]


def read_grid(texts: Iterable[str], name: str = "--grid") -> Grid:
    """A grid from texts such as `lr=0.01,0.05,0.1`. A comma inside brackets or quotes separates nothing.

    Parameters
    ----------
    name
        The option that was typed, for messages.

    Raises
    ------
    UsageError
        A text is no NAME=VALUE,VALUE, a name or a value stands twice, or there are too many combinations.
    """
    axes: dict[str, tuple[str, ...]] = {}
    for text in texts:
        key, equals, rest = text.partition("=")
        values = split_values(rest)
        if not equals or not key.isidentifier() or not all(values):
            raise UsageError(f"{option(name)} takes NAME=VALUE,VALUE, such as lr=0.01,0.1; got {text!r}")
        if key == "seed":
            raise UsageError(
                f"{option(name)} seed=…: every setting gets the same seeds; name them with {option('--seeds')}"
            )
        if key == _CONFIRMED:
            raise UsageError(f"{option(name)} {key}=…: that name is taken, for the runs of {option('--confirm')}")
        if key in axes:
            raise UsageError(f"{option(name)} {key}=… stands twice: give all its values at once")
        twice = next((value for k, value in enumerate(values) if value in values[:k]), None)
        if twice is not None:
            raise UsageError(f"{option(name)} {key}: the value {twice} stands twice")
        axes[key] = values
    found = Grid(axes)
    count = 1
    for values in axes.values():
        count *= len(values)
    if count > _MOST:
        raise UsageError(f"{count} combinations are more than {_MOST}: a grid of so many settings is a search")
    return found


def split_values(text: str) -> tuple[str, ...]:
    """The parts between commas that are outside brackets and quotes."""
    parts, depth, quote = [""], 0, ""
    for c in text:
        if quote:
            quote = "" if c == quote else quote
        elif c in "'\"":
            quote = c
        elif c in "([{":
            depth += 1
        elif c in ")]}":
            depth -= 1
        elif c == "," and depth == 0:
            parts.append("")
            continue
        parts[-1] += c
    return tuple(part.strip() for part in parts)


def placed(command: Sequence[str], setting: Setting) -> tuple[str, ...]:
    """The command under one setting: `{lr}` in its words is replaced; a function gets `--set lr=…`."""
    if is_call(command):
        return (*command, *(word for key, value in setting.items() for word in ("--set", f"{key}={value}")))
    return tuple(_PLACE.sub(lambda found: setting.get(found[1], found[0]), word) for word in command)


_PLACE = re.compile(r"\{([A-Za-z_]\w*)\}")


def check_places(command: Sequence[str], grid: Grid) -> None:
    """Raises UsageError if a script's command has no place for a name of the grid."""
    if is_call(command):
        return
    there = {name for word in placeholders(command) for name in _PLACE.findall(word)} - {PLACEHOLDER.strip("{}")}
    for name in grid.axes:
        if name not in there:
            near = closest(name, there)
            meant = f": it has {{{near}}}; write {{{name}}} there, or {option('--grid')} {near}=…" if near else ""
            example = f"--{name.replace('_', '-')} {{{name}}}"
            raise UsageError(
                f"{option('--grid')} {name}=…: the command has no {{{name}}}{meant or f': write it where the value goes, such as {example}'}"
            )
    for name in sorted(there):
        if name not in grid.axes:
            raise UsageError(f"{{{name}}} in the command has no values: {option('--grid')} {name}=…")


def named(base: str, setting: Setting) -> str:
    """The name of one experiment of a family: `train lr=0.05 layers=2`.

    It can be the name of a folder and be typed. What a folder's name cannot hold becomes `_`, with a digest of the
    value, so that two values never share a name.
    """
    parts = [base, *(f"{key}={_plain(value)}" for key, value in setting.items())]
    whole = " ".join(parts)
    if len(whole) <= LONGEST:
        return whole
    end = f"more={_digest(whole)}"
    while len(" ".join([*parts, end])) > LONGEST and len(parts) > 1:
        parts.pop()
    return " ".join([*parts, end])


def _plain(value: str) -> str:
    kept = "".join(c if (c.isalnum() or c in "._,+-") else "_" for c in value)
    return kept if kept == value else f"{kept}+{_digest(value)}"


def _digest(text: str) -> str:
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()[:8]


_CONFIRMED = "confirmed"


def confirmation_of(name: str) -> str:
    """The name of the experiment that runs a setting again under fresh seeds: `train confirmed=fresh lr=0.05`."""
    base, _, rest = name.partition(" ")
    whole = " ".join(part for part in (base, f"{_CONFIRMED}=fresh", rest) if part)
    return whole if len(whole) <= LONGEST else f"{base} {_CONFIRMED}=fresh more={_digest(name)}"


def is_confirmation(name: str) -> bool:
    """Whether an experiment runs the best setting of a family again."""
    return _CONFIRMED in settings_of(name)


def settings_of(name: str) -> dict[str, str]:
    """The settings that an experiment's name says; none for one that is not of a family."""
    return dict(part.split("=", 1) for part in name.partition("@")[0].split(" ")[1:] if "=" in part)


def family_named(text: str, names: Iterable[str]) -> list[str]:
    """The names that a family's name stands for: `train`, or a pattern such as `train lr=*`; in their order.

    `train` alone is the family only if there is no experiment of just that name.
    """
    every = list(dict.fromkeys(names))
    if "*" in text or "?" in text:
        return [name for name in every if fnmatch.fnmatchcase(name, text)]
    if text in every:
        return []
    return [name for name in every if name.startswith(f"{text} ")]
