"""Pictures are made of numbers that anybody can compute again, and say what they show."""

import json
import math
import re
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from scipy import stats as theirs

import seedwise as sw
from seedwise.api.pictures import plot
from seedwise.api.task_curves import Array, task_curves_info
from seedwise.reports.pictures.comparing import CompareInfo
from seedwise.reports.pictures.curves import CurvesInfo, curves_info
from seedwise.reports.pictures.dots import DotsInfo, heights
from seedwise.reports.pictures.kinds import Kind
from seedwise.reports.pictures.looks import COLOURS, DASHES, SHAPES
from seedwise.reports.pictures.picture import Picture
from seedwise.reports.pictures.shares import HistogramInfo, ecdf_info
from seedwise.results import Cause, Goal, Metric, Results, Run, Series, Status
from seedwise.stats import align, ecdf, histogram
from seedwise.words import histogram as in_terminal


def results(
    name: str = "base", n: int = 8, failed: int = 1, lengths: Callable[[int], int] = lambda seed: 12
) -> Results:
    rng = np.random.default_rng(n)
    runs = []
    for seed in range(1, n + 1):
        values = tuple(
            (np.arange(lengths(seed)) / 10 + rng.normal(0, 0.1) + rng.normal(0, 0.01, lengths(seed))).tolist()
        )
        runs.append(Run(seed, Status.FINISHED, {"acc": Series(tuple(range(1, len(values) + 1)), values)}))
    runs += [Run(n + k + 1, Status.FAILED, cause=Cause.EXCEPTION, detail="boom") for k in range(failed)]
    return Results(name, "", ("python", "train.py"), tuple(runs), (Metric("acc", Goal.MAX),))


def tasks() -> sw.TaskRanking:
    rng = np.random.default_rng(1)
    groups = {name: rng.normal(mean, 0.3, (5, 6)) for name, mean in (("PPO", 1.0), ("DQN", 1.1), ("random", 0.1))}
    return sw.compare_tasks(groups, goal="max", enough=1.0, nemenyi=True, profile="auto", rng=0)


def curves(shift: float) -> dict[str, list[tuple[Array, Array]]]:
    steps = np.arange(1.0, 7.0)
    return {game: [(steps, steps / 6 + shift + seed / 10) for seed in range(3)] for game in ("pong", "alien")}


def every_picture() -> dict[str, Picture]:
    both = {"new": results("new", 9), "base": results()}
    found = {kind: plot(results(), kind) for kind in ("dots", "curves", "ecdf", "histogram", "lottery")}
    found |= {kind: plot(both, kind) for kind in ("compare", "pairs")}
    found |= {kind: plot(tasks(), kind) for kind in ("tasks", "profile", "improvement", "ranks")}
    found["by-step"] = Picture(task_curves_info({"PPO": curves(0.0), "DQN": curves(0.1)}, "score"))
    return found


def test_there_is_a_chart_for_every_kind_and_its_tables_are_those_that_it_asks_for() -> None:
    pictures = every_picture()
    assert set(pictures) == set(Kind)
    for kind, picture in pictures.items():
        asked = set(re.findall(r'"data": \{"name": "(\w+)"\}', json.dumps(picture.bare_spec())))
        assert asked <= set(picture.data), kind
        for table, columns in picture.data.items():
            assert len({len(column) for column in columns.values()}) == 1, (kind, table)


def test_every_field_of_a_chart_is_a_column_of_its_tables() -> None:
    for kind, picture in every_picture().items():
        fields = set(re.findall(r'"field": "(\w+)"', json.dumps(picture.bare_spec())))
        assert fields <= {name for columns in picture.data.values() for name in columns}, kind


def test_dots_are_the_scores_and_the_mean_is_that_of_the_summary() -> None:
    of = results()
    info = plot(of).info
    assert isinstance(info, DotsInfo)
    scores, summary = of.scores("acc"), sw.summarize(of.scores("acc"))
    assert dict(zip(info.data()["dots"]["seed"], info.data()["dots"]["value"], strict=True)) == dict(scores.by_seed)
    assert info.data()["means"]["mean"] == [summary.mean]
    assert (info.data()["means"]["low"][0], info.data()["means"]["high"][0]) == summary.interval
    assert "8 of 9 seeds" in info.caption()
    assert "95 % t interval" in info.caption()


