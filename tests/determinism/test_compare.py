"""Two traces held against each other, and the static search for the order of sets."""

from pathlib import Path

import numpy as np
import pytest

from seedwise.determinism import Trace, Verdict, compare, localise, set_order_line
from seedwise.runs.masks import masked, masked_file, masked_path, names_duration, readable


def trace(text: str = "", **more: object) -> Trace:
    return Trace(0, text, "", **more)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("a", "b", "verdict"),
    [
        ("acc = 0.5", "acc = 0.5", Verdict.IDENTICAL),
        ("acc = 0.50000001", "acc = 0.50000002", Verdict.ROUNDING),
        ("acc = 0.5", "acc = 0.6", Verdict.DIFFERENT),
        ("elapsed: 00:01:03", "elapsed: 00:02:03", Verdict.IDENTICAL),
        ("<Model at 0x7f001234>", "<Model at 0x7faa1234>", Verdict.IDENTICAL),
        ("2026-11-21 10:00:00 loss 0.5", "2027-01-01 00:00:01 loss 0.5", Verdict.IDENTICAL),
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
    a = trace(logged={"loss": (0.5,), "epoch_time": (1.0,)}, facts={"clock-read": "train.py:1"})
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


@pytest.mark.parametrize(
    ("a", "b"),
    [
        ("took 3.2 s", "took 4.9 s"),
        ("epoch 1: 12.3 it/s loss=0.5", "epoch 1: 99.1 it/s loss=0.5"),
        ("{'train_runtime': '3.467', 'x': '1'}", "{'train_runtime': '3.9', 'x': '1'}"),
        ("1/1 0s 14ms/step", "1/1 1s 970us/step"),
        ("started 1795250371.27", "started 1795250399.5"),
    ],
)
def test_durations_are_left_out_only_where_a_clock_was_read(a: str, b: str) -> None:
    clock = {"clock-read": "train.py:1"}
    assert compare(trace(a), trace(b)).verdict is not Verdict.IDENTICAL
    found = compare(trace(a, facts=clock), trace(b, facts=clock))
    assert found.verdict is Verdict.IDENTICAL
    assert found.uncounted


@pytest.mark.parametrize(
    "text",
    [
        "time step loss {}",
        "mean time to event: {}",
        "eta {}",
        "survival time RMSE: {}",
        "timeout acc = {}",
        "real time factor {}",
    ],
)
def test_results_that_are_named_like_durations_count(text: str) -> None:
    clock = {"clock-read": "train.py:1"}
    assert (
        compare(trace(text.format(0.31), facts=clock), trace(text.format(0.47), facts=clock)).verdict
        is Verdict.DIFFERENT
    )


def test_what_a_progress_bar_wrote_over_is_gone() -> None:
    assert readable("a\r\x1b[32mb\x1b[0m\nabc\b\bxy\n") == "b\naxy\n"


def test_paths_and_tables_without_what_is_of_the_day() -> None:
    assert masked_path("runs/20261121-084603/metrics.json") == masked_path("runs/20271122-010203/metrics.json")
    assert masked_path("runs/Nov21_08-46-03_host") == masked_path("runs/Dec01_11-22-33_host")
    assert masked_path("checkpoint-500/model.pt") != masked_path("checkpoint-700/model.pt")
    assert masked_file("epoch,time,loss\n1,3.5,0.2\n", "h.csv") == masked_file("epoch,time,loss\n1,9.1,0.2\n", "h.csv")
    assert masked_file("epoch,time,loss\n1,3.5,0.2\n", "h.csv") != masked_file("epoch,time,loss\n1,3.5,0.3\n", "h.csv")
    assert names_duration("train_time")
    assert not names_duration("time_to_event")


def test_a_file_that_differs_is_rounding_only_if_its_numbers_are_near() -> None:
    files = {"files": {"m.json": "1"}, "contents": {"m.json": '{"acc": 0.5}'}, "steps": np.ones(3, np.uint32)}
    near = {**files, "files": {"m.json": "2"}, "contents": {"m.json": '{"acc": 0.5000001}'}}
    far = {**files, "files": {"m.json": "3"}, "contents": {"m.json": '{"acc": 0.6}'}}
    unknown = {**files, "files": {"m.json": "4"}, "contents": {}}
    assert compare(trace(**files), trace(**near)).verdict is Verdict.ROUNDING
    assert compare(trace(**files), trace(**far)).verdict is Verdict.DIFFERENT
    assert compare(trace(**files), trace(**unknown)).verdict is Verdict.DIFFERENT


def test_the_log_counts_in_any_order_of_its_lines() -> None:
    a, b, c = ("INFO acc 0.5\nINFO loss 1", "INFO loss 1\nINFO acc 0.5", "INFO loss 1\nINFO acc 0.7")
    assert not compare(Trace(0, "", a), Trace(0, "", b))
    assert compare(Trace(0, "", a), Trace(0, "", c)).verdict is Verdict.DIFFERENT
