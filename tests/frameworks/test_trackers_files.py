"""Files that the trackers themselves wrote are read as they are, and give the numbers that the trackers give."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

from seedwise.api.tables import read_groups, read_scores

pytestmark = pytest.mark.frameworks

LOOP = "for model in 'ab':\n    for seed in (1, 2, 3):\n        acc = [k / 10 + seed / 100 + (model == 'b') for k in range(5)]\n"


def written_by(folder: Path, text: str) -> str:
    done = subprocess.run([sys.executable, "-c", text], cwd=folder, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return done.stdout


def means(path: str, metric: str) -> dict[str, tuple[tuple[int, ...], float]]:
    return {
        name: (of.seeds, round(float(of.scores(metric).values.mean()), 9))
        for name, of in read_groups(path, metric=[metric]).items()
    }


EXPECTED = {"a": ((1, 2, 3), 0.42), "b": ((1, 2, 3), 1.42)}


def test_wandb_offline(project: Path) -> None:
    written_by(
        project,
        "import wandb\n"
        + LOOP
        + "        run = wandb.init(mode='offline', project='p', config={'seed': seed, 'model': model})\n"
        "        [run.log({'acc': value, 'deep': {'er': 1.0}}) for value in acc]\n        run.finish()\n",
    )
    assert means("wandb", "acc") == EXPECTED
    assert read_groups("wandb")["a"].runs[0].series["acc"].steps == (0, 1, 2, 3, 4)


@pytest.mark.parametrize(("address", "path"), [("sqlite:///mlflow.db", "mlflow.db"), ("file:./mlruns", "mlruns")])
def test_mlflow(project: Path, address: str, path: str) -> None:
    written_by(
        project,
        f"import os; os.environ['MLFLOW_ALLOW_FILE_STORE'] = 'true'\nimport mlflow\nmlflow.set_tracking_uri({address!r})\n"
        + LOOP
        + "        with mlflow.start_run():\n            mlflow.log_params({'seed': seed, 'model': model})\n"
        "            [mlflow.log_metric('val/acc', value, step=k) for k, value in enumerate(acc)]\n",
    )
    before = {file: file.stat().st_mtime_ns for file in project.rglob("*") if file.is_file()}
    assert means(path, "val/acc") == EXPECTED
    assert {file: file.stat().st_mtime_ns for file in project.rglob("*") if file.is_file()} == before


def test_tensorboard_gives_what_its_own_reader_gives(project: Path) -> None:
    said = written_by(
        project,
        "import json, sys; sys.modules['tensorflow'] = None\nfrom torch.utils.tensorboard import SummaryWriter\n"
        + LOOP
        + "        with SummaryWriter(f'tb/{model}/seed_{seed}') as writer:\n"
        "            [writer.add_scalar('acc', value, k, new_style=model == 'b') for k, value in enumerate(acc)]\n"
        "            writer.add_scalars('two', {'x': 1.0, 'y': 2.0}, 0)\n"
        "            if model == 'b': writer.add_scalar('only/b', 1.0, 3)\n"
        "from tensorboard.backend.event_processing.event_accumulator import EventAccumulator\n"
        "of = EventAccumulator('tb/a/seed_2', size_guidance={'scalars': 0}).Reload()\n"
        "print(json.dumps([[event.step, event.value] for event in of.Scalars('acc')]))",
    )
    assert means("tb", "acc") == {name: (seeds, pytest.approx(mean)) for name, (seeds, mean) in EXPECTED.items()}
    series = read_groups("tb", metric=["acc"])["a"].runs[1].series["acc"]
    assert [list(point) for point in zip(series.steps, series.values, strict=True)] == json.loads(said)


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("journal", [False, True])
def test_optuna_gives_what_its_own_reader_gives(project: Path, journal: bool) -> None:
    import optuna
    from optuna.storages import JournalStorage
    from optuna.storages.journal import JournalFileBackend

    optuna.logging.set_verbosity(optuna.logging.ERROR)
    path = "journal.log" if journal else "study.db"
    storage = JournalStorage(JournalFileBackend(path)) if journal else f"sqlite:///{path}"

    def objective(trial: optuna.Trial) -> float:
        x = trial.suggest_float("x", -1, 1)
        trial.suggest_categorical("opt", ["adam", "sgd"])
        trial.set_user_attr("seed", trial.number + 10)
        for step in range(3):
            trial.report(x + step, step)
        if trial.number == 4:
            raise optuna.TrialPruned
        return x

    study = optuna.create_study(storage=storage, direction="minimize", sampler=optuna.samplers.RandomSampler(1))
    study.optimize(objective, n_trials=8)
    found = read_scores(path, ["value"])
    assert found.scores().by_seed == {trial.number + 10: trial.value for trial in study.trials if trial.number != 4}
    assert [run.seed for run in found.failed] == [14]
    assert "their spread is that of what was tried" in " ".join(found.warnings)
