"""What other tools stored is read as it is: whose seed, which group, which curve; and what cannot be told is said."""

import json
import math
import struct
import zlib
from pathlib import Path

import numpy as np
import pytest

from seedwise.api.tables import read_groups, read_scores
from seedwise.cli.start import start
from seedwise.errors import UsageError
from seedwise.metrics.events import event_records
from seedwise.metrics.protobuf import Damaged, fields
from seedwise.results import Goal, Status
from seedwise.tables.opening import open_table
from seedwise.tables.sheet import looks_like_seed
from seedwise.tables.trackers.wire import log_records

STORED = Path(__file__).parents[1] / "golden" / "trackers"


def test_offline_runs_of_wandb_are_read_with_seed_group_state_and_curves() -> None:
    found = read_scores(str(STORED / "wandb"), ["acc"])
    assert (found.seeds, len(found.runs), len(found.finished)) == ((1, 2), 2, 1)
    first = found.runs[0]
    assert first.series["acc"].steps == (0, 1, 2, 3)
    assert first.series["acc"].values == (0.0, 0.1, 0.2, 0.3)
    assert found.runs[1].status is Status.FAILED  # it ended with exit code 1
    assert found.runs[1].series["acc"].values[-1] == 0.3  # and what it had logged is kept
    sheet = open_table(str(STORED / "wandb"))
    assert {"run", "random_seed", "opt/name", "group", "loss", "nested/a", "best"} <= set(sheet.names)
    assert "the seed is the column random_seed" in " ".join(found.warnings)


def test_a_run_that_was_killed_while_it_wrote_counts_with_what_it_wrote(tmp_path: Path) -> None:
    whole = next((STORED / "wandb").rglob("*.wandb")).read_bytes()
    lengths = []
    for cut in (len(whole) - 5, 1500, 900):
        (tmp_path / "run-x.wandb").write_bytes(whole[:cut])
        sheet = open_table(str(tmp_path / "run-x.wandb"))
        assert sheet.text(sheet.names.index("state"), 0) == "running"
        lengths.append(sheet.rows)
    assert lengths == sorted(lengths, reverse=True)


def test_a_damaged_file_is_named(tmp_path: Path) -> None:
    data = bytearray(next((STORED / "wandb").rglob("*.wandb")).read_bytes())
    data[300] ^= 255
    (tmp_path / "run-x.wandb").write_bytes(bytes(data))
    with pytest.raises(UsageError, match=r"run-x\.wandb cannot be read as a run of W&B.*checksum"):
        open_table(str(tmp_path))
    (tmp_path / "run-x.wandb").write_bytes(b"something else")
    with pytest.raises(UsageError, match="does not begin as a file of W&B"):
        open_table(str(tmp_path))


def test_records_longer_than_a_block_are_joined() -> None:
    body = bytes(range(256)) * 300
    data, at, left, kind = b":W&B\xe1\xbe\x00", 7, body, 2
    while left:
        part = left[: 32768 - at % 32768 - 7]
        left = left[len(part) :]
        kind = (4 if at > 7 else 1) if not left else kind
        data += struct.pack("<IHB", zlib.crc32(part, zlib.crc32(bytes([kind]))), len(part), kind) + part
        at, kind = at + 7 + len(part), 3
    assert list(log_records(data)) == [body]


@pytest.mark.parametrize("broken", [b"\x08", b"\x0a\x05ab", b"\x0b", b"\xff" * 12])
def test_bytes_that_are_no_message_are_refused(broken: bytes) -> None:
    with pytest.raises(Damaged):
        list(fields(broken))
    with pytest.raises(Damaged):
        list(event_records(broken))


def test_events_of_tensorboard_are_read_by_folder() -> None:
    found = read_scores(str(STORED / "events"), ["reward"])
    assert found.seeds == (1, 2)
    assert found.runs[1].series["reward"].steps == (0, 1, 2, 3, 4)
    assert found.runs[1].series["reward"].values == tuple(np.float32(k + 0.2).item() for k in range(5))
    sheet = open_table(str(STORED / "events"))
    assert sheet.text(sheet.names.index("algo"), 0) == "ppo"  # what add_hparams wrote


