"""Runs that are read while others write: nothing is missed, what is known is not read again, and nobody waits."""

import sqlite3
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest

import seedwise as sw
from seedwise.errors import StoreError, UsageError
from seedwise.experiments import growing
from seedwise.experiments.growing import Growing
from seedwise.experiments.store import Store, open_store
from seedwise.results import Status

from ..web.stored import Sweep


def test_after_every_step_the_runs_are_those_of_the_store(project: Path) -> None:
    sweep = Sweep(project)
    with open_store(reading=True) as store:
        followed = Growing(store, "base")

        def same(changes: bool = True) -> None:
            assert followed.look() is changes
            assert followed.runs() == sweep.store.runs(sweep.experiment.id)
            assert followed.look() is False

        sweep.want(1, 2, 3, 4)
        same()
        sweep.claim(2, "epoch 1\n")
        same()
        assert [one.seed for one in followed.going()] == [2]
        sweep.finish(2, 0.5)
        same()
        sweep.ran(1)
        same()
        sweep.store.set_aside(sweep.experiment.id, 2, 1, "not the same as a fresh one")
        same()
        sweep.ran(2, 0.25)
        same()
        sweep.claim(3)
        sweep.store.release(sweep.experiment.id, 3, 1)
        same(changes=False)
        sweep.claim(4, owner="elsewhere:1:2:1")  # a command on a machine that has not been heard of
        followed.look()
        assert followed.runs()[-1].status is Status.INTERRUPTED
        assert followed.runs() == sweep.store.runs(sweep.experiment.id)


def test_results_are_those_that_load_gives(project: Path) -> None:
    sweep = Sweep(project)
    for seed in range(1, 6):
        sweep.ran(seed, seed / 10 if seed < 5 else None)
    with open_store(reading=True) as store:
        followed = Growing(store, "base", ["acc:max"])
        followed.look()
        assert followed.results() == sw.load("base", metric="acc:max")


def test_only_what_changed_is_read_a_few_rows_at_a_time_and_nobody_has_to_wait(
    project: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(growing, "_HEADS", 5)
    monkeypatch.setattr(growing, "_RUNS", 3)
    sweep = Sweep(project)
    for seed in range(1, 13):
        sweep.ran(seed, seed / 10)
    writer = sqlite3.connect(project / ".seedwise" / "store.sqlite", timeout=0, isolation_level=None)
    read: list[int] = []
    rows = Store._rows

    def watched(self: Store, query: str, values: Sequence[Any] = ()) -> list[tuple[Any, ...]]:
        found = rows(self, query, values)
        if "FROM series" in query or "coalesce(started" in query:
            read.append(len(found))
        writer.execute("BEGIN EXCLUSIVE")  # raises at once if a lock is held
        writer.execute("ROLLBACK")
        return found

    with open_store(reading=True) as store:
        monkeypatch.setattr(Store, "_rows", watched)
        followed = Growing(store, "base")
        followed.look()
        assert read == [5, 5, 2, 3, 3, 3, 3]
        monkeypatch.undo()
        sweep.ran(13, 1.3)
        monkeypatch.setattr(Store, "_rows", watched)
        monkeypatch.setattr(growing, "_HEADS", 50)
        read.clear()
        followed.look()
        assert read == [13, 1]
    writer.close()


def test_a_command_that_was_killed_runs_nothing_any_more(project: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    sweep = Sweep(project)
    sweep.claim(1)
    with open_store(reading=True) as store:
        followed = Growing(store, "base")
        followed.look()
        assert followed.runs()[0].status is Status.RUNNING
        monkeypatch.setattr("seedwise.experiments.store.is_alive", lambda owner, folder: False)
        assert followed.look(written=False)
        assert followed.runs()[0].status is Status.INTERRUPTED
        assert followed.going() == []
        monkeypatch.setattr("seedwise.experiments.store.is_alive", lambda owner, folder: True)  # it was only away
        assert followed.look(written=False)
        assert followed.runs()[0].status is Status.RUNNING
        assert [one.seed for one in followed.going()] == [1]


def test_who_only_reads_changes_nothing(project: Path) -> None:
    sweep = Sweep(project)
    sweep.ran(1, 0.5)
    with open_store(reading=True) as store, pytest.raises(StoreError, match="readonly"):
        store.want(sweep.experiment.id, [9])
    assert [run.seed for run in sweep.store.runs(sweep.experiment.id)] == [1]


def test_an_experiment_that_is_removed_meanwhile_is_said_to_be_gone(project: Path) -> None:
    sweep = Sweep(project)
    sweep.ran(1, 0.5)
    with open_store(reading=True) as store:
        followed = Growing(store, "base")
        followed.look()
        sweep.store.drop_experiment(sweep.experiment.id)
        with pytest.raises(UsageError, match="no experiment"):
            followed.look()


def test_a_store_that_somebody_writes_is_not_looked_through(project: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from seedwise.experiments.owners import Owner

    sweep = Sweep(project)
    sweep.ran(1, 0.5)
    asked: list[str] = []
    rows = Store._rows
    monkeypatch.setattr(
        Store, "_rows", lambda self, query, values=(): (asked.append(query), rows(self, query, values))[1]
    )
    age = [1.0]
    monkeypatch.setattr("seedwise.experiments.store._left_over", lambda journal: age[0])
    with Owner(project / ".seedwise"):
        open_store().close()
        assert not any("quick_check" in query for query in asked)
        age[0] = 600.0  # nobody writes for so long: it was left by somebody who is gone
        open_store().close()
        assert any("quick_check" in query for query in asked)
    asked.clear()
    age[0] = 1.0
    open_store().close()
    assert any("quick_check" in query for query in asked)
