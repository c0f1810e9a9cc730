"""Several tasks: normalised scores, optimality gap, profiles."""

import json
from pathlib import Path

import numpy as np
import pytest

import seedwise as sw
from seedwise import stats
from seedwise.cli.start import start
from seedwise.errors import UsageError
from seedwise.tables.references import ATARI_SCORES, ends_of, read_reference

RNG = np.random.default_rng(5)
GAMES = ("alien", "pong", "breakout", "skiing")
RUNS = {name: {g: RNG.normal(k, 0.3, 4) for k, g in enumerate(GAMES)} for name in ("a", "b")}


def raw(normal: np.ndarray, game: str) -> np.ndarray:
    low, high = ATARI_SCORES[game]
    return low + normal * (high - low)


def test_optimality_gap_is_what_is_missing_up_to_gamma() -> None:
    # rliable: γ - mean over tasks and runs of min(score, γ)
    scores = [np.array([0.0, 0.5, 2.0]), np.array([1.0, 1.5, 0.25])]
    found = stats.optimality_gap(scores, 1.0, rng=0)
    assert found.gap == pytest.approx(1 - np.mean([0, 0.5, 1, 1, 1, 0.25]))
    assert found.low <= found.gap <= found.high
    assert stats.optimality_gap([np.full(3, 4.0)], 1.0, rng=0).gap == 0


def test_tasks_of_different_sizes_have_one_weight_each() -> None:
    found = stats.optimality_gap([np.zeros(9), np.ones(3)], 1.0, rng=0)
    assert found.gap == pytest.approx(0.5)


def test_normalised_scores_are_those_that_were_put_in() -> None:
    tasks = {game: raw(of, game) for game, of in RUNS["a"].items()}
    found = sw.normalise(tasks, "atari")
    for game, of in RUNS["a"].items():
        assert found[game].values == pytest.approx(of)
        assert found[game].goal == "max"


def test_a_ranking_of_raw_scores_by_reference_is_that_of_normalised_ones() -> None:
    tasks = {name: {g: raw(of, g) for g, of in by.items()} for name, by in RUNS.items()}
    a = sw.compare_tasks(tasks, reference="atari", profile=[0.5, 1.0, 2.0], rng=1)
    b = sw.compare_tasks(RUNS, enough=1.0, profile=[0.5, 1.0, 2.0], goal="max", rng=1)
    for x, y in zip(a.places, b.places, strict=True):
        assert (x.name, x.iqm, x.gap, x.gap_interval) == (
            y.name,
            pytest.approx(y.iqm),
            pytest.approx(y.gap),
            pytest.approx(y.gap_interval),
        )
    assert [p.share for p in a.profiles] == [p.share for p in b.profiles]
    assert a.enough == 1.0
    assert not sw.compare_tasks(RUNS, goal="max", rng=1).profiles


def test_where_less_is_better_the_gap_and_the_profile_are_mirrored() -> None:
    up = sw.compare_tasks(RUNS, goal="max", enough=1.0, profile=[0.0, 1.0], rng=1)
    mirrored = {name: {g: -x for g, x in of.items()} for name, of in RUNS.items()}
    down = sw.compare_tasks(mirrored, goal="min", enough=-1.0, profile=[-1.0, 0.0], rng=1)
    assert [p.gap for p in up.places] == pytest.approx([p.gap for p in down.places])
    assert [p.share for p in up.profiles] == [p.share[::-1] for p in down.profiles]


def test_a_profile_counts_runs_at_the_threshold() -> None:
    found = sw.compare_tasks(
        {"a": {"t": [1.0, 2.0], "u": [0.0, 1.0]}, "b": {"t": [0.0, 0.0], "u": [0.0, 0.0]}},
        goal="max",
        profile=[0.0, 1.0, 2.0],
    )
    shares = {p.name: p.share for p in found.profiles}
    assert shares["a"] == (1.0, 0.75, 0.25)
    assert shares["b"] == (1.0, 0.0, 0.0)


