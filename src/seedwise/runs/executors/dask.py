"""Hands chunks of seeds to a Dask cluster: one task for each, which starts the worker and waits for it."""

import contextlib
import warnings
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from ...errors import UsageError
from . import Engine, Executor, Fate, Round, Standing
from .sharing import look_from_here, not_shared
from .starting import work_in_a_task

_CONNECT = 10.0
_WAITING = frozenset({"released", "waiting", "no-worker", "queued"})


class DaskExecutor:
    """Submits a task for each chunk. The scheduler keeps the tasks when the command that submitted them is left.

    Parameters
    ----------
    jobs
        How many runs one worker does at a time. None: one, since a task has one thread of its Dask worker.
    resources
        What each task needs of the resources that Dask's workers were started with.
    client
        A connection that the caller has made; None to make one to `address`.

    Raises
    ------
    UsageError
        Dask is not installed, or no scheduler answers.
    """

    engine = Engine.DASK
    pause = 1.0

    def __init__(
        self, address: str, jobs: int | None, threads: int | None, resources: Mapping[str, float], client: Any = None
    ) -> None:
        self.jobs = jobs or 1
        self._cores = self.jobs * (threads or 1)
        self._address, self._resources = address, dict(resources)
        self._own = client is None
        self._futures: dict[str, Any] = {}
        self._client = client if client is not None else _connected(address)

    @property
    def settings(self) -> Mapping[str, Any]:
        return {"address": self._address, "resources": self._resources}

    def find_out(self, folder: Path, token: str) -> str:
        try:
            found: dict[str, str] = self._client.run(look_from_here, str(folder), token)
        except ModuleNotFoundError as error:
            raise UsageError(f"Dask's workers have no {error.name}: install Seedwise where they run") from None
        wrong = next((what for what in found.values() if what), "")
        if wrong:
            raise UsageError(not_shared(wrong))
        return "" if found else f"no Dask worker is at {self._address} yet; the seeds wait for one"

    def shown(self, chunks: Round) -> str:
        return "".join(f"{key}: work_in_a_task({str(chunks.file)!r}, {n})\n" for n, key in _keys(chunks))

    def submit(self, chunks: Round) -> None:
        keys = _keys(chunks)
        futures = [
            self._client.submit(
                work_in_a_task, str(chunks.file), number, self._cores, key,
                key=key, pure=False, resources=self._resources or None,
            )
            for number, key in keys
        ]  # fmt: skip
        self._futures.update({key: future for (_, key), future in zip(keys, futures, strict=True)})
        with contextlib.suppress(KeyError):  # a name may be published once
            self._client.publish_dataset(futures, name=_name(chunks))
        chunks.handle.update({"submitted": True, "log": f"{chunks.file.stem}-{{number}}.out"})

    def poll(self, rounds: Sequence[Round]) -> list[dict[int, Standing]]:
        every = [key for one in rounds for _, key in _keys(one)]

        def states(dask_scheduler: Any, keys: Sequence[str]) -> dict[str, tuple[str, str]]:
            # a function inside a function travels as it is: the scheduler needs no Seedwise
            tasks = {key: dask_scheduler.tasks.get(key) for key in keys}
            return {
                key: (task.state, task.processing_on.host if task.processing_on else "")
                for key, task in tasks.items()
                if task is not None
            }

        try:
            found = self._client.run_on_scheduler(states, keys=every)
        except (OSError, TimeoutError):  # it may come back
            return [{number: Standing(Fate.RUNNING, key) for number, key in _keys(one)} for one in rounds]
        return [{number: _standing(key, found.get(key)) for number, key in _keys(one)} for one in rounds]

    def collect(self, chunks: Round, number: int, standing: Standing) -> Standing:
        if standing.fate is not Fate.DONE:
            return standing
        key = dict(_keys(chunks))[number]
        future = self._futures.get(key)
        try:
            if future is None:
                from distributed import Future

                future = Future(key, self._client)
            status = int(future.result(timeout=_CONNECT))
        except Exception as error:  # noqa: BLE001 (whatever the task raised)
            return Standing(Fate.FAILED, key, standing.node, None, f"{type(error).__name__}: {error}"[:300])
        return Standing(Fate.DONE if status == 0 else Fate.FAILED, key, standing.node, status)

    def cancel(self, rounds: Sequence[Round]) -> None:
        from distributed import Future

        for one in rounds:  # those that are running look for a file that says so: see `work_in_a_task`
            self._client.cancel([Future(key, self._client) for _, key in _keys(one)], force=True)

    def forget(self, chunks: Round) -> None:
        with contextlib.suppress(KeyError, OSError):
            self._client.unpublish_dataset(_name(chunks))
        for _, key in _keys(chunks):
            self._futures.pop(key, None)

    def close(self) -> None:
        self._futures.clear()
        if self._own:
            self._client.close()


def _connected(address: str) -> Any:
    try:
        from distributed import Client
    except ModuleNotFoundError:
        raise UsageError("Dask is not installed here: pip install 'seedwise[dask]'") from None
    try:
        with warnings.catch_warnings():  # versions that differ are named for each run
            warnings.simplefilter("ignore")
            return Client(address, timeout=_CONNECT, set_as_default=False)
    except (OSError, TimeoutError, ValueError) as error:
        raise UsageError(f"no Dask scheduler answers at {address}: {str(error).splitlines()[0]}") from None


def _name(chunks: Round) -> str:
    return f"{chunks.title}-{chunks.file.stem}"


def _keys(chunks: Round) -> list[tuple[int, str]]:
    return [(number, f"{_name(chunks)}-{number}") for number in chunks.numbers]


def _standing(key: str, state: tuple[str, str] | None) -> Standing:
    if state is None:
        return Standing(Fate.CANCELLED, key, detail="Dask no longer knows it")
    kind, node = state
    if kind in _WAITING:
        return Standing(Fate.WAITING, key)
    if kind == "memory":
        return Standing(Fate.DONE, key, node)
    if kind == "erred":
        return Standing(Fate.FAILED, key, node, None, "its Dask workers died again and again, or cannot start it")
    return Standing(Fate.RUNNING, key, node)


_check: type[Executor] = DaskExecutor
