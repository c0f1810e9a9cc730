"""Two traces held against each other, and the static search for the order of sets."""

import pickle
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import replace
from datetime import datetime
from pathlib import Path

import numpy as np
import pytest

from seedwise.determinism import Cause, Trace, Verdict, compare, localise, set_order_line
from seedwise.determinism.causes import fix_for
from seedwise.determinism.compare import first_step_after, resumed_at
from seedwise.determinism.lines import row_of
from seedwise.determinism.proof import Held, quality
from seedwise.determinism.readings import find_readings
from seedwise.determinism.rewriting import changed_line
from seedwise.runs.masks import masked, masked_file, masked_path, names_duration, readable
from seedwise.runs.written_files import contents_of
from seedwise_guest.tracing.resuming import state


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


def test_a_rate_that_is_padded_to_a_width_moves_no_result() -> None:
    clock = {"clock-read": "train.py:1"}
    a, b = (trace(f"epoch 1 {rate:9,.0f} samples/s loss 0.5", facts=clock) for rate in (99_431, 101_202))
    found = compare(a, b)
    assert (found.verdict, found.printed) == (Verdict.IDENTICAL, "")


_STEPS = {"steps": np.array([1, 2], np.uint32)}
_QUEUE = "batch {} queue {}/6 loss 0.{}"
_RUNS = "run {} done, acc {}"
_ON_THE_WAY = [
    # how full a queue was
    *(["\n".join(_QUEUE.format(k, q, k) for k in range(4)) + "\nmse 0.25" for q in "34"],),
    # who was first
    [
        "fold 1 acc 0.4\nfold 2 acc 0.5\nfold 3 acc 0.6\nmean acc 0.5",
        "fold 3 acc 0.6\nfold 1 acc 0.4\nfold 2 acc 0.5\nmean acc 0.5",
    ],
    # no metric that is known, and lines with a decimal number that agree
    ["first was 3 of 45\np 0.0036 of all", "first was 7 of 31\np 0.0036 of all"],
]
_RESULTS = [
    # which run has which score
    [
        "\n".join(_RUNS.format(k, v) for k, v in enumerate((1.5, 2.5, 3.5))),
        "\n".join(_RUNS.format(k, v) for k, v in enumerate((3.5, 2.5, 1.5))),
    ],
    ["first was 3 of 45\np 0.0036 of all", "first was 3 of 45\np 0.0037 of all"],
    ["volume: 4.1887\nexact: 4.18879", "volume: 4.2051\nexact: 4.18879"],
    ["Validation set: 2000\neffect: 0.412", "Validation set: 2000\neffect: 0.398"],
    ["accuracy: 0.95\nrobustness: 0.43", "accuracy: 0.95\nrobustness: 0.50"],
    ["accuracy: 0.95\nsample: to be", "accuracy: 0.95\nsample: not to be"],
]


@pytest.mark.parametrize("more", [{"facts": {"completion": "train.py:1"}}, _STEPS])
def test_beside_an_end_that_agrees_what_is_printed_on_the_way_is_a_note(more: dict[str, object]) -> None:
    for a, b in _ON_THE_WAY:
        assert compare(trace(a, **more), trace(b, **more)).printed, a
        same_lines = sorted(a.splitlines()) == sorted(b.splitlines())
        assert bool(compare(trace(a), trace(b))) != same_lines
    for a, b in _RESULTS:
        assert compare(trace(a, **more), trace(b, **more)).verdict is Verdict.DIFFERENT, a


def test_a_piece_of_an_identifier_is_no_number_that_is_too_large() -> None:
    assert compare(trace("run 4e8839 acc 0.5"), trace("run 4e8839 acc 0.6")).verdict is Verdict.DIFFERENT


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


