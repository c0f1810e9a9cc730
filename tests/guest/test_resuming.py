"""What a process that `check --resume` follows sees of its objects and variables."""

import gc
import random
import sys
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from types import ModuleType, SimpleNamespace

import numpy as np
import pytest
import torch

from seedwise.determinism.compare import Difference, Verdict
from seedwise.determinism.resuming.checkpoints import checkpoints_of
from seedwise.determinism.resuming.comparing import Comparison
from seedwise.determinism.resuming.first_means import without_first_means
from seedwise.determinism.resuming.lost import (
    differing_anywhere,
    differing_parts,
    differing_variables,
    own_generators,
    perhaps,
)
from seedwise.determinism.resuming.words import Lost
from seedwise.determinism.trace import Trace
from seedwise_guest.protocol import ROUNDED
from seedwise_guest.tracing.resuming import making
from seedwise_guest.tracing.resuming.inputs import Inputs
from seedwise_guest.tracing.resuming.lines import LinesAfter
from seedwise_guest.tracing.resuming.variables import variables


class Model:
    def __init__(self, name: str) -> None:
        self.name = name


@pytest.fixture
def watched() -> Iterator[None]:
    begin = Model.__init__
    making.watch(Model)
    yield
    Model.__init__ = begin  # type: ignore[method-assign]


@pytest.mark.usefixtures("watched")
def test_objects_stand_in_the_order_in_which_they_were_made_whatever_the_garbage_collector_does() -> None:
    held = {
        "teacher": Model("teacher")
    }  # reached through a container alone, so that a collection puts it behind the other one
    student = Model("student")
    gc.collect()
    listed = [one for one in gc.get_objects() if type(one) is Model]
    assert [one.name for one in making.in_order(listed[::-1])] == ["teacher", "student"]
    assert [one.name for one in making.in_order(listed)] == ["teacher", "student"]
    del held, student
    assert [one.name for one in making.in_order([Model("a"), Model("b")])] == ["a", "b"]


def seen(shared: bool) -> dict[str, str]:
    first = {"mean": 0.0}
    stats = first if shared else {"mean": 0.5}  # noqa: F841 (it is seen)
    return {path: value for path, value in variables(sys._getframe(0), {}).items() if path.startswith("seen: ")}


def test_an_object_under_two_names_in_one_program_is_held_against_two_objects_in_the_other() -> None:
    whole, part = (Trace(0, "", "", resuming={"variables": seen(shared)}) for shared in (False, True))
    assert "seen: stats['mean']" not in part.resuming["variables"]
    assert "seen: stats['mean']" in differing_variables(whole, part)
    assert "seen: first['mean']" not in differing_variables(whole, part)


def test_a_saved_key_is_an_array_of_the_same_numbers() -> None:
    whole, part = (
        Trace(0, "", "", resuming={"variables": v}) for v in ({"k": "key () 12ab"}, {"k": "array (2,) 12ab"})
    )
    assert differing_variables(whole, part) == []


def test_of_an_object_of_a_library_its_generators_are_seen() -> None:
    collator = SimpleNamespace(generator=random.Random(3), width=7)  # noqa: F841 (it is seen)
    found = {path.partition(": ")[2] for path in variables(sys._getframe(0), {})}
    assert "collator‹SimpleNamespace›.generator" in found
    assert not any(path.endswith("width") for path in found)


def test_what_goes_in_after_the_parameters_are_others_is_no_other_order_of_the_data() -> None:
    whole, part = (Trace(0, "", "", resuming={"batches": batches}) for batches in ([[1], [2], [3], [4]], [[3], [5]]))
    for first_step, is_other in ((2, False), (3, True), (None, True)):
        found = Comparison(2, True, False, Difference(Verdict.IDENTICAL), first_step, 2, 2)
        suspects = differing_parts(whole, part, found, False, False)
        assert [s.lost for s in suspects] == [Lost.POSITION] * is_other