def test_equal_scores_stand_beside_each_other() -> None:
    placed = heights((1.0, 1.0, 1.0, 2.0, 2.0))
    assert len(set(placed[:3])) == 3
    assert len(set(placed[3:])) == 2
    assert max(map(abs, heights(tuple(range(50)) * 40))) <= 1.0
    assert heights(()) == ()


def test_mean_curve_against_scipy_at_each_step() -> None:
    of = results()
    info = plot(of, "curves").info
    assert isinstance(info, CurvesInfo)
    mean = info.data()["mean"]
    for k, step in enumerate(mean["step"]):
        values = [run.series["acc"].values[k] for run in of.finished]
        assert mean["n"][k] == len(values)
        assert mean["mean"][k] == pytest.approx(np.mean(values), rel=1e-12)
        low, high = theirs.t.interval(0.95, len(values) - 1, np.mean(values), theirs.sem(values))
        assert (mean["low"][k], mean["high"][k]) == pytest.approx((low, high), rel=1e-9)
        assert step == k + 1


def test_mean_stops_where_fewer_than_half_of_the_runs_remain_and_n_is_said_at_each_step() -> None:
    info = plot(results(lengths=lambda seed: 4 + seed), "curves").info
    assert isinstance(info, CurvesInfo)
    mean = info.data()["mean"]
    assert mean["n"] == [8] * 5 + [7, 6, 5, 4, 3, 2, 1]
    assert [value is not None for value in mean["mean"]] == [n >= 4 for n in mean["n"]]
    assert "from 5 to 12" in info.caption()
    assert "vconcat" in plot(results(lengths=lambda seed: 4 + seed), "curves").bare_spec()
    assert "vconcat" not in plot(results(), "curves").bare_spec()


def test_a_value_that_is_no_number_leaves_no_mean_and_its_seed_is_named() -> None:
    of = results(n=4, failed=0)
    broken = Run(9, Status.FINISHED, {"acc": Series((1, 2, 3), (0.1, math.nan, math.inf))})
    info = curves_info({"": Results("x", "", (), (*of.runs, broken), of.metrics)}, "acc")
    assert [value is not None for value in info.data()["mean"]["mean"][:4]] == [True, False, False, True]
    assert info.data()["mean"]["n"][:4] == [5, 5, 5, 4]
    assert "Seed 9 is NaN or infinite" in info.caption()
    assert None in info.data()["lines"]["value"]


def test_runs_logged_at_different_steps_are_interpolated_inside_their_own_ends_and_it_is_said() -> None:
    runs = [([0, 10, 20], [0.0, 1.0, 2.0]), ([3, 13, 23], [0.3, 1.3, 2.3]), ([1, 11, 19], [0.1, 1.1, 1.9])]
    found = align(runs)
    assert found.interpolated
    for row, (steps, _) in zip(found.values, runs, strict=True):
        inside = (found.steps >= steps[0]) & (found.steps <= steps[-1])
        assert row[inside] == pytest.approx(found.steps[inside] / 10)
        assert np.isnan(row[~inside]).all()
    of = tuple(Run(k, Status.FINISHED, {"acc": Series(tuple(s), tuple(v))}) for k, (s, v) in enumerate(runs, 1))
    assert "interpolated" in plot(Results("x", "", (), of, (Metric("acc", Goal.MAX),)), "curves").caption


def test_of_a_long_curve_the_first_and_the_last_step_are_kept() -> None:
    found = align([(np.arange(5000), np.arange(5000.0))] * 3, most=100)
    assert len(found.steps) == 100
    assert (found.steps[0], found.steps[-1]) == (0, 4999)
    assert found.kept_every == pytest.approx(50)


def test_beyond_200_runs_quantiles_of_all_of_them_stand_for_single_lines() -> None:
    of = results(n=201, failed=0)
    info = plot(of, "curves").info
    assert isinstance(info, CurvesInfo)
    assert len(set(info.data()["lines"]["seed"])) == 3
    last = [run.series["acc"].values[-1] for run in of.finished]
    assert info.data()["mean"]["q95"][-1] == pytest.approx(np.quantile(last, 0.95))
    assert "middle 90 %" in info.caption()


