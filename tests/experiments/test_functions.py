"""Functions as experiments: what they give back, what belongs to them, and what cannot be carried."""

import importlib
import re
import sys
import textwrap
import threading
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import seedwise as sw
from seedwise.api.script import run_script
from seedwise.cli.start import start
from seedwise.errors import ScriptError, UsageError
from seedwise.experiments.functions import fingerprint, parse_call
from seedwise.experiments.signatures import check_call, check_call_in_file
from seedwise.results import Cause
from seedwise_guest.process.function_calls import Predictions, seed_argument

LIMIT = 3


def limited(seed: int, scale: float = 1.0) -> float:
    return (seed + LIMIT) * scale


def everything(seed: int) -> dict[str, Any]:
    return {
        "acc": np.float32(0.5) + seed,
        "loss": [3.0, 2.0, seed / 7],
        "weights": np.full((2, 3), seed),
        "test": Predictions(np.arange(4) + seed, ids=["a", "b", "c", "d"], targets=np.zeros(4), kind="label"),
    }


@pytest.mark.parametrize("fresh", [False, True])
def test_numbers_series_arrays_and_predictions_come_back(project: Path, fresh: bool) -> None:
    results = sw.run(everything, [1, 2, 5], fresh=fresh)
    assert not results.failed, results.failed
    assert dict(results.scores("acc").by_seed) == {1: 1.5, 2: 2.5, 5: 5.5}
    run = results.finished[2]
    assert run.series["loss"].values == (3.0, 2.0, 5 / 7)
    assert (run.array("weights") == np.full((2, 3), 5)).all()
    assert run.arrays["test.values"]["kind"] == "label"
    assert run.array("test.ids").tolist() == ["a", "b", "c", "d"]
    assert run.array("test.values").tolist() == [5, 6, 7, 8]


def test_every_global_generator_starts_at_the_seed(project: Path) -> None:
    def draw(seed: int) -> dict[str, float]:
        import random

        return {"acc": random.random(), "acc2": float(np.random.rand())}

    import random

    results = sw.run(draw, [7, 8])
    assert results.scores("acc")[7] == random.Random(7).random()
    assert results.scores("acc2")[8] == np.random.RandomState(8).rand()


