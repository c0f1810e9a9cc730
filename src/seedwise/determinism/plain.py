"""The runs of a program without any change: how many agree, and what in them is a reading of the machine."""

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace

from .compare import Difference, Verdict, compare
from .lines import Readings, row_of
from .printed import with_paired_names
from .readings import find_readings
from .rerunning import FIRST_HASH_SEED, NOTHING, Change, Checker
from .trace import Trace

_AGAIN = {"clock": True, "meter": True}
_MOST_SEARCHES = 8
"""How often readings are searched for: each time that something differs in a new place."""


class Plain:
    """The plain runs of one check.

    Parameters
    ----------
    checker
        Runs the program.
    first
        The first plain run.
    rtol
        Relative difference up to which numbers count as equal to rounding.
    tell
        Called with a line of text when a new step begins.
    """

    def __init__(self, checker: Checker, first: Trace, rtol: float, tell: Callable[[str], None]) -> None:
        self.checker, self.first, self.rtol, self.tell = checker, first, rtol, tell
        self.groups: list[list[Trace]] = [[first]]
        """Runs with the same result are together."""
        self.readings = Readings()
        self.uncounted = ""
        """An example of numbers that differed and were not counted."""
        self.printed = ""
        """An example of what is printed besides the result, and differed."""
        self.results_only = False
        """Whether nothing but results is compared, since what stands beside them differs between plain runs."""
        self.report_only = False
        """Whether not even numbers in files are compared."""
        self._searches = 0
        self._replays: dict[tuple[float, float, bool], Trace] = {}

    def not_counted(self) -> list[str]:
        """What differed and is no part of the result, in words."""
        found = []
        if self.uncounted:
            found.append(f"numbers that are readings of clock or machine differ and were not counted: {self.uncounted}")
        if self.printed:
            found.append(f"the result is the same; what is printed besides it is not: {self.printed}")
        return found

    @property
    def runs(self) -> list[Trace]:
        """All plain runs."""
        return [trace for group in self.groups for trace in group]

    @property
    def count(self) -> int:
        """How many plain runs there are."""
        return sum(map(len, self.groups))

    @property
    def others(self) -> int:
        """How many of them differ from the most frequent result."""
        return self.count - max(map(len, self.groups))

    def again(self) -> Difference:
        """Run the program once more, and compare it with the first run."""
        self.tell("run it again")
        return self._add(self.checker.run())

    def more(self, n: int) -> None:
        """Run the program so many more times."""
        self.tell(f"run it {n} more times")
        for trace in self.checker.run_all([NOTHING] * n):
            self._add(trace)

    @property
    def hash_seeds(self) -> frozenset[str]:
        """The hash seeds that plain runs had."""
        return frozenset(trace.settings.get("PYTHONHASHSEED", "") for trace in self.runs)

    def _named(self, trace: Trace) -> Trace:
        """A run with its files under the names that they have in the first one: readings are known by their place in a file."""
        return trace if trace is self.first else with_paired_names(self.first, trace)

    def _add(self, trace: Trace) -> Difference:
        trace = self._named(trace)
        difference = self.compare(self.first, trace)
        for group in self.groups:
            if not (difference if group[0] is self.first else self.compare(group[0], trace)):
                group.append(trace)
                break
        else:
            self.groups.append([trace])
        return difference

    def compare(self, a: Trace, b: Trace, *, changed: bool = False) -> Difference:
        """Compare two runs without readings. If they differ, look whether that is a reading too.

        `changed` says that something was changed in one of them: then warnings are no part of the result.
        """
        a, b = self._named(a), self._named(b)
        difference = compare(a, b, self.rtol, self.readings, warnings=not changed)
        if difference.in_texts and self._reads_machine(b) and self._searches < _MOST_SEARCHES:
            found = self._search([self.first, *(t for t in (a, b) if t is not self.first)])
            if found.places | found.lines > self.readings.places | self.readings.lines:
                self.readings = self.readings | found
                difference = compare(a, b, self.rtol, self.readings, warnings=not changed)
        self.uncounted = self.uncounted or difference.uncounted
        self.printed = self.printed or difference.printed
        return self._of_result(difference)

    def _of_result(self, difference: Difference) -> Difference:
        agrees = difference.agrees
        is_same = agrees.result or agrees.log or (self.report_only and agrees.report)
        return Difference(Verdict.IDENTICAL) if self.results_only and is_same else difference

    @contextmanager
    def results_alone(self, alone: bool = True) -> Iterator[None]:
        """Compare nothing but results in this block, if `alone`."""
        before, groups = self.results_only, self.groups
        self.results_only = alone or before
        if alone and not before:
            self.groups = self._grouped()
        try:
            yield
        finally:
            self.results_only, self.groups = before, groups

    def _grouped(self) -> list[list[Trace]]:
        """The plain runs, those with the same result together."""
        found: list[list[Trace]] = []
        for trace in self.runs:
            for group in found:
                if not self.compare(group[0], trace):
                    group.append(trace)
                    break
            else:
                found.append([trace])
        return found

    def all_have(self, quality: Callable[[Difference], bool]) -> bool:
        """Whether each plain run that differs from the first one does so in this way."""
        first, *others = (group[0] for group in self.groups)
        return bool(others) and all(quality(self.compare(first, other)) for other in others)

    def compare_only_results(self, *, report_only: bool = False) -> None:
        """From now on compare nothing but results. All plain runs have the same one."""
        self.results_only, self.report_only = True, report_only
        self.groups = [self.runs]

    def compare_results(self, first: Trace, second: Trace) -> Difference:
        """Compare a run with the next one in the same folder, by what both print and log.

        Files do not count: the second one may add to those of the first. Neither do lines that only one of them prints.
        """
        a, b = only_common(first, second)
        return self._of_result(compare(a, b, self.rtol, self.readings, files=False))

    def _reads_machine(self, trace: Trace) -> bool:
        return any(fact in facts for fact in ("clock-read", "meter") for facts in (self.first.facts, trace.facts))

    def _search(self, plain: Sequence[Trace]) -> Readings:
        self._searches += 1
        self.tell("run it with the same readings of clock and memory, and with others")
        again, doubled = self._given(), self._given(scale=2.0, shift=True)
        if again.failed or doubled.failed:
            return self.readings
        return self.readings | find_readings(plain, again, doubled, lambda size: self._given(nudge=size))

    def _given(self, scale: float = 1.0, nudge: float = 0.0, shift: bool = False) -> Trace:
        """The program with the readings of its first run, perhaps scaled, changed a little, or shifted."""
        if (scale, nudge, shift) not in self._replays:
            readings = {**_AGAIN, "scale": scale, "nudge": nudge, "shift": shift}
            trace = self.checker.run(FIRST_HASH_SEED | Change({"readings": readings}, {}))
            self._replays[scale, nudge, shift] = self._named(trace)
        return self._replays[scale, nudge, shift]

    def reruns(self, most: int) -> Difference:
        """Rerun without any change, at most `most` times, until a rerun differs."""
        self.tell("run it again")
        difference, left = Difference(Verdict.IDENTICAL), most
        while left > 0 and not difference:
            several = self.checker.run_all([NOTHING] * min(left, self.checker.at_once))
            left -= len(several)
            found = [self._add(trace) for trace in several]
            difference = next((d for d in found if d), difference)
        return difference


def only_common(a: Trace, b: Trace) -> tuple[Trace, Trace]:
    """Both traces without the lines of output whose like the other one does not have."""
    known = [{row_of(line)[0] for line in t.stdout.splitlines()} for t in (a, b)]
    both = known[0] & known[1]

    def common(t: Trace) -> Trace:
        lines = [line for line in t.stdout.splitlines() if row_of(line)[0] in both]
        return replace(t, stdout="\n".join(lines), stderr="", aside="")

    return common(a), common(b)
