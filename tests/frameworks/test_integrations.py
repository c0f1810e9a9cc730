"""Callbacks, trackers and `across_seeds`, each against the real library."""

import os
import subprocess
import sys
import warnings
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from seedwise.api.script import run_script
from seedwise.api.summary import summarize
from seedwise.errors import UsageError
from seedwise.integrations.sklearn import across_seeds
from seedwise.results import Metric, Results, Run, Series, Status

from .scripts import FOLDER

pytestmark = [pytest.mark.frameworks, pytest.mark.timeout(300), pytest.mark.filterwarnings("ignore")]
Script = Callable[..., list[str]]


# --- callbacks ---------------------------------------------------------------------------------------------------------

KERAS = """
import os
os.environ["KERAS_BACKEND"], os.environ["TF_CPP_MIN_LOG_LEVEL"] = "jax", "3"
import keras
import numpy as np
from seedwise.integrations.keras import LogMetrics
keras.utils.set_random_seed(42)
x = np.arange(16, dtype="float32").reshape(8, 2) / 16
model = keras.Sequential([keras.Input((2,)), keras.layers.Dense(1)])
model.compile("sgd", "mse")
model.fit(x, x[:, :1], epochs=3, verbose=0, callbacks=[LogMetrics()])
"""


def with_callback(name: str, old: str, new: str, extra: str) -> str:
    text = (FOLDER / name).read_text()
    assert old in text
    lines = text[: text.rindex("\nprint(")].replace(old, new).splitlines()
    return "\n".join([*lines[:2], extra, *lines[2:]])


LIGHTNING = with_callback(
    "lightning_net.py", "max_epochs=3,", "max_epochs=3, callbacks=[LogMetrics()],",
    "from seedwise.integrations.lightning import LogMetrics",
)  # fmt: skip
TRANSFORMERS = with_callback(
    "transformers_net.py", "eval_dataset=rows[1400:],", "eval_dataset=rows[1400:], callbacks=[LogMetrics()],",
    "from seedwise.integrations.transformers import LogMetrics",
)  # fmt: skip
SKORCH = with_callback(
    "skorch_net.py", "train_split=None,", "train_split=None, callbacks=[LogMetrics()],",
    "from seedwise.integrations.skorch import LogMetrics",
)  # fmt: skip
IGNITE = with_callback(
    "ignite_net.py", "evaluator.run(", "from ignite.engine import Events\nevaluator.add_event_handler(Events.COMPLETED, log_metrics)\nevaluator.run(",
    "from seedwise.integrations.ignite import log_metrics",
)  # fmt: skip


@pytest.mark.parametrize(
    ("text", "metric", "length"),
    [
        (KERAS, "loss", 3),
        (LIGHTNING, "val_acc", 3),
        (TRANSFORMERS, "eval_accuracy", 1),
        (SKORCH, "train_loss", 10),
        (IGNITE, "acc", 1),
    ],
    ids=["keras", "lightning", "transformers", "skorch", "ignite"],
)
def test_a_callback_logs_into_the_run(text: str, metric: str, length: int, script: Script) -> None:
    results = run_script(script(text), [3], name="logged")
    (run,) = results.runs
    assert run.status is Status.FINISHED, run.detail
    assert metric in run.series, dict(run.series)
    assert len(run.series[metric].values) == length
    assert not any("time" in name or name == "dur" for name in run.series)


def test_the_callback_is_there_where_seedwise_is_not_installed(script: Script) -> None:
    """`seedwise run -- /other/python`: the guest travels alone, and its callbacks with it."""
    without = (
        "import sys\nstub = sys.meta_path[-1]\nassert type(stub).__name__ == '_Stub'\n"
        "class Hide:\n    def find_spec(self, name, path=None, target=None):\n"
        "        return stub.find_spec(name, path, target) if name.partition('.')[0] == 'seedwise' else None\n"
        "sys.meta_path.insert(0, Hide())\n"
    )
    results = run_script(script(without + SKORCH), [3], name="elsewhere", fresh=True)
    assert results.runs[0].status is Status.FINISHED, results.runs[0].detail
    assert "train_loss" in results.runs[0].series


# --- scikit-learn ------------------------------------------------------------------------------------------------------


def test_across_seeds_is_the_loop_one_would_write(project: Path) -> None:
    from sklearn.base import clone
    from sklearn.datasets import load_breast_cancer
    from sklearn.decomposition import PCA
    from sklearn.model_selection import StratifiedKFold, cross_val_score
    from sklearn.neural_network import MLPClassifier
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import StandardScaler

    x, y = load_breast_cancer(return_X_y=True)
    model = make_pipeline(StandardScaler(), PCA(10, random_state=1), MLPClassifier((8,), max_iter=20, random_state=1))
    results = across_seeds(model, x, y, seeds=[3, 4, 5], cv=3)
    scores = results.scores("accuracy")
    for seed in (3, 4, 5):
        own = clone(model).set_params(pca__random_state=seed, mlpclassifier__random_state=seed)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            folds = cross_val_score(own, x, y, cv=StratifiedKFold(3, shuffle=True, random_state=0))
        assert scores[seed] == pytest.approx(folds.mean(), abs=1e-12)
    assert model.get_params()["pca__random_state"] == 1
    assert summarize(scores).sd > 0  # type: ignore[operator]