def test_globals_closures_and_settings_are_part_of_the_experiment(
    project: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    first = sw.run(limited, [1], config={"scale": 2.0})
    assert first.scores("value")[1] == 8.0
    assert sw.run(limited, [1], config={"scale": 2.0}).key == first.key
    assert sw.run(limited, [1], config={"scale": 3.0}).key != first.key
    monkeypatch.setattr(sys.modules[__name__], "LIMIT", 4)

    def make(k: int) -> Callable[[int], int]:
        return lambda seed: seed * k

    two, three = make(2), make(3)
    assert fingerprint(two, {}) != fingerprint(three, {})
    assert fingerprint(two, {}) == fingerprint(make(2), {})
    assert sw.run(three, [5], name="three").scores()[5] == 15


def test_a_helper_that_changed_is_named(project: Path) -> None:
    space: dict[str, Any] = {"__name__": "__main__"}
    exec("def helper(x): return x + 1\ndef train(seed): return helper(seed)\n", space)
    before = fingerprint(space["train"], {})
    exec("def helper(x): return x + 2\n", space)
    after = fingerprint(space["train"], {})
    assert {name for name in before if before[name] != after[name]} == {"helper"}


@pytest.mark.parametrize("value", ["'text'", "[[1], [2]]", "{'acc': 'good'}", "object()", "np.array([object()])"])
def test_what_is_no_result_is_refused_by_name(value: str, script: Callable[..., list[str]]) -> None:
    script(f"import numpy as np\ndef train(seed):\n    return {value}\n")
    results = run_script(["train.py:train"], [1, 2, 3], keep_going=True)
    assert {run.cause for run in results.failed} == {Cause.RESULT}
    assert len(results.failed) == 3


def test_what_cannot_be_carried_is_said_before_anything_runs(project: Path) -> None:
    lock = threading.Lock()

    def locked(seed: int) -> bool:
        return lock.locked()

    with pytest.raises(UsageError, match=r"locked cannot be carried into another process"):
        sw.run(locked, [1])
    with pytest.raises(UsageError, match="takes a function"):
        sw.run("train.py", [1])  # type: ignore[arg-type]
    assert not list(project.glob(".seedwise/runs/*"))


def test_a_function_of_a_file_from_the_command_line(
    script: Callable[..., list[str]], capsys: pytest.CaptureFixture[str]
) -> None:
    script(
        textwrap.dedent("""
        import random
        from helper import bonus
        def train(seed, lr=1.0, layers=(), name=""):
            print(name, layers)
            return {"acc": random.random() * lr + bonus()}
        """)
    )
    Path("helper.py").write_text("def bonus():\n    return 1\n")
    words = ["run", "-n", "4", "train.py:train", "--set", "lr=0.5", "--set", "layers=[8, 8]", "--set", "name=wide"]
    assert start(words) == 0
    import random

    results = sw.load("train")
    assert results.scores("acc")[3] == random.Random(3).random() * 0.5 + 1
    assert results.command == ("train.py:train", "--set", "lr=0.5", "--set", "layers=[8, 8]", "--set", "name=wide")
    capsys.readouterr()
    assert start(["log", "train", "--seed", "2"]) == 0
    assert capsys.readouterr().out == "wide [8, 8]\n"
    Path("helper.py").write_text("def bonus():\n    return 2\n")
    assert start(words) == 0
    assert "helper.py changed since" in capsys.readouterr().err
    assert start(["resume", "train@2"]) == 0


def test_wrong_calls_are_refused_in_words(script: Callable[..., list[str]]) -> None:
    script("def train(seed): return 1\nnumber = 3\n")
    for command, error, said in (
        (["absent.py:train"], ScriptError, "no such script"),
        (["train.py:train", "lr=1"], UsageError, "--set NAME=VALUE"),
        (["train.py:train", "--set", "lr"], UsageError, "NAME=VALUE"),
        (["train.py:train", "--set", "seed=1"], UsageError, "receives the seed from Seedwise"),
    ):
        with pytest.raises(error, match=said):
            parse_call(command)
    for named, said in (("nothing", "has no function nothing; it has train"), ("number", "is not a function")):
        with pytest.raises(UsageError, match=said):
            run_script([f"train.py:{named}"], [1])
    assert not Path(".seedwise").exists()


def test_names_that_a_file_makes_while_it_runs_are_left_to_the_run(script: Callable[..., list[str]]) -> None:
    script("globals()['train'] = lambda seed: {'acc': seed / 3}\n")
    assert run_script(["train.py:train"], [3]).scores("acc").by_seed == {3: 1.0}


@pytest.mark.parametrize(
    ("definition", "settings", "said"),
    [
        ("def train(seed, lr=0.1, *, depth=2): pass", ["lrr"], "no setting lrr: did you mean lr?"),
        ("def train(seed, lr=0.1): pass", ["seeds"], "no setting seeds; it takes lr"),
        ("def train(seed): pass", ["lr"], "takes none but the seed"),
        ("def train(seed, lr, *, depth): pass", ["lr"], "needs depth beside the seed"),
        ("def train(): pass", [], "takes no argument"),
        ("async def train(seed): pass", [], "is async"),
        ("def train(lr=0.1, epochs=3): pass", [], "its first is lr=0.1: add one, def train(seed, lr=0.1)"),
        ("def train(lr, epochs=3): pass", ["lr"], "its first is lr: add one, def train(seed, lr)"),
        ("def train(lr=0.1, seed=0): pass", ["seed"], "train receives the seed as seed"),
        ("def train(lr, *, seed): pass", [], "needs lr beside the seed"),
    ],
)
def test_a_function_that_cannot_be_called_so_is_refused_with_what_it_takes(
    definition: str, settings: list[str], said: str, project: Path
) -> None:
    (project / "train.py").write_text(definition)
    space: dict[str, Callable[..., object]] = {}
    exec(definition, space)
    for refused in (
        lambda: check_call_in_file("train.py", "train", settings),
        lambda: check_call(space["train"], dict.fromkeys(settings, 1)),
    ):
        with pytest.raises(UsageError, match=re.escape(said)):
            refused()


@pytest.mark.parametrize(
    "definition",
    [
        "def train(seed, **settings): pass",
        "def train(*words, lr=1): pass",
        "import functools\n@functools.cache\ndef train(seed, lr): pass",
        "from math import *\nfrom functools import partial\ntrain = partial(pow, mod=7)",
        "class train:\n    def __init__(self, seed, lr): pass",
        "if True:\n    def train(seed, lr): pass\nelse:\n    def train(seed): pass",
    ],
)
def test_what_the_source_alone_cannot_tell_is_not_refused(definition: str, project: Path) -> None:
    (project / "train.py").write_text(definition)
    check_call_in_file("train.py", "train", ["lr"])


@pytest.mark.parametrize(
    ("definition", "value"),
    [
        ("def train(seed, lr=0.5): return seed + lr", 7.5),
        ("def train(lr=0.5, seed=0): return seed + lr", 7.5),
        ("def train(lr=0.5, *, random_state): return random_state + lr", 7.5),
        ("def train(*, seed=0): return seed", 7.0),
        ("def train(model_seed, data_seed=1): return model_seed + data_seed", 8.0),
        ("def train(lr=None, a_seed=1, b_seed=2): return lr + a_seed + b_seed", 10.0),
        ("def train(s): return s", 7.0),
        ("def train(*words): return words[0]", 7.0),
    ],
)
def test_the_seed_goes_to_the_argument_that_is_called_a_seed_else_to_the_first(definition: str, value: float) -> None:
    space: dict[str, Callable[..., Any]] = {}
    exec(definition, space)
    check_call(space["train"], {})
    name = seed_argument(space["train"])
    assert (space["train"](7) if name is None else space["train"](**{name: 7})) == value


@pytest.mark.slow
@pytest.mark.parametrize("fresh", [False, True])
def test_a_function_of_a_package_is_imported_as_part_of_it(script: Callable[..., list[str]], fresh: bool) -> None:
    script("", "pkg/__init__.py")
    script("", "pkg/deep/__init__.py")
    script("import random\n\n\ndef draw():\n    return random.Random(SEED).random()\n\n\nSEED = 3\n", "pkg/model.py")
    script(
        "from ..model import draw\nimport beside\n\n\ndef train(lr=0.1, seed=0):\n    return seed + beside.K + draw() * 0\n",
        "pkg/deep/train.py",
    )
    script("K = 0.5\n", "pkg/deep/beside.py")
    results = run_script(["pkg/deep/train.py:train"], [1, 2], fresh=fresh)
    assert dict(results.scores("value").by_seed) == {1: 1.5, 2: 2.5}


def one(function: Callable[..., object], **config: object) -> str:
    return repr(sorted(fingerprint(function, config).items()))


def test_equal_values_under_two_names_are_both_part_of_the_identity() -> None:
    def make(shuffle: bool, augment: bool, dropout: bool) -> Callable[[int], float]:
        def train(seed: int, a: bool = shuffle, b: bool = augment, c: bool = dropout) -> float:
            return 10.0 + a + b + c

        return train

    found = {one(make(a, b, c)) for a in (True, False) for b in (True, False) for c in (True, False)}
    assert len(found) == 8


def test_structure_of_the_code_is_part_of_the_identity() -> None:
    def make(text: str) -> Callable[..., object]:
        namespace: dict[str, Any] = {}
        exec(text, namespace)
        found: Callable[..., object] = namespace["f"]
        return found

    inside = "def f(seed):\n try:\n  a()\n  b()\n except ValueError:\n  c()\n"
    outside = "def f(seed):\n try:\n  a()\n except ValueError:\n  c()\n else:\n  b()\n"
    assert one(make(inside)) != one(make(outside))
    assert one(make("def f(seed, a, b=1):\n return a")) != one(make("def f(seed, *, a, b=1):\n return a"))


def test_classes_and_objects_used_as_settings_are_part_of_the_identity() -> None:
    class Sgd: ...

    class Adam: ...

    def make(kind: type) -> Callable[[int], object]:
        class Config:
            optimizer = kind

        def train(seed: int) -> object:
            return Config.optimizer

        return train

    assert one(make(Sgd)) != one(make(Adam))

    @dataclass
    class Settings:
        rate: float = 0.1
        itself: object = None

    def use(settings: Settings) -> Callable[[int], float]:
        return lambda seed: settings.rate

    assert one(use(Settings(0.1))) == one(use(Settings(0.1)))
    assert one(use(Settings(0.1))) != one(use(Settings(0.2)))
    circular = Settings()
    circular.itself = circular
    assert one(use(circular))


def test_modules_travel_as_they_are_in_memory(project: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (project / "mymod.py").write_text(
        "LR = 1\ndef train(seed):\n    return LR * 100 + seed\ndef loss(seed):\n    return LR + seed\n"
    )
    monkeypatch.syspath_prepend(str(project))
    mymod = importlib.import_module("mymod")
    try:
        assert sw.run(mymod.train, [1]).scores("value")[1] == 101
        mymod.LR = 5
        assert sw.run(mymod.train, [1]).scores("value")[1] == 501

        def through(seed: int) -> float:
            return float(mymod.loss(seed))

        assert sw.run(through, [2]).scores("value")[2] == 7
        mymod.LR = 6
        assert sw.run(through, [2]).scores("value")[2] == 8
    finally:
        sys.modules.pop("mymod", None)


def test_a_long_chain_of_functions_has_a_fingerprint() -> None:
    lines = ["def f0(seed): return seed"] + [f"def f{k}(seed): return f{k - 1}(seed)" for k in range(1, 700)]
    namespace: dict[str, Any] = {"__name__": "__main__"}
    exec("\n".join(lines), namespace)
    assert len(fingerprint(namespace["f699"], {})) == 700


def test_a_function_that_a_library_made_is_told_by_what_it_was_closed_over() -> None:
    from seedwise.integrations.sklearn import _task

    made = [
        _task(model, ([1.0, size], None, None), {}, None, False, ["r2"]) for model, size in ((1, 2), (3, 2), (1, 9))
    ]
    assert len({repr(fingerprint(function, {})) for function in made}) == 3
    assert fingerprint(made[0], {}) == fingerprint(_task(1, ([1.0, 2], None, None), {}, None, False, ["r2"]), {})
