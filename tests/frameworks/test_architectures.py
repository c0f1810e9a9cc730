"""The claim of docs/architectures.md: the same seeds spread a transformer further than a plain network."""

import shutil
import sys
from pathlib import Path

import pytest

import seedwise as sw
from seedwise.api.script import run_script

SCRIPT = Path(__file__).parents[2] / "docs" / "examples" / "architectures.py"


@pytest.mark.long
@pytest.mark.frameworks
@pytest.mark.timeout(400)
def test_the_seed_moves_a_transformer_more_than_a_plain_network(project: Path) -> None:
    shutil.copy(SCRIPT, project)
    scores = [
        run_script([sys.executable, SCRIPT.name, net], range(1, 13), name=net, keep=["split"]).scores("test_accuracy")
        for net in ("mlp", "transformer")
    ]
    found = sw.compare(*scores)
    assert found.spread_interval is not None
    assert found.spread_interval[1] < 0.8