def test_what_a_model_has_computed_is_no_data_where_it_goes_in_again() -> None:
    inputs, x, hidden = Inputs(), torch.arange(3.0), torch.zeros(2)
    inputs.go_in((x, (hidden,)))
    inputs.came_out((x * 2, (hidden + 1,)))
    first = inputs.take()
    assert len(first) == 2
    assert None not in first
    inputs.go_in((x + 1, ((hidden + 1).detach().clone(),)))
    assert inputs.take()[1] is None
    inputs.go_in(x)  # a true picture, then one that was computed: the true one is data
    true = dict(inputs.since)
    inputs.came_out((x * 7,))
    inputs.go_in(x * 7)
    assert inputs.take() == [true[0]]
    inputs.go_in(x)
    inputs.came_out(x)  # it returns what it was given
    inputs.go_in(x)
    inputs.go_in(torch.zeros(3, device="meta"))
    inputs.came_out(SimpleNamespace(items=[x]))
    assert None not in inputs.take()
    whole, part = (Trace(0, "", "", resuming={"batches": [one]}) for one in ([1, None], [1, 7]))
    found = Comparison(0, True, False, Difference(Verdict.IDENTICAL), 0, 1, 1)
    assert differing_parts(whole, part, found, False, False) == []
    part = replace(part, resuming={"batches": [[2, 7]]})
    assert [s.lost for s in differing_parts(whole, part, found, False, False)] == [Lost.POSITION]


def after_checkpoint(lines: LinesAfter, rounds: int) -> int:
    count = 0
    lines.begin(sys._getframe(0))
    for _ in range(rounds):
        count += 1
    lines.end()
    return count


def test_lines_after_a_checkpoint_are_noted_with_the_variables_that_they_change() -> None:
    lines = LinesAfter()
    found = lines.seen
    SimpleNamespace(n=after_checkpoint(lines, 3))
    assert sys.gettrace() is None
    values = [seen.get("after_checkpoint: count") for seen in found.values()]
    assert values[:2] == ["0", None], found  # at the loop; inside it nothing is other than before
    resumed = LinesAfter(frozenset(list(found)[1:2]))
    after_checkpoint(resumed, 3)
    assert list(resumed.seen) == list(found)[1:2]
    assert sys.gettrace() is None


def test_variables_are_taken_at_the_common_line_at_which_the_fewest_differ() -> None:
    whole = {"f:1": {"w": "1", "n": "9"}, "f:5": {"n": "10", "x": None}}
    part = {"f:1": {"w": "0", "n": "0"}, "f:5": {"w": "1"}}
    traces = [Trace(0, "", "", resuming={"lines": lines}) for lines in (whole, part)]
    assert differing_variables(*traces) == ["n"]


def test_variables_before_the_training_goes_on_are_preferred_to_those_at_a_later_draw() -> None:
    traces = [
        Trace(0, "", "", resuming={"lines": {"f:1": {"w": w}}, "variables": {"w": w, "loss": w}})
        for w in ("1.5", "0.5")
    ]
    assert differing_variables(*traces) == ["w"]


@pytest.mark.parametrize("wide", ["float32", "float64"])
def test_an_array_that_was_only_rounded_is_told_with_its_precision(wide: str) -> None:
    w = np.linspace(0.1, 0.9, 7, dtype=wide)
    t = torch.linspace(0.1, 0.9, 7, dtype=getattr(torch, wide))
    for now, other, precision in (
        (w.astype("float16").astype(wide), t.bfloat16().to(t.dtype), ("float16", "bfloat16")),
        (w.astype("float16"), t.half(), ("float16", "float16")),  # it is not put back into its own precision
        (w + 0.1, t + 0.1, ("", "")),
        (w, t, ("", "")),
    ):
        before, after = (
            Trace(0, "", "", resuming={"variables": variables_of({"w": a, "t": b})}) for a, b in ((w, t), (now, other))
        )
        found = {s.lost: list(s.detail) for s in perhaps(before, after)}
        told = [f"{name} rounded to {p}" for name, p in zip("wt", precision, strict=True) if p]
        assert found.get(Lost.ROUNDED, []) == told
        assert bool(differing_variables(before, after)) == (now is not w)