def test_across_seeds_varies_or_holds_the_split(project: Path) -> None:
    from sklearn.datasets import load_diabetes
    from sklearn.ensemble import RandomForestRegressor
    from sklearn.linear_model import LinearRegression
    from sklearn.model_selection import KFold, ShuffleSplit

    x, y = load_diabetes(return_X_y=True)
    forest = RandomForestRegressor(5)
    held = across_seeds(forest, x, y, seeds=range(1, 5), name="held").scores("r2").values
    varied = across_seeds(forest, x, y, seeds=range(1, 5), vary_split=True, name="varied").scores("r2").values
    assert np.std(varied) > np.std(held) > 0
    with pytest.raises(UsageError, match="no random_state"):
        across_seeds(LinearRegression(), x, y, seeds=[1])
    with pytest.raises(UsageError, match="always divides alike"):
        across_seeds(forest, x, y, seeds=[1], cv=KFold(3), vary_split=True)
    with pytest.raises(UsageError, match="divides anew"):
        across_seeds(forest, x, y, seeds=[1], cv=ShuffleSplit(2))


# --- trackers ----------------------------------------------------------------------------------------------------------


@pytest.fixture
def results() -> Results:
    def series(*values: float) -> Series:
        return Series(tuple(range(1, len(values) + 1)), values)

    runs = [Run(s, Status.FINISHED, {"acc": series(0.5, 0.7 + s / 100), "loss": series(1.0 / s)}) for s in (1, 2, 3)]
    return Results("base", "", ("python", "train.py"), (*runs, Run(4, Status.FAILED)), (Metric("acc"), Metric("loss")))


def test_results_go_to_mlflow_and_come_back(results: Results, project: Path) -> None:
    import mlflow

    from seedwise.integrations.mlflow import from_mlflow, to_mlflow

    uri = f"sqlite:///{project}/mlflow.db"
    parent = to_mlflow(results, experiment="here", tracking_uri=uri)
    client = mlflow.MlflowClient(tracking_uri=uri)
    figures = client.get_run(parent).data.metrics
    assert figures["acc_mean"] == pytest.approx(0.72)
    assert (figures["n"], figures["finished"]) == (4, 3)
    children = client.search_runs(
        [client.get_experiment_by_name("here").experiment_id], f"tags.`mlflow.parentRunId` = '{parent}'"
    )
    assert sorted(int(run.data.params["seed"]) for run in children) == [1, 2, 3, 4]
    (back,) = from_mlflow("here", tracking_uri=uri, metric=["acc:max"]).values()
    assert back.scores("acc").by_seed == results.scores("acc").by_seed
    assert [run.status for run in back.runs] == [run.status for run in results.runs]
    assert back.runs[0].series["acc"].values == (0.5, 0.71)


def test_runs_of_mlflow_are_grouped_by_all_but_the_seed(project: Path) -> None:
    import mlflow

    from seedwise.integrations.mlflow import from_mlflow

    uri = f"sqlite:///{project}/mlflow.db"
    client = mlflow.MlflowClient(tracking_uri=uri)
    place = client.create_experiment("mine")
    for rate in ("0.1", "0.01"):
        for seed in (1, 2):
            run = client.create_run(place).info.run_id
            for name, value in (("lr", rate), ("seed", seed), ("depth", "3")):
                client.log_param(run, name, value)
            client.log_metric(run, "acc", float(rate) + seed)
            client.set_terminated(run)
    groups = from_mlflow("mine", tracking_uri=uri)
    assert set(groups) == {"lr=0.1", "lr=0.01"}
    assert dict(groups["lr=0.1"].scores("acc").by_seed) == {1: 1.1, 2: 2.1}
    client.log_param(client.create_run(place).info.run_id, "lr", "1")
    with pytest.raises(UsageError, match="no parameter seed"):
        from_mlflow("mine", tracking_uri=uri)
    with pytest.raises(UsageError, match="no experiment"):
        from_mlflow("other", tracking_uri=uri)


def test_results_go_to_wandb_offline(results: Results, project: Path) -> None:
    code = (
        "import pickle, sys; from seedwise.integrations.wandb import to_wandb\n"
        "from seedwise.results import *\n"
        "runs = tuple(Run(s, Status.FINISHED, {'acc': Series((1, 2), (0.5, 0.7 + s / 100))}) for s in (1, 2))\n"
        "print('\\n'.join(to_wandb(Results('base', '', ('x',), runs, (Metric('acc'),)))))"
    )
    environment = {**os.environ, "WANDB_MODE": "offline", "WANDB_SILENT": "true", "HOME": str(project)}
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, env=environment, check=False)
    assert done.returncode == 0, done.stderr
    folders = [Path(line).parent for line in done.stdout.splitlines() if "offline-run" in line]
    assert len(folders) == 3
    written = [next(folder.glob("*.wandb")).read_bytes() for folder in folders]
    assert all(b"base" in data for data in written)
    assert b"acc_mean" in written[2]
    assert b"acc_mean" not in written[0]


def test_event_files_come_in(project: Path) -> None:
    from torch.utils.tensorboard import SummaryWriter

    from seedwise.integrations.tensorboard import from_tensorboard

    for rate in ("0.1", "0.01"):
        for seed in (1, 2, 3):
            with SummaryWriter(f"logs/lr={rate}/seed={seed}") as writer:
                for step in range(4):
                    writer.add_scalar("val/acc", float(rate) + seed + step, step)
    groups = from_tensorboard("logs")
    assert len(groups) == 2
    one = next(results for name, results in groups.items() if "lr=0.1/" in name)
    assert dict(one.scores("val/acc").by_seed) == pytest.approx({1: 4.1, 2: 5.1, 3: 6.1}, rel=1e-6)
    with pytest.raises(UsageError, match="no event files"):
        from_tensorboard("nowhere")
    SummaryWriter("logs/other").close()
    with pytest.raises(UsageError, match="tells no seed"):
        from_tensorboard("logs")