def test_terminal_and_chart_have_the_same_bins() -> None:
    of = results(n=30)
    info = plot(of, "histogram").info
    assert isinstance(info, HistogramInfo)
    counts = np.histogram(of.scores("acc").values, bins=16)[0]
    assert list(info.counted.counts) == counts.tolist()
    drawn = in_terminal(of.scores("acc").values)
    assert [c == " " for c in drawn] == [n == 0 for n in counts]


def test_a_histogram_of_the_largest_and_of_equal_numbers_is_whole() -> None:
    assert histogram([-1.7e308, 1.7e308]).counts[0] == 1
    assert sum(histogram([-1.7e308, 1.7e308, 0.0]).counts) == 3
    assert histogram([3.0, 3.0]).counts == (2,)
    assert histogram([5e-324, 0.0]).edges[-1] == 5e-324


def test_share_of_seeds_against_scipy_and_its_band_holds_the_truth() -> None:
    x = np.random.default_rng(5).normal(size=40)
    found, reference = ecdf(x), theirs.ecdf(x).cdf
    assert found.values.tolist() == reference.quantiles.tolist()
    assert found.share == pytest.approx(reference.probabilities)
    for n in (10, 100, 1000):
        e = ecdf(np.arange(n, dtype=float))
        half = float(np.max(e.high - e.share))
        assert 0.02 < theirs.kstwo.sf(half, n) <= 0.05  # the exact chance that the curve leaves the band


def test_of_many_scores_a_thousand_steps_are_drawn_and_the_caption_says_so() -> None:
    scores = sw.Scores(
        "acc", {seed: float(v) for seed, v in enumerate(np.random.default_rng(0).normal(size=5000))}, sw.Goal.MAX
    )
    drawn = ecdf_info({"": scores})
    rows = drawn.data()["share"]
    assert len(rows["value"]) == 1001
    assert (rows["value"][1], rows["value"][-1]) == (min(scores.values), max(scores.values))
    assert "1,000 of its 5,000 steps" in drawn.caption()
    everything = ecdf(scores.values)
    assert set(zip(rows["value"][1:], rows["share"][1:], strict=True)) <= set(
        zip(everything.values.tolist(), everything.share.tolist(), strict=True)
    )


def test_comparison_draws_its_own_numbers_and_its_scores() -> None:
    a, b = results("new", 9), results()
    found = sw.compare(a, b, names=("new", "base"), rng=0)
    info = found.plot().info
    assert isinstance(info, CompareInfo)
    assert info.data()["difference"]["difference"] == [found.difference]
    assert (info.data()["difference"]["low"][0], info.data()["difference"]["high"][0]) == found.interval
    assert len(info.data()["dots"]["value"]) == 17
    assert "sample" not in json.dumps(found.as_dict())
    paired = sw.compare(a, b, paired=True, rng=0).plot().info
    assert len(paired.data()["dots"]["value"]) == 16  # the seed of one side alone is in no pair


def test_groups_differ_in_colour_and_in_shape_or_dash() -> None:
    n = len(COLOURS) * len(DASHES)
    assert len({(COLOURS[k % len(COLOURS)], DASHES[k % len(DASHES)]) for k in range(n)}) == n
    n = len(COLOURS) * len(SHAPES)
    assert len({(COLOURS[k % len(COLOURS)], SHAPES[k % len(SHAPES)]) for k in range(n)}) == n


def test_bars_of_ranks_join_what_lies_within_the_critical_difference_and_nothing_else() -> None:
    found = tasks()
    info = found.plot("ranks").info
    assert found.critical_difference is not None
    for low, high in info.groups:
        assert high - low <= found.critical_difference
    joined = [(a, b) for a in info.ranks for b in info.ranks if 0 < b - a <= found.critical_difference]
    assert all(any(low <= a and b <= high for low, high in info.groups) for a, b in joined)


@pytest.mark.parametrize("ask", [{"kind": "dot"}, {"kind": "tasks"}, {"kind": "compare"}, {"metric": "accc"}])
def test_what_does_not_fit_is_refused_in_words(ask: dict[str, str]) -> None:
    with pytest.raises(sw.SeedwiseError, match=r"\w{3,}"):
        results().plot(**ask)


