"""A store as a command that runs seeds leaves it, written step by step."""

from pathlib import Path

from seedwise.experiments.owners import this_owner
from seedwise.experiments.store import Experiment, Store
from seedwise.results import Cause, Run, Series, Status

PLAN = {"sites": [], "number": None, "kept": [], "remarks": [], "split_uses": []}


class Sweep:
    """A command that runs seeds of one experiment."""

    def __init__(self, folder: Path, name: str = "base", command: tuple[str, ...] = ("python", "train.py")) -> None:
        manifest = {
            "command": list(command),
            "folder": str(folder),
            "mode": "placeholder",
            "python": "3.11",
            "threads": 1,
        }
        self.store = Store(folder / ".seedwise")
        self.experiment: Experiment = self.store.add_experiment(
            name, name.ljust(12, "0"), list(command), manifest, PLAN
        )

    def want(self, *seeds: int) -> None:
        self.store.want(self.experiment.id, seeds)

    def claim(self, seed: int, printed: str = "", owner: str = "") -> Path:
        """Begin a run. Returns its folder."""
        attempt = self.store.claim(self.experiment.id, seed, owner or this_owner(), retry_failed=True)
        assert attempt is not None
        self.attempt = attempt
        folder = self.store.run_folder(self.experiment, seed, attempt)
        folder.mkdir(parents=True)
        (folder / "stdout").write_text(printed)
        (folder / "stderr").write_text("")
        return folder

    def finish(
        self, seed: int, value: float | None = None, metrics: tuple[str, ...] = ("acc",), steps: int = 3
    ) -> None:
        """End a run; without a value it failed."""
        folder = str(self.store.run_folder(self.experiment, seed, self.attempt))
        if value is None:
            run = Run(seed, Status.FAILED, {}, 0, self.attempt, Cause.EXCEPTION, "boom", 2.0, folder)
        else:
            numbers = tuple(value * (k + 1) / steps for k in range(steps))
            series = {metric: Series(tuple(range(1, steps + 1)), numbers) for metric in metrics}
            run = Run(seed, Status.FINISHED, series, 0, self.attempt, None, "", 2.0, folder)
        self.store.finish(self.experiment.id, run)

    def ran(self, seed: int, value: float | None = None, printed: str = "") -> None:
        self.claim(seed, printed)
        self.finish(seed, value)
