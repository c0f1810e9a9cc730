"""`check --with` and `--python`: two ways held against each other, and the difference beside the spread of seeds."""

import sys
from collections.abc import Callable

import numpy as np
import pytest
from scipy import stats

from seedwise.api.check import check_script
from seedwise.cli.start import start
from seedwise.determinism import Verdict
from seedwise.determinism.changed import other_way, shifts
from seedwise.determinism.finding import sentence_of_shift
from seedwise.errors import UsageError
from seedwise.results import Run, Series, Status

Script = Callable[..., list[str]]


def runs(values: object) -> list[Run]:
    return [
        Run(k, Status.FINISHED, {"acc": Series((1,), (float(v),))})
        for k, v in enumerate(np.asarray(values).tolist(), start=1)
    ]


def test_the_shift_has_students_interval_of_the_pairs() -> None:
    a, b = np.array([0.5, 0.7, 0.6, 0.9]), np.array([0.55, 0.72, 0.7, 0.93])
    found = shifts(runs(a), runs(b))["acc"]
    interval = stats.ttest_rel(b, a).confidence_interval(0.95)
    assert (found["low"], found["high"]) == pytest.approx((interval.low, interval.high))
    assert found["shift"] == pytest.approx(0.05)
    assert found["seed_sd"] == pytest.approx(a.std(ddof=1))


@pytest.mark.parametrize(
    ("moved", "place"), [(1e-7, "inside"), (0.3, "inside"), (5.0, "beyond"), (-5.0, "beyond"), (0.0, "inside")]
)
def test_a_shift_is_placed_by_the_seeds_own_spread(moved: float, place: str) -> None:
    a = np.array([-1.2, -0.4, 0.1, 0.5, 1.0])
    assert shifts(runs(a), runs(a + moved))["acc"]["place"] == place


def test_where_nothing_moved_beyond_is_said_seldom() -> None:
    """Both ways have their own noise, as large as the seed's. Monte Carlo: 2.5 % and three standard errors on each side."""
    rng = np.random.default_rng(0)
    places = [shifts(runs(rng.normal(size=5)), runs(rng.normal(size=5)))["acc"]["place"] for _ in range(2000)]
    assert places.count("beyond") / 2000 < 0.05 + 3 * np.sqrt(0.05 * 0.95 / 2000)
    assert places.count("open") > 1000  # five such seeds decide nothing


def test_settings_and_commands_are_told_apart() -> None:
    way = other_way(["python", "train.py"], ["A=1", "B=x y"], None)
    assert way is not None
    assert (way.words, way.environment, way.said) == (("python", "train.py"), {"A": "1", "B": "x y"}, "A=1 B=x y")
    way = other_way(["python", "train.py"], ["python train.py --lr=2 --name 'a b'"], None)
    assert way is not None
    assert way.words == ("python", "train.py", "--lr=2", "--name", "a b")
    assert other_way(["python", "train.py"], [], None) is None
    way = other_way(["python", "train.py"], ["A=1 B=2"], None)
    assert way is not None
    assert way.environment == {"A": "1", "B": "2"}
    way = other_way(["python", "train.py"], [f"A=1 B='x y' {sys.executable} train.py --compile"], None)
    assert way is not None
    assert (way.words, way.environment) == ((sys.executable, "train.py", "--compile"), {"A": "1", "B": "x y"})


def test_seeds_that_diverged_are_left_out_of_the_shift() -> None:
    found = shifts(runs([0.5, 0.6, 0.7]), runs([0.6, np.nan, 0.8]))["acc"]
    assert (found["seeds"], found["shift"], found["left_out"]) == (2, pytest.approx(0.1), 1)
    assert "Over 2 seeds (and 1 more, which gave NaN or infinity)" in sentence_of_shift("acc", found)


