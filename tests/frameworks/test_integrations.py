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
from seedwise.integrations import sklearn as sklearn_module
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
    "lightning_net.py",
    "max_epochs=3,",
    "max_epochs=3, callbacks=[LogMetrics()],",
    "from seedwise.integrations.lightning import LogMetrics",
)
TRANSFORMERS = with_callback(
    "transformers_net.py",
    "eval_dataset=rows[1400:],",
    "eval_dataset=rows[1400:], callbacks=[LogMetrics()],",
    "from seedwise.integrations.transformers import LogMetrics",
)
SKORCH = with_callback(
    "skorch_net.py",
    "train_split=None,",
    "train_split=None, callbacks=[LogMetrics()],",
    "from seedwise.integrations.skorch import LogMetrics",
)
IGNITE = with_callback(
    "ignite_net.py",
    "evaluator.run(",
    "from ignite.engine import Events\nevaluator.add_event_handler(Events.COMPLETED, LogMetrics('val_', trainer))\nevaluator.run(",
    "from seedwise.integrations.ignite import LogMetrics",
)


@pytest.mark.parametrize(
    ("text", "metric", "length"),
    [
        (KERAS, "loss", 3),
        (LIGHTNING, "val_acc", 3),
        (TRANSFORMERS, "eval_accuracy", 1),
        (SKORCH, "train_loss", 10),
        (IGNITE, "val_acc", 1),
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


LATE = """
import lightning as L, logging, torch, warnings
from torch.utils.data import DataLoader, TensorDataset
from seedwise.integrations.lightning import LogMetrics
warnings.filterwarnings("ignore")
logging.getLogger("lightning.pytorch").setLevel(logging.ERROR)
class Net(L.LightningModule):
    def __init__(self):
        super().__init__()
        self.layer = torch.nn.Linear(1, 1)
    def training_step(self, batch, index):
        return self.layer(batch[0]).mean()
    def on_train_epoch_end(self):
        self.log("late", float(self.current_epoch + 1))
    def validation_step(self, batch, index):
        self.log("val_acc", float(self.current_epoch + 1))
    def configure_optimizers(self):
        return torch.optim.SGD(self.parameters(), lr=0.1)
data = DataLoader(TensorDataset(torch.ones(4, 1)))
L.Trainer(max_epochs=4, accelerator="cpu", logger=False, enable_checkpointing=False, enable_progress_bar=False,
    enable_model_summary=False, check_val_every_n_epoch=2, callbacks=[LogMetrics()]).fit(Net(), data, data)
"""


def test_lightnings_values_stand_at_the_epoch_they_are_of(script: Script) -> None:
    (run,) = run_script(script(LATE), [3], name="late").runs
    assert run.status is Status.FINISHED, run.detail
    assert (run.series["late"].steps, run.series["late"].values) == ((1, 2, 3, 4), (1, 2, 3, 4))
    assert (run.series["val_acc"].steps, run.series["val_acc"].values) == ((2, 4), (2, 4))


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


def test_across_seeds_keeps_estimators_and_data_apart_in_one_store(project: Path) -> None:
    from sklearn.datasets import load_iris
    from sklearn.ensemble import RandomForestClassifier

    x, y = load_iris(return_X_y=True)
    shallow, deep = (RandomForestClassifier(n_estimators=1, max_depth=depth) for depth in (1, 5))
    first = across_seeds(shallow, x, y, seeds=[1, 2])
    second = across_seeds(deep, x, y, seeds=[1, 2])
    fewer = across_seeds(deep, x[:120], y[:120], seeds=[1, 2])
    again = across_seeds(deep, x, y, seeds=[1, 2], name="another")
    assert len({first.key, second.key, fewer.key}) == 3
    assert second.scores("accuracy").by_seed == again.scores("accuracy").by_seed
    assert second.scores("accuracy").by_seed != first.scores("accuracy").by_seed


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


def test_members_of_an_ensemble_stay_apart(project: Path) -> None:
    """Members that all got the same number would be copies: a vote of seven such trees is one tree."""
    from sklearn.datasets import load_breast_cancer
    from sklearn.ensemble import VotingClassifier
    from sklearn.tree import DecisionTreeClassifier

    x, y = load_breast_cancer(return_X_y=True)
    trees = [(f"t{k}", DecisionTreeClassifier(max_features=1)) for k in range(7)]
    one = across_seeds(DecisionTreeClassifier(max_features=1), x, y, seeds=range(1, 5), cv=3, name="one").scores(
        "accuracy"
    )
    vote = across_seeds(VotingClassifier(trees, voting="soft"), x, y, seeds=range(1, 5), cv=3, name="vote").scores(
        "accuracy"
    )
    assert vote.values.mean() > one.values.mean() + 0.01
    typed = [(f"t{k}", DecisionTreeClassifier(random_state=k)) for k in range(3)]
    given = sklearn_module._received(sklearn_module._places(VotingClassifier(typed)), 5)
    assert given["t0__random_state"] == 5
    assert len(set(given.values())) == 3


def test_across_seeds_takes_groups_and_many_labels_and_refuses_what_would_move(project: Path) -> None:
    from sklearn.datasets import make_multilabel_classification
    from sklearn.ensemble import RandomForestClassifier
    from sklearn.model_selection import GridSearchCV, GroupKFold, KFold

    x, y = make_multilabel_classification(60, random_state=0)
    forest = RandomForestClassifier(3)
    assert len(across_seeds(forest, x, y, seeds=[1, 2], cv=np.int64(3), name="labels").finished) == 2
    groups = np.arange(60) // 6
    grouped = across_seeds(forest, x, y[:, 0], groups=groups, seeds=[1, 2], cv=GroupKFold(3), name="groups")
    assert len(grouped.finished) == 2
    search = GridSearchCV(forest, {"max_depth": [1, 2]}, cv=KFold(3, shuffle=True))
    with pytest.raises(UsageError, match="cv=KFold"):
        across_seeds(search, x, y[:, 0], seeds=[1])


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


def test_two_results_in_one_experiment_of_mlflow_and_series_that_begin_again(results: Results, project: Path) -> None:
    from dataclasses import replace

    from seedwise.integrations.mlflow import from_mlflow, to_mlflow

    uri = f"sqlite:///{project}/mlflow.db"
    folds = tuple(replace(run, series={"acc": Series((1, 2, 1, 2), (0.1, 0.2, 0.3, 0.4))}) for run in results.runs[:2])
    wide = replace(results, name="wide", runs=folds)
    for one in (results, wide):
        to_mlflow(one, experiment="both", tracking_uri=uri)
    groups = from_mlflow("both", tracking_uri=uri)
    assert set(groups) == {"results=base", "results=wide"}
    assert groups["results=wide"].runs[0].series["acc"].values == (0.1, 0.2, 0.3, 0.4)


def test_runs_of_mlflow_are_grouped_by_all_but_the_seed(project: Path) -> None:
    import mlflow

    from seedwise.integrations.mlflow import from_mlflow

    uri = f"sqlite:///{project}/mlflow.db"
    client = mlflow.MlflowClient(tracking_uri=uri)
    place = client.create_experiment("mine")
    for rate in ("0.1", "0.01"):
        for seed in (1, 2):
            run = client.create_run(place).info.run_id
            for name, value in (
                ("lr", rate),
                ("seed", seed),
                ("random_state", seed),
                ("depth", "3"),
                ("out", f"o/{rate}/{seed}"),
            ):
                client.log_param(run, name, value)
            client.log_metric(run, "acc", float(rate) + seed)
            client.set_terminated(run)
    with pytest.raises(UsageError, match=r"differ in lr, out: ignore"):
        from_mlflow("mine", tracking_uri=uri)
    groups = from_mlflow("mine", tracking_uri=uri, ignore=["out"])
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
    with SummaryWriter("twice/seed=1") as writer:
        for step in (0, 1, 2, 0, 1):
            writer.add_scalar("acc", step, step)
    with pytest.raises(UsageError, match="go back"):
        from_tensorboard("twice")
    for seed, steps in ((1, 4), (2, 9)):
        with SummaryWriter(f"short/data_seed=0/seed={seed}") as writer:
            for step in range(steps):
                writer.add_scalar("acc", step, step)
    (results,) = from_tensorboard("short").values()
    assert results.seeds == (1, 2)
    assert "were some runs stopped" in results.warnings[0]
    SummaryWriter("logs/other").close()
    with pytest.raises(UsageError, match="tells no seed"):
        from_tensorboard("logs")