def test_a_counter_that_its_loop_sets_only_later_is_held_against_the_other() -> None:
    whole, part = (
        {"f:1": {"w": "1", "epoch": "4"}, "f:2": {"w": "2"}},
        {"f:1": {"w": "1"}, "f:2": {"w": "3", "epoch": "0"}},
    )
    traces = [Trace(0, "", "", resuming={"lines": lines}) for lines in (whole, part)]
    assert differing_variables(*traces) == ["epoch"]
    for lines in (whole, part):  # what is counted at the end of the loop is counted from what was lost
        lines["f:2"] |= {"epoch": "4"}
        lines["f:9"] = {"n_correct": str(len(lines["f:1"]))}
    assert differing_variables(*traces) == []


def test_what_rounding_does_not_change_or_was_cut_is_not_told_as_rounded() -> None:
    def told(a: object, b: object, name: str = "w") -> dict[Lost, tuple[str, ...]]:
        before, after = (Trace(0, "", "", resuming={"variables": variables_of({name: v})}) for v in (a, b))
        return {s.lost: s.detail for s in perhaps(before, after)}

    assert Lost.ROUNDED not in told(np.zeros(8), np.zeros(4))
    assert Lost.ROUNDED not in told(np.ones((4, 1)), np.ones(4))
    assert Lost.ROUNDED not in told(np.ones(4), np.ones(4, "float16"))
    losses = np.linspace(0.1, 0.2, 5)
    assert list(told(losses, losses.astype("float32"), "losses")) == [Lost.HISTORY]
    assert told(None, losses, "ema")[Lost.AVERAGE][0].count("rounded") == 0
    words = [f"value{ROUNDED}{k}{ROUNDED}" for k in (1, 2)]
    assert told(*words, "name_of_it")[Lost.VARIABLE]


