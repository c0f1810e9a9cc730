"""Runs whose sources vary are forked from the script's first lines, and are what fresh ones are."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

import seedwise as sw
from tests.sources.test_apart import ALL, lines

pytest.importorskip("torch")
pytestmark = pytest.mark.slow
Script = Callable[..., list[str]]


def drawn(run: sw.Run) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(Path(str(run.folder), "drawn.json").read_text())
    return found


def test_a_forked_run_prints_and_draws_what_a_fresh_one_does(script: Script, forked: list[int]) -> None:
    command, sources = script(ALL), ("init", "augment", "split")
    runs = sw.run_script(command, [1, 2, 3], vary=sources, name="forked", jobs=1)
    assert forked == [2, 3]
    fresh = sw.run_script(command, [2, 3], vary=sources, name="fresh", fresh=True)
    for one, other in zip(runs.finished[1:], fresh.finished, strict=True):
        assert lines(one) == lines(other)
        assert drawn(one) == drawn(other)
    assert any("compared with fresh ones under seed 1: the same" in text for text in (*runs.notes, str(runs)))


@pytest.mark.parametrize(
    "draws", ["random.Random(4).random()", "np.random.default_rng(4).normal()", "np.random.PCG64(4).random_raw()"]
)
def test_what_draws_from_a_generator_of_its_own_is_left_to_each_run(
    script: Script, forked: list[int], executed_once: Callable[[int], bool], draws: str
) -> None:
    text = f"import random\nimport numpy as np\nlist(range(3))\nx = {draws}\nprint('acc =', x)\n"
    results = sw.run_script(script(text), [1, 2, 3], vary="other", jobs=1)
    assert forked == [2, 3]
    assert executed_once(3)
    assert not executed_once(4)
    assert len(set(results.scores("acc").values.tolist())) == 3


def test_one_experiment_of_a_design_is_compared_at_length_and_the_others_trust_it(
    script: Script, forked: list[int]
) -> None:
    text = """
import numpy as np
np.random.seed(3)
def init_weights():
    return np.random.normal()
print("acc =", init_weights() + np.random.permutation(9)[0] / 9)
"""
    found = sw.decompose(script(text), ("init", "order"), n=3, jobs=1)
    kept = [sw.load(name) for name in found.members]
    assert [len(results.finished) for results in kept] == [3, 3, 3, 3]
    assert len(forked) >= 7  # of twelve runs: seed 1 of the first experiment is fresh, and its second is compared