@pytest.mark.parametrize(
    ("a", "b"),
    [
        ("lr=1e-5,300ms", "lr=1e-3,300ms"),
        ("91,101ms", "78,101ms"),
        ("time 5,120 0.5", "time 5,999 0.5"),
        ("kept 91,101 samples", "kept 78,101 samples"),
        ("0.91,101 samples/s", "0.78,101 samples/s"),
        ("2026-01-02 12:30:05,0.9312,0.8123", "2026-01-02 12:30:05,0.9455,0.8123"),
        ("12:30:05,0.9312", "12:30:05,0.9455"),
        ("May 3 acc 0.5", "May 4 acc 0.5"),
        ("Dec 2013.5", "Dec 2014.5"),
        ("speed 204733112233.52", "speed 204733112244.52"),
        ("speed 20261128154402.52", "speed 20261128154403.52"),
        ("flops 209933112233", "flops 209933112244"),
        ("flops 179596367806", "flops 179596367807"),
        ("sum 1634567890123", "sum 1634567890124"),
        ("Marching 12 2026", "Marching 13 2026"),
    ],
)
def test_masks_leave_what_stands_beside_a_duration(a: str, b: str) -> None:
    assert masked(a) != masked(b)


@pytest.mark.parametrize(
    ("a", "b"),
    [
        ("Sat Nov 28 15:44:02 2026 loss 0.5", "Sun Nov 29 05:44:02 2026 loss 0.5"),
        ("Sat, 28 Nov 2026 15:44:02 GMT", "Mon, 30 Nov 2026 15:44:03 GMT"),
        ("2026-11-28 15:44:02,123.456 loss 0.5", "2026-11-28 15:44:03,877.001 loss 0.5"),
        ("run 20261128_154402", "run 20261129_014403"),
        ("run 202611281544", "run 202611290144"),
        ("on November 28, 2026: 0.5", "on December 1, 2026: 0.5"),
    ],
)
def test_dates_in_words_and_milliseconds_behind_a_time_are_masked(a: str, b: str) -> None:
    assert masked(a) == masked(b)


@pytest.mark.parametrize("parts", [10**3, 10**6, 10**9])
def test_a_time_of_now_in_parts_of_a_second_is_masked_and_other_whole_numbers_are_not(parts: int) -> None:
    now = int(time.time() * parts)
    assert masked(f'"timestamp_nsecs": {now}, x') == masked(f'"timestamp_nsecs": {now + 7 * parts}, x')
    assert masked(f"sum {now - 500 * 86_400 * parts}") != masked(f"sum {now - 500 * 86_400 * parts - 1}")
    assert masked(f"loss {now}.5") != masked(f"loss {now + 1}.5")


def test_addresses_that_keras_saves_are_masked() -> None:
    assert masked('"shared_object_id": 139751773935824}') == masked('"shared_object_id": 139751773935999}')


def test_an_array_is_not_what_is_missing() -> None:
    assert not state._same(None, np.arange(3))
    assert not state._same(np.arange(3), 1.0)
    assert state._same(np.arange(3), np.arange(3))


def test_masks_take_no_longer_than_a_line_is_long() -> None:
    assert masked(",".join(["123"] * 200_000)).startswith("123,123")
    assert masked("Loading data...3.2s") == masked("Loading data...3.4s")


def test_masks_leave_results_alone() -> None:
    for text in ("acc = 0.1234", "loss: 1e-5", "seed 7", "step 100: 0.5", "mass 3.5"):
        assert masked(text) == text


