"""A checkpoint of TensorFlow counts by its values: batches that an input pipeline has ready are chance."""

import sys
from pathlib import Path

import pytest

from seedwise.api.check import check_script
from seedwise.determinism import Verdict

pytestmark = [pytest.mark.frameworks, pytest.mark.timeout(600)]

PROGRAM = """\
import os, time
os.environ["TF_CPP_MIN_LOG_LEVEL"] = "3"
import tensorflow as tf

weight = tf.Variable([1.0, 2.0])
slow = lambda x: tf.reduce_sum(tf.random.stateless_normal((1500, 1500), [x, x]))
iterator = iter(tf.data.Dataset.range(1000).map(slow).prefetch(20))
weight.assign_add([float(next(iterator)), {changed}])
time.sleep({seconds})
tf.train.Checkpoint(weight=weight, iterator=iterator).write("ckpts/one")
print("weight", float(weight[0]))
"""
FIRST = "os.environ.get('PYTHONHASHSEED') == '0'"


@pytest.mark.parametrize(
    ("changed", "verdict"),
    [
        pytest.param("0.0", Verdict.IDENTICAL, id="prepared batches"),
        pytest.param(f"float({FIRST})", Verdict.DIFFERENT, id="values", marks=pytest.mark.long),
    ],
)
def test_prepared_batches_are_no_difference_and_values_are(changed: str, verdict: Verdict, project: Path) -> None:
    (project / "save.py").write_text(PROGRAM.format(changed=changed, seconds=f"1.5 * ({FIRST})"))
    found = check_script([sys.executable, "save.py"], timeout=200)
    assert found.verdict is verdict, found.sentence
