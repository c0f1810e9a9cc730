"""What travels to the workers: how the seeds are run, as plain values, and the environment."""

import os
import shutil
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, fields, replace
from pathlib import Path
from typing import Any

from seedwise_guest.protocol import CALL

from ... import __version__
from ...errors import StoreError
from ...experiments.command import run_environment
from ...experiments.options import Mode, Options
from ...experiments.site_reading import Reading, placement_from_dict, placement_to_dict
from ...experiments.store import Experiment, Store, metrics_as_values, metrics_from
from ...results import Metric, Reduce
from ...sandbox.workdir import Workdir
from ...sandbox.worlds import Worlds
from ..attempt import Setup
from .folder import LAYOUT, Submission

_THE_NODES_OWN = (
    "SLURM", "SBATCH_", "SRUN_", "PMI_", "PMIX_", "DASK_", "RAY_", "SSH_", "XDG_", "KUBERNETES_", "LSB_", "PBS_",
)  # fmt: skip
_THE_NODES_OWN_NAMES = frozenset(
    "TMPDIR TMP TEMP HOSTNAME DISPLAY WAYLAND_DISPLAY CUDA_VISIBLE_DEVICES ROCR_VISIBLE_DEVICES HIP_VISIBLE_DEVICES "
    "ZE_AFFINITY_MASK GPU_DEVICE_ORDINAL DBUS_SESSION_BUS_ADDRESS SEEDWISE_WORLDS SEEDWISE_STORE OLDPWD PWD SHLVL _".split()
)


@dataclass(frozen=True)
class Carried:
    """What a worker has been told."""

    command: tuple[str, ...]
    setup: Mapping[str, Any]
    options: Options
    metrics: tuple[Metric, ...]
    experiment: Mapping[str, Any]
    packages: Mapping[str, str]
    python: str
    """Version of the interpreter that runs the seeds at home."""
    inputs: Mapping[tuple[str, str], str]
    environment: Mapping[str, str]
    folder: str
    """The working directory."""
    store: str
    jobs: int | None
    limit: float | None
    """Seconds after which the engine ends the worker, if that is known."""
    checkpoints: str | None
    """The folder of what unfinished runs keep, if the user named one. It lies in the store, and so outlives the submission."""
    call: str | None
    """The file with the function that is called, at home; its copy lies in the submission."""

    def as_setup(self, worlds: Worlds, python: str) -> Setup:
        """How the seeds are run on this node: in these worlds, with this interpreter."""
        values = dict[str, Any](self.setup)
        placement = placement_from_dict(values.pop("placement"))
        placement.files = dict(self.setup["placement"]["files"])
        values["checkpoints"] = None if self.checkpoints is None else Path(self.checkpoints)
        values["mode"], values["reduce"] = Mode(values["mode"]), Reduce(values["reduce"])
        environment = run_environment(self.options.threads)
        return Setup(
            self.command,
            placement=placement,
            environment=environment,
            worlds=worlds,
            options=self.options,
            metrics=self.metrics,
            python=python,
            **values,
        )


_OF_SETUP = (
    "mode",
    "command_text",
    "launch_kind",
    "arguments",
    "script_behind_launcher",
    "is_function",
    "script",
    "entered",
)


def carry(
    submission: Submission,
    store: Store,
    experiment: Experiment,
    setup: Setup,
    reading: Reading,
    engine: str,
    jobs: int | None,
    limit: float | None,
) -> None:
    """Write what the workers must know into the folder of the submission. Raises StoreError if it cannot be written."""
    call = _payload(setup.command) if setup.is_function else None
    placement = placement_to_dict(setup.placement)
    placement["files"] = dict(setup.placement.files)
    values = {
        "layout": LAYOUT,
        "seedwise": __version__,
        "call script": CALL,
        "call": call,
        "command": list(setup.command),
        "setup": {**{name: getattr(setup, name) for name in _OF_SETUP}, "placement": placement},
        "options": asdict(replace(setup.options, keep_going=True, fail_fast=False)),  # home decides
        "metrics": metrics_as_values(setup.metrics),
        "reduce": setup.reduce.value,
        "experiment": {
            "id": experiment.id,
            "name": experiment.name,
            "key": experiment.key,
            "command": list(experiment.command),
            "manifest": experiment.manifest,
        },
        "packages": dict(reading.packages),
        "python": reading.python.get("version", ""),
        "inputs": [[kind, name, value] for (kind, name), value in store.inputs(experiment.id).items()],
        "environment": carried_environment(os.environ),
        "folder": os.getcwd(),
        "store": str(store.folder),
        "engine": engine,
        "jobs": jobs,
        "limit": limit,
        "checkpoints": None if setup.checkpoints is None else str(setup.checkpoints),
    }
    try:
        submission.write_carried(values)
        if call is not None:
            shutil.copytree(Path(call).parent, submission.folder / "call")
    except OSError as error:
        raise StoreError(f"cannot write {submission.folder}: {error.strerror or error}") from None


def _payload(words: Sequence[str]) -> str | None:
    """The file with a function that is carried over; None for a function that is named, `train.py:train`."""
    payload = words[2]
    return payload if os.path.basename(payload) == "payload" and os.path.isfile(payload) else None


def read_carried(submission: Submission) -> Carried:
    """What the worker is told.

    Raises
    ------
    UsageError
        Another version of Seedwise has written it.
    """
    values = submission.carried()
    setup = dict(values["setup"])
    command = tuple(CALL if word == values["call script"] else word for word in values["command"])
    options = {f.name: _tuples(values["options"][f.name]) for f in fields(Options) if f.name in values["options"]}
    options["workdir"] = Workdir(options["workdir"])
    return Carried(
        command,
        {**setup, "reduce": values["reduce"]},
        Options(**options),
        metrics_from(values["metrics"]),
        values["experiment"],
        values["packages"],
        values["python"],
        {(kind, name): value for kind, name, value in values["inputs"]},
        values["environment"],
        values["folder"],
        values["store"],
        values["jobs"],
        values["limit"],
        values["checkpoints"],
        values["call"],
    )


def _tuples(value: Any) -> Any:
    """Lists, which JSON makes of tuples, as tuples again."""
    return tuple(_tuples(one) for one in value) if isinstance(value, list) else value


def carried_environment(environment: Mapping[str, str]) -> dict[str, str]:
    """The variables that runs have at home and must have elsewhere: all but those of a machine, a session or a job."""
    return {name: value for name, value in environment.items() if not is_the_nodes_own(name)}


def is_the_nodes_own(name: str) -> bool:
    """Whether a variable tells of the machine, the session or the job, and so stays the node's."""
    return name in _THE_NODES_OWN_NAMES or name.startswith(_THE_NODES_OWN)


def environment_there(
    carried: Mapping[str, str], own: Mapping[str, str], before: Mapping[str, str] | None = None
) -> dict[str, str]:
    """The environment of a worker: that of home, with the node's own variables; and both search paths, home's first.

    `before` is the environment before the lines of shell that the user has put before the worker: what these have set stands.
    """
    found = {**carried, **{name: value for name, value in own.items() if is_the_nodes_own(name)}}
    path = [carried.get("PATH", ""), own.get("PATH", "")]
    found["PATH"] = os.pathsep.join(dict.fromkeys(part for whole in path for part in whole.split(os.pathsep) if part))
    if before is not None:
        found.update({name: value for name, value in own.items() if before.get(name) != value})
        for name in set(before) - set(own):
            found.pop(name, None)
    return found
