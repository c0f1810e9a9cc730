"""Hands chunks of seeds to a Ray cluster: one task for each, which starts the worker and waits for it.

Ray ends what a process has submitted when that process ends. So the tasks belong to an actor that lives on by itself.
"""

import contextlib
import logging
import os
import socket
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from ...errors import UsageError
from . import Engine, Executor, Fate, Round, Standing
from .sharing import look_from_here, not_shared
from .starting import work_in_a_task

_PATIENCE = 60.0
_ANSWER = 5.0
_SPACE = "seedwise"
_TRIES, _BETWEEN = 3, 2.0


class _Keeper:
    """The actor to which the tasks of a round belong."""

    def __init__(self) -> None:
        self._tasks: dict[int, Any] = {}
        self._over: dict[int, tuple[int | None, str]] = {}

    def submit(self, file: str, numbers: list[int], title: str, cores: int, options: dict[str, Any]) -> int:
        """Submit the chunks of a round."""
        import ray

        task = ray.remote(work_in_a_task).options(max_retries=3, **options)
        for number in numbers:
            self._tasks[number] = task.remote(file, number, cores, f"{title}-{number}")
        return len(self._tasks)

    def states(self) -> dict[int, tuple[int | None, str]]:
        """Of each chunk that is over: its exit status, or what went wrong."""
        import ray

        left = {ref: number for number, ref in self._tasks.items() if number not in self._over}
        if left:
            done, _ = ray.wait(list(left), num_returns=len(left), timeout=0, fetch_local=False)
            for ref in done:
                try:
                    self._over[left[ref]] = int(ray.get(ref)), ""
                except Exception as error:  # noqa: BLE001 (whatever the task raised)
                    self._over[left[ref]] = None, f"{type(error).__name__}: {str(error).splitlines()[0][:200]}"
        return dict(self._over)

    def cancel(self) -> None:
        """Cancel the tasks that have not begun; the others look for a file that says so."""
        import ray

        for number, ref in self._tasks.items():
            if number not in self._over:
                with contextlib.suppress(Exception):
                    ray.cancel(ref, force=False)


