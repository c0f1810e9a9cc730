"""Writes results to MLflow, and reads runs that were made there.

Results are written as one parent run with a child for each seed. Runs that are read are grouped by all parameters but
the seed.
"""

from collections.abc import Sequence
from importlib import import_module
from typing import Any

from ..api.summary import summarize_all
from ..errors import UsageError
from ..results import Results, Series, Status
from ._grouping import Found, grouped, rising

__all__ = ["from_mlflow", "to_mlflow"]

_OUT = {Status.FINISHED: "FINISHED", Status.FAILED: "FAILED", Status.INTERRUPTED: "KILLED", Status.RUNNING: "RUNNING"}
_IN = {
    "FINISHED": Status.FINISHED,
    "RUNNING": Status.RUNNING,
    "SCHEDULED": Status.RUNNING,
    "KILLED": Status.INTERRUPTED,
}


def _mlflow() -> Any:
    try:
        return import_module("mlflow")
    except ModuleNotFoundError:
        raise UsageError("mlflow is not installed here: pip install mlflow") from None


def to_mlflow(results: Results, *, experiment: str = "seedwise", tracking_uri: str | None = None) -> str:
    """Write results to MLflow. Returns the id of the parent run.

    For each metric, the parent holds its mean, SD and interval (`acc_mean`, `acc_sd`, `acc_low`, `acc_high`), and `n`
    and `finished`. Each child holds one seed: the parameter `seed`, every value of every series at its step, and its
    status.

    Parameters
    ----------
    results
        The runs to write.
    experiment
        The name of the experiment in MLflow; it is made where there is none.
    tracking_uri
        Where MLflow keeps it; by default where `mlflow` itself writes.

    Raises
    ------
    UsageError
        mlflow is not installed.
    """
    mlflow = _mlflow()
    client = mlflow.MlflowClient(tracking_uri=tracking_uri)
    known = client.get_experiment_by_name(experiment)
    place = known.experiment_id if known is not None else client.create_experiment(experiment)
    parent = client.create_run(
        place, run_name=results.name, tags={"seedwise.command": " ".join(results.command)[:4000]}
    )
    identity: str = parent.info.run_id
    for run in results.runs:
        tags = {"mlflow.parentRunId": identity, "seedwise.status": run.status.value}
        child = client.create_run(place, run_name=f"{results.name} seed {run.seed}", tags=tags).info.run_id
        client.log_param(child, "seed", run.seed)
        client.log_param(child, "results", results.name)
        points = [
            mlflow.entities.Metric(_name(name), value, k, step)
            for name, series in run.series.items()
            for k, (step, value) in enumerate(zip(rising(series), series.values, strict=True))
        ]
        for k in range(0, len(points), 1000):
            client.log_batch(child, metrics=points[k : k + 1000])
        client.set_terminated(child, _OUT[run.status])
    for summary in summarize_all(results).values():
        figures = {"mean": summary.mean, "sd": summary.sd}
        if summary.interval is not None:
            figures |= {"low": summary.interval[0], "high": summary.interval[1]}
        for name, value in figures.items():
            if value is not None:
                client.log_metric(identity, _name(f"{summary.metric}_{name}"), value)
    client.log_metric(identity, "n", len(results.runs))
    client.log_metric(identity, "finished", len(results.finished))
    client.set_terminated(identity, "FINISHED" if not results.failed else "FAILED")
    return identity


def from_mlflow(
    experiment: str,
    *,
    tracking_uri: str | None = None,
    metric: Sequence[str] = (),
    filter_string: str = "",
    ignore: Sequence[str] = (),
) -> dict[str, Results]:
    """The runs of an MLflow experiment, grouped by every parameter but the seed: name of the group → Results.

    The seed of a run is its parameter `seed`, `random_state` or similar. Parent runs are left out.

    Parameters
    ----------
    experiment
        Its name in MLflow.
    tracking_uri
        Where MLflow keeps it; by default where `mlflow` itself looks.
    metric
        Which metrics, as for `load`. By default those that are found.
    filter_string
        MLflow's own filter of runs: `params.lr = '0.1'`.
    ignore
        Parameters that do not distinguish runs, such as a folder or a host.

    Raises
    ------
    UsageError
        mlflow is not installed, there is no such experiment, or its runs cannot be grouped.
    """
    mlflow = _mlflow()
    client = mlflow.MlflowClient(tracking_uri=tracking_uri)
    known = client.get_experiment_by_name(experiment)
    if known is None:
        raise UsageError(f"MLflow has no experiment {experiment!r} there")
    runs: list[Any] = []
    token = None
    while True:
        page = client.search_runs([known.experiment_id], filter_string, max_results=500, page_token=token)
        runs.extend(page)
        token = page.token
        if not token:
            break
    parents = {run.data.tags.get("mlflow.parentRunId") for run in runs}
    found = []
    for run in runs:
        if run.info.run_id in parents:
            continue
        series = {}
        for name in run.data.metrics:
            history = sorted(client.get_metric_history(run.info.run_id, name), key=lambda m: (m.timestamp, m.step))
            series[name] = Series(tuple(m.step for m in history), tuple(m.value for m in history))
        label = run.info.run_name or run.info.run_id
        found.append(Found(dict(run.data.params), series, _IN.get(run.info.status, Status.FAILED), label))
    if not found:
        raise UsageError(f"the experiment {experiment!r} has no runs")
    return grouped(found, experiment, tuple(metric), tuple(ignore))


def _name(name: str) -> str:
    """A metric's name with only the characters that MLflow accepts."""
    return "".join(c if c.isalnum() or c in "_-. /" else "_" for c in name)
