"""What counts where a resumed training is held against the uninterrupted one, on traces made by hand."""

from typing import Any

import pytest

from seedwise.determinism.lines import Readings
from seedwise.determinism.resuming.checkpoints import Checkpoint
from seedwise.determinism.resuming.comparing import Comparison, Left, compare_resumed
from seedwise.determinism.trace import Trace

AT = Checkpoint(0, ("state.pt",), ("train.py:9",), 1, 1, 1)
LOG = '{"step": 20, "loss": 2.5}\n{"step": 40, "loss": 1.5, "lr": 0.1}\n{"step": 40, "train_loss": %s}\n'


def log(train_loss: str, frameworks: tuple[str, ...], loss: str = "1.5") -> Trace:
    content = (LOG % train_loss).replace("1.5", loss)
    resuming: dict[str, Any] = {"frameworks": frameworks}
    return Trace(0, "", "", files={"log.jsonl": content}, contents={"log.jsonl": content}, resuming=resuming)


def compared(whole: Trace, part: Trace, said: frozenset[str] = frozenset(), printed: str = "") -> Comparison:
    left = Left({}, printed, frozenset(), said, same_command=True)
    return compare_resumed(whole, part, AT, left, 1e-4, Readings(), every_word=True)


@pytest.mark.parametrize(
    ("frameworks", "loss", "same"),
    [(("transformers",), "1.5", True), (("transformers",), "1.6", False), ((), "1.5", False)],
)
def test_what_transformers_takes_over_the_steps_of_one_call_counts_nowhere(
    frameworks: tuple[str, ...], loss: str, same: bool
) -> None:
    found = compared(log("0.91", frameworks), log("0.44", frameworks, loss))
    assert (not found.difference) == same, found.difference.what


def test_of_lines_without_numbers_those_count_that_each_uninterrupted_run_prints() -> None:
    whole, part = Trace(0, "[gx] new run\nconverged\n", ""), Trace(0, "[hy] goes on\nconverged\n", "")
    assert not compared(whole, part, frozenset({"converged"}), "[iz] new run\n").difference
    assert compared(whole, part, frozenset({"converged", "[gx] new run"}), "[iz] new run\n").difference