@pytest.mark.parametrize(
    ("a", "b"),
    [
        ("took 3.2 s", "took 4.9 s"),
        ("33,456 samples/s", "987 samples/s"),
        ("1,234,567.5 samples/s", "1.2k samples/s"),
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
    assert masked_path("w_29Nov2026_00h08.39.csv") == masked_path("w_3dec2026_120001.csv")
    assert masked_path("checkpoint-500/model.pt") != masked_path("checkpoint-700/model.pt")
    assert (
        masked_path("fit_2026-11-29T020542.715.html")
        == masked_path("fit_2026-12-01T111203.001.html")
        == "fit_DATE.html"
    )
    assert masked_path("run_2026-11-29_0205/x") == "run_DATE/x"
    assert masked_path("log_1b4e28ba-2fa1-11d2-883f-0016d3cca427.json") == "log_UUID.json"
    assert masked_file("epoch,time,loss\n1,3.5,0.2\n", "h.csv") == masked_file("epoch,time,loss\n1,9.1,0.2\n", "h.csv")
    assert masked_file("epoch,time,loss\n1,3.5,0.2\n", "h.csv") != masked_file("epoch,time,loss\n1,3.5,0.3\n", "h.csv")
    assert names_duration("train_time")
    assert names_duration("microseconds")
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


def log_of(times: tuple[float, ...], scale: float = 1.0) -> Trace:
    lines = [f"step {k} | {8 / t / scale:.1f} img/s | loss {1 / (k + 1):.3f}" for k, t in enumerate(times)]
    return trace("\n".join(lines), facts={"clock-read": "train.py:1"})


def test_what_follows_the_clock_in_proportion_is_a_reading() -> None:
    a, b = log_of((0.031, 0.042)), log_of((0.033, 0.039))
    found = find_readings([a, b], a, log_of((0.031, 0.042), 2.0), lambda size: None)
    assert found.places == {("output", "step # | # img/s | loss #", 1)}
    assert compare(a, b).verdict is Verdict.DIFFERENT
    assert not compare(a, b, readings=found)
    worse = trace(b.stdout.replace("0.500", "0.400"), facts=b.facts)
    assert compare(a, worse, readings=found).verdict is Verdict.DIFFERENT


@pytest.mark.parametrize(("again", "doubled"), [("0.9131", "0.1712"), ("0.4127", "0.8254"), ("0.9131", "0.9131")])
def test_what_jumps_with_the_clock_or_does_not_follow_it_is_none(again: str, doubled: str) -> None:
    facts = {"clock-read": "train.py:1"}
    a, b, same, twice = (trace(f"acc {x}", facts=facts) for x in ("0.9131", "0.5521", again, doubled))
    assert not find_readings([a, b], same, twice, lambda size: same)


def test_readings_and_numbers_of_processes_may_stand_in_one_line() -> None:
    facts = {"clock-read": "train.py:1"}

    def log(pid: str, rate: str) -> Trace:
        return Trace(0, "", f"[{pid}] {rate} img/s acc 0.5", facts=facts, numbers=frozenset({pid}))

    a, b = log("1946", "812.5"), log("2001", "790.1")
    found = find_readings([a, b], a, log("2100", "406.25"), lambda size: None)
    assert compare(a, b)
    assert not compare(a, b, readings=found)


def test_readings_of_a_log_are_found_though_its_lines_have_no_order_and_their_digits_grow() -> None:
    def log(*milliseconds: float) -> Trace:
        said = "\n".join(f"{ms:.3f} INFO step done" for ms in milliseconds)
        return Trace(0, "", said, facts={"clock-read": "logging"})

    a, b = log(46.499, 70.503, 94.515), log(41.077, 68.2, 92.31)
    found = find_readings([a, b], a, log(92.999, 141.006, 189.03), lambda size: None)
    assert compare(a, b)
    assert not compare(a, b, readings=found)


def share_of(value: float) -> Trace:
    return trace(f"share {value:.3f}", facts={"clock-read": "train.py:1"})


def test_what_moves_with_small_changes_of_single_times_is_a_reading_and_what_jumps_is_none() -> None:
    a, b = share_of(0.4), share_of(0.43)
    smooth = find_readings([a, b], a, a, lambda size: share_of(0.4 + 0.3 * size / (1 + size)))
    assert smooth.places == {("output", "share #", 0)}
    jumps = iter((0.4, 0.9, 0.1, 0.6))
    assert not find_readings([a, b], a, a, lambda size: share_of(next(jumps)))
    assert not find_readings([a, b], a, a, lambda size: share_of(0.4 if size < 1 else 0.7))


def test_numbers_of_processes_and_drawn_names_are_those_of_their_own_run() -> None:
    a = trace("[1946] run 8e91fd3f acc 0.5", numbers=frozenset({"1946"}), words=("8e91fd3fd1c2",))
    b = trace("[2001] run df7a7524 acc 0.5", numbers=frozenset({"2001"}), words=("df7a75240a1b",))
    assert not compare(a, b)
    assert compare(a, trace("[2002] run df7a7524 acc 0.5", numbers=b.numbers, words=b.words))
    assert compare(a, trace("[2001] run aaaaaaaa acc 0.5", numbers=b.numbers, words=b.words))


def test_a_fix_must_give_a_result_as_good_as_a_plain_one() -> None:
    plain = [trace(f"loss {x}") for x in (0.51, 0.49, 0.5, 0.52, 0.48)]
    assert quality(plain, trace("loss 0.47")) is Held.SAME
    assert quality(plain, trace("loss nan")) is Held.NOT_FINITE
    assert quality(plain, trace("loss 90.1")) is Held.ELSEWHERE
    assert quality([trace("loss nan")], trace("loss nan")) is Held.SAME


def test_a_resumed_run_is_held_against_the_steps_that_it_goes_on_with() -> None:
    whole = trace(steps=np.array([1, 2, 3, 4], np.uint32))
    part = trace(steps=np.array([3, 9], np.uint32))
    assert (resumed_at(whole, part), first_step_after(whole, part, 2)) == (2, 3)
    assert resumed_at(part, whole) is None


@pytest.mark.parametrize(
    ("cause", "before", "after"),
    [
        (Cause.GENERATOR, "rng = np.random.default_rng()", "rng = np.random.default_rng(0)"),
        (Cause.GENERATOR, "rng = random.Random(None)  # é", "rng = random.Random(0)  # é"),
        (Cause.LISTING, "for x in os.listdir(d):", "for x in sorted(os.listdir(d)):"),
        (Cause.MEMORY, "w = torch.Tensor(1, 64)", "w = torch.zeros(1, 64)"),
        (Cause.HASH, "k = hash(name)", 'k = int.from_bytes(hashlib.sha256(name.encode()).digest()[:8], "big")'),
        (Cause.GENERATOR, "x = draw()", None),
        (Cause.GENERATOR, "rng = np.random.default_rng(seed)", None),
    ],
)
def test_a_fix_shows_its_line_before_and_after(cause: Cause, before: str, after: str | None, tmp_path: Path) -> None:
    path = tmp_path / "x.py"
    path.write_text(before + ("\n    pass" if before.endswith(":") else "") + "\n")
    line = changed_line(cause, f"{path}:1")
    assert (line.after if line else None) == after


@pytest.mark.parametrize(
    ("name", "call"),
    [("random", "random.seed(0)"), ("torch", "torch.manual_seed(0)"), ("torch.Generator", "manual_seed(0)")],
)
def test_a_restart_without_a_seed_is_replaced_by_one_with_a_number(name: str, call: str) -> None:
    fix = fix_for(Cause.GENERATOR, "train.py:4", (f"{name}.seed() at train.py:4",))
    assert fix.text.startswith(f"put {call} in the place of {name}.seed() (train.py:4)")


@pytest.mark.parametrize(
    ("a", "b", "verdict"),
    [
        # a name that was drawn, its length in bytes, and how full a queue was
        ("run brave-otter-42\nacc = 0.5", "run calm-fox-7\nacc = 0.5", Verdict.IDENTICAL),
        ("log size 1,234 bytes\nacc = 0.5", "log size 980 bytes\nacc = 0.5", Verdict.IDENTICAL),
        # who was first, where nothing says that this is allowed
        (
            "fold 1 acc 0.4\nfold 2 acc 0.5\nfold 3 acc 0.6",
            "fold 3 acc 0.6\nfold 1 acc 0.4\nfold 2 acc 0.5",
            Verdict.DIFFERENT,
        ),
        # what is a result: a metric, a number with digits behind the point, a whole number that is printed once
        ("run a\nacc = 0.5", "run b\nacc = 0.6", Verdict.DIFFERENT),
        ("acc = 0.5\nscore of all: 0.41, 0.73", "acc = 0.5\nscore of all: 0.42, 0.73", Verdict.DIFFERENT),
        ("acc = 0.5\nright: 171 of 200", "acc = 0.5\nright: 172 of 200", Verdict.DIFFERENT),
        ("before: acc 0.4\nafter: acc 0.5", "before: acc 0.5\nafter: acc 0.4", Verdict.DIFFERENT),
        ("a acc 0.4\nb acc 0.5\nbest model: a", "a acc 0.4\nb acc 0.5\nbest model: b", Verdict.DIFFERENT),
        # nothing else that could be the result
        ("chosen: otter", "chosen: fox", Verdict.DIFFERENT),
    ],
)
def test_what_is_printed_besides_the_same_result_is_told_and_no_verdict(a: str, b: str, verdict: Verdict | int) -> None:
    found = compare(trace(a), trace(b))
    assert found.verdict is (verdict or Verdict.IDENTICAL)
    assert bool(found.printed) == (found.verdict is Verdict.IDENTICAL)


def test_words_beside_a_result_make_no_difference_of_what_files_round() -> None:
    arrays = [np.linspace(1.0, 2.0, 30), np.linspace(1.0, 2.0, 30) * (1 + 1e-12)]
    a, b = (
        trace(
            f"{n}/48 tasks by two threads\nmse 0.17000761",
            files={"coef.npy": str(n)},
            contents={"coef.npy": array},
            facts={"threads": "train.py:1"},
        )
        for n, array in zip((65, 59), arrays, strict=True)
    )
    found = compare(a, b)
    assert (found.verdict, found.what) == (Verdict.ROUNDING, ("files: coef.npy",))
    assert compare(a, replace(b, contents={"coef.npy": arrays[0] * 2})).verdict is Verdict.DIFFERENT
    assert compare(a, b, every_word=True).what[1:] == found.what
    assert compare(a, replace(b, stdout=b.stdout.replace("761", "762"))).what[1:] == found.what


def test_parameters_and_kept_files_are_results_whatever_is_printed() -> None:
    a, b = "run brave-otter", "run calm-fox"
    assert not compare(trace(a, **_STEPS), trace(b, **_STEPS))
    assert compare(trace(a, **_STEPS), trace(b, steps=np.array([1, 3], np.uint32)))
    files = [{"out.csv": "1", "run.log": k} for k in "23"]
    kept = [{"out.csv": "otter", "run.log": text} for text in (a, b)]
    one, two = (trace("", files=f, contents=c, **_STEPS) for f, c in zip(files, kept, strict=True))
    assert compare(one, two).printed.startswith("files: run.log")
    csv = trace("", files={**files[0], "out.csv": "9"}, contents={**kept[0], "out.csv": "fox"}, **_STEPS)
    assert compare(one, csv)
    assert compare(one, trace("", files=files[1], **_STEPS))  # a log too large to keep
    fill = ["mean queue fill 3.28\nmse 0.5", "mean queue fill 3.35\nmse 0.5"]
    assert compare(trace(fill[0]), trace(fill[1]))
    assert not compare(*(trace(text, **_STEPS) for text in fill))
    assert not compare(*(trace(text, facts={"completion": "train.py:1"}) for text in fill))
    dated = [
        trace(f"run ae-{name}\nmse 0.5", files={f"runs/ae-{name}/best.pt": "7", f"runs/ae-{name}/n.csv": "8"}, **_STEPS)
        for name in ("1128-1619-7f41e0", "1128-1620-2536e0")
    ]
    assert compare(*dated).printed.endswith("in one of them")
    other = trace(dated[1].stdout, files={**dated[1].files, "runs/ae-1128-1620-2536e0/n.csv": "9"}, **_STEPS)
    assert compare(dated[0], other)
    assert compare(trace("", files={"epoch_3.csv": "1"}), trace("", files={"epoch_4.csv": "1"}))
    named = [trace("mse 0.5", files={f"model_loss=0.5{k}.pt": "1"}, **_STEPS) for k in "31"]
    assert compare(*named)  # the same bytes under names that say a result
    renamed = [trace("", files={f"{name}.pt": "7"}, **_STEPS) for name in ("otter", "fox")]
    assert not compare(*renamed)


def test_a_line_that_prints_the_setting_that_was_changed_is_the_same() -> None:
    a, b = (trace(f"5119 parameters, {n} threads\nacc = 0.5", settings={"threads": n}) for n in ("2", "1"))
    assert compare(a, b).verdict is Verdict.IDENTICAL
    assert compare(a, trace("5119 parameters, 3 threads\nacc = 0.5", settings={"threads": "1"}))
    assert compare(a, trace("5120 parameters, 1 threads\nacc = 0.5", settings={"threads": "1"}))
    whole = (trace(f"using {n} threads\n", settings={"threads": n}) for n in ("2", "1"))
    assert not compare(*whole)
    errors = (trace(f"errors: {n}", settings={"threads": n}) for n in ("2", "1"))
    assert compare(*errors)
    grids = (trace(grid, settings={"PYTHONHASHSEED": grid}) for grid in ("|## # |", "|#  # |"))
    assert compare(*grids)


def test_numbers_behind_dots_and_beside_growing_bars_have_their_place() -> None:
    assert row_of("...9 trials (2.5/s)")[0] == row_of("...12 trials (31.0/s)")[0]
    assert row_of("walks: 12%|##      | 480/4800")[0] == row_of("walks: 42%|######  | 2016/4800")[0]
    assert row_of("version v1.2.3 of x9.5")[1] == ()


def test_the_number_of_an_object_is_an_address() -> None:
    assert masked(f"id {id(masked)}, 139904512345678.5, 1399045") == "id 0x, 139904512345678.5, 1399045"


def test_a_day_and_a_time_without_the_year_are_a_name_only_today() -> None:
    today, other = time.strftime("%m%d"), time.strftime("%m%d", time.gmtime(time.time() - 40 * 86_400))
    assert masked(f"run ae-{today}-1947 began") == "run ae-DATE began"
    assert masked(f"rows {other}-1947") == f"rows {other}-1947"
    assert masked(f"{today} 1947 rows") == f"{today} 1947 rows"
    assert masked_path("runs/digits_20261128-194432_77/best.pt").startswith("runs/digits_DATE_")


def test_a_folder_named_by_date_and_process_is_the_same_folder() -> None:
    def run(name: str, pid: str, digest: str = "a") -> Trace:
        return trace("acc = 0.5", files={f"runs/{name}_{pid}/best.pt": digest}, numbers=frozenset({pid}))

    a = run("DATE", "4711")
    assert compare(a, run("DATE", "4923")) == compare(a, a)
    assert compare(a, run("DATE", "4923", "b")).what == ("files: runs/DATE_4711/best.pt",)
    assert "names of files" in compare(a, replace(run("DATE", "5"), numbers=frozenset())).printed


def test_files_below_a_folder_with_drawn_words_are_held_against_each_other() -> None:
    def run(words: str, pid: str, digest: str = "a") -> Trace:
        log = f"[{pid}] run dir: runs/{words} (user=0)\n[{pid}] 3 epochs"
        names = {f"runs/{words}/{name}": digest for name in ("best.pt", "last.pt")}
        return Trace(0, "val_acc=0.8650", log, files=names, numbers=frozenset({pid}))

    a = run("brisk-otter", "4711")
    same = compare(a, run("lucid-maple", "4923"))
    assert (same.verdict, "names of files" in same.printed) == (Verdict.IDENTICAL, True)
    assert compare(a, run("lucid-maple", "4923", "b")).verdict is Verdict.DIFFERENT
    assert compare(a, run("acc=0.61", "4923", "b")).verdict is Verdict.DIFFERENT


def test_a_number_in_the_name_of_a_file_that_is_said_at_the_end_is_a_result() -> None:
    a, b = (trace(f"acc 0.91\nbest: ckpt_{n}.pt", files={f"ckpt_{n}.pt": "a"}) for n in (120, 160))
    assert compare(a, b).verdict is Verdict.DIFFERENT


def test_a_file_is_paired_with_one_other_at_most() -> None:
    a = trace("acc = 0.5", files={"svm/iris/s.json": "1"})
    b = trace("acc = 0.5", files={"svm/wine/s.json": "2", "tree/iris/s.json": "1"})
    assert compare(a, b).verdict is Verdict.DIFFERENT


def test_beside_an_output_that_agrees_the_log_of_workers_and_counts_are_a_note() -> None:
    beside: dict[str, object] = {"facts": {"completion": "train.py:1"}}
    fits = "beta[0] = +0.51\nbeta[1] = +0.72\nbeta[2] = -0.31"
    logs = (Trace(0, fits, f"12/12 last={k}", **beside) for k in (11, 10))  # type: ignore[arg-type]
    found = compare(*logs)
    assert (found.verdict, bool(found.printed)) == (Verdict.IDENTICAL, True)
    ranks = (Trace(0, "lr 0.25", f"rank 0 accuracy: {value}", **beside) for value in (0.91, 0.55))  # type: ignore[arg-type]
    assert compare(*ranks).verdict is Verdict.DIFFERENT
    labels = (trace("acc 0.5", files={"y.txt": y}, contents={"y.txt": y}, **beside) for y in ("3 5", "5 3"))
    assert compare(*labels).verdict is Verdict.DIFFERENT
    swapped = ("cat 0.91\ndog 0.85\nmean accuracy: 0.88", "dog 0.91\ncat 0.85\nmean accuracy: 0.88")
    assert compare(*map(trace, swapped)).verdict is Verdict.DIFFERENT


@pytest.mark.parametrize("kind", ["pickle", "joblib", "torch"])
def test_dates_and_durations_in_what_was_pickled_are_seen_and_its_numbers_count(kind: str, tmp_path: Path) -> None:
    import joblib
    import torch

    keep: dict[str, Callable[[object, Path], object]] = {
        "pickle": lambda value, path: path.write_bytes(pickle.dumps(value)),
        "joblib": joblib.dump,
        "torch": torch.save,
    }
    endings = {"pickle": "pkl", "joblib": "joblib", "torch": "pt"}

    def saved(day: int, elapsed: float, score: float, last: float = 4.0) -> str | bytes:
        weights: object = np.array([1.0, 2.0, last])
        if kind == "torch":
            weights = torch.tensor([1.0, 2.0, last])
        value = {"weights": weights, "at": datetime(2026, 11, day), "elapsed": elapsed, "score": score}
        folder = tmp_path / f"{day}-{elapsed}-{score}-{last}"
        folder.mkdir(exist_ok=True)
        keep[kind](value, folder / f"m.{endings[kind]}")
        ((_, content),) = contents_of(folder)
        return content if isinstance(content, (str, bytes)) else ""

    flags = [pickle.dumps([True, False, True]), pickle.dumps([False, False, False]), pickle.dumps([[1], [2, 3]])]
    contents = []
    for k, data in enumerate(flags):
        (tmp_path / f"flags-{k}").mkdir(exist_ok=True)
        (tmp_path / f"flags-{k}" / "f.pkl").write_bytes(data)
        contents += [content for _, content in contents_of(tmp_path / f"flags-{k}")]
    assert len(set(map(str, contents))) == 3
    first = saved(1, 0.25, 0.5)
    assert saved(2, 0.75, 0.5) == first
    assert saved(2, 0.75, 0.625) != first
    assert saved(1, 0.25, 0.5, last=5.0) != first


def test_numbered_objects_have_the_same_hashes_in_every_process() -> None:
    program = (
        "import sys; from seedwise_guest.tracing.numbered import number_objects\n"
        "number_objects(['__main__:Own', '__main__:Slots'])\n"
        "class Own:\n    def __init__(self): self.x = 1\n"
        "class Slots:\n    __slots__ = ('x',)\n    def __init__(self): self.x = 1\n"
        "class Other: pass\n"
        "kept = [[of() for _ in range(5)] for of in (Own, Slots)]\n"
        "print([[hash(one) for one in of] for of in kept], hash(Other()) > 99, kept[0][2] in set(kept[0]))"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[[1, 2, 3, 4, 5], [1, 2, 3, 4, 5]] True True"


def test_durations_are_known_by_a_name_with_a_unit_and_by_the_name_above_their_column() -> None:
    for name in ("total_seconds", "elapsed_s", "latency_ms", "wall"):
        assert masked(f'"{name}": 2.51,') == f'"{name}": TIME,'
    table = "       auc  log_loss  fit_time\nmodel\nrf  0.9913  0.1169  {}\nextra trees  0.98  0.1  0.4\n\nbest 0.98"
    assert masked(table.format("1.95")) == masked(table.format("2.04"))
    assert "0.9913  0.1169  TIME" in masked(table.format("1.95"))
    assert masked("epoch loss time\n1 0.5 0.23") == "epoch loss time\n1 0.5 TIME"
    assert masked("time loss\n0.3 0.5") == "time loss\nTIME 0.5"
    for text in ("the wall time of all\nthe acc of all was 0.5 in a row", "loss acc\n0.5 0.6", "time\n0.5"):
        assert masked(text) == text
