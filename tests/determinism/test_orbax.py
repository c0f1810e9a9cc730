"""Checkpoints of Orbax, which writes in C++ and names a folder when it is complete: they count by the arrays that they hold."""

import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from seedwise.api.check import check_script
from seedwise.api.resume import check_resume_script
from seedwise.determinism import Verdict
from seedwise.determinism.resuming import Resumed

pytestmark = [pytest.mark.frameworks, pytest.mark.timeout(600)]
Script = Callable[..., list[str]]

SAVES = """\
import os
import jax, numpy as np, orbax.checkpoint as ocp
here = os.path.abspath("out")
tree = {{"w": jax.numpy.arange(3.0) + {changed}, "n": 2, "key": jax.random.PRNGKey(0)}}
ocp.PyTreeCheckpointer().save(here + "/tree", tree)
with ocp.CheckpointManager(here + "/managed") as manager:
    kept = ocp.args.Composite(state=ocp.args.StandardSave(tree), key=ocp.args.JaxRandomKeySave(jax.random.key(2)))
    manager.save(1, args=kept)
    manager.wait_until_finished()
"""
FIRST = "float(os.environ.get('PYTHONHASHSEED') == '0')"


@pytest.mark.parametrize(
    ("changed", "verdict"),
    [
        pytest.param("0.0", Verdict.IDENTICAL, id="files with drawn names and dates"),
        pytest.param(FIRST, Verdict.DIFFERENT, id="values", marks=pytest.mark.long),
    ],
)
def test_a_checkpoint_counts_by_its_arrays(changed: str, verdict: Verdict, project: Path) -> None:
    (project / "save.py").write_text(SAVES.format(changed=changed))
    found = check_script([sys.executable, "save.py"], timeout=200)
    assert found.verdict is verdict, found.sentence


TRAINS = """\
import os
import jax, numpy as np, orbax.checkpoint as ocp

def update(state):
    key, drawn = jax.random.split(state["key"])
    return {"w": state["w"] * 0.9 + jax.random.normal(drawn, (3,)), "key": key, "step": state["step"] + 1}

state = {"w": jax.numpy.zeros(3), "key": jax.random.PRNGKey(0), "step": 0}
with ocp.CheckpointManager(os.path.abspath("ckpts"), options=ocp.CheckpointManagerOptions(max_to_keep=2)) as manager:
    last = manager.latest_step()
    if last is not None:
        state = manager.restore(last, args=ocp.args.StandardRestore(state))
    for step in range(int(state["step"]), 8):
        state = update(state)
        print("step", step, float(state["w"][0]))
        if step % 2:
            manager.save(step, args=ocp.args.StandardSave(state))
            manager.wait_until_finished()
np.savez("end.npz", w=np.asarray(state["w"]))
"""
LOST = TRAINS.replace("    for step in range", '    state["key"] = jax.random.PRNGKey(0)\n    for step in range')


def test_a_training_resumes_from_a_folder_and_what_was_lost_is_named(script: Script) -> None:
    found = check_resume_script(script(TRAINS))
    assert found.verdict is Resumed.IDENTICAL, found.sentence
    assert (found.saved_at, found.loaded_at) == ("train.py:17", "train.py:12")


@pytest.mark.long
def test_the_key_that_was_lost_is_named(script: Script) -> None:
    found = check_resume_script(script(LOST))
    assert found.verdict is Resumed.DIFFERENT, found.sentence
    assert found.cause.startswith("key of jax.random (state['key']"), found.sentence
