"""Where seeds are to be run, as a user says it: `slurm`, `dask://host:8786`, `ray`, `local`, or a client of Dask."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from ...errors import UsageError
from ...sandbox.project import project_root
from ...typos import did_you_mean
from ...wording import option
from . import Engine, Executor

_PREFIXES = {"dask": Engine.DASK, "tcp": Engine.DASK, "tls": Engine.DASK, "ray": Engine.RAY}


@dataclass(frozen=True)
class Where:
    """Where seeds are run, and how they are divided.

    Raises
    ------
    UsageError
        A value is out of range, or does not go with the engine.
    """

    engine: Engine
    address: str = ""
    """Of a scheduler: `tcp://host:8786`, `ray://host:10001`; "" for the one that is here."""
    slurm: Mapping[str, str] = field(default_factory=dict)
    """Options of sbatch, and a few of ours: see `slurm.OURS`."""
    resources: Mapping[str, float] = field(default_factory=dict)
    """What each worker needs of a Dask or Ray cluster: `{"GPU": 0.25}`."""
    seeds_per_task: int | None = None
    live: bool = False
    """Whether runs see the project's files as they are when they run, not as when they were submitted."""
    client: object = field(default=None, compare=False, repr=False)
    """A connection that the caller has made and will close."""

    def __post_init__(self) -> None:
        if self.seeds_per_task is not None and self.seeds_per_task < 1:
            raise UsageError(f"{option('--seeds-per-task')} is at least 1; got {self.seeds_per_task}")
        if self.slurm and self.engine is not Engine.SLURM:
            raise UsageError(f"{option('--slurm')} goes with {option('--on slurm')}")
        if self.resources and self.engine not in (Engine.DASK, Engine.RAY):
            raise UsageError(
                f"{option('--resources')} goes with Dask and Ray; Slurm takes {option('--slurm gres=gpu:1')}"
            )

    def as_dict(self) -> dict[str, Any]:
        """Plain values, for the store. `from_dict` reads them."""
        return {
            "engine": self.engine.value,
            "address": self.address,
            "slurm": dict(self.slurm),
            "resources": dict(self.resources),
            "seeds_per_task": self.seeds_per_task,
            "live": self.live,
        }

    @classmethod
    def from_dict(cls, values: Mapping[str, Any]) -> "Where":
        """What `as_dict` gave."""
        return cls(**{**values, "engine": Engine(values["engine"])})


def where_asked(
    on: object,
    slurm: str | Sequence[str] = (),
    resources: Mapping[str, float] | None = None,
    seeds_per_task: int | None = None,
    live: bool = False,
) -> Where | None:
    """Read where a user wants seeds to be run. None for this command's own process.

    Parameters
    ----------
    on
        `slurm`, `local`, `dask://host:8786`, `ray`, `ray://host:10001`, or a Dask client. None: nothing was said.
    slurm
        `partition=gpu,time=6:00:00`, or several such texts. They add to `[tool.seedwise.slurm]` in pyproject.toml.

    Raises
    ------
    UsageError
        There is no such engine, or something does not go with it.
    """
    if on is None:
        for given, name in (
            (slurm, "--slurm"), (resources, "--resources"), (seeds_per_task, "--seeds-per-task"), (live, "--live"),
        ):  # fmt: skip
            if given:
                raise UsageError(f"{option(name)} goes with {option('--on')}: it says how seeds are run elsewhere")
        return None
    if isinstance(on, Where):
        return on
    if not isinstance(on, str):
        if type(on).__module__.split(".")[0] != "distributed":
            raise UsageError(f"on is slurm, local, dask://host:8786, ray, or a Dask client; got {on!r:.80}")
        address = str(getattr(getattr(on, "scheduler", None), "address", ""))
        return Where(Engine.DASK, address, {}, dict(resources or {}), seeds_per_task, live, client=on)
    engine, address = _engine(on)
    settings: dict[str, str] = {}
    if engine is Engine.SLURM:
        from .slurm_settings import checked, read_settings

        settings = checked({**settings_in_pyproject("slurm"), **read_settings(slurm)})
    elif slurm:
        raise UsageError(f"{option('--slurm')} goes with {option('--on slurm')}")
    return Where(engine, address, settings, dict(resources or {}), seeds_per_task, live)


def where(
    on: object,
    *,
    slurm: str | Sequence[str] = (),
    resources: Mapping[str, float] | None = None,
    seeds_per_task: int | None = None,
    live: bool = False,
) -> Where:
    """Where runs are made, for the argument `on` of `run`, `run_script` and `run_grid`.

    Parameters
    ----------
    on
        `slurm`, `dask://host:8786`, `ray`, `ray://host:10001`, `local`, or a Dask client.
    slurm
        Options of sbatch: `partition=gpu,time=6:00:00`. They add to `[tool.seedwise.slurm]` in pyproject.toml.
    resources
        What each worker needs of a Dask or Ray cluster: `{"GPU": 0.25}`.
    seeds_per_task
        Seeds in one job. By default as many as make a hundred jobs.
    live
        Runs see the project's files as they are when they run. By default as they were when they were submitted.

    Raises
    ------
    UsageError
        There is no such engine, or something does not go with it.
    """
    found = where_asked(on, slurm, resources, seeds_per_task, live)
    if found is None:
        raise UsageError('where? where("slurm"), or without `on` in this process')
    return found


def _engine(text: str) -> tuple[Engine, str]:
    scheme, colon, rest = text.partition("://")
    if colon and scheme in _PREFIXES and rest:
        engine = _PREFIXES[scheme]
        if engine is Engine.RAY:
            return engine, text
        return engine, f"tcp://{rest}" if scheme == "dask" else text
    if text == Engine.DASK:
        raise UsageError(f"which scheduler? {option('--on dask://host:8786')}")
    try:
        return Engine(text), ""
    except ValueError:
        meant = did_you_mean(text, list(Engine))
        raise UsageError(
            f"{option('--on')} takes slurm, dask://host:8786, ray, ray://host:10001 or local; got {text!r}{meant}"
        ) from None


def settings_in_pyproject(engine: str) -> dict[str, str]:
    """`[tool.seedwise.slurm]` of the project's pyproject.toml as text. Raises UsageError if it cannot be read."""
    import tomllib

    path = project_root(Path.cwd()) / "pyproject.toml"
    try:
        table = tomllib.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        return {}
    except (OSError, ValueError) as error:
        raise UsageError(f"{path} cannot be read: {error}") from None
    found = table.get("tool", {}).get("seedwise", {}).get(engine, {})
    if not isinstance(found, dict):
        raise UsageError(f'{path}: [tool.seedwise.{engine}] is a table, such as partition = "gpu"')
    return {str(name): ("" if value is True else str(value)) for name, value in found.items() if value is not False}


def make_executor(where: Where, jobs: int | None, threads: int | None) -> Executor:
    """The executor that hands chunks to this engine.

    Parameters
    ----------
    jobs
        How many runs one worker does at a time, if the user said so.
    threads
        Threads of a run; None if that is the script's choice.

    Raises
    ------
    UsageError
        The engine is not there, or refuses.
    """
    if where.engine is Engine.SLURM:
        from .slurm import SlurmExecutor

        return SlurmExecutor(where.slurm, jobs)
    if where.engine is Engine.DASK:
        from .dask import DaskExecutor

        return DaskExecutor(where.address, jobs, threads, where.resources, where.client)
    if where.engine is Engine.RAY:
        from .ray import RayExecutor

        return RayExecutor(where.address, jobs, threads, where.resources)
    from .local import LocalExecutor

    return LocalExecutor(jobs)