def test_one_run_of_each_task_has_no_band() -> None:
    found = sw.compare_tasks(
        {"a": np.array([[1.0, 2.0]]), "b": np.array([[0.0, 1.0]])}, goal="max", enough=2.0, profile="auto"
    )
    assert found.profiles[0].band is None
    assert found.places[0].gap_interval is None


def test_summary_over_tasks_has_the_figures_of_the_comparison() -> None:
    one = sw.summarize_tasks(RUNS["a"], goal="max", enough=1.0, rng=3)
    both = sw.compare_tasks(RUNS, goal="max", enough=1.0, rng=3)
    other = next(p for p in both.places if p.name == "a")
    assert (one.place.iqm, one.place.mean, one.place.median, one.place.gap) == (
        other.iqm,
        other.mean,
        other.median,
        other.gap,
    )
    assert one.tasks["pong"].mean == pytest.approx(RUNS["a"]["pong"].mean())


@pytest.mark.parametrize(
    "name", ["SpaceInvaders", "space_invaders", "ALE/SpaceInvaders-v5", "SpaceInvadersNoFrameskip-v4", "Space Invaders"]
)
def test_one_game_has_many_names(name: str) -> None:
    assert ends_of(ATARI_SCORES, name) == (148.0, 1668.7)


def test_a_name_that_is_not_there_gets_the_nearest() -> None:
    with pytest.raises(UsageError, match="breakout"):
        ends_of(ATARI_SCORES, "BreakOutt")


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("game,low,high\na,1,1\n", "two different numbers"),
        ("game,low,high\na,1,2\na,1,3\n", "stands twice"),
        ("game,low,mid\na,1,2\n", "--one` one of"),
        ("n,low,high\n1,1,2\n", "columns of words"),
    ],
)
def test_reference_scores_that_are_none(tmp_path: Path, text: str, said: str) -> None:
    path = tmp_path / "r.csv"
    path.write_text(text)
    with pytest.raises(UsageError, match=said):
        read_reference(str(path))


