"""No forked run is taken on trust: what differs under any compared seed is found, said and set aside, and nothing hangs by it."""

import os
import random
from collections.abc import Callable
from pathlib import Path

import pytest

from seedwise.api.script import run_script
from seedwise.events import Event, Note
from seedwise.runs.forking import Forking, to_compare
from seedwise.runs.supervisor import Supervisor

Script = Callable[..., list[str]]
HIDDEN = "getattr(__import__('sys').modules['__main__'], 'SEED', None) is None"
"""Whether a line is executed before the seed has its name: in the first lines, not in a fresh run. Nothing can see it beforehand."""


@pytest.fixture(autouse=True)
def however_short_the_runs(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    if "not_worth" not in request.node.name:
        monkeypatch.setattr(Forking, "is_worth_it", lambda self, left: True)


def draw(seed: int) -> float:
    return random.Random(seed).random()


@pytest.mark.parametrize("seconds", [0, pytest.param(1, marks=pytest.mark.slow)])
def test_a_difference_under_the_first_seed_has_every_run_start_fresh(
    seconds: int, script: Script, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    site = tmp_path / "site-packages"
    site.mkdir()
    (site / "odd.py").write_text(f"early = {HIDDEN}\n")
    monkeypatch.setenv("PYTHONPATH", str(site))
    text = f"import time\nSEED = 42\nimport odd, random\nrandom.seed(SEED)\ntime.sleep({seconds})\nprint('acc =', random.random() + odd.early)"
    results = run_script(script(text), range(1, 7))
    assert dict(results.scores("acc").by_seed) == {s: draw(s) for s in range(1, 7)}
    assert any("was not what a fresh one is (standard output, line 1" in note for note in results.notes)
    assert not any(run.forked for run in results.runs)
    again = run_script(script(text), range(1, 9))  # what was found is kept
    assert again.name == "train"
    assert not any(run.forked for run in again.runs)


@pytest.mark.parametrize(
    ("seconds", "jobs"),
    [(0, 1), pytest.param(0, 2, marks=pytest.mark.slow), pytest.param(1, 2, marks=pytest.mark.slow)],
)
def test_a_difference_that_the_first_seed_does_not_show_is_found_by_a_later_one(
    seconds: int, jobs: int, script: Script, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    site = tmp_path / "site-packages"
    site.mkdir()
    (site / "odd.py").write_text(f"early = {HIDDEN}\n")
    monkeypatch.setenv("PYTHONPATH", str(site))
    monkeypatch.setattr("seedwise.runs.forking._HOLD", 0.5)  # as if the first lines took long
    text = (
        "import time\nSEED = 42\nimport odd, random\nrandom.seed(SEED)\n"
        f"time.sleep({seconds})\nprint('acc =', random.random() + (odd.early if SEED > 1 else 0))"
    )
    monkeypatch.setattr("seedwise.runs.supervisor.to_compare", lambda key, seeds: [7])
    results = run_script(script(text), range(1, 13), jobs=jobs)
    assert dict(results.scores("acc").by_seed) == {s: draw(s) for s in range(1, 13)}
    assert not any(run.forked for run in results.runs)


def test_forked_runs_that_are_set_aside_are_kept_and_run_again_when_asked(
    script: Script, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    site = tmp_path / "site-packages"
    site.mkdir()
    (site / "odd.py").write_text(f"early = {HIDDEN}\n")
    monkeypatch.setenv("PYTHONPATH", str(site))
    monkeypatch.setattr("seedwise.runs.supervisor._AT_ONCE", 0.0)
    monkeypatch.setattr(Supervisor, "_plan_comparisons", last_both_ways)
    text = "SEED = 42\nimport odd, random\nrandom.seed(SEED)\nprint('acc =', random.random() + (odd.early if SEED > 1 else 0))"
    command = script(text)
    said: list[str] = []

    def tell(event: Event) -> None:
        if isinstance(event, Note):
            said.append(event.text)

    results = run_script(command, range(1, 9), jobs=1, tell=tell)
    assert any("seedwise resume train" in text for text in said)
    assert set(results.scores("acc").by_seed) == {1, 8}
    results = run_script(command, range(1, 9), jobs=1)
    assert dict(results.scores("acc").by_seed) == {s: draw(s) for s in range(1, 9)}
    assert Path(".seedwise/runs/train@1/seed-3/stdout").exists()
    assert Path(".seedwise/runs/train@1/seed-3-attempt-2/stdout").exists()


def last_both_ways(self: Supervisor, seeds: list[int], in_order: bool) -> None:
    self.both_ways._chosen = {seeds[-1]}


@pytest.mark.slow
def test_a_first_run_that_is_not_worth_comparing_leaves_nothing_waiting(script: Script) -> None:
    text = "import time\ntime.sleep(0)\nSEED = 42\nimport random\nrandom.seed(SEED)\ntime.sleep(4)\nprint('acc =', random.random())"
    results = run_script(script(text), range(1, 4))
    assert dict(results.scores("acc").by_seed) == {s: draw(s) for s in range(1, 4)}


def test_a_script_that_does_not_repeat_itself_is_not_forked(script: Script) -> None:
    text = "import os, random\nSEED = 42\nrandom.seed(SEED)\nprint('acc =', random.random() + os.getpid())"
    results = run_script(script(text), range(1, 7))
    assert any("does not repeat itself" in note and "seedwise check" in note for note in results.notes)
    assert not any(run.forked for run in results.runs)


def test_numbers_with_a_unit_of_time_are_compared_too(
    script: Script, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    site = tmp_path / "site-packages"
    site.mkdir()
    (site / "odd.py").write_text(f"early = {HIDDEN}\n")
    monkeypatch.setenv("PYTHONPATH", str(site))
    text = "SEED = 42\nimport odd, random\nrandom.seed(SEED)\nprint(f'mae = {random.random() + odd.early:.6f} s')"
    results = run_script(script(text), range(1, 7))
    assert dict(results.scores("mae").by_seed) == {s: round(draw(s), 6) for s in range(1, 7)}


def test_durations_do_not_stop_forking(script: Script) -> None:
    text = (
        "import random, time\nSEED = 42\nrandom.seed(SEED)\nbegan = time.time()\n"
        "print('acc =', random.random(), 'train_time =', time.time() - began)\nprint(f'done in {time.time() - began:.9f} s')"
    )
    results = run_script(script(text), range(1, 9))
    assert sum(run.forked for run in results.runs) >= 5
    assert "the same" in results.forking


FIRST_LINES = {
    "shared memory": "import mmap\ncounter = mmap.mmap(-1, 8)\nSEED = 42\ncounter[0] += 1\nprint('acc =', counter[0] + SEED / 100)",
    "globals": "SEED = 42\nearly = 'SEED' in globals()\nprint('acc =', early + SEED / 100)",
    "a folder that is entered": "import os\nos.makedirs('out')\nos.chdir('out')\nSEED = 42\nopen('x', 'w').close()\nprint('acc =', 1 + SEED / 100)",
    "its own arguments": "import sys\nsys.argv += ['--more', '2']\nSEED = 42\nassert sys.argv[1:] == ['a', '--more', '2'], sys.argv\nprint('acc =', 1 + SEED / 100)",
    "cores": "import os\nn = len(os.sched_getaffinity(0))\nSEED = 42\nprint('acc =', n + SEED / 100)",
    "a file that it writes": "open('made.txt', 'w').write('x')\nSEED = 42\nprint('acc =', len(open('made.txt').read()) + SEED / 100)",
}


@pytest.mark.parametrize("what", FIRST_LINES)
def test_first_lines_that_could_reach_from_one_run_to_another(what: str, script: Script, project: Path) -> None:
    command = [*script(FIRST_LINES[what]), "a"]
    run_script(command, range(1, 5), jobs=1)
    results = run_script(command, range(1, 9), jobs=1)  # with the comparison kept
    assert dict(results.scores("acc").by_seed) == pytest.approx({s: 1 + s / 100 for s in range(1, 9)})
    assert sum(run.forked for run in results.runs) >= 4
    assert sorted(path.name for path in project.iterdir()) == [".seedwise", "train.py"]


@pytest.mark.slow
def test_with_a_kept_comparison_the_seed_that_is_run_fresh_starts_beside_the_first_lines(
    script: Script, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    times = tmp_path / "times"
    times.mkdir()
    site = tmp_path / "site-packages"
    site.mkdir()
    (site / "slow.py").write_text("import time\ntime.sleep(1.5)\n")
    monkeypatch.setenv("PYTHONPATH", str(site))
    text = f"import slow\nSEED = 42\nimport random\nrandom.seed(SEED)\nprint('acc =', random.random())\nopen(f'{times}/{{SEED}}', 'w')"
    monkeypatch.setattr("seedwise.runs.supervisor.to_compare", lambda key, seeds: [seeds[-1]])
    run_script(script(text), range(1, 4), share=[str(times)], jobs=2)
    results = run_script(script(text), range(1, 9), share=[str(times)], jobs=2)
    ended = {seed: (times / str(seed)).stat().st_mtime for seed in (4, 8)}
    assert abs(ended[8] - ended[4]) < 1.2, "the fresh run of 8 waited for the first lines, which take 1.5 s"
    assert [run.seed for run in results.runs if not run.forked] == [1, 3, 8]


def test_of_every_hundred_seeds_one_is_chosen_and_stays() -> None:
    chosen = to_compare("key", range(1, 301))
    assert [sum(k < seed <= k + 100 for seed in chosen) for k in (0, 100, 200)] == [1, 1, 1]
    assert to_compare("key", range(1, 401))[:3] == chosen
    assert to_compare("other", range(1, 301)) != chosen


def test_a_function_is_forked(project: Path) -> None:
    Path("fn.py").write_text(
        "import random\ndef train(seed):\n    random.seed(seed)\n    return {'acc': random.random()}\n"
    )
    results = run_script(["fn.py:train"], range(1, 9))
    assert dict(results.scores("acc").by_seed) == {s: draw(s) for s in range(1, 9)}
    assert sum(run.forked for run in results.runs) >= 5
    assert os.path.exists("fn.py")


def test_a_function_that_fails_while_its_module_is_imported_is_not_said_to_differ_from_itself(project: Path) -> None:
    Path("fn.py").write_text("import json\nraise OSError('no data')\ndef train(seed):\n    return seed\n")
    told: list[Event] = []
    results = run_script(["fn.py:train"], range(1, 5), keep_going=True, tell=told.append)
    assert {run.status.value for run in results.runs} == {"failed"}
    said = " ".join([*results.notes, *(event.text for event in told if isinstance(event, Note))])
    assert "repeat itself" not in said
    assert "forked run was not" not in said
