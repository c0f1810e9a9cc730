"""Test cases that every executor must pass: the same for workers on this machine, Slurm, Dask and Ray."""

import os
import time
from abc import ABC, abstractmethod
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from ..experiments.store import Store
from ..results import Status
from ..runs.executors import Executor, Fate, Round
from ..runs.executors.choosing import Where
from ..runs.executors.sharing import TOKEN
from ..runs.request import Request
from ..runs.sweep import execute

_PATIENCE = 90.0
_SCRIPT = "import random, time\nseed = 42\nrandom.seed(seed)\ntime.sleep({seconds})\nprint('acc =', random.random())\n"


class ExecutorCases(ABC):
    """Cases for an `Executor`. Its engine is running, and sees the folder of the test."""

    @abstractmethod
    def where(self) -> Where:
        """Return where seeds are run."""

    @abstractmethod
    def make(self) -> Executor:
        """Return a new executor for the same engine."""

    def _command(self, folder: Path, seconds: float) -> list[str]:
        import sys

        (folder / "train.py").write_text(_SCRIPT.format(seconds=seconds))
        (folder / "pyproject.toml").write_text("")
        return [sys.executable, "train.py"]

    def test_every_seed_has_one_record_with_the_number_of_a_plain_run(self, tmp_path: Path) -> None:
        import random

        with _inside(tmp_path):
            request = Request(self._command(tmp_path, 0), range(1, 9), on=self.where())
            results = execute(request, None, lambda event: None).results
            assert [run.seed for run in results.runs] == list(range(1, 9))
            assert {run.status for run in results.runs} == {Status.FINISHED}
            assert dict(results.scores("acc").by_seed) == {seed: random.Random(seed).random() for seed in range(1, 9)}
            assert all(run.place is not None and run.place.node for run in results.runs)
            with Store(tmp_path / ".seedwise", create=False) as store:
                assert all(run.attempt == 1 for run in store.runs(1))
            assert list((tmp_path / ".seedwise" / "away").iterdir()) == []

    def test_the_folder_is_seen(self, tmp_path: Path) -> None:
        (tmp_path / TOKEN).write_text("abc")
        executor = self.make()
        try:
            assert "does not see" not in executor.find_out(tmp_path, "abc")
        finally:
            executor.close()

    def test_a_chunk_whose_round_is_gone_ends_and_is_not_taken_for_done(self, tmp_path: Path) -> None:
        (tmp_path / "rounds").mkdir()
        (tmp_path / "logs").mkdir()
        (tmp_path / "rounds" / "1.json").write_text(
            '{"chunks": [[[1, 1]]], "title": "t", "fresh": true, "audited": []}'
        )
        executor = self.make()
        try:
            one = Round(tmp_path / "rounds" / "1.json", range(1), f"seedwise-case-{os.getpid()}", tmp_path / "logs")
            executor.submit(one)
            until = time.monotonic() + _PATIENCE
            while not (how := executor.poll([one])[0][0]).fate.is_over:
                assert time.monotonic() < until, how
                time.sleep(executor.pause)
            told = executor.collect(one, 0, how)
            assert told.fate in (Fate.FAILED, Fate.LOST)
            executor.forget(one)
        finally:
            executor.close()

    def test_another_executor_finds_what_was_submitted_and_cancels_it(self, tmp_path: Path) -> None:
        asked: list[bool] = []

        with _inside(tmp_path):

            def leave(event: object) -> None:
                if "submitted" in str(getattr(event, "text", "")) and not asked:
                    asked.append(True)
                    raise KeyboardInterrupt

            request = Request(self._command(tmp_path, 60), range(1, 3), on=self.where())
            try:
                execute(request, None, leave)
            except KeyboardInterrupt:
                pass
            from ..runs.away.folder import Submission

            folder = next((tmp_path / ".seedwise" / "away").iterdir())
            rounds = Submission(folder).rounds()
            other = self.make()
            try:
                assert rounds[0].handle
                assert not other.poll(rounds)[0][0].fate.is_over
                (folder / "cancelled").touch()
                other.cancel(rounds)
                until = time.monotonic() + _PATIENCE
                while not all(how.fate.is_over for how in other.poll(rounds)[0].values()):
                    assert time.monotonic() < until
                    time.sleep(other.pause)
                other.forget(rounds[0])
            finally:
                other.close()


@contextmanager
def _inside(folder: Path) -> Iterator[None]:
    before = Path.cwd()
    os.chdir(folder)
    try:
        yield
    finally:
        os.chdir(before)