@pytest.mark.slow
def test_no_picture_library_is_loaded_before_a_picture_is_drawn() -> None:
    code = (
        "import sys, seedwise as sw\n"
        "p = sw.compare([1., 2., 3.], [2., 3., 4.], rng=0).plot(); p.caption; p.data\n"
        "assert not {'altair', 'vl_convert', 'jinja2'} & set(sys.modules), 'too early'"
    )
    subprocess.run([sys.executable, "-c", code], check=True)


def test_without_the_extra_it_is_said_what_to_install(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setitem(sys.modules, "altair", None)
    with pytest.raises(sw.UsageError, match=r"pip install 'seedwise\[report\]'"):
        results().plot().save(tmp_path / "x.svg")
    monkeypatch.delitem(sys.modules, "altair")
    monkeypatch.setitem(sys.modules, "vl_convert", None)
    with pytest.raises(sw.UsageError, match=r"pip install 'seedwise\[report\]'"):
        results().plot().save(tmp_path / "x.svg")


@pytest.mark.slow
def test_every_picture_is_as_wide_as_was_asked_in_points(tmp_path: Path) -> None:
    for kind, picture in every_picture().items():
        for width in (234.0,) if kind != "curves" else (234.0, 486.0):
            head = re.search(r'width="([\d.]+)pt"', picture.svg(width))
            assert head is not None
            assert float(head[1]) == pytest.approx(width, abs=0.5), kind
    plot(results()).save(tmp_path / "dots.pdf")
    box = re.search(rb"/MediaBox \[0 0 ([\d.]+)", (tmp_path / "dots.pdf").read_bytes())
    assert box is not None
    assert float(box[1]) == pytest.approx(234, abs=0.5)


@pytest.mark.slow
def test_hostile_names_stay_text_in_every_picture() -> None:
    name = "<script>alert(1)</script>\x1b[31m'\"]; alert(1) //\u202e\x00"
    of = results(name)
    of = Results(name, "", (), of.runs, of.metrics)
    for kind in ("dots", "curves", "ecdf", "compare", "pairs"):
        text = plot({name: of, f"{name} 2": of}, kind).svg()
        assert "<script" not in text
        assert "\x1b" not in text
        assert "\x00" not in text


def of_values(values: list[float]) -> Results:
    runs = tuple(Run(s, Status.FINISHED, {"acc": Series((1,), (v,))}) for s, v in enumerate(values, 1))
    return Results("x", "", (), runs, (Metric("acc", Goal.MAX),))


@pytest.mark.parametrize("value", [0.5, 0.0, -3.0])
def test_axes_of_equal_scores_have_room_around_them_so_that_their_labels_are_right(value: float) -> None:
    for kind in ("dots", "ecdf", "histogram", "lottery"):
        text = json.dumps(plot(of_values([value] * 8), kind).bare_spec())
        domains = [json.loads(found) for found in re.findall(r'"domain": (\[-?[\d.][^\]]*\])', text)]
        assert any(low < value < high for low, high in domains), kind


def test_a_histogram_of_equal_scores_has_a_bar() -> None:
    assert plot(of_values([0.5] * 8), "histogram").bare_spec()["mark"]["type"] == "bar"
    assert plot(of_values([0.5, 0.6]), "histogram").bare_spec()["mark"]["type"] == "rect"


def test_a_caption_names_the_three_lines_of_many_and_no_interval_where_there_is_none() -> None:
    assert "lowest, the median and the highest" in plot(results(n=201), "curves").caption
    alone = results(n=1, failed=0)
    assert "interval" not in plot(alone, "curves").caption
    assert "(one seed)" in plot(alone).caption
    assert "interval" not in plot({"a": alone, "b": results("b", 1)}, "compare").caption


@pytest.mark.slow
def test_a_metric_may_be_called_like_what_every_object_has() -> None:
    of = results(n=3)
    for name in ("toString", "constructor", "__proto__", "valueOf"):
        runs = tuple(Run(r.seed, r.status, {name: r.series["acc"]}) for r in of.finished)
        picture = plot(Results("base", "", (), runs, (Metric(name, Goal.MAX),)), "dots")
        assert name in picture.svg()
