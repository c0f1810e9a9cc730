"""The store: claims, what is saved, versions, damage."""

import multiprocessing as mp
import os
import sqlite3
import time
from pathlib import Path

import pytest

from seedwise.errors import StoreError, UsageError
from seedwise.experiments.layout import VERSION
from seedwise.experiments.owners import Owner, is_alive, this_owner
from seedwise.experiments.store import Experiment, Store
from seedwise.results import Cause, Metric, Reduce, Run, Series, Status


def add(store: Store, name: str = "train", key: str = "k") -> Experiment:
    return store.add_experiment(name, key, ["python", "train.py"], {"code": {}}, {"sites": []})


def test_a_run_comes_back_as_it_was_saved(tmp_path: Path) -> None:
    with Store(tmp_path / "s") as store:
        experiment = add(store)
        saved = Run(
            7,
            Status.FINISHED,
            {"loss": Series((1, 2), (0.5, float("nan"))), "acc": Series((10, 20), (0.1, 1e300))},
            attempt=1,
            seconds=1.5,
            folder=str(tmp_path / "s" / "runs" / "e@1" / "seed-7"),
        )
        assert store.claim(experiment.id, 7, this_owner()) == 1
        store.finish(experiment.id, saved)
    with Store(tmp_path / "s") as store:
        (run,) = store.runs(experiment.id)
        assert list(run.series) == ["loss", "acc"]
        assert run.series["acc"] == saved.series["acc"]
        assert repr(run.series["loss"]) == repr(saved.series["loss"])
        assert (run.status, run.seconds, run.folder) == (Status.FINISHED, 1.5, saved.folder)


def test_a_finished_or_failed_seed_is_never_claimed_again(tmp_path: Path) -> None:
    with Store(tmp_path / "s") as store:
        experiment = add(store)
        for seed, status in ((1, Status.FINISHED), (2, Status.FAILED), (3, Status.INTERRUPTED)):
            store.claim(experiment.id, seed, this_owner())
            store.finish(experiment.id, Run(seed, status, cause=Cause.EXIT if status is Status.FAILED else None))
        assert [store.claim(experiment.id, seed, this_owner()) for seed in (1, 2, 3)] == [None, None, 2]


def test_a_seed_of_a_living_supervisor_is_its_own_and_of_a_dead_one_free(tmp_path: Path) -> None:
    host, pid, started = this_owner().split(":")
    with Store(tmp_path / "s") as store:
        experiment = add(store)
        assert store.claim(experiment.id, 1, this_owner()) == 1
        assert store.claim(experiment.id, 1, "other") is None
        assert store.claim(experiment.id, 2, f"{host}:{pid}:0.reused") == 1
        assert store.runs(experiment.id)[1].status is Status.INTERRUPTED
        assert store.claim(experiment.id, 2, this_owner()) == 2
    assert is_alive(this_owner(), tmp_path)
    assert not is_alive(f"{host}:{2**22 - 1}:{started}", tmp_path)


