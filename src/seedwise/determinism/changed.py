"""What changed it: a program held against itself under another environment, interpreter or command."""

import re
import shlex
import shutil
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import PurePath
from typing import Any

import numpy as np

from ..errors import ScriptError, UsageError
from ..experiments.functions import is_call
from ..places import short_place
from ..results import Run
from ..stats.describe import t_interval
from ..wording import option
from .compare import Difference, Verdict, compare
from .finding import Check, Outcome, Tried, how_far, sentence_of_shift
from .localise import Divergence, localise
from .plain import Plain
from .rerunning import FIRST_HASH_SEED, NOTHING, Change
from .spread import as_run, under_seeds
from .trace import Trace

SEEDS = 5
"""Under how many seeds both ways are run, to see how far a difference is from what the seed does."""
_SETTING = re.compile(r"[A-Za-z_]\w*=")
_OURS = frozenset(("PYTHONHASHSEED", "PYTHONPATH"))
_LEAST, _MOST = 0.1, 1.0
"""Shares of the seed's SD: what moves a metric by less than the second is inside the spread of seeds, by more than the
first and perhaps by more than the second beyond it.
"""


@dataclass(frozen=True)
class OtherWay:
    """The command and the environment variables that are held against the program as it is typed, and their name."""

    words: tuple[str, ...]
    environment: Mapping[str, str]
    said: str


def other_way(words: Sequence[str], others: Sequence[str], python: str | None) -> OtherWay | None:
    """What the user wants to hold against the command.

    Parameters
    ----------
    others
        Settings `NAME=VALUE`, and at most one command.
    python
        Another interpreter for the same command.

    Raises
    ------
    UsageError
        There are two commands, the interpreter is not there, or the command has none.
    """
    if not others and python is None:
        return None
    settings: dict[str, str] = {}
    commands: list[str] = []
    for one in others:
        named, command = _split(one)
        settings.update(named)
        commands += [command] if command else []
    if len(commands) > 1 or (commands and python is not None):
        raise UsageError(
            f"{option('--with')} takes settings NAME=VALUE and one command; {option('--python')} is for the command as it is"
        )
    said, changed = list(settings and [" ".join(f"{k}={v}" for k, v in settings.items())]), list(words)
    if commands:
        changed = shlex.split(commands[0])
        if shutil.which(changed[0]) is None:
            raise UsageError(
                f"{option('--with')} {commands[0]}: there is no command {changed[0]}, and a setting is NAME=VALUE"
            )
        said.append(f"`{commands[0]}`")
    if python is not None:
        if not PurePath(words[0]).name.startswith("python"):
            raise UsageError(
                f"{option('--python')} takes the place of the command's interpreter, and {words[0]} is none"
            )
        found = shutil.which(python)
        if found is None:
            raise UsageError(f"{option('--python')}: no interpreter {python}")
        changed[0] = found
        said.append(python)
    for name in settings:
        if name in _OURS:
            raise UsageError(f"{option('--with')} {name}: the check sets {name} itself, so it cannot be changed here")
    if any("{seed}" in word for word in words) != any("{seed}" in word for word in changed):
        raise UsageError(
            f"{option('--with')}: both commands take {{seed}}, or neither: else they run under different seeds"
        )
    return OtherWay(tuple(changed), settings, " and ".join(said))


def _split(text: str) -> tuple[dict[str, str], str]:
    """Settings before a command, as in a shell: `A=1 B=2 python train.py`; a single setting may hold spaces."""
    try:
        words = shlex.split(text)
    except ValueError as error:
        raise UsageError(f"{option('--with')} {text!r}: {error}") from None
    if not words:
        raise UsageError(f"{option('--with')} names NAME=VALUE or a command; got an empty text")
    count = next((k for k, word in enumerate(words) if not _SETTING.match(word)), len(words))
    if 0 < count < len(words) and shutil.which(words[count]) is None:
        return dict([text.partition("=")[::2]]), ""  # its value has spaces
    command = shlex.join(words[count:])
    if is_call(words[count:]):
        raise UsageError(f"{option('--with')} {command}: a command, not a function")
    return dict(word.partition("=")[::2] for word in words[:count]), command


