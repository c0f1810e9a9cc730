"""Article 1's network under a thousand seeds, trained together: what picking the best seed would have claimed."""

import os
import shutil
import sys
from importlib.util import find_spec
from pathlib import Path

from ..api.plan import expected_best
from ..api.summary import summarize_all
from ..batched.command import BatchedRequest, execute_batched
from ..errors import UsageError
from ..metrics.choose import parse_metric
from ..reports.live import showing
from ..reports.page import lay_out
from ..reports.report import report_of
from ..reports.screen import screen_of
from ..results import Results
from .people import generate

FOLDER = Path("seedwise-demo-lottery")
TEST, NEW = "test_accuracy", "test_accuracy_of_new_people"
_TRIED = 10
_TRAIN_ROWS, _TEST_ROWS, _NEW_ROWS = 200, 40, 2000


def run(data: str | None, n: int) -> int:
    """Train n seeds together, and say what the luckiest of them would have claimed. Returns the exit code."""
    if find_spec("torch") is None:
        raise UsageError(
            "this demo trains with torch, which is not installed: pip install torch==2.13.0 (the build for CPU)"
        )
    if data is not None and not Path(data).is_file():
        raise UsageError(f"--data {data}: no such file")
    _prepare(data)
    os.chdir(FOLDER)
    print(f"$ cd {FOLDER}\n$ seedwise run -n {n} --batched lottery.py:experiment", flush=True)
    asked = [parse_metric(name) for name in ([TEST, NEW] if data is None else ["train_accuracy"])]
    with showing() as live:
        request = BatchedRequest(["lottery.py:experiment"], range(1, n + 1), "lottery", asked)
        outcome = execute_batched(request, str(Path.cwd() / ".seedwise"), live)
    print(lay_out(report_of(outcome.results, summarize_all(outcome.results)), screen_of(sys.stdout)))
    print("\n" + "\n".join(what_picking_claims(outcome.results)))
    if outcome.interrupted:
        return 130
    return 0 if outcome.complete and not outcome.results.failed else 3


def what_picking_claims(results: Results) -> list[str]:
    """What somebody who tries seeds and reports the best one would claim, and what it is worth."""
    scores = results.scores(results.metrics[0].name)
    if len(scores) < 2:
        return ["One seed shows no spread: -n 1000"]
    values = scores.by_seed
    best, worst = max(values, key=lambda seed: values[seed]), min(values, key=lambda seed: values[seed])
    mean = float(scores.values.mean())
    lines = [
        f"The best seed is {best} with {values[best]:.4f}, the worst {worst} with {values[worst]:.4f}; the mean is {mean:.4f}."
    ]
    if len(scores) > _TRIED:
        claimed = expected_best(scores, _TRIED)
        lines.append(
            f"Who tries {_TRIED} seeds and reports the best claims {claimed:.4f}, {claimed - mean:+.4f} by luck alone; who tries all "
            f"{len(scores)} claims {values[best]:.4f}, {values[best] - mean:+.4f}."
        )
    if any(metric.name == NEW for metric in results.metrics):
        new = results.scores(NEW)
        lines.append(
            f"For {_NEW_ROWS:,} new people the network of seed {best} is right with {new[best]:.4f}, where the mean of all seeds is "
            f"{float(new.values.mean()):.4f}: what was picked on {_TEST_ROWS} rows does not come back."
        )
    return lines


def _prepare(data: str | None) -> None:
    FOLDER.mkdir(exist_ok=True)
    shutil.copyfile(Path(__file__).with_name("scripts") / "lottery.py", FOLDER / "lottery.py")
    test = FOLDER / "people_test.txt"
    if data is not None:
        shutil.copyfile(data, FOLDER / "people_train.txt")
        test.unlink(missing_ok=True)
        print(f"Data: your file {data}; accuracy is that of its own rows.")
        return
    head, *rows = generate(_TRAIN_ROWS + _TEST_ROWS + _NEW_ROWS).splitlines()
    (FOLDER / "people_train.txt").write_text("\n".join([head, *rows[:_TRAIN_ROWS]]) + "\n")
    test.write_text("\n".join([head, *rows[_TRAIN_ROWS:]]) + "\n")
    print(
        f"Data: made-up people in the form of the article's file: {_TRAIN_ROWS} to train, {_TEST_ROWS} to test, {_NEW_ROWS:,} new ones; "
        "--data FILE takes the author's own."
    )
