"""Which numbers are metrics, and what is said of the others."""

import pytest

from seedwise.errors import UsageError
from seedwise.metrics.choose import choose, parse_metric, read_run, series_of, split_by_seed
from seedwise.metrics.goals import guess_goal
from seedwise.results import Cause, Goal, Metric, Reduce, Run, Series, Status


def run(number_: int, status: Status = Status.FINISHED, **values: float) -> Run:
    return Run(number_, status, series_of({name: [value] for name, value in values.items()}))


def test_counters_constants_and_the_seed_are_left_out() -> None:
    runs = [run(s, acc=s / 10, number=s, epoch=9, lr=0.1, seed=s, time=s * 2.5) for s in (1, 2, 3)]
    choice = choose(runs)
    assert [m.name for m in choice.metrics] == ["acc"]
    assert choice.left_out["lr"] == "the same in every run: 0.1"
    assert choice.left_out["number"] == "equal to the seed"
    assert set(choice.left_out) == {"number", "epoch", "lr", "seed", "time"}


def test_settings_are_no_metrics() -> None:
    runs = [run(s, eval_interval=20, eval_iters=5, test_size=0.2, val_loss=s / 10) for s in (1, 2)]
    assert [m.name for m in choose(runs).metrics] == ["val_loss"]


def test_a_metric_that_is_the_same_in_every_run_stays() -> None:
    assert [m.name for m in choose([run(1, acc=1.0), run(2, acc=1.0)]).metrics] == ["acc"]


def test_a_metric_that_some_runs_lack_is_reported_not_guessed() -> None:
    choice = choose([run(1, acc=0.1, f1=0.3), run(2, acc=0.2)])
    assert [m.name for m in choice.metrics] == ["acc"]
    assert "1 of 2 finished runs do not have it: seed 2" in choice.left_out["f1"]


def test_failed_runs_decide_nothing() -> None:
    failed = Run(3, Status.FAILED, {}, cause=Cause.EXCEPTION)
    assert [m.name for m in choose([run(1, acc=0.1), run(2, acc=0.2), failed]).metrics] == ["acc"]


def test_the_result_on_test_data_comes_first() -> None:
    runs = [run(s, train_acc=s / 10, lr_now=s / 3, test_acc=s / 20, val_acc=s / 30) for s in (1, 2)]
    assert [m.name for m in choose(runs).metrics] == ["test_acc", "val_acc", "train_acc", "lr_now"]


def test_what_is_asked_for_is_taken_whatever_its_case() -> None:
    asked = [parse_metric("Test Acc:min"), parse_metric("nix")]
    choice = choose([run(1, test_acc=0.1), run(2, test_acc=0.3)], asked)
    assert [(m.name, m.goal, m.goal_said) for m in choice.metrics] == [("test_acc", Goal.MIN, True)]
    assert "no run gave it" in choice.left_out["nix"]


@pytest.mark.parametrize(
    ("name", "goal"),
    [
        ("loss", "min"),
        ("val_acc", "max"),
        ("Test Accuracy", "max"),
        ("mse", "min"),
        ("r^2", "max"),
        ("val/f1", "max"),
        ("perplexity", "min"),
        ("mean_squared_error", "min"),
        ("reward", "max"),
        ("value", None),
        ("foo", None),
        ("neg_mean_squared_error", "max"),
        ("neg_log_loss", "max"),
        ("brier_score", "min"),
        ("fid_score", "min"),
        ("test_acc_std", None),
        ("accuracy_drop", None),
        ("silhouette_score", "max"),
        ("log_likelihood", "max"),
        ("accuracy_error", "min"),
        ("top1", "max"),
        ("negative_log_likelihood", "min"),
    ],
)
def test_goal_from_the_name(name: str, goal: str | None) -> None:
    assert guess_goal(name) == goal


@pytest.mark.parametrize("bad", ["", ":max", "acc:best", "err=(["])
def test_metrics_that_make_no_sense_are_refused(bad: str) -> None:
    with pytest.raises(UsageError):
        parse_metric(bad)


def test_reduce() -> None:
    series = Series((1, 2, 3), (0.5, 0.9, 0.7))
    assert series.reduce(Reduce.LAST, None) == 0.7
    assert series.reduce(Reduce.BEST, Goal.MAX) == 0.9
    assert series.reduce(Reduce.BEST, Goal.MIN) == 0.5
    assert series.reduce(Reduce.MEAN, None) == pytest.approx(0.7)
    with pytest.raises(UsageError, match="goal"):
        series.reduce(Reduce.BEST, None)


def test_what_is_logged_wins_over_what_is_printed() -> None:
    logged = {"acc": Series((1,), (0.5,))}
    assert read_run(logged, "acc: 0.9\n", "", {}) == logged
    assert read_run({}, '{"acc": 0.7}\nacc: 0.9\n', "", {})["acc"].values == (0.7,)
    assert read_run({}, "acc: 0.9\n", "loss: 1\n", {})["acc"].values == (0.9,)
    assert read_run({}, "epoch: 9\n", "INFO loss: 1.5\n", {})["loss"].values == (1.5,)
    assert read_run(logged, "err 0.3\n", "", {"err": "err (.*)"})["err"].values == (0.3,)


def test_a_loop_over_seeds_in_one_process_is_a_run_for_each_seed() -> None:
    text = "".join(f"seed = {s:4} | acc = 0.{s} | loss = 0.1234\n" for s in (3, 5, 363))
    assert {s: r["acc"].values for s, r in split_by_seed(text).items()} == {3: (0.3,), 5: (0.5,), 363: (0.363,)}
    text = "Seed: 1\nepoch 1 loss 0.5\nepoch 2 loss 0.4\nSeed: 2\nloss 0.3\n"
    assert {s: r["loss"].values for s, r in split_by_seed(text).items()} == {1: (0.5, 0.4), 2: (0.3,)}
    text = "--- seed: 1 ---\nacc 0.5\n--- seed: 2 ---\nacc 0.7\nAverage over seeds: acc = 0.6\nbest seed: 2\n"
    assert {s: r["acc"].values for s, r in split_by_seed(text).items()} == {1: (0.5,), 2: (0.7,)}
    with pytest.raises(UsageError, match="twice"):
        split_by_seed("seed 1: acc 0.5\nseed = 1 | acc = 1\nseed = 2 | acc = 1\nseed = 1 | acc = 1\n")


def test_metric_is_frozen() -> None:
    with pytest.raises(AttributeError):
        Metric("acc").name = "x"  # type: ignore[misc]
