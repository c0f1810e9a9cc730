"""How often chance alone makes `check` name a cause: calculated, and simulated with the examination itself."""

import random

import numpy as np
import pytest

from seedwise.determinism import Cause, Check, Difference, Reason, Trace, Verdict
from seedwise.determinism.case import Case
from seedwise.determinism.chance import (
    LEVEL,
    chance_of_agreement,
    chance_of_change,
    largest_share,
    runs_for_agreement,
    runs_for_change,
)
from seedwise.determinism.diagnosis import Examination
from seedwise.determinism.rerunning import NOTHING, Change, Checker
from seedwise.runs.file_contents import digest_of

LIMIT = 0.01
NO_CAUSE = ("", Cause.RACE, Cause.UNKNOWN, Cause.BESIDE)


def test_what_no_difference_in_n_runs_leaves_open_against_theory() -> None:
    assert largest_share(8) == pytest.approx(0.3123, abs=1e-4)  # 1 - 0.05 ** (1 / 8)
    assert largest_share(59) < 0.05 < largest_share(58)
    assert largest_share(0) == 1.0


def test_more_runs_leave_less_to_chance() -> None:
    plain, changed = runs_for_change(3, 8)
    assert chance_of_change(plain, changed, 8) < LEVEL <= chance_of_change(plain, changed - 1, 8)
    assert chance_of_change(1, 1, 1) == 1.0
    held = runs_for_agreement(20, 5, 2)
    assert chance_of_agreement(20, 5, held, 2) < LEVEL <= chance_of_agreement(20, 5, held - 1, 2)
    assert runs_for_agreement(20, 2, 2) > runs_for_agreement(20, 5, 2) > runs_for_agreement(20, 19, 2)


class Race(Checker):
    """A program whose result is another one with probability `rate`, whatever is changed in it."""

    def __init__(self, rate: float, rng: random.Random, outcomes: int) -> None:
        self.words, self.environment, self.timeout, self.runs, self.given = ["python"], {}, 60.0, 0, {}
        self.varies_hash_seed, self.at_once, self.shares_files = True, 1, False
        self._rate, self._rng, self._outcomes = rate, rng, outcomes

    def run(self, change: Change = NOTHING) -> Trace:
        self.runs += 1
        other = self._rng.random() < self._rate
        facts = dict.fromkeys(("completion", "clock", "entropy", "listing", "pid"), "train.py:3")
        ledger = ({"generator": "random", "state": "unseeded", "drawn_at": "train.py:2"},)
        value = self._rng.randrange(1, self._outcomes) if other else 0
        return Trace(0, f"acc = 0.5{value}\n", "", facts=facts, ledger=ledger, seconds=0.2)


def examined(rate: float, rng: random.Random, outcomes: int = 2) -> Check:
    examination = Examination(["python"], None, 1e-4, 60.0, lambda text: None)
    return examination.examine(Race(rate, rng, outcomes))


@pytest.mark.slow
@pytest.mark.timeout(600)
@pytest.mark.parametrize("rate", [0.02, 0.05, 0.1, 0.2, 0.3, 0.5])
def test_a_race_is_seldom_taken_for_a_cause(rate: float) -> None:
    rng, n = random.Random(int(rate * 1000)), 300
    found = [examined(rate, rng) for _ in range(n)]
    accused = sum(check.cause not in NO_CAUSE for check in found)
    assert accused <= n * LIMIT + 2 * (n * LIMIT) ** 0.5, f"{accused} of {n}"
    assert all(str(check.plain_runs) in check.sentence for check in found if check.cause == Cause.RACE)


def test_where_nothing_helps_and_threads_work_side_by_side_their_line_is_told() -> None:
    check = examined(1.0, random.Random(3), outcomes=10**9)
    assert (check.cause, check.location, check.fix_verified) == (Cause.BESIDE, "train.py:3", False), check.sentence
    assert "perhaps threads" in check.sentence


class Unwritten(Race):
    """A program whose result is what it found in memory that nothing had written; filled, it is another one for good."""

    def run(self, change: Change = NOTHING) -> Trace:
        self.runs += 1
        filled = change.interventions.get("memory") == "zero"
        facts = {"memory": "train.py:4", **({"memory train.py:4": "train.py:4"} if filled else {})}
        value = "900.0" if filled else f"{self._rng.random():.4f}"
        return Trace(0, f"acc = {value}\n", "", facts=facts, seconds=0.2)


def test_memory_is_named_though_filling_it_leads_elsewhere() -> None:
    examination = Examination(["python"], None, 1e-4, 60.0, lambda text: None)
    check = examination.examine(Unwritten(1.0, random.Random(1), 2))
    assert (check.cause, check.location, check.fix_verified) == (Cause.MEMORY, "train.py:4", False), check.sentence


class Splits(Checker):
    """A program whose operations of step 1 race. The pair of runs in which step 2 is recorded separates at step 1."""

    def __init__(self) -> None:
        self.runs, self.at_once = 0, 1

    def run(self, change: Change = NOTHING) -> Trace:
        self.runs += 1
        made, given = ((self.runs,), ()) if change.record_step == 0 else ((self.runs,), (self.runs,))
        op = ("mul", made, given, 0, f"train.py:{change.record_step + 1}", "")
        return Trace(0, "", "", steps=np.array([self.runs, self.runs], np.uint32), ops=(op,))


def test_the_operation_that_is_named_is_of_the_first_step_at_which_the_recorded_runs_separate() -> None:
    case = Case(Splits(), Trace(0, "", ""), 1e-4, lambda text: None)
    found = case.localise(Difference(Verdict.DIFFERENT, ("parameters",), first_step=1), NOTHING)
    assert found is not None
    assert (found.step, found.line, found.reason) == (0, "train.py:1", Reason.KERNEL)


def test_a_race_is_told_with_how_many_runs_showed_it() -> None:
    rng = random.Random(5)
    told = next(check for check in (examined(0.05, rng) for _ in range(50)) if check.cause == Cause.RACE)
    assert f"{told.other_runs} of {told.plain_runs} plain runs differ, too few to say more" in told.sentence
    assert not told.fix_verified


class Dated(Race):
    """A program with a result, and a file of dated lines whose numbers are other ones in each run, whatever is done."""

    def run(self, change: Change = NOTHING) -> Trace:
        self.runs += 1
        said = {"history.txt": f"DATE temperature 40.{self._rng.randrange(10**6)}\n"}
        digests = {path: digest_of(text) for path, text in said.items()}
        return Trace(0, "final loss 0.123456\n", "", files=digests, contents=said, seconds=0.2)


def test_what_differs_for_reasons_unknown_beside_the_result_is_told_once_and_the_check_ends() -> None:
    examination = Examination(["python"], None, 1e-4, 60.0, lambda text: None)
    checker = Dated(1.0, random.Random(2), 2)
    check = examination.examine(checker)
    assert (check.verdict, check.cause, check.beside) == (Verdict.IDENTICAL, "", "files: history.txt")
    assert check.sentence.startswith("identical in its result")
    assert checker.runs < 80
    assert sum("taken for the result" in note for note in check.notes) == 1