def variables_of(values: dict[str, object]) -> dict[str, str]:
    """What is seen of these alone, without all modules of these tests."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("seedwise_guest.tracing.resuming.variables._roots", lambda frame: ())
        return variables(None, values)


def test_variables_that_differ_between_uninterrupted_runs_were_not_lost() -> None:
    whole, again, part = (
        Trace(0, "", "", resuming={"lines": {"f:2": {"name": n, "w": w, "rng": rng}}})
        for n, w, rng in (("'a'", "2", "generator x"), ("'b'", "2", "generator y"), ("'c'", "3", "generator z"))
    )
    others = differing_anywhere(whole, again)
    assert others == {"name", "rng"}
    assert [s.detail for s in perhaps(whole, part, others)] == [("w (2, resumed 3)",)]
    assert own_generators(whole, part)
    assert not own_generators(whole, part, others)


class EarlyStopping:
    def __init__(self, misses: int) -> None:
        self.misses_ = misses


def test_of_an_object_of_a_library_what_stops_the_training_is_seen() -> None:
    net = SimpleNamespace(
        callbacks=[("log", Model("a")), ("stop", EarlyStopping(3))], stopper=EarlyStopping(4), width=7
    )
    assert variables_of({"net": net}) == {
        "net‹SimpleNamespace›.callbacks[1][1]‹EarlyStopping›.misses_": "3",
        "net‹SimpleNamespace›.stopper‹EarlyStopping›.misses_": "4",
    }


def test_of_a_model_of_keras_its_optimizer_is_seen_and_what_the_user_adds(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "keras", ModuleType("keras"))
    of_keras = type("Model", (), {"__module__": "keras.src.models.model"})
    agent = type("Agent", (of_keras,), {"__module__": __name__})()
    kept = [SimpleNamespace(name="iteration", numpy=lambda: np.array(240)), SimpleNamespace(name="learning_rate")]
    agent.epsilon, agent.optimizer = 0.3, type("Ftrl", (), {"variables": kept})()
    found = variables_of({"agent": agent})
    assert found == {"agent‹Agent›.optimizer‹Ftrl›['iteration']": "240", "agent‹Agent›.epsilon": "0.3"}
    other = {**found, "agent‹Agent›.optimizer‹Ftrl›['iteration']": "0"}
    traces = [Trace(0, "", "", resuming={"variables": values}) for values in (found, other)]
    assert [s.lost for s in perhaps(*traces)] == [Lost.OPTIMIZER]


def loaded_slowly(lines: LinesAfter) -> int:
    lines.begin(sys._getframe(0))
    for k in range(30_000):
        k += 1
    after = k
    lines.end()
    return after


def test_lines_are_watched_until_the_first_common_one_however_long_something_is_read() -> None:
    last = loaded_slowly.__code__.co_firstlineno + 5
    lines = LinesAfter(frozenset({f"test_resuming.py:loaded_slowly:{last}"}))
    loaded_slowly(lines)
    assert len(lines.seen) == 1


def test_text_that_is_written_right_behind_a_checkpoint_belongs_to_it(tmp_path: Path) -> None:
    script = tmp_path / "t.py"
    script.write_text("def save():\n    1\n    2\n    3\ndef log():\n    4\n")

    def write(path: str, line: int, *, weak: bool = False, before: str = "") -> dict[str, object]:
        return {"path": path, "where": f"{script}:{line}", "step": 0, "weak": weak, "from": before}

    def lasts(*writes: dict[str, object]) -> list[int]:
        return [one.complete for one in checkpoints_of(Trace(0, "", "", resuming={"writes": writes}))]

    text = write("state.json", 4, weak=True)
    assert lasts(write("w1.npz", 3), text, write("w2.npz", 3), text) == [2, 4]
    assert lasts(write("w1.npz", 4), write("log.json", 3, weak=True), write("w2.npz", 4)) == [
        1,
        3,
    ]  # the loop has turned
    assert lasts(write("w1.npz", 4), write("log.json", 6, weak=True), write("w2.npz", 4)) == [1, 3]  # another function
    assert lasts() == []
    stages = [write(f"phase{k}.json", k, weak=True) for k in (2, 3, 4)]
    assert lasts(*stages) == [1, 2, 3]
    begun = [write("s.tmp", 2, weak=True), write("w1.npz", 4), write("state.json", 3, weak=True, before="s.tmp")]
    assert lasts(write("w.tmp", 2), *begun, write("w.tmp", 2), *begun) == [4, 8]


def test_a_number_that_is_no_mean_is_no_first_mean() -> None:
    def mended(text: str) -> str:
        whole = Trace(0, f"epoch 1 {text} 0.50\nepoch 2 {text} 0.40", "")
        return without_first_means(whole, Trace(0, f"epoch 1 {text} 0.60\nepoch 2 {text} 0.40", "")).what

    assert mended("loss")
    assert not mended("best")


def after_calls(lines: LinesAfter, times: int) -> int:
    """How many calls were looked at."""
    lines.begin(sys._getframe(0))
    for _ in range(times):
        Model("")
    return lines._events


def test_watching_lines_ends_by_itself_and_leaves_another_tracer_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    lines = LinesAfter()
    after_checkpoint(lines, 100_000)
    assert lines._events < 30_000
    monkeypatch.setattr("seedwise_guest.tracing.resuming.lines._MOST_EVENTS", 50)
    lines = LinesAfter()
    assert after_calls(lines, 200) < 60
    tracer = sys.gettrace()
    sys.settrace(lambda *_: None)
    own = sys.gettrace()
    after_checkpoint(LinesAfter(), 2)
    assert sys.gettrace() is own
    sys.settrace(tracer)
