"""Two traces held against each other, and the static search for the order of sets."""

from pathlib import Path

import numpy as np
import pytest

from seedwise.determinism import Trace, Verdict, compare, localise, set_order_line
from seedwise.determinism.compare import masked


def trace(text: str = "", **more: object) -> Trace:
    return Trace(0, text, "", **more)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("a", "b", "verdict"),
    [
        ("acc = 0.5", "acc = 0.5", Verdict.IDENTICAL),
        ("acc = 0.50000001", "acc = 0.50000002", Verdict.ROUNDING),
        ("acc = 0.5", "acc = 0.6", Verdict.DIFFERENT),
        ("took 3.2 s", "took 4.9 s", Verdict.IDENTICAL),
        ("elapsed: 00:01:03", "elapsed: 00:02:03", Verdict.IDENTICAL),
        ("<Model at 0x7f001234>", "<Model at 0x7faa1234>", Verdict.IDENTICAL),
        ("2026-11-21 10:00:00 loss 0.5", "2027-01-01 00:00:01 loss 0.5", Verdict.IDENTICAL),
        ("epoch 1: 12.3 it/s loss=0.5", "epoch 1: 99.1 it/s loss=0.5", Verdict.IDENTICAL),
        ("a b", "b a", Verdict.DIFFERENT),
        ("loss = nan", "loss = nan", Verdict.IDENTICAL),
        ("loss = nan", "loss = 1", Verdict.DIFFERENT),
    ],
)
def test_output_is_compared_without_what_always_differs(a: str, b: str, verdict: Verdict) -> None:
    assert compare(trace(a), trace(b)).verdict is verdict


def test_parameters_are_compared_step_by_step_and_in_units_in_the_last_place() -> None:
    x = np.array([1.0, -2.0, 0.5, 4.0], np.float32)
    y = x.copy()
    y[1] = np.nextafter(np.nextafter(y[1], np.float32(0)), np.float32(0))
    a = trace(steps=np.array([1, 2, 3], np.uint32), parameters=x)
    b = trace(steps=np.array([1, 9, 8], np.uint32), parameters=y)
    found = compare(a, b)
    assert (found.verdict, found.first_step, found.share, found.ulp) == (Verdict.ROUNDING, 1, 0.25, 2)
    assert compare(a, trace(steps=np.array([1, 2], np.uint32), parameters=x)).first_step == 2
    far = trace(steps=np.array([1, 9, 8], np.uint32), parameters=x + 1)
    assert compare(a, far).verdict is Verdict.DIFFERENT


def test_metrics_are_exact_and_durations_none() -> None:
    a = trace(logged={"loss": (0.5,), "epoch_time": (1.0,)})
    assert compare(a, trace(logged={"loss": (0.5,), "epoch_time": (2.0,)})).verdict is Verdict.IDENTICAL
    assert compare(a, trace(logged={"loss": (0.7,), "epoch_time": (1.0,)})).verdict is Verdict.DIFFERENT
    assert compare(a, trace(logged={"loss": (0.5, 0.5)})).verdict is Verdict.DIFFERENT


def op(name: str, out: int, inputs: tuple[int, ...] = (), state: int = 0) -> tuple[object, ...]:
    return (f"aten.{name}.default", (out,), inputs, state, "train.py:7", "Linear")


@pytest.mark.parametrize(
    ("a", "b", "reason"),
    [
        (op("mm", 1), op("mm", 2), "kernel"),
        (op("mm", 1, (5,)), op("mm", 2, (6,)), "input"),
        (op("rand", 1, (), 5), op("rand", 2, (), 6), "generator"),
        (op("add", 1, (-1,)), op("add", 2, (-1,)), "memory"),
        (op("mm", 1), op("add", 1), "control"),
    ],
)
def test_the_first_operation_that_differs_and_why(a: tuple[object, ...], b: tuple[object, ...], reason: str) -> None:
    same = op("relu", 3)
    found = localise(trace(ops=(same, a, op("x", 9))), trace(ops=(same, b, op("x", 8))), 4)
    assert found is not None
    assert (found.reason, found.step, found.line) == (reason, 4, "train.py:7")
    longer = localise(trace(ops=(same,)), trace(ops=(same, a)), 0)
    assert longer is not None
    assert longer.reason == "control"
    assert localise(trace(ops=(same,)), trace(ops=(same,)), 0) is None


def test_a_trace_comes_back_as_it_was_saved(tmp_path: Path) -> None:
    one = trace(
        "acc = 1", logged={"loss": (0.5,)}, steps=np.array([4, 5], np.uint32), parameters=np.ones(3, np.float32)
    )
    one.save(tmp_path / "t")
    assert not compare(one, Trace.load(tmp_path / "t"))
    (tmp_path / "t").write_text("nothing")
    with pytest.raises(ValueError, match="is no trace"):
        Trace.load(tmp_path / "t")


@pytest.mark.parametrize(
    ("text", "line"),
    [
        ("for x in {'a', 'b'}:\n    pass", 1),
        ("s = set(words)\nfor k, x in enumerate(s):\n    pass", 2),
        ("s = {w for w in words}\nlist(s)", 2),
        ("','.join(set(words))", 1),
        ("x = [*{'a', 'b'}]", 1),
        ("for x in sorted({'a', 'b'}):\n    pass", None),
        ("n = len(set(words))", None),
        ("m = max({1, 2})\nt = sum(x for x in {1, 2})", None),
        ("for x in ['a']:\n    pass", None),
        ("d = a | {'b'}\nfor x in d:\n    pass", 2),
        ("seed = hash('name')", 1),
    ],
)
def test_iteration_over_sets_is_found_and_sorting_is_fine(text: str, line: int | None, tmp_path: Path) -> None:
    path = tmp_path / "x.py"
    path.write_text(text)
    assert set_order_line([str(path)]) == ("" if line is None else f"{path}:{line}")


def test_masks_leave_results_alone() -> None:
    for text in ("acc = 0.1234", "loss: 1e-5", "seed 7", "step 100: 0.5", "mass 3.5"):
        assert masked(text) == text
