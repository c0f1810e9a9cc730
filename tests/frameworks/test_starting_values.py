"""The claims of docs/starting-values.md."""

import importlib.util
import shutil
import sys
from pathlib import Path
from types import ModuleType

import pytest

import seedwise as sw
from seedwise.demos.steps import SCRIPTS

pytestmark = [pytest.mark.frameworks, pytest.mark.timeout(400)]


@pytest.fixture
def sunspots(project: Path, monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    for name in ("forecast.py", "sunspots.csv"):
        shutil.copy(SCRIPTS / name, project)
    spec = importlib.util.spec_from_file_location("forecast", project / "forecast.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    monkeypatch.setitem(sys.modules, "forecast", module)
    spec.loader.exec_module(module)
    return module


@pytest.mark.long
def test_each_start_has_the_troubles_that_the_page_names(sunspots: ModuleType) -> None:
    import torch

    x, y, *_ = sunspots.data()

    def troubles(init: str) -> set[str]:
        found = sw.diagnose(
            lambda: sunspots.build(init=init),
            (x, y),
            loss=torch.nn.functional.mse_loss,
            optimizer=sunspots.OPTIMIZERS["adam"],
            epochs=40,
            seeds=(1, 2, 3),
        )
        return {finding.trouble.value for finding in found.findings}

    assert troubles("he") == {"different basins"}
    assert {"identical units", "vanishing gradients", "dead units"} <= troubles("zeros")
    assert "vanishing gradients" in troubles("small")


def test_the_average_of_several_seeds_forecasts_better_than_one(sunspots: ModuleType) -> None:
    results = sw.run(sunspots.train, range(1, 13))
    found = sw.ensemble(results)
    assert "is better than a single run" in found.sentence