def with_seed(words: Sequence[str], seed: int) -> list[str]:
    """The words with the seed in the place of `{seed}`."""
    return [word.replace("{seed}", str(seed)) for word in words]


@contextmanager
def _commanded(plain: Plain, words: Sequence[str]) -> Iterator[None]:
    """Let the checker run other words."""
    before, plain.checker.words = plain.checker.words, list(words)
    try:
        yield
    finally:
        plain.checker.words = before


class WhatChanged:
    """The runs of both ways.

    Parameters
    ----------
    plain
        The plain runs of the program as it is typed; one was made.
    other
        The other way.
    typed
        The command with `{seed}` where it takes the seed; None for one that types its seed.
    seed
        The seed of the first run, where the command takes it.
    seeds
        Under how many seeds both are run if they differ.
    notes
        What else there is to know; more may be added.
    reruns
        How often the program is rerun as it is typed, to see that it repeats itself.
    """

    def __init__(
        self,
        plain: Plain,
        other: OtherWay,
        typed: Sequence[str] | None,
        seed: int,
        seeds: int,
        notes: list[str],
        reruns: int = 1,
    ) -> None:
        self.plain, self.other, self.typed, self.seeds, self.notes = plain, other, typed, seeds, notes
        self.seed, self.reruns = seed, reruns
        self.tell = plain.tell

    def answer(self) -> Check:
        """Run both ways, and say how they differ."""
        said, first = self.other.said, self.plain.first
        runs = self.reruns + 4 + 2 * self.seeds
        if runs * first.seconds >= 5.0:
            self.tell(f"up to {runs} more runs, {runs * first.seconds:.0f} s")
        again = self.plain.reruns(self.reruns)
        if again:
            return self._answer(
                again, None, "reruns of the same command differ", {},
                f"{again.verdict}: reruns of the command as it is differ, so nothing can be said about {said}: "
                "check it alone first.",
            )  # fmt: skip
        self.tell(f"run it with {said}")
        other = self._run(NOTHING)
        if other.failed:
            raise ScriptError(f"with {said} the program {other.failed}")
        difference = self.plain.compare(first, other, changed=True)
        if not difference:
            return self._answer(difference, None, "", {}, f"identical: the result is the same with {said}.")
        self.tell(f"run it with {said} again")
        unsteady = self.plain.compare(other, self._run(NOTHING), changed=True)
        if unsteady:
            return self._answer(
                unsteady, None, f"reruns with {said} differ", {},
                f"{unsteady.verdict}: with {said} reruns differ from each other, which those of the command as it is do not.",
            )  # fmt: skip
        where = self._localised(difference)
        measured = self._measured()
        parts = [
            f"{difference.verdict}{how_far(difference)}: {said} changes the result{_first(where, difference, first)}."
        ]
        parts += [sentence_of_shift(name, one) for name, one in list(measured.items())[:1]]
        return self._answer(difference, where, said, measured, " ".join(parts))

    def _run(self, change: Change) -> Trace:
        with _commanded(self.plain, with_seed(self.other.words, self.seed)):
            return self.plain.checker.run(change | Change({}, self.other.environment))

    def _localised(self, difference: Difference) -> Divergence | None:
        """The first operation that differs: every operation of the first step that differs is recorded both ways."""
        step = difference.first_step
        if step is None or self.plain.first.unit != "step" or step >= self.plain.first.steps.size:
            return None
        self.tell(f"record every operation of step {step + 1}")
        record = replace(FIRST_HASH_SEED, record_step=step)
        a, b = self.plain.checker.run(record), self._run(record)
        now = compare(a, b, self.plain.rtol).first_step
        return localise(a, b, step) if now == step else None

    def _measured(self) -> dict[str, Any]:
        """For each metric: how far it moves over the seeds, beside the SD of the seed."""
        if self.seeds < 2:
            return {}
        self.tell(f"run both under {self.seeds} seeds")
        mine = self._under_seeds(self.plain.checker.words if self.typed is None else self.typed, {})
        return shifts(mine, self._under_seeds(self.other.words, self.other.environment))

    def _under_seeds(self, words: Sequence[str], environment: Mapping[str, str]) -> list[Run]:
        if self.typed is not None:
            runs = []
            for seed in range(1, self.seeds + 1):
                with _commanded(self.plain, with_seed(words, seed)):
                    trace = self.plain.checker.run(Change({}, environment))
                if not trace.failed:
                    runs.append(as_run(seed, trace))
            self._note_missing(runs)
            return runs
        found, note = under_seeds(words, self.seeds, self.plain.checker.timeout, environment)
        self.notes += [note] if note and note not in self.notes else []
        if found:
            self._note_missing(found)
        return found

    def _note_missing(self, runs: Sequence[Run]) -> None:
        if len(runs) < self.seeds:
            self.notes.append(f"under {self.seeds - len(runs)} of {self.seeds} seeds one of the two ways failed")

    def _answer(
        self, difference: Difference, where: Divergence | None, cause: str, measured: Mapping[str, Any], sentence: str
    ) -> Check:
        outcome = {
            Verdict.IDENTICAL: Outcome.SAME,
            Verdict.ROUNDING: Outcome.ROUNDING,
            Verdict.DIFFERENT: Outcome.DIFFERENT,
        }
        return Check(
            difference.verdict,
            cause,
            "" if where is None else short_place(where.line),
            sentence=sentence,
            difference=difference,
            divergence=where,
            ledger=self.plain.first.ledger,
            perturbations=(Tried(f"with {self.other.said}", outcome[difference.verdict], "; ".join(difference.what)),),
            notes=(*self.notes, *self.plain.not_counted()),
            measured=dict(measured),
            plain_runs=self.plain.count,
            other_runs=self.plain.others,
        )


