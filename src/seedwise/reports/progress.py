"""Where a sweep stands: what is done, what is running, how much time is left. Events go in, lines come out."""

import time
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field

from rich.cells import cell_len, set_cell_size

from ..events import Began, Comparing, Ended, Event, Planned, Started
from ..results import Run, Status
from ..words import duration, printable
from .following import Following, Part
from .screen import Tone

_MOST_RUNNING = 4
_SOON = 0.5
"""Seconds before a run gets a line of its own: quick ones would only flicker."""
_BAR = 30


@dataclass
class Running:
    """A run that is going on: since when, and what it has last said."""

    seed: int | None
    """None for a script that loops over its seeds itself."""
    began: float
    doing: Callable[[], str]

    @property
    def label(self) -> str:
        """`seed 7`, or that the script has all of them."""
        return "all seeds in one process" if self.seed is None else f"seed {self.seed}"


@dataclass
class Progress:
    """The state of a sweep of one experiment, or of two that alternate."""

    prefer: str | None = None
    clock: Callable[[], float] = time.monotonic
    n: int = 0
    done: int = 0
    """Seeds that were settled before."""
    todo: int = 0
    planned: int = 0
    """Seeds of a whole family, of which not all experiments have begun."""
    design: str = ""
    """The decomposition whose experiments these are."""
    followed: dict[str, Following] = field(default_factory=dict)
    running: dict[tuple[str, int | None], Running] = field(default_factory=dict)
    compared: dict[tuple[str, int], float] = field(default_factory=dict)
    """Seeds that are run once more for a comparison, and since when."""
    began: float | None = None
    looped: bool = False
    """The script itself loops over its seeds: how many there are is seen at the end."""
    _ended: set[tuple[str, int]] = field(default_factory=set)
    _before: set[tuple[str, int]] = field(default_factory=set)
    _ends: deque[float] = field(default_factory=deque)
    _jobs: int = 1

    def take(self, event: Event) -> None:
        """Note what has happened."""
        if isinstance(event, Planned):
            self.planned, self.design = event.seeds, event.design
        elif isinstance(event, Began):
            self._begin(event)
        elif isinstance(event, Started):
            name = self._name(event.experiment)
            self.running[name, event.seed] = Running(event.seed, self.clock(), event.doing)
        elif isinstance(event, Comparing):
            key = self._name(event.experiment), event.seed
            if event.ended:
                self.compared.pop(key, None)
            else:
                self.compared.setdefault(key, self.clock())
        elif isinstance(event, Ended):
            self._end(event.run, self._name(event.experiment))

    def _name(self, experiment: str) -> str:
        return experiment or next(iter(self.followed), "")

    def _begin(self, event: Began) -> None:
        before = {(event.experiment, run.seed) for run in event.before}
        again = len(before & (self._ended | self._before))  # of an experiment that began earlier
        self.n, self.done = self.n + event.n - again, self.done + event.done - again
        self.todo += event.todo
        self._before |= before
        self._jobs = max(1, event.jobs)
        self.looped = event.looped
        following = Following(event.metrics, event.reduce, event.anytime, self.prefer)
        for run in event.before:
            following.add(run)
        self.followed[event.experiment] = following
        self.began = self.clock() if self.began is None else self.began

    def _end(self, run: Run, name: str) -> None:
        self.running.pop((name, None if self.looped else run.seed), None)
        if run.status in (Status.RUNNING, Status.INTERRUPTED):
            return
        self.followed.setdefault(name, Following(prefer=self.prefer)).add(run)
        self._ended.add((name, run.seed))
        self._ends.append(self.clock())
        while len(self._ends) > max(20, 4 * self._jobs):
            self._ends.popleft()

    @property
    def ended(self) -> int:
        """How many seeds have ended now."""
        return len(self._ended)

    @property
    def failed(self) -> int:
        """How many runs failed, now or before."""
        return sum(one.failed for one in self.followed.values())

    @property
    def is_over(self) -> bool:
        """Whether every seed has ended."""
        return not self.looped and self.ended >= self.todo

    @property
    def seconds(self) -> float:
        """For how long the sweep has been going on."""
        return 0.0 if self.began is None else self.clock() - self.began

    def left(self) -> float | None:
        """About how many seconds are left; None if that cannot be said.

        The last runs say how quick they are now: the first ones start an interpreter, later ones are forked.
        """
        rest = max(self.todo, self.planned - self.done) - self.ended
        if rest <= 0 or not self._ends:
            return None
        each = self.seconds / self.ended
        skipped = min(self._jobs, len(self._ends) - 1)  # those that were started with the first
        if len(self._ends) - skipped > 2:
            counted = len(self._ends) - 1 - skipped
            each = (self._ends[-1] - self._ends[skipped]) / counted
        return max(0.0, each * rest - (self.clock() - self._ends[-1]))

    def counted(self) -> str:
        """`17 of 30`; where the script loops over its seeds, how many there were."""
        if self.looped:
            return str(self.ended or self.done or "")
        return f"{self.done + self.ended} of {max(self.n, self.planned)}"

    def parts(self, experiment: str, ended: bool = False) -> list[Part]:
        """What is known of the headline metric of an experiment."""
        parts = self.followed[experiment].parts(ended) if experiment in self.followed else []
        if parts and len(self.followed) > 1 and not self.design:
            return [(f"{printable(experiment)}: {parts[0][0]}", parts[0][1]), *parts[1:]]
        return parts

    def total(self) -> str:
        """What is said at the end: how many, how long."""
        names = self._names()
        what = "run" if self.design else "seed"
        failed = f", {self.failed} failed" if self.failed else ""
        counted = self.counted()
        done = f"{counted} {what}{'' if counted == '1' else 's'} done" if counted else "no seed was printed"
        return f"{names}: {done}{failed}; {duration(self.seconds)}"

    def _names(self) -> str:
        return printable(self.design) if self.design else " and ".join(map(printable, self.followed))

    def lines(self, width: int) -> list[list[Part]]:
        """The lines of the display, each made of parts that have a tone, none wider than `width`."""
        lines = [self._bar(width)]
        shown_parts = list(self.followed)[-1:] if self.design else list(self.followed)
        lines += [_fitting(self.parts(name), width) for name in shown_parts]
        now = self.clock()
        shown = [one for one in self.running.values() if now - one.began >= _SOON]
        for one in shown[:_MOST_RUNNING]:
            start = f"{one.label}  {duration(now - one.began)}  "
            said = printable(one.doing().replace("\t", " "))
            lines.append([(_cropped(start + said, width), Tone.QUIET)])
        if len(shown) > _MOST_RUNNING:
            lines.append([(f"and {len(shown) - _MOST_RUNNING} more running", Tone.QUIET)])
        for (_, seed), began in self.compared.items():
            if now - began >= _SOON:
                text = f"seed {seed}  {duration(now - began)}  once more, to compare a forked run with a fresh one"
                lines.append([(_cropped(text, width), Tone.QUIET)])
        return [line for line in lines if line]

    def _bar(self, width: int) -> list[Part]:
        """Name, bar, and what stands beside it; where there is little room the bar goes first, then the time left."""
        left = self.left()
        head = _cropped(self._names(), max(6, width // 3))
        said: list[Part] = [] if self.looped else [(self.counted(), Tone.PLAIN)]
        said += [(f"{self.failed} failed", Tone.BAD)] if self.failed else []
        said.append((duration(self.seconds), Tone.PLAIN))
        said += [(f"about {duration(left)} left", Tone.PLAIN)] if left is not None else []
        whole = _fitting([(head, Tone.PLAIN), *said], width)
        room = min(_BAR, width - sum(cell_len(text) for text, _ in whole) - 2)
        if room < 5 or self.looped:
            return whole
        full = round(room * min(1.0, (self.done + self.ended) / max(1, self.n, self.planned)))
        bar: list[Part] = [("  ", Tone.PLAIN), ("━" * full, Tone.GOOD), ("─" * (room - full), Tone.QUIET)]
        return [whole[0], *bar, *whole[1:]]


def _fitting(parts: list[Part], width: int) -> list[Part]:
    """As many of the parts as fit, with two spaces between them; the first is cropped."""
    line: list[Part] = []
    used = 0
    for text, tone in parts:
        if not line:
            line.append((_cropped(text, width), tone))
            used = cell_len(line[0][0])
        elif used + 2 + cell_len(text) <= width:
            line += [("  ", Tone.PLAIN), (text, tone)]
            used += 2 + cell_len(text)
    return line


def _cropped(text: str, width: int) -> str:
    return text if cell_len(text) <= width else set_cell_size(text, max(0, width - 1)) + "…"