def mlflow_run(
    folder: Path, name: str, params: dict[str, object], metrics: dict[str, list[float]], status: int = 3
) -> None:
    for kind in ("params", "metrics", "tags"):
        (folder / kind).mkdir(parents=True)
    (folder / "meta.yaml").write_text(f"lifecycle_stage: active\nrun_name: {name}\nstatus: {status}\n")
    for key, value in params.items():
        (folder / "params" / key).write_text(str(value))
    for key, values in metrics.items():
        file = folder / "metrics" / key
        file.parent.mkdir(exist_ok=True)
        file.write_text("".join(f"{k + 100} {value} {k}\n" for k, value in enumerate(values)))


def store_of(folder: Path, methods: str = "ab", seeds: int = 3) -> None:
    for m, method in enumerate(methods):
        for seed in range(seeds):
            curve = {"val/acc": [0.1, 0.5 + 0.1 * m + 0.01 * seed]}
            mlflow_run(folder / "0" / f"{method}{seed}", f"{method}-{seed}", {"model": method, "seed": seed}, curve)


def test_runs_are_kept_apart_by_everything_but_the_seed_and_it_is_said(
    project: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    store_of(project / "mlruns")
    assert start(["summarize", "mlruns"]) == 0
    out = capsys.readouterr().out
    assert "kept apart by model: --by COLUMN decides" in out
    assert "6 runs of MLflow; the seed is the column seed" in out
    assert start(["summarize", "mlruns", "--json"]) == 0
    said = json.loads(capsys.readouterr().out)
    assert {name: (s["n"], round(s["mean"], 6)) for name, s in said.items()} == {"a": (3, 0.51), "b": (3, 0.61)}
    assert start(["compare", "mlruns", "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["difference"] == pytest.approx(-0.1)


def test_two_runs_of_one_group_and_seed_are_named(project: Path) -> None:
    store_of(project / "mlruns")
    later = {"val/acc": [0.7, 0.8, 0.9]}
    mlflow_run(project / "mlruns" / "0" / "again", "second try", {"model": "a", "seed": 1}, later)
    with pytest.raises(UsageError, match=r"the runs a-1 and second try are both seed 1 of a, and a seed counts once"):
        read_groups("mlruns")
    # the steps of the two need not meet
    mlflow_run(project / "far" / "0" / "x", "x", {"seed": 1}, {"acc": [0.1]})
    mlflow_run(project / "far" / "0" / "y", "y", {"seed": 1}, {})
    (project / "far" / "0" / "y" / "metrics" / "acc").write_text("5 0.9 77\n")
    with pytest.raises(UsageError, match=r"the runs x and y are both seed 1"):
        read_scores("far")


def test_each_group_is_results_of_its_own_with_its_curves(project: Path) -> None:
    store_of(project / "mlruns")
    found = read_groups("mlruns")
    assert list(found) == ["a", "b"]
    assert found["b"].scores("val/acc").by_seed == pytest.approx({0: 0.6, 1: 0.61, 2: 0.62})
    assert found["b"].runs[2].series["val/acc"].values == pytest.approx((0.1, 0.62))
    assert list(read_groups("mlruns", "none", layout=_by_run())) == ["mlruns"]


def _by_run() -> object:
    from seedwise.tables.runs import Layout

    return Layout(seed="run")


def test_a_run_that_did_not_finish_is_counted_as_such(project: Path) -> None:
    store_of(project / "mlruns", "a", 4)
    mlflow_run(project / "mlruns" / "0" / "bad", "bad", {"model": "a", "seed": 9}, {}, status=4)
    found = read_scores("mlruns")
    assert (len(found.runs), len(found.finished), [run.seed for run in found.failed]) == (5, 4, [9])


def test_a_metric_that_was_logged_without_steps_is_counted_in_its_order(project: Path) -> None:
    folder = project / "mlruns" / "0" / "r"
    mlflow_run(folder, "r", {"seed": 1}, {})
    (folder / "metrics" / "loss").write_text("1 0.9 0\n2 0.5 0\n3 0.4 0\n")
    assert read_scores("mlruns").runs[0].series["loss"].values == (0.9, 0.5, 0.4)


def test_a_line_that_is_none_of_mlflow_is_named(project: Path) -> None:
    folder = project / "mlruns" / "0" / "r"
    mlflow_run(folder, "r", {"seed": 1}, {})
    (folder / "metrics" / "loss").write_text("1 0.9 0\nhello\n")
    with pytest.raises(UsageError, match=r"loss:2: a line of MLflow has time, value and step; got 'hello'"):
        read_scores("mlruns")


def test_the_only_one_of_several_seeds_that_differs_is_taken_and_else_it_is_asked(project: Path) -> None:
    for k in range(3):
        params = {"data_seed": 7, "model_seed": k}
        mlflow_run(project / "one" / "0" / f"r{k}", f"r{k}", params, {"acc": [0.1 * k]})
        mlflow_run(project / "two" / "0" / f"r{k}", f"r{k}", {"data_seed": k, "model_seed": k + 5}, {"acc": [0.1 * k]})
    assert read_scores("one").seeds == (0, 1, 2)
    with pytest.raises(
        UsageError,
        match=r"which column is the seed\? `seedwise summarize FILE --seed-column` one of data_seed, model_seed",
    ):
        read_scores("two")


def test_runs_without_a_seed_count_by_their_names(project: Path) -> None:
    for method in ("base", "new"):
        for k in range(3):
            mlflow_run(project / "m" / "0" / f"{method}{k}", f"{method}-{k}", {}, {"acc": [0.1 * k]})
    found = read_groups("m")
    assert list(found) == ["base", "new"]
    assert all(len(of.runs) == 3 for of in found.values())
    assert "each run counts by its name" in " ".join(found["new"].warnings)


def test_the_goal_that_a_study_states_is_that_of_its_value(project: Path) -> None:
    lines = [{"op_code": 0, "study_name": "s", "directions": [1]}]
    for k in range(3):
        lines += [
            {"op_code": 4, "study_id": 0},
            {"op_code": 8, "trial_id": k, "user_attr": {"seed": k}},
            {"op_code": 5, "trial_id": k, "param_name": "opt", "param_value_internal": 1.0}
            | {"distribution": json.dumps({"name": "CategoricalDistribution", "attributes": {"choices": ["a", "b"]}})},
            {"op_code": 6, "trial_id": k, "state": 1 if k < 2 else 3, "values": [0.5 + k] if k < 2 else None},
        ]
    text = "".join(json.dumps(line) + "\n" for line in lines)
    Path("journal.log").write_text(text + '{"op_code": 4, "stu')  # the last line was cut off
    found = read_scores("journal.log")
    assert found.scores("value").by_seed == {0: 0.5, 1: 1.5}
    assert found.scores("value").goal is Goal.MIN
    assert [run.seed for run in found.failed] == [2]
    for broken, why in (("{", "more follows"), ("3", "no entry"), ('{"op_code": 6, "trial_id": 9}', "no entry")):
        Path("journal.log").write_text(text.replace("\n", f"\n{broken}\n", 1))
        with pytest.raises(UsageError, match=f"journal.log:2: .*{why}"):
            read_scores("journal.log")


def test_methods_in_one_table_of_a_folder_stay_apart(project: Path) -> None:
    folder = project / "results"
    folder.mkdir()
    (folder / "all.csv").write_text("seed,method,acc\n1,a,.1\n2,a,.2\n1,b,.7\n2,b,.8\n")
    found = read_groups("results")
    assert {name: dict(of.scores("acc").by_seed) for name, of in found.items()} == {
        "a": {1: 0.1, 2: 0.2},
        "b": {1: 0.7, 2: 0.8},
    }


def test_rows_of_training_and_test_in_one_table_are_not_one_curve(project: Path) -> None:
    folder = project / "logs" / "s1"
    folder.mkdir(parents=True)
    (folder / "progress.csv").write_text("epoch,part,acc\n1,train,.9\n1,val,.5\n2,train,.95\n2,val,.6\n")
    with pytest.raises(UsageError, match=r"progress\.csv:3: part is val, .* train: a run is one curve"):
        read_groups("logs")


def test_a_table_of_one_run_that_names_its_seed_needs_no_step(project: Path) -> None:
    for seed in (1, 2):
        folder = project / "logs" / f"run{seed}"
        folder.mkdir(parents=True)
        (folder / "progress.csv").write_text(f"seed,date,size,loss\n{seed},mon,1,9\n{seed},tue,2,{seed}\n")
    found = read_scores("logs", ["loss"])
    assert found.scores("loss").by_seed == {1: 1, 2: 2}


def test_a_folder_of_tables_is_read_by_the_names_of_its_folders(project: Path) -> None:
    for algo in ("ppo", "sac"):
        for seed in (1, 2):
            folder = project / "logs" / algo / f"seed_{seed}"
            folder.mkdir(parents=True)
            (folder / "progress.csv").write_text("step,reward\n0,1\n10,%d\n" % (seed + (algo == "sac")))
    found = read_groups("logs")
    assert {name: dict(of.scores("reward").by_seed) for name, of in found.items()} == {
        "ppo": {1: 1, 2: 2},
        "sac": {1: 2, 2: 3},
    }
    assert found["ppo"].runs[0].series["reward"].steps == (0, 10)


def test_exports_of_several_charts_are_joined_and_one_metric_twice_is_refused(project: Path) -> None:
    folder = project / "exports"
    folder.mkdir()
    (folder / "loss.csv").write_text("Step,a-seed1 - loss,a-seed2 - loss\n0,3,4\n1,1,2\n")
    (folder / "acc.csv").write_text("Step,a-seed1 - acc,a-seed2 - acc\n0,.3,.4\n1,.5,.6\n")
    assert read_scores("exports", ["loss", "acc"]).scores("acc").by_seed == {1: 0.5, 2: 0.6}
    (folder / "acc again.csv").write_text("Step,a-seed1 - acc\n0,.3\n")
    with pytest.raises(UsageError, match=r"acc\.csv: acc of run a-seed1 stands in .*acc again\.csv too"):
        read_scores("exports")


def test_a_folder_with_nothing_in_it_says_what_would_be_read(project: Path) -> None:
    (project / "empty").mkdir()
    with pytest.raises(UsageError, match="holds no runs: W&B"):
        read_scores("empty")
    (project / "x.db").write_bytes(b"SQLite format 3\x00" + bytes(100))
    with pytest.raises(UsageError, match=r"x\.db cannot be read"):
        read_scores("x.db")


def test_arrays_of_runs_tasks_and_steps_count_with_the_last_or_their_mean(
    project: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    numbers = np.random.default_rng(1).normal(size=(2, 6, 4, 5))
    np.savez("scores.npz", DQN=numbers[0], IQN=numbers[1])
    for words, expected in (((), numbers[..., -1]), (("--reduce", "mean"), numbers.mean(axis=-1))):
        assert start(["summarize", "scores.npz", "--json", *words]) == 0
        found = json.loads(capsys.readouterr().out)
        assert math.isclose(found["IQN, task 2"]["mean"], expected[1, :, 2].mean())
    assert start(["compare", "scores.npz", "--reduce", "area"]) == 2
    assert "last or mean" in capsys.readouterr().err


def test_an_experiment_of_that_name_comes_before_a_folder(project: Path, capsys: pytest.CaptureFixture[str]) -> None:
    from seedwise import run

    store_of(project / "base", "a")
    run(_accuracy, [4, 5], name="base", progress=False)
    assert start(["summarize", "base", "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["seeds"] == [4, 5]
    assert start(["summarize", "base/", "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["seeds"] == [0, 1, 2]


def _accuracy(seed: int) -> dict[str, float]:
    return {"acc": seed / 10}


@pytest.mark.parametrize("name", ["seed", "torch_seed", "trainer/random_state", "dataSeed"])
def test_these_names_say_a_seed(name: str) -> None:
    assert looks_like_seed(name)


@pytest.mark.parametrize("name", ["num_seeds", "seedling", "seed_offset", "reward", "state"])
def test_these_names_say_none(name: str) -> None:
    assert not looks_like_seed(name)


def test_a_group_without_the_metric_is_left_out_and_said(project: Path, capsys: pytest.CaptureFixture[str]) -> None:
    store_of(project / "mlruns")
    for seed in (0, 1):
        mlflow_run(project / "mlruns" / "0" / f"c{seed}", f"c-{seed}", {"model": "c", "seed": seed}, {"other": [1.0]})
    found = read_groups("mlruns", metric=["val/acc"])
    assert list(found) == ["a", "b"]
    assert any("without any number in val/acc: c (2 runs)" in text for text in found["a"].warnings)
    assert start(["summarize", "mlruns", "--metric", "val/acc"]) == 0
    assert "without any number in val/acc: c (2 runs)" in capsys.readouterr().out


@pytest.mark.slow
def test_curves_of_a_store_are_drawn_by_the_same_groups(project: Path, capsys: pytest.CaptureFixture[str]) -> None:
    store_of(project / "mlruns")
    assert start(["plot", "mlruns", "--kind", "curves", "-o", "fig.json"]) == 0
    assert "a (n = 3); b (n = 3)" in capsys.readouterr().out
    assert start(["plot", "mlruns", "--by", "none", "--seed-column", "run", "--kind", "dots", "-o", "fig.json"]) == 0
    assert "(6 seeds)" in capsys.readouterr().out
