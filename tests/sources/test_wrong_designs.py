"""What cannot be decomposed: each mistake is a clear message at the command line and in Python, before anything is run."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import seedwise as sw
from seedwise.cli.start import start

COMMAND = ["python", "train.py"]


@pytest.fixture
def here(project: Path) -> Path:
    (project / "train.py").write_text("import random\nrandom.seed(1)\nprint('acc =', random.random())\n")
    return project


def train(seed: int, lr: float = 0.1) -> float:
    return seed * lr


def decompose(what: Any = COMMAND, vary: Any = "init,order", **how: Any) -> Callable[[], object]:
    return lambda: sw.decompose(what, vary, **how)


IN_PYTHON: list[tuple[Callable[[], object], str]] = [
    (decompose(vary=("init", "colour")), "or other, and threads; got 'colour'"),
    (decompose(vary=("Init", "order")), "got 'Init': did you mean init?"),
    (decompose(vary=3), "vary is a text, or a list of texts; got 3"),
    (decompose(vary=("init", 3)), "vary is a text, or a list of texts; got ('init', 3)"),
    (decompose(vary=()), 'which sources? vary=["init", "order"]'),
    (decompose(vary=("init", "init")), "vary: init stands twice"),
    (decompose(vary="init,threads,threads", threads=[1, 2]), "vary: threads stands twice"),
    (decompose(vary="threads", threads=[1, 2]), 'beside threads: vary="init,threads"'),
    (decompose(n=1), "one run in each cell says nothing of spread"),
    (decompose(n=2.5), "n takes a whole number; got 2.5"),
    (decompose(n="8"), "n takes a whole number; got '8'"),
    (decompose(n=range(8)), "n takes a whole number; got range(0, 8)"),
    (decompose(n=1000), "max_runs=1001000 allows it, 13 seeds of each are 182 runs"),
    (decompose(vary="init,order,threads", n=50, threads=[1, 2]), "init, order and threads are 5100 runs"),
    (decompose(vary="init,order,dropout,split"), "needs a prime number of seeds; got 8: max_runs=4104 allows it, 7"),
    (decompose(repeats=0), "repeats and max_runs are 1 or more"),
    (decompose(repeats=1.5), "repeats takes a whole number; got 1.5"),
    (decompose(max_runs="many"), "max_runs takes a whole number; got 'many'"),
    (decompose(threads=[1, 2]), 'name threads among what varies, vary="init,order,threads"'),
    (decompose(threads=None), "threads takes a whole number; got None"),
    (decompose(vary="init,threads", threads="1,2"), "threads as a factor takes numbers, threads=[1, 2]; got '1,2'"),
    (decompose(vary="init,threads", threads=[1, 2.5]), "threads takes a whole number; got 2.5"),
    (decompose(vary="init,threads", threads=[2, 2]), "two numbers or more, such as threads=[1, 2]; got 2,2"),
    (decompose(vary="init,threads", threads=[]), "threads as a factor takes numbers, threads=[1, 2]; got []"),
    (decompose(vary="init,threads", n=2, threads=[0, 1]), "two numbers or more"),
    (decompose(metric=3), "metric is a text, or a list of texts; got 3"),
    (decompose(metric="acc:up"), "the goal is min or max, not 'up'"),
    (decompose(source="train.py:4"), "source takes FILE:LINE=SOURCE"),
    (decompose(source=3), "source is a text, or a list of texts; got 3"),
    (decompose(level=95), "level is between 0 and 1; got 95"),
    (decompose(level="95%"), "level takes a number; got '95%'"),
    (decompose(name="a b"), "name takes letters, digits"),
    (decompose(jobs=0), "jobs is at least 1; got 0"),
    (decompose(what=3), "or a function, without () behind its name; got 3"),
    (decompose(what=[]), 'no command: decompose(["python", "train.py"], ["init", "order"])'),
    (decompose(what="python trian.py"), "no such script: trian.py: did you mean train.py?"),
    (decompose(config={"lr": 1}), "config is for a function: a script takes its settings as words"),
    (decompose(what=train, config={"lrr": 1}), "train has no setting lrr: did you mean lr?"),
    (decompose(what=train, config=[1]), "config is a dict of the function's settings, {'lr': 0.1}; got [1]"),
    (lambda: sw.variance_components([["x", "y"], ["z", "w"]], ["a", "b"]), "scores are numbers"),
    (lambda: sw.variance_components([[1, 2], [3]], ["a", "b"]), "as many in each row as in the others"),
    (lambda: sw.variance_components({(1, 1): "a"}, ["a", "b"]), "the scores of (1, 1) are numbers"),
    (lambda: sw.variance_components(np.eye(3), ["a", "a"]), "each source stands once among the names; got a, a"),
    (lambda: sw.variance_components([1.0, 2.0, 3.0]), "one source and no replicates leave nothing to be told apart"),
    (lambda: sw.plan_sources({"init": 1.0}, "0.1"), "a margin is a number above 0; got '0.1'"),  # type: ignore[arg-type]
    (lambda: sw.plan_sources(3, 0.1), "a name or a file, or name → variance; got 3"),  # type: ignore[arg-type]
    (lambda: sw.plan_sources({"init": "x"}, 0.1), "name → variance; got {'init': 'x'}"),  # type: ignore[dict-item]
]


@pytest.mark.parametrize(("call", "said"), IN_PYTHON, ids=[said for _, said in IN_PYTHON])
def test_a_mistake_in_python_is_said_before_anything_is_run(call: Callable[[], object], said: str, here: Path) -> None:
    with pytest.raises(sw.SeedwiseError) as raised:
        call()
    assert said in str(raised.value)
    assert "--" not in str(raised.value)
    assert {path.name for path in here.iterdir()} <= {"train.py", ".seedwise"}


AT_COMMAND_LINE = [
    ("-- python train.py", "which sources? --vary init,order"),
    ("--vary init,colour -- python train.py", "or other, and threads; got 'colour'"),
    ("--vary init,order -n 1 -- python train.py", "one run in each cell says nothing of spread"),
    ("--vary init,order -n 2.5 -- python train.py", "-n takes a whole number; got 2.5"),
    ("--vary init,order -n 40 -- python train.py", "--max-runs 1640 allows it, 13 seeds of each are 182 runs"),
    ("--vary init,order --threads 1,2 -- python train.py", "among what varies, --vary init,order,threads"),
    ("--vary init,threads --threads 1,2.5 -- python train.py", "--threads takes a number, or"),
    ("--vary threads -- python train.py", "beside threads: --vary init,threads"),
    ("--vary init,order --level 95 -- python train.py", "--level is between 0 and 1; got 95"),
    ("--vary init,order --set lr=1 -- python train.py", "--set is for a function"),
    ("--vary init,order --source train.py:4 -- python train.py", "--source takes FILE:LINE=SOURCE"),
]


@pytest.mark.parametrize(("line", "said"), AT_COMMAND_LINE)
def test_a_mistake_at_the_command_line_is_a_line_and_exit_2(
    line: str, said: str, here: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert start(["decompose", *line.split()]) == 2
    shown = capsys.readouterr()
    assert said in shown.err
    assert (shown.out, shown.err.startswith("seedwise: "), len(shown.err.splitlines())) == ("", True, 1)
