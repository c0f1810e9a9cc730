"""Recorded terminal sessions: what a person reads in the most common situations, at four widths.

Each file of `tests/golden/sessions` is one situation. To record them anew after a deliberate change, and then read the
difference: `SEEDWISE_RECORD=1 pytest -m slow tests/cli/test_sessions.py`.
"""

import contextlib
import os
import re
import shutil
import sqlite3
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import pytest
from rich.cells import cell_len

import seedwise as sw
from seedwise.experiments.store import Store

from .terminal import Session, session

pytestmark = [pytest.mark.slow, pytest.mark.timeout(300)]
GOLDEN = Path(__file__).parents[1] / "golden" / "sessions"
WIDTHS = (60, 80, 100, 160)
PY = "PYTHON"

TRAIN = """import random, sys
seed = 42
random.seed(seed)
lr = float(sys.argv[1]) if len(sys.argv) > 1 else 0.1
base = 0.7 + lr / 2
for epoch in range(3):
    print(f"epoch {epoch} train_loss={1 / (epoch + 1) + random.random() / 9:.4f} val_acc={base + random.gauss(0, .02):.4f}")
print(f"test_acc={base + random.gauss(0, .02):.4f} test_loss={1 - base + random.gauss(0, .02):.4f}")
"""
SCRIPTS = {
    "train.py": TRAIN,
    "fails.py": TRAIN + "if seed in (3, 5):\n    raise RuntimeError('the loss is not a number')\n",
    "broken.py": "import random\nrandom.seed(42)\nraise ValueError('no such file: data.csv')\n",
    "silent.py": "import random\nseed = 42\nrandom.seed(seed)\nprint('done')\n",
    "aimless.py": "import random\nrandom.seed(42)\nprint('zeta =', round(random.random(), 3))\n",
    "equal.py": "import random\nrandom.seed(42)\nprint('bleu =', round(random.random(), 3), 'rouge =', round(random.random(), 3))\n",
    "constant.py": "seed = 42\nprint('acc = 0.5')\n",
    "function.py": "import random\n\ndef train(seed, lr=0.1):\n    return {'acc': 0.8 + lr * random.Random(seed).random()}\n",
    "unseeded.py": "import random\nprint(f'acc = {random.random():.4f}')\n",
}


@dataclass(frozen=True)
class Situation:
    """What is typed, and how the terminal is set up."""

    words: tuple[str, ...]
    environment: tuple[tuple[str, str], ...] = ()


def typed(line: str, **environment: str) -> Situation:
    return Situation(tuple(line.split()), tuple(environment.items()))


SITUATIONS = {
    "01-run": typed(f"run -n 5 --fresh --name first -- {PY} train.py"),
    "02-run-more-seeds": typed(f"run -n 8 --fresh --name base -- {PY} train.py 0.1"),
    "03-run-nothing-left-to-do": typed(f"run -n 6 --fresh --name base -- {PY} train.py 0.1"),
    "04-run-some-fail": typed(f"run -n 6 -j 1 --fresh -- {PY} fails.py"),
    "05-run-all-fail": typed(f"run -n 3 -j 1 --fresh -- {PY} broken.py"),
    "06-run-no-metric": typed(f"run -n 3 --fresh -- {PY} silent.py"),
    "07-run-goal-unknown": typed(f"run -n 4 --fresh -- {PY} aimless.py"),
    "08-run-two-results": typed(f"run -n 4 --fresh -- {PY} equal.py"),
    "09-run-same-under-every-seed": typed(f"run -n 4 --fresh -- {PY} constant.py"),
    "10-run-function": typed("run -n 5 --fresh function.py:train --set lr=0.2"),
    "11-show-the-newest": typed("show"),
    "12-show-some-failed": typed("show half"),
    "13-list": typed("list"),
    "14-log": typed("log base --seed 2"),
    "15-compare-better": typed("compare new base"),
    "16-compare-undecided": typed("compare twin base"),
    "17-compare-three": typed("compare new base twin"),
    "18-compare-tasks-in-a-file": typed("compare tasks.csv --by model --task env"),
    "19-summarize-a-file": typed("summarize scores.csv"),
    "20-plan": typed("plan --effect 0.01 --sd 0.02"),
    "21-sites": typed("sites train.py"),
    "22-check": typed(f"check -- {PY} unseeded.py"),
    "23-show-unknown-name": typed("show bas"),
    "24-ending-not-known": typed("show base -o table.docx"),
    "25-table-for-a-paper": typed("show base --format latex"),
    "26-no-colour": typed("compare new base", NO_COLOR="1"),
    "27-ascii": typed("show base", PYTHONIOENCODING="ascii", PYTHONUTF8="0"),
    "28-dumb-terminal": typed(f"run -n 2 -j 1 --fresh --name dumb -- {PY} train.py", TERM="dumb"),
}


@pytest.fixture(scope="module")
def ready() -> Iterator[Path]:
    """A project with experiments whose times are known."""
    with tempfile.TemporaryDirectory(prefix="s-", dir="/tmp") as place:  # a short path of the same length everywhere
        yield _made(Path(place) / "project")


