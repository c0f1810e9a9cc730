"""Weights & Biases: writes results as one parent run and a run for each seed, all in one group.

It works offline by default.
"""

from importlib import import_module
from typing import Any

from ..api.summary import summarize_all
from ..errors import UsageError
from ..results import Results, Status
from ._grouping import rising

__all__ = ["to_wandb"]


def to_wandb(
    results: Results, *, project: str = "seedwise", mode: str = "offline", folder: str | None = None
) -> list[str]:
    """Write results to Weights & Biases. Returns the folders of the runs; the parent's folder is the last.

    Parameters
    ----------
    results
        The runs to write.
    project
        The project of Weights & Biases.
    mode, folder
        `offline` writes into `folder` (by default ./wandb), from where `wandb sync` sends it. `online` sends it at
        once.

    Raises
    ------
    UsageError
        wandb is not installed, or there is no such mode.
    """
    try:
        wandb: Any = import_module("wandb")
    except ModuleNotFoundError:
        raise UsageError("wandb is not installed here: pip install wandb") from None
    if mode not in ("offline", "online"):
        raise UsageError(f"mode is offline or online; got {mode!r}")
    settings = wandb.Settings(console="off", silent=True)
    shared: dict[str, Any] = {
        "project": project,
        "group": results.name,
        "mode": mode,
        "dir": folder,
        "settings": settings,
    }
    folders: list[str] = []
    for run in results.runs:
        own = wandb.init(
            name=f"{results.name} seed {run.seed}",
            job_type="seed",
            config={"seed": run.seed},
            reinit="create_new",
            **shared,
        )
        steps: dict[int, dict[str, float]] = {}
        for name, series in run.series.items():
            for step, value in zip(rising(series), series.values, strict=True):
                steps.setdefault(step, {})[name] = value
        for step in sorted(steps):
            own.log(steps[step], step=max(step, 0))
        folders.append(str(own.dir))
        own.finish(exit_code=0 if run.status is Status.FINISHED else 1)
    parent = wandb.init(
        name=results.name,
        job_type="summary",
        config={"command": " ".join(results.command)},
        reinit="create_new",
        **shared,
    )
    parent.summary.update({"n": len(results.runs), "finished": len(results.finished)})
    for summary in summarize_all(results).values():
        low, high = summary.interval or (None, None)
        figures = {"mean": summary.mean, "sd": summary.sd, "low": low, "high": high}
        parent.summary.update(
            {f"{summary.metric}_{name}": value for name, value in figures.items() if value is not None}
        )
    folders.append(str(parent.dir))
    parent.finish()
    return folders