def test_from_the_command_line(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    rows = [(n, g, s, v) for n, of in RUNS.items() for g, x in of.items() for s, v in enumerate(raw(x, g).tolist())]
    Path("all.csv").write_text("agent,game,seed,score\n" + "".join(f"{n},{g},{s},{v!r}\n" for n, g, s, v in rows))
    for name in RUNS:
        Path(f"{name}.csv").write_text(
            "game,seed,score\n" + "".join(f"{g},{s},{v!r}\n" for n, g, s, v in rows if n == name)
        )
    Path("ref.csv").write_text("game,bad,good\n" + "".join(f"{g},{a},{b}\n" for g, (a, b) in ATARI_SCORES.items()))
    found = []
    for words in (
        ("all.csv", "--by", "agent", "--normalise", "atari"),
        ("a.csv", "b.csv", "--normalise", "ref.csv", "--zero", "bad", "--one", "good"),
    ):
        assert start(["compare", *words, "--task", "game", "--profile", "0.5,1", "--json"]) == 0
        found.append(json.loads(capsys.readouterr().out))
    assert found[0]["places"] == found[1]["places"]
    assert found[0]["profiles"][0]["thresholds"] == [0.5, 1.0]
    assert found[0]["normalised"] == "atari"
    assert start(["summarize", "a.csv", "--task", "game", "--normalise", "atari", "--explain"]) == 0
    text = capsys.readouterr().out
    assert "optimality gap at 1" in text
    assert start(["summarize", "all.csv", "--by", "agent", "--task", "game", "--json"]) == 0
    raw_scores = json.loads(capsys.readouterr().out)
    assert raw_scores["a"]["place"]["gap"] is None
    assert start(["compare", "all.csv", "--by", "agent", "--task", "game", "--profile", "auto"]) == 0
    assert "normalise the scores" in capsys.readouterr().out


def test_runs_that_did_not_finish_are_counted_over_tasks() -> None:
    def some(n: int, of: int, shift: float) -> sw.Scores:
        return sw.Scores("acc", {k: shift + k / 100 for k in range(n)}, n=of)

    tasks = [f"t{k}" for k in range(7)]
    found = sw.compare_tasks({"a": {t: some(2, 10, 0.8) for t in tasks}, "b": {t: some(10, 10, 0.7) for t in tasks}})
    assert any("14 of 70 runs of a finished" in w for w in found.warnings)
    assert "14 of 70" in str(found)
    one = sw.summarize_tasks({t: some(2, 10, 0.8) for t in tasks})
    assert "14 of 70 runs" in one.sentence


def test_several_metrics_or_goals_are_not_put_together() -> None:
    a, b = {"x": sw.Scores("acc", {0: 0.5, 1: 0.6})}, {"x": sw.Scores("loss", {0: 0.5, 1: 0.6})}
    with pytest.raises(sw.MetricError, match="acc and loss"):
        sw.compare_tasks({"a": a, "b": b})
    with pytest.raises(sw.MetricError, match="acc and loss"):
        sw.summarize_tasks({"x": a["x"], "y": b["x"]})
    with pytest.raises(sw.MetricError, match="goal"):
        sw.summarize_tasks({"x": sw.Scores("s", {0: 1.0}, "max"), "y": sw.Scores("s", {0: 1.0}, "min")})  # type: ignore[arg-type]


def test_a_reference_against_the_goal_is_refused() -> None:
    scores = {"pong": sw.Scores("val_loss", {0: 1.0, 1: 2.0}, sw.Goal.MIN)}
    with pytest.raises(UsageError, match="less val_loss is better"):
        sw.normalise(scores, {"pong": (0.0, 1.0)})
    found = sw.normalise(scores, {"pong": (10.0, 1.0)})
    assert found["pong"].by_seed[0] == 1.0


def test_where_ranks_and_differences_disagree_the_sentence_says_so() -> None:
    # A wins most tasks by a little, and loses two by a lot
    a = {f"t{k}": [1.0 + k / 100, 1.02 + k / 100] for k in range(14)}
    b = {t: [x - 0.001 * (k + 1) for x in v] for k, (t, v) in enumerate(a.items())}
    b |= {f"t{k}": [x + 50.0 + k for x in a[f"t{k}"]] for k in range(8, 14)}
    found = sw.compare_tasks({"A": a, "B": b}, goal="max", rng=0)
    assert found.places[0].name == "A"
    if found.pairs[0].decision == "worse":
        assert "disagree" in found.sentence
    assert any("follow" in w and "P(new better), which do not depend" in w for w in found.warnings)
    assert not any("Wilcoxon's test, which do not depend" in w for w in found.warnings)


def test_one_task_and_a_tie_are_said_as_such() -> None:
    found = sw.compare_tasks({"A": {"t": [1.0, 2.0]}, "B": {"t": [2.0, 1.0]}}, goal="max")
    assert found.sentence.startswith("Over one task A and B share the best mean rank")


@pytest.mark.parametrize("bad", [{"level": 1.5}, {"level": 0.3}, {"resamples": 1}, {"rng": -1}])
def test_a_level_or_a_number_that_makes_no_sense_is_refused(bad: dict[str, float]) -> None:
    with pytest.raises(UsageError):
        sw.compare_tasks(RUNS, goal="max", **bad)  # type: ignore[arg-type]
    with pytest.raises(UsageError):
        sw.summarize_tasks(RUNS["a"], goal="max", **bad)  # type: ignore[arg-type]


def test_one_run_of_each_task_has_no_word_on_narrow_intervals() -> None:
    found = sw.compare_tasks({"a": np.array([[1.0, 200.0]]), "b": np.array([[0.0, 100.0]])}, goal="max")
    assert not any("too narrow" in w for w in found.warnings)
    assert any("times as large" in w or "times as wide" in w for w in found.warnings)
