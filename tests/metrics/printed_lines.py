"""The corpus of printed lines in `printed/`: what real training scripts print, and how a researcher reads it.

A case is a block of lines, apart from the next by a blank line:

    # what it is
    > a line of one run, as printed (`\\r`, `\\t` and `\\x1b` stand for the characters)
    = name value     a number that must be read under this name
    - name value     a number that must not be offered as a result
    ! name goal      what leads the report: `min`, `max` or `?`; `! ?` the user is asked; `! -` there is no result
    ? name           one of those among which the user is asked
"""

import math
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path

from seedwise.metrics.choose import Choice, choose, read_run
from seedwise.results import Run, Series, Status

FOLDER = Path(__file__).with_name("printed")


@dataclass
class Case:
    """One case of the corpus."""

    place: str
    what: str = ""
    lines: list[str] = field(default_factory=list)
    read: dict[str, float] = field(default_factory=dict)
    not_results: list[tuple[str, float | None]] = field(default_factory=list)
    headline: str = ""
    goal: str = ""
    asked: list[str] = field(default_factory=list)

    @property
    def text(self) -> str:
        escapes = {"\\r": "\r", "\\t": "\t", "\\x1b": "\x1b"}
        return "".join(re.sub(r"\\r|\\t|\\x1b", lambda m: escapes[m.group()], line) + "\n" for line in self.lines)

    def series(self) -> Mapping[str, Series]:
        """What is read from it as the output of one run."""
        return read_run({}, self.text, "", {})

    def choice(self) -> Choice:
        """What is chosen from three runs, in which the numbers that are results differ and all others are the same."""
        runs = []
        for seed in (1, 2, 3):
            series = {name: replace(s, values=self._moved(s.values, seed)) for name, s in self.series().items()}
            runs.append(Run(seed, Status.FINISHED, series, 0))
        return choose(runs)

    def _moved(self, values: tuple[float, ...], seed: int) -> tuple[float, ...]:
        results = list(self.read.values())
        settings = [value for _, value in self.not_results if value is not None]

        def move(value: float) -> float:
            if not math.isfinite(value) or (_near(value, settings) and not _near(value, results)):
                return value
            return value * (1 + 1e-6 * seed)

        return tuple(map(move, values))


def _near(value: float, values: list[float]) -> bool:
    return any(math.isclose(value, other, rel_tol=1e-9) for other in values)


def cases() -> Iterator[Case]:
    for path in sorted(FOLDER.glob("*.txt")):
        case = Case("")
        for number, line in enumerate([*path.read_text(encoding="utf-8").splitlines(), ""], start=1):
            if not line.strip():
                if case.lines:
                    yield case
                case = Case(f"{path.stem}:{number + 1}")
                continue
            case.place = case.place or f"{path.stem}:{number}"
            mark, _, rest = line.partition(" ")
            _take(case, mark, rest)


def _take(case: Case, mark: str, rest: str) -> None:
    if mark == "#":
        case.what = rest
    elif mark == ">":
        case.lines.append(rest)
    elif mark == "=":
        name, _, value = rest.rpartition(" ")
        case.read[name.lower()] = float(value)
    elif mark == "-":
        name, _, value = rest.rpartition(" ")
        try:
            case.not_results.append((name.lower(), float(value)))
        except ValueError:
            case.not_results.append((rest.lower(), None))
    elif mark == "!":
        name, _, goal = rest.rpartition(" ")
        case.headline, case.goal = (name.lower(), goal) if name else (goal, "")
    elif mark == "?":
        case.asked.append(rest.lower())
    else:
        raise ValueError(f"{case.place}: a line that begins with {mark!r}")