@pytest.mark.parametrize(
    ("others", "python", "words", "said"),
    [
        (["python a.py", "python b.py"], None, ["python", "t.py"], "one command"),
        (["python a.py"], sys.executable, ["python", "t.py"], "one command"),
        ([""], None, ["python", "t.py"], "empty text"),
        (["OMP_NUM_THREADS"], None, ["python", "t.py"], "no command OMP_NUM_THREADS, and a setting is NAME=VALUE"),
        (["A='x"], None, ["python", "t.py"], "No closing quotation"),
        (["PYTHONPATH=src2"], None, ["python", "t.py"], "the check sets PYTHONPATH itself"),
        (["t2.py:train"], None, ["python", "t.py"], "not a function"),
        (["python b.py"], None, ["python", "a.py", "--seed", "{seed}"], "both commands take {seed}, or neither"),
        (["python b.py {seed}"], None, ["python", "a.py"], "both commands take {seed}, or neither"),
        ([], "no/such/python", ["python", "t.py"], "no interpreter no/such/python"),
        ([], sys.executable, ["torchrun", "t.py"], "torchrun is none"),
    ],
)
def test_wrong_use(others: list[str], python: str | None, words: list[str], said: str) -> None:
    with pytest.raises(UsageError, match=said):
        other_way(words, others, python)


NOISY = """import os, random
random.seed(0)
numbers = [random.random() for _ in range(20)]
shift = float(os.environ.get("SHIFT", "0"))
print("acc =", sum(numbers) / 20 + shift)
"""


@pytest.mark.slow
def test_a_setting_that_changes_nothing_and_one_that_moves_the_result(script: Script) -> None:
    command = script(NOISY)
    same = check_script(command, other="SHIFT=0.0")
    assert (same.ok, same.sentence) == (True, "identical: the result is the same with SHIFT=0.0.")
    moved = check_script(command, other="SHIFT=0.5", measure=4)
    assert (moved.verdict, moved.cause) == (Verdict.DIFFERENT, "SHIFT=0.5"), moved.sentence
    assert moved.sentence.endswith(": beyond the spread of seeds."), moved.sentence
    assert moved.measured["acc"]["shift"] == pytest.approx(0.5)
    assert moved.measured["acc"]["seeds"] == 4
    assert moved.measured["acc"]["seed_sd"] == pytest.approx(1 / np.sqrt(12 * 20), rel=0.9)
    small = check_script(command, other="SHIFT=0.00001", measure=3)
    assert "inside the spread of seeds" in small.sentence


@pytest.mark.slow
def test_another_command_and_an_interpreter_and_no_seeds(script: Script, capsys: pytest.CaptureFixture[str]) -> None:
    command = script(NOISY.replace('os.environ.get("SHIFT", "0")', "(os.sys.argv[1:] or [0])[0]"))
    assert start(["check", "--with", " ".join([*command, "2"]), "--measure", "0", "--", *command]) == 1
    out = capsys.readouterr().out
    assert "changes the result." in out
    assert "Over" not in out
    assert start(["check", "--python", sys.executable, "--", "python", "train.py"]) == 0
    assert "the result is the same with" in capsys.readouterr().out


@pytest.mark.slow
def test_a_command_that_does_not_repeat_itself_and_one_that_fails(
    script: Script, capsys: pytest.CaptureFixture[str]
) -> None:
    command = script("import random\nprint('acc =', random.random())\n")
    found = check_script(command, other="A=1")
    assert "reruns of the command as it is differ" in found.sentence
    command = script("import os, random\nprint('acc =', random.random() if os.environ.get('A') else 0.5)\n")
    found = check_script(command, other="A=1")
    assert (found.cause, found.measured) == ("reruns with A=1 differ", {}), found.sentence
    command = script("import os\nprint('acc =', 1 / (3 - int(os.environ.get('A', '1'))))\n")
    assert start(["check", "--with", "A=3", "--", *command]) == 2
    assert "with A=3 the program ended with exit code 1: ZeroDivisionError" in capsys.readouterr().err
    assert start(["check", "--with", "A=3", "--against", "x", "--", *command]) == 2
    assert start(["check", "--with", "A=3", "--resume", "--", *command]) == 2


def test_an_interrupted_check_does_not_promise_to_go_on(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def interrupted(*args: object, **kwargs: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr("seedwise.api.check.check_script", interrupted)
    assert start(["check", "--", "python", "t.py"]) == 130
    said = " ".join(capsys.readouterr().err.split())
    assert said == "seedwise: interrupted; nothing is left running, and nothing was kept; the same command begins anew"


@pytest.mark.slow
def test_a_function_takes_its_seeds(script: Script) -> None:
    script(
        "import os, random\n\ndef train(seed):\n    return random.Random(seed).random() + float(os.environ.get('A', 0))\n"
    )
    found = check_script("train.py:train", other="A=7", measure=3)
    assert found.measured["value"]["shift"] == pytest.approx(7), found.sentence
    assert found.measured["value"]["seed_sd"] > 0
