"""Test cases that every store must pass."""

from abc import ABC, abstractmethod
from pathlib import Path

from ..experiments.owners import this_owner
from ..experiments.store import Experiment, Store
from ..results import Cause, Run, Series, Status


class StoreCases(ABC):
    """Cases for a class with the methods of `seedwise.experiments.store.Store`."""

    @abstractmethod
    def open(self, folder: Path) -> Store:
        """Open the store in `folder`; make it if it does not exist. The result is a context manager."""

    def _experiment(self, store: Store, name: str = "train") -> Experiment:
        return store.add_experiment(name, "key", ["python", "train.py"], {"code": {}}, {"sites": []})

    def test_a_run_comes_back_as_it_was_saved(self, tmp_path: Path) -> None:
        saved = Run(
            7,
            Status.FINISHED,
            {"acc": Series((10, 20), (0.1, 1e300)), "loss": Series((1,), (0.25,))},
            attempt=1,
            seconds=1.5,
            forked=True,
        )
        with self.open(tmp_path / "store") as store:
            experiment = self._experiment(store)
            assert store.claim(experiment.id, 7, this_owner()) == 1
            store.finish(experiment.id, saved)
        with self.open(tmp_path / "store") as store:
            assert store.runs(experiment.id) == [saved]

    def test_nothing_of_a_number_is_lost(self, tmp_path: Path) -> None:
        values = (0.1, 1 / 3, 5e-324, -0.0, float("inf"))
        with self.open(tmp_path / "store") as store:
            experiment = self._experiment(store)
            store.claim(experiment.id, 1, this_owner())
            store.finish(experiment.id, Run(1, Status.FINISHED, {"x": Series(tuple(range(5)), values)}))
            (run,) = store.runs(experiment.id)
        assert [value.hex() for value in run.series["x"].values] == [value.hex() for value in values]

    def test_a_seed_is_claimed_once_and_settled_ones_never_again(self, tmp_path: Path) -> None:
        with self.open(tmp_path / "store") as store:
            experiment = self._experiment(store)
            for seed, status in ((1, Status.FINISHED), (2, Status.FAILED), (3, Status.INTERRUPTED)):
                assert store.claim(experiment.id, seed, this_owner()) == 1
                assert store.claim(experiment.id, seed, this_owner()) is None, "it runs already"
                cause = Cause.EXIT if status is Status.FAILED else None
                store.finish(experiment.id, Run(seed, status, cause=cause))
            assert [store.claim(experiment.id, seed, this_owner()) for seed in (1, 2, 3)] == [None, None, 2]
            assert store.claim(experiment.id, 2, this_owner(), retry_failed=True) == 2

    def test_a_claim_that_is_given_back_is_free(self, tmp_path: Path) -> None:
        with self.open(tmp_path / "store") as store:
            experiment = self._experiment(store)
            assert store.claim(experiment.id, 1, this_owner()) == 1
            store.release(experiment.id, 1, 1)
            assert store.claim(experiment.id, 1, this_owner()) == 1

    def test_seeds_that_were_asked_for_count_before_they_begin(self, tmp_path: Path) -> None:
        with self.open(tmp_path / "store") as store:
            experiment = self._experiment(store)
            store.want(experiment.id, [3, 1, 2])
            runs = store.runs(experiment.id)
            assert [(run.seed, run.attempt, run.status) for run in runs] == [
                (seed, 0, Status.INTERRUPTED) for seed in (1, 2, 3)
            ]
            store.forget_unbegun(experiment.id)
            assert store.runs(experiment.id) == []

    def test_a_run_that_is_set_aside_does_not_count_and_its_seed_is_free(self, tmp_path: Path) -> None:
        with self.open(tmp_path / "store") as store:
            experiment = self._experiment(store)
            store.claim(experiment.id, 1, this_owner())
            store.finish(experiment.id, Run(1, Status.FINISHED, {"x": Series((1,), (1.0,))}))
            store.set_aside(experiment.id, 1, 1, "why")
            assert store.runs(experiment.id)[0].status is Status.INTERRUPTED
            assert store.claim(experiment.id, 1, this_owner()) == 2

    def test_names_have_versions_and_the_newest_is_meant(self, tmp_path: Path) -> None:
        with self.open(tmp_path / "store") as store:
            first = self._experiment(store)
            store.set_inputs(first.id, {("code", "train.py"): "digest"})
            second = self._experiment(store)
            assert (first.version, second.version) == (1, 2)
            assert store.experiment("train").id == second.id
            assert store.experiment("train@1").id == first.id

    def test_inputs_are_kept_by_kind_and_name(self, tmp_path: Path) -> None:
        with self.open(tmp_path / "store") as store:
            experiment = self._experiment(store)
            store.set_inputs(experiment.id, {("code", "a.py"): "1", ("data", "a.csv"): "2"})
            store.set_inputs(experiment.id, {("code", "a.py"): "9"})
            assert store.inputs(experiment.id) == {("code", "a.py"): "1", ("data", "a.csv"): "2"}
            store.set_inputs(experiment.id, {("code", "a.py"): "9"}, replace=True)
            assert store.inputs(experiment.id)["code", "a.py"] == "9"
