"""The ledger: every random generator in a process, and whether it was seeded."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import asdict, dataclass, field
from enum import Enum
from typing import Any, Callable


class State(str, Enum):
    """The state of a generator."""

    SEEDED = "seeded"
    SEEDED_LATE = "seeded-late"
    """It was drawn from before it was seeded."""
    UNSEEDED = "unseeded"
    """It was drawn from; the code itself never seeded it."""
    UNTOUCHED = "untouched"
    UNTRACKED = "untracked"
    """A generator that Seedwise cannot follow."""

    def __str__(self) -> str:
        return self.value


@dataclass
class Entry:
    """One generator.

    `seeded_at` and `made_at` are `file:line` in the user's own code. `seed` is the last seed that the generator got.
    `note` says what Seedwise did with the generator, or what it cannot see.
    """

    generator: str
    state: State = State.UNTOUCHED
    seed: int | None = None
    seeded_at: list[str] = field(default_factory=list)
    made_at: str | None = None
    note: str = ""

    def as_dict(self) -> dict[str, Any]:
        """Plain values, for JSON."""
        return {**asdict(self), "state": self.state.value}


class Ledger:
    """Every random generator in this process. Iterate over it to get its entries; print it to see a table.

    The states are read again at each access. So a ledger that was kept also shows what happened later.

    Parameters
    ----------
    libraries
        The libraries' global generators, in the order in which they are listed.
    """

    _MOST = 200  # code that makes generators in a loop must not fill the memory

    def __init__(self, libraries: Iterable[str] = ()) -> None:
        self._libraries = tuple(libraries)
        self._entries: dict[str, Entry] = {}
        self._refresh: list[Any] = []
        self._left_out = 0
        self.observer: Callable[[str, object, bool], None] | None = None
        """Told of each seeding before it happens: the generator, what it is given, whether it is a global one."""
        self.afterwards: Callable[[str], None] | None = None
        """Told of each seeding after it has happened: the generator."""
        self.starts: dict[str, object] = {}
        """For each global generator: its digest when it was started."""

    def clear(self) -> None:
        """Forget everything, because another run begins in this process."""
        self._entries.clear()
        self._refresh.clear()
        self.starts.clear()
        self._left_out = 0

    def entry(self, generator: str) -> Entry:
        """The entry of this generator. A new one is made if there is none."""
        if generator not in self._entries and len(self._entries) >= self._MOST:
            self._left_out += 1
            return Entry(generator)
        return self._entries.setdefault(generator, Entry(generator))

    def made_without_seed(self, generator: str, where: str, note: str) -> Entry:
        """Enter a generator that the code at `where` made without a seed."""
        entry = self.entry(generator)
        entry.state, entry.made_at, entry.note = State.UNSEEDED, where, note
        return entry

    def seeding(self, generator: str, given: object, is_global: bool = True) -> None:
        """A generator is about to be given a seed."""
        if self.observer is not None:
            self.observer(generator, given, is_global)

    def seeded(self, generator: str) -> None:
        """A global generator has been given a seed."""
        if self.afterwards is not None:
            self.afterwards(generator)

    def forget(self, generator: str) -> None:
        """Remove an entry, because its generator does not exist."""
        self._entries.pop(generator, None)

    def known(self, generator: str) -> bool:
        """Whether this generator has an entry. The states are not read again for this."""
        return generator in self._entries

    def when_read(self, refresh: Any) -> None:
        """Call `refresh()` each time before the entries are read."""
        self._refresh.append(refresh)

    @property
    def entries(self) -> list[Entry]:
        """The entries as they are now.

        The libraries' own generators come first; their order does not depend on which library was imported first.
        Then come those that the code made, in the order in which it made them.
        """
        for refresh in self._refresh:
            refresh()
        place = {generator: k for k, generator in enumerate(self._libraries)}
        return sorted(self._entries.values(), key=lambda entry: place.get(entry.generator, len(place)))

    def __iter__(self) -> Iterator[Entry]:
        return iter(self.entries)

    def __len__(self) -> int:
        return len(self.entries)

    def __getitem__(self, generator: str) -> Entry:
        for entry in self.entries:
            if entry.generator == generator:
                return entry
        raise KeyError(generator)

    def __contains__(self, generator: object) -> bool:
        return any(entry.generator == generator for entry in self.entries)

    def as_dicts(self) -> list[dict[str, Any]]:
        """Plain values, for JSON."""
        return [entry.as_dict() for entry in self.entries]

    def _rows(self) -> list[tuple[str, ...]]:
        rows: list[tuple[str, ...]] = [("generator", "state", "seed", "where", "note")]
        for e in self.entries:
            where = ", ".join(e.seeded_at) or e.made_at or ""
            rows.append((e.generator, e.state.value, "" if e.seed is None else str(e.seed), where, e.note))
        return rows

    def _repr_mimebundle_(self, include: object = None, exclude: object = None) -> dict[str, str]:
        """What a notebook shows: the table."""
        from html import escape

        def line(row: tuple[str, ...], tag: str) -> str:
            inside = "".join(f'<{tag} style="text-align:left">{escape(cell)}</{tag}>' for cell in row)
            return f"<tr>{inside}</tr>"

        head, *body = self._rows()
        more = f"<p>… and {self._left_out} more generators</p>" if self._left_out else ""
        table = line(head, "th") + "".join(line(row, "td") for row in body)
        return {"text/plain": str(self), "text/html": f"<table>{table}</table>{more}"}

    def __str__(self) -> str:
        rows = self._rows()
        widths = [max(len(row[k]) for row in rows) for k in range(5)]
        lines = ["  ".join(cell.ljust(w) for cell, w in zip(row, widths)).rstrip() for row in rows]
        if self._left_out:
            lines.append(f"… and {self._left_out} more generators")
        return "\n".join(lines)

    def __repr__(self) -> str:
        return f"<Ledger of {len(self)} generators>\n{self}"