def _made(folder: Path) -> Path:
    folder.mkdir()
    for name, text in SCRIPTS.items():
        (folder / name).write_text(text)
    rows = [
        f"{m},{e},{s},{0.5 + 0.1 * k + 0.03 * ((s * (j + 2)) % 5):.3f}"
        for k, m in enumerate(("big", "small"))
        for j, e in enumerate(("hop", "run", "swim"))
        for s in range(5)
    ]
    (folder / "tasks.csv").write_text("\n".join(["model,env,seed,score", *rows]) + "\n")
    (folder / "scores.csv").write_text(
        "seed,acc\n" + "".join(f"{s},{0.8 + 0.01 * ((s * 3) % 7):.2f}\n" for s in range(12))
    )
    python = sys.executable
    with contextlib.chdir(folder):
        for name, lr, n in (("base", "0.1", 6), ("new", "0.3", 6), ("twin", "0.11", 6), ("base", "0.15", 4)):
            sw.run_script([python, "train.py", lr], range(1, n + 1), name=name, fresh=True)
        sw.run_script([python, "fails.py"], range(1, 7), name="half", fresh=True)
        sw.run_script([python, "train.py", "0.1"], range(1, 7), name="last", fresh=True)
        _set_times(folder / ".seedwise")
    return folder


def _set_times(folder: Path) -> None:
    """Every run took 1.5 s, hours ago."""
    with Store(folder) as store:
        every = store.experiments()
        for experiment in every:
            for run in store.runs(experiment.id):
                store.finish(experiment.id, replace(run, seconds=1.5))
    with contextlib.closing(sqlite3.connect(folder / "store.sqlite")) as db:
        for k, experiment in enumerate(reversed(every)):
            db.execute(
                "UPDATE runs SET started = ? WHERE experiment = ?", (time.time() - 3700 * (k + 2), experiment.id)
            )
        db.commit()


MASKS = (
    (r"(?m)^1 thread \(your plain run: .*\n", ""),
    (r"\b\d+(\.\d+)? (s|min \d\d s)(?=[\s;.,)]|$)", "T s"),
)


def masked(lines: Sequence[str], folder: Path) -> str:
    text = "\n".join(lines) + "\n"
    text = re.sub(r"0\.\d{4}(?=')", "0.####", text)
    text = text.replace(str(folder), "/project").replace(sys.executable, "/bin/python")
    for pattern, by in MASKS:
        text = re.sub(pattern, by, text)
    return text


def recorded(
    situation: Situation, folder: Path, tmp_path: Path, widths: Sequence[int] = WIDTHS
) -> tuple[str, list[Session]]:
    shown = " ".join(situation.words).replace(PY, "python")
    setting = "".join(f"{k}={v} " for k, v in situation.environment)
    parts, sessions = [], []
    shutil.copytree(folder, tmp_path / "as it was")
    for width in widths:
        words = [sys.executable if word == PY else word for word in situation.words]
        with contextlib.chdir(folder):
            one = session([sys.executable, "-m", "seedwise.cli", *words], width, **dict(situation.environment))
        sessions.append(one)
        text = masked(one.screen, folder)
        shutil.rmtree(folder)
        shutil.copytree(tmp_path / "as it was", folder)
        end = "".join(f"({colour})\n" for colour in one.colours)
        parts.append(f"===== {width} columns, exit {one.status}\n$ {setting}seedwise {shown}\n{text}{end}")
    return "\n".join(parts), sessions


# half of them are for a release: each starts the command at four widths
@pytest.mark.parametrize(
    "name", [pytest.param(n, marks=pytest.mark.long if k % 2 else ()) for k, n in enumerate(SITUATIONS)]
)
def test_a_session_is_as_recorded(name: str, ready: Path, tmp_path: Path) -> None:
    found, sessions = recorded(SITUATIONS[name], ready, tmp_path)
    for width, one in zip(WIDTHS, sessions, strict=True):
        assert all(cell_len(line) <= width for line in one.screen)
        assert "Traceback" not in "\n".join(one.screen)
    path = GOLDEN / f"{name}.txt"
    if os.environ.get("SEEDWISE_RECORD"):
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(found, encoding="utf-8")
    assert found == path.read_text(encoding="utf-8")


def test_every_recording_belongs_to_a_situation() -> None:
    assert {path.stem for path in GOLDEN.glob("*.txt")} == set(SITUATIONS)


def test_no_word_is_broken_at_the_edge(ready: Path, tmp_path: Path) -> None:
    """What is read at 60 columns has the words that are read at 160."""
    for name in ("15-compare-better", "12-show-some-failed", "16-compare-undecided"):
        _, (narrow, wide) = recorded(SITUATIONS[name], ready, tmp_path / name, (WIDTHS[0], WIDTHS[-1]))
        prose = " ".join(wide.screen[: wide.screen.index("")]).split()
        assert set(prose) <= {word for line in narrow.screen for word in line.split()}


def test_the_display_shows_a_bar_what_runs_and_the_headline_and_goes_away(ready: Path) -> None:
    (ready / "slow.py").write_text(
        "import random, time\nseed = 42\nrandom.seed(seed)\nfor epoch in range(4):\n    time.sleep(0.3)\n    print('epoch', epoch, flush=True)\n"
        "print('acc =', random.random())\n"
    )
    with contextlib.chdir(ready):
        one = session(
            [
                sys.executable,
                "-m",
                "seedwise.cli",
                "run",
                "-n",
                "4",
                "--fresh",
                "-j",
                "2",
                "--",
                sys.executable,
                "slow.py",
            ],
            80,
        )
    seen = "\n".join("\n".join(frame) for frame in one.frames)
    assert re.search(r"slow  ━+─+  2 of 4  \d\.\d s  about \d\.\d s left", seen)
    assert re.search(r"seed \d  \d\.\d s  epoch \d", seen)
    means = re.findall(r"^acc (\S+ ± \S+)", seen, re.MULTILINE)
    assert means
    end = "\n".join(one.screen)
    assert "━" not in end
    assert re.search(r"slow: 4 of 4 seeds done; \d+\.\d s", end)