def test_a_supervisor_on_another_machine_is_dead_when_it_has_been_silent_for_five_minutes(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with Store(tmp_path) as store, monkeypatch.context() as there:
        experiment = add(store)
        there.setattr("socket.gethostname", lambda: "another-machine")
        with Owner(tmp_path) as owner:
            assert store.claim(experiment.id, 1, owner.name) == 1
            there.undo()
            assert store.claim(experiment.id, 1, this_owner()) is None
            (beat,) = (tmp_path / "owners").iterdir()
            os.utime(beat, (0, time.time() - 200))
            assert store.claim(experiment.id, 1, this_owner()) is None
            os.utime(beat, (0, time.time() - 400))
            assert store.runs(experiment.id)[0].status is Status.INTERRUPTED
            assert store.claim(experiment.id, 1, this_owner()) == 2
    assert not list((tmp_path / "owners").iterdir())


def _claim_all(folder: str, experiment: int, queue: "mp.Queue[list[int]]") -> None:
    with Store(Path(folder)) as store:
        queue.put([seed for seed in range(20) if store.claim(experiment, seed, this_owner()) is not None])


def test_many_processes_claim_each_seed_once(tmp_path: Path) -> None:
    with Store(tmp_path / "s") as store:
        experiment = add(store)
    queue: mp.Queue[list[int]] = mp.get_context("spawn").Queue()
    processes = [
        mp.get_context("spawn").Process(target=_claim_all, args=(str(tmp_path / "s"), experiment.id, queue))
        for _ in range(4)
    ]
    for process in processes:
        process.start()
    claimed = [seed for _ in processes for seed in queue.get(timeout=60)]
    for process in processes:
        process.join()
    assert sorted(claimed) == list(range(20))


def test_versions_of_a_name(tmp_path: Path) -> None:
    with Store(tmp_path / "s") as store:
        assert [add(store, key=key).label for key in ("a", "a", "b")] == ["train", "train", "train@2"]
        assert store.experiment("train").key == "b"
        assert store.experiment("train@1").key == "a"
        with pytest.raises(UsageError, match="train@1, train@2"):
            store.experiment("nix")


def test_asked_metrics_are_remembered(tmp_path: Path) -> None:
    asked = (Metric("acc", None, False, Reduce.MEAN, "acc (.*)"),)
    with Store(tmp_path / "s") as store:
        experiment = add(store)
        store.set_metrics(experiment, asked)
        assert store.experiment("train").metrics == asked


def test_seeds_that_were_asked_for_count_before_they_begin(tmp_path: Path) -> None:
    with Store(tmp_path / "s") as store:
        experiment = add(store)
        store.want(experiment.id, [1, 2, 3])
        store.claim(experiment.id, 2, this_owner())
        store.finish(experiment.id, Run(2, Status.FINISHED))
        assert [(run.seed, run.status.value) for run in store.runs(experiment.id)] == [
            (1, "interrupted"),
            (2, "finished"),
            (3, "interrupted"),
        ]
        assert store.counts()[experiment.id] == {"finished": 1, "interrupted": 2}


def test_a_newer_layout_is_refused_and_left_alone(tmp_path: Path) -> None:
    Store(tmp_path / "s").close()
    with sqlite3.connect(tmp_path / "s" / "store.sqlite") as db:
        db.execute(f"PRAGMA user_version = {VERSION + 6}")
    before = (tmp_path / "s" / "store.sqlite").read_bytes()
    with pytest.raises(StoreError, match=f"newer Seedwise \\(layout {VERSION + 6}"):
        Store(tmp_path / "s")
    assert (tmp_path / "s" / "store.sqlite").read_bytes() == before


def test_damage_is_named_and_nothing_is_overwritten(tmp_path: Path) -> None:
    folder = tmp_path / "s"
    folder.mkdir()
    (folder / "store.sqlite").write_bytes(b"this is no database, though it is long enough to look like one" * 40)
    before = (folder / "store.sqlite").read_bytes()
    with pytest.raises(StoreError, match="damaged"):
        Store(folder)
    assert (folder / "store.sqlite").read_bytes() == before


def test_a_folder_that_cannot_be_made_is_an_error_in_words(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(StoreError, match="store or SEEDWISE_STORE"):
        Store(tmp_path / "file" / "s")


def test_a_store_of_layout_1_is_read(tmp_path: Path) -> None:
    """A file written by 0.1.0, checked in: every later version must go on reading it."""
    import shutil

    folder = tmp_path / "s"
    folder.mkdir()
    shutil.copy(Path(__file__).parent.parent / "golden" / "store-1.sqlite", folder / "store.sqlite")
    with Store(folder) as store:
        experiment = store.experiment("old")
        runs = store.runs(experiment.id)
    assert [(run.seed, run.status.value) for run in runs] == [(1, "finished"), (2, "failed"), (3, "interrupted")]
    assert runs[0].series["acc"].values == (0.25, 0.5)


def test_the_journal_is_a_rollback_journal(tmp_path: Path) -> None:
    with Store(tmp_path / "s") as store:
        add(store)
        assert store._db.execute("PRAGMA journal_mode").fetchone()[0] == "truncate"
    assert sorted(os.listdir(tmp_path / "s")) == [".gitignore", "store.sqlite", "store.sqlite-journal"]


def test_the_store_is_looked_for_up_to_the_projects_root_and_no_further(tmp_path: Path) -> None:
    from seedwise.experiments.store import find_folder

    Store(tmp_path / ".seedwise").close()
    inner = tmp_path / "project" / "deep"
    inner.mkdir(parents=True)
    assert find_folder(inner) == inner / ".seedwise"
    (tmp_path / "project" / ".git").mkdir()
    assert find_folder(inner) == inner / ".seedwise"
    Store(tmp_path / "project" / ".seedwise").close()
    assert find_folder(inner) == tmp_path / "project" / ".seedwise"