class RayExecutor:
    """Submits a task for each chunk, through an actor for each round.

    Parameters
    ----------
    address
        `ray://host:10001`; "" for the cluster of this machine.
    jobs
        How many runs one worker does at a time. None: one.
    resources
        What each task needs: `{"GPU": 0.25, "CPU": 2}`, and names of the cluster's own.

    Raises
    ------
    UsageError
        Ray is not installed, or there is no cluster.
    """

    engine = Engine.RAY
    pause = 1.0

    def __init__(self, address: str, jobs: int | None, threads: int | None, resources: Mapping[str, float]) -> None:
        self.jobs = jobs or 1
        self._cores = self.jobs * (threads or 1)
        self._address, self._resources = address, dict(resources)
        self._own = _connect(address)
        self._keepers: dict[str, Any] = {}

    @property
    def settings(self) -> Mapping[str, Any]:
        return {"address": self._address, "resources": self._resources}

    def find_out(self, folder: Path, token: str) -> str:
        import ray
        from ray.util.scheduling_strategies import NodeAffinitySchedulingStrategy

        nodes = [node["NodeID"] for node in ray.nodes() if node["Alive"]]
        look = ray.remote(look_from_here)
        asked = [
            look.options(num_cpus=0, scheduling_strategy=NodeAffinitySchedulingStrategy(node, soft=False)).remote(
                str(folder), token
            )
            for node in nodes
        ]
        try:
            found = ray.get(asked, timeout=_PATIENCE)
        except ray.exceptions.GetTimeoutError:
            return "Ray has not asked every node yet whether it sees the folder; each worker looks before it begins"
        except ray.exceptions.RayTaskError as error:
            raise UsageError(f"Ray's workers cannot start Seedwise: {str(error).splitlines()[-1]}") from None
        wrong = next((what for what in found if what), "")
        if wrong:
            raise UsageError(not_shared(wrong))
        return ""

    def shown(self, chunks: Round) -> str:
        return "".join(f"work_in_a_task({str(chunks.file)!r}, {number})\n" for number in chunks.numbers)

    def submit(self, chunks: Round) -> None:
        import ray

        named = {"CPU": "num_cpus", "GPU": "num_gpus"}
        options: dict[str, Any] = {"num_cpus": self._cores}
        options.update({named[name]: amount for name, amount in self._resources.items() if name in named})
        options["resources"] = {name: amount for name, amount in self._resources.items() if name not in named}
        name = f"{chunks.title}-{chunks.file.stem}"
        keeper = (
            ray.remote(_Keeper)
            .options(name=name, lifetime="detached", namespace=_SPACE, num_cpus=0, max_restarts=0)
            .remote()
        )
        self._keepers[name] = keeper
        ray.get(
            keeper.submit.remote(str(chunks.file), list(chunks.numbers), name, self._cores, options), timeout=_PATIENCE
        )
        chunks.handle.update({"actor": name, "log": f"{chunks.file.stem}-{{number}}.out"})

    def _keeper(self, chunks: Round) -> Any:
        """The actor of a round; None if it is gone."""
        import ray

        name = str(chunks.handle.get("actor", ""))
        if name not in self._keepers:
            try:
                self._keepers[name] = ray.get_actor(name, namespace=_SPACE)
            except ValueError:
                return None
        return self._keepers[name]

    def poll(self, rounds: Sequence[Round]) -> list[dict[int, Standing]]:
        return [self._of_round(one) for one in rounds]

    def _of_round(self, one: Round) -> dict[int, Standing]:
        import ray

        keeper, name = self._keeper(one), one.handle.get("actor", "")
        try:
            over = {} if keeper is None else ray.get(keeper.states.remote(), timeout=_PATIENCE)
        except ray.exceptions.GetTimeoutError:
            over = {}
        except ray.exceptions.RayActorError:
            keeper, over = None, {}
        found = {}
        for number in one.numbers:
            job = f"{name}-{number}"
            if number in over:
                status, detail = over[number]
                fate = Fate.DONE if status == 0 else Fate.CANCELLED if "Cancelled" in detail else Fate.FAILED
                found[number] = Standing(fate, job, "", status, detail)
            else:
                found[number] = Standing(Fate.LOST if keeper is None else Fate.RUNNING, job)
        return found

    def collect(self, chunks: Round, number: int, standing: Standing) -> Standing:
        return standing

    def cancel(self, rounds: Sequence[Round]) -> None:
        for one in rounds:
            keeper = self._keeper(one)
            if keeper is not None:
                keeper.cancel.remote()

    def forget(self, chunks: Round) -> None:
        import ray

        keeper = self._keeper(chunks)
        if keeper is not None:
            ray.kill(keeper)
        self._keepers.pop(str(chunks.handle.get("actor", "")), None)

    def close(self) -> None:
        if self._own:
            import ray

            ray.shutdown()


def _listens(address: str) -> bool:
    """Whether something accepts connections at `host:port`."""
    host, _, port = address.rpartition(":")
    try:
        with socket.create_connection((host, int(port)), _ANSWER):
            return True
    except (OSError, ValueError):
        return False


def _connect(address: str) -> bool:
    """Connect to a cluster. Returns whether this is our own connection, False if the caller had one."""
    try:
        import ray
    except ModuleNotFoundError:
        raise UsageError("Ray is not installed here: pip install 'seedwise[ray]'") from None
    if ray.is_initialized():
        return False
    what = f"at {address}" if address else "on this machine (`ray start --head` starts one)"
    named = (address or os.environ.get("RAY_ADDRESS", "")).rpartition("//")[2]
    if ":" in named and not _listens(named):  # Ray itself would try for minutes
        raise UsageError(f"no Ray cluster answers {what}: nothing listens at {named}")
    for left in reversed(range(_TRIES)):
        try:
            ray.init(
                address=address or "auto", namespace=_SPACE, log_to_driver=False, logging_level=logging.ERROR,
                configure_logging=False,
            )  # fmt: skip
            return True
        except (ConnectionError, OSError, RuntimeError, ValueError) as error:
            if left and _is_late(error):
                time.sleep(_BETWEEN)
                continue
            said = [line for line in map(str.strip, str(error).splitlines()) if line]
            said = said or [type(error).__name__]
            why = said[-1] if _is_late(error) else said[0]  # the former ends in the server's own traceback
            raise UsageError(f"no Ray cluster answers {what}: {why}") from None
    raise AssertionError("the last try returns or raises")


def _is_late(error: Exception) -> bool:
    """Whether the cluster is there, but what it starts for each client was not ready in Ray's 30 seconds."""
    return "Initialization failure from server" in str(error)


_check: type[Executor] = RayExecutor