def shifts(mine: Sequence[Run], its: Sequence[Run]) -> dict[str, Any]:
    """How far each metric moves, seed by seed.

    Returns
    -------
    name → `shift` (mean of the differences, other way minus as typed), `low` and `high` (95 % interval of it, Student's t
    of the pairs), `seed_sd` (SD between seeds as typed), `seeds`, and `place`: `inside` the spread of seeds, if the whole
    interval is within one SD; else `beyond`, if the whole interval is on one side and more than a tenth of an SD away
    from 0; else `open`. `left_out` counts the seeds under which one of the two values is NaN or infinite.
    """
    from ..metrics import choose as metrics

    found: dict[str, Any] = {}
    for metric in metrics.choose(mine).metrics:
        a, b = (
            {r.seed: r.series[metric.name].values[-1] for r in runs if metric.name in r.series} for runs in (mine, its)
        )
        both = a.keys() & b.keys()
        seeds = sorted(s for s in both if np.isfinite(a[s]) and np.isfinite(b[s]))
        if len(seeds) < 2:
            continue
        differences = np.array([b[s] - a[s] for s in seeds])
        sd = float(np.std([a[s] for s in seeds], ddof=1))
        low, high = t_interval(differences) if np.ptp(differences) > 0 else (float(differences[0]),) * 2
        least, most = sorted((abs(low), abs(high)))
        beyond = low * high > 0 and least > _LEAST * sd
        place = "inside" if most <= _MOST * sd else "beyond" if beyond else "open"
        found[metric.name] = {
            "shift": float(differences.mean()), "low": low, "high": high, "seed_sd": sd, "seeds": len(seeds),
            "place": place, "left_out": len(both) - len(seeds),
        }  # fmt: skip
    return found


def _first(where: Divergence | None, difference: Difference, first: Trace) -> str:
    if difference.first_step is None:
        return ""
    text = f", first in {first.unit} {difference.first_step + 1}"
    if where is None:
        return text
    return f"{text}: {where.operation}{f' at {short_place(where.line)}' if where.line else ''}"
