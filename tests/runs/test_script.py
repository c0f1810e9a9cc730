"""Running scripts: what is kept, resumed, named and refused."""

import os
import random
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

import seedwise as sw
from seedwise.api.script import run_script
from seedwise.errors import ScriptError, UsageError
from seedwise.events import Ended
from seedwise.results import Cause, Status
from seedwise_guest.randomness.streams import derive

PLAIN = "import random\nSEED = 42\nrandom.seed(SEED)\nprint('acc =', random.random())\n"
Script = Callable[..., list[str]]


def expected(seed: int) -> float:
    return random.Random(seed).random()


def acc(results: sw.Results) -> dict[int, float]:
    return dict(results.scores("acc").by_seed)


def test_a_larger_n_adds_seeds_and_a_finished_one_is_never_run_twice(script: Script, project: Path) -> None:
    command = script(PLAIN)
    first = run_script(command, range(1, 4))
    assert acc(first) == {seed: expected(seed) for seed in (1, 2, 3)}
    stamps = {run.seed: os.stat(str(run.folder) + "/stdout").st_mtime_ns for run in first.runs}
    second = run_script(command, range(1, 6))
    assert second.key == first.key
    assert set(acc(second)) == {1, 2, 3, 4, 5}
    assert all(os.stat(str(run.folder) + "/stdout").st_mtime_ns == stamps[run.seed] for run in second.runs[:3])


def test_a_changed_script_is_another_experiment_and_the_change_is_named(script: Script) -> None:
    run_script(script(PLAIN), [1])
    changed = run_script(script(PLAIN + "# edited\n"), [1])
    assert changed.name == "train@2"
    assert any("train.py changed since train" in note for note in changed.notes)
    back = run_script(script(PLAIN), [1, 2])
    assert (back.name, len(back)) == ("train@1", 2)
    accepted = run_script(script(PLAIN + "# comment\n"), [1, 2, 3], accept_change=True)
    assert accepted.name == "train@2"
    assert any("accepted" in note for note in accepted.notes)


def test_another_thread_count_is_another_experiment(script: Script) -> None:
    run_script(script(PLAIN), [1])
    other = run_script(script(PLAIN), [1], threads=2)
    assert any("threads 1 → 2" in note for note in other.notes)


def test_a_configuration_file_that_was_read_belongs_to_the_identity(script: Script, project: Path) -> None:
    (project / "conf.json").write_text('{"scale": 1}')
    (project / "data.bin").write_bytes(b"1")
    command = script(
        PLAIN + "import json\nprint('scale', json.load(open('conf.json'))['scale'], open('data.bin').read())"
    )
    run_script(command, [1])
    (project / "conf.json").write_text('{"scale": 2}')
    changed = run_script(command, [1])
    assert any("conf.json changed" in note for note in changed.notes)
    (project / "data.bin").write_bytes(b"22")
    data = run_script(command, [1, 2])
    assert data.name == changed.name
    assert any("data changed since the first run: data.bin" in note for note in data.notes)


def test_one_failing_seed_costs_that_seed_alone_and_is_told_apart(script: Script) -> None:
    text = """
import os, signal, sys
seed = 42
print("acc =", seed / 10)
if seed == 2: raise ValueError("diverged")
if seed == 3: os.kill(os.getpid(), signal.SIGSEGV)
if seed == 4: sys.exit(5)
if seed == 5: os._exit(6)
if seed == 6: os.kill(os.getpid(), signal.SIGKILL)
"""
    results = run_script(script(text), range(1, 8))
    told = {run.seed: (run.status.value, run.cause, run.detail) for run in results.runs}
    assert told[1][0] == told[7][0] == "finished"
    assert told[2] == ("failed", Cause.EXCEPTION, "train.py:5: ValueError: diverged")
    assert told[3] == ("failed", Cause.SIGNAL, "killed by SIGSEGV")
    assert told[4] == ("failed", Cause.EXIT, "exit code 5")
    assert told[5] == ("failed", Cause.EXIT, "exit code 6")
    assert told[6] == ("failed", Cause.SIGNAL, "killed by SIGKILL")
    summary = sw.summarize(results.scores("acc"))
    assert (summary.n, summary.finished) == (7, 2)


def test_no_site_starts_every_global_generator_at_s(script: Script) -> None:
    text = "import random\nimport numpy as np\nprint('acc =', random.random())\nprint('loss =', np.random.rand())"
    results = run_script(script(text), [7, 8])
    np.random.seed(7)
    assert results.scores("loss")[7] == np.random.rand()
    assert results.scores("acc")[7] == expected(7)


def test_with_a_site_unseeded_generators_start_apart_from_s(script: Script) -> None:
    text = "import random\nimport numpy as np\nrng = np.random.RandomState(42)\nprint('acc =', rng.rand())\nprint('loss =', np.random.rand())"
    results = run_script(script(text), [7])
    assert results.scores("acc")[7] == np.random.RandomState(7).rand()
    assert results.scores("loss")[7] == np.random.RandomState(derive(7, "start", "numpy", bits=32)).rand()


def test_unseeded_constructors_get_child_streams(script: Script) -> None:
    text = "import numpy as np\na, b = np.random.default_rng(), np.random.default_rng()\nprint('acc =', a.random(), 'loss =', b.random())"
    one, again = run_script(script(text), [7, 8]), run_script(script(text), [7, 8], name="again")
    for metric in ("acc", "loss"):
        assert one.scores(metric).by_seed == again.scores(metric).by_seed
    assert len({*one.scores("acc").values, *one.scores("loss").values}) == 4


def test_the_clock_and_none_are_no_seed(script: Script) -> None:
    text = "import random, time\nrandom.seed(time.time())\nprint('acc =', random.random())\nrandom.seed(None)\nprint('loss =', random.random())"
    one, again = run_script(script(text), [7, 8]), run_script(script(text), [7, 8], name="again")
    assert acc(one) == acc(again) == {7: expected(7), 8: expected(8)}
    assert one.scores("loss").by_seed == again.scores("loss").by_seed


def test_keep_leaves_a_site_as_typed(script: Script) -> None:
    text = "import random\nsplit_seed = 5\nrandom.seed(42)\nprint('acc =', random.random(), 'split =', random.Random(split_seed).random())"
    results = run_script(script(text), [1, 2], keep=["train.py:2"])
    assert acc(results) == {1: expected(1), 2: expected(2)}
    assert (
        set(results.scores("split").values) == {expected(5)} if "split" in [m.name for m in results.metrics] else True
    )
    with pytest.raises(UsageError, match="nothing to keep"):
        run_script(script(text), [1], keep=["train.py:99"])


SPLIT = """
import random
from sklearn.model_selection import train_test_split
SEED = 42
random.seed(SEED)
train, test = train_test_split(list(range(20)), random_state=SEED)
print("acc =", random.random(), "split =", sum(k * v for k, v in enumerate(test)))
"""


@pytest.mark.slow
def test_keep_split_holds_the_data_and_the_report_says_when_it_varies(script: Script) -> None:
    varied = run_script(script(SPLIT), [1, 2, 3], metric=["acc", "split"])
    assert any("also varied: split (train.py:6)" in warning for warning in varied.warnings)
    held = run_script(script(SPLIT), [1, 2, 3], metric=["acc", "split"], keep=["split"], name="held")
    assert len(set(varied.scores("split").values)) == 3
    assert len(set(held.scores("split").values)) == 1
    assert acc(held) == acc(varied) == {s: expected(s) for s in (1, 2, 3)}
    assert not any("also varied" in warning for warning in held.warnings)


def test_number_at_decides_which_is_the_number(script: Script) -> None:
    text = "import random\nrandom.seed(1)\na = random.random()\nrandom.seed(2)\nprint('acc =', random.random(), 'loss =', a)"
    results = run_script(script(text), [7], seed_site="train.py:4")
    assert acc(results) == {7: expected(7)}


def test_placeholder_goes_into_the_command_and_nothing_is_substituted(script: Script) -> None:
    command = script(
        "import random, sys\nseed = 42\nrandom.seed(int(sys.argv[2]))\nprint('acc =', random.random(), 'typed =', seed)"
    )
    results = run_script([*command, "--seed", "{seed}"], [3, 4])
    assert acc(results) == {3: expected(3), 4: expected(4)}
    assert results.sites == ()
    assert Path(str(results.runs[0].folder), "stdout").read_text().endswith("typed = 42\n")


def test_the_environment_variable_carries_the_seed(script: Script) -> None:
    text = "import os, random\nrandom.seed(int(os.environ['SEEDWISE_SEED']))\nprint('acc =', random.random())"
    assert acc(run_script(script(text), [3])) == {3: expected(3)}


def test_a_seed_in_a_configuration_file(script: Script, project: Path) -> None:
    (project / "conf.yaml").write_text("lr: 0.1\ntrain:\n  seed: 42  # ours\n")
    text = "import random\nseed = int(open('conf.yaml').read().split('seed: ')[1].split()[0])\nrandom.seed(seed)\nprint('acc =', random.random())"
    deaf = run_script(
        script("open('conf.yaml').read()\nprint('acc =', 0.5)"), [3, 4], seed_site="conf.yaml:seed", name="deaf"
    )
    assert any("same numbers" in warning and "seed_site" not in warning for warning in deaf.warnings)
    for kind in ("auto", "sequential"):
        results = run_script(script(text), [3, 4], seed_site="conf.yaml:seed", name=kind, workdir=kind)
        assert acc(results) == {3: expected(3), 4: expected(4)}
        assert (project / "conf.yaml").read_text() == "lr: 0.1\ntrain:\n  seed: 42  # ours\n"
    unsaid = run_script(script(text), [3, 4], name="unsaid")
    assert any("not typed in the source" in warning and "seed_site" in warning for warning in unsaid.warnings)
    assert any("same numbers" in warning and 'seed_site="conf.yaml:seed"' in warning for warning in unsaid.warnings)


def test_a_seed_on_the_command_line_is_noticed(script: Script) -> None:
    text = "import argparse, random\np = argparse.ArgumentParser()\np.add_argument('--seed', type=int, default=42)\nrandom.seed(p.parse_args().seed)\nprint('acc =', random.random())"
    results = run_script([*script(text), "--seed", "5"], [1, 2])
    assert any("--seed 5" in note and "{seed}" in note for note in results.notes)


def test_a_list_of_seeds_is_left_alone_with_a_warning(script: Script) -> None:
    text = "import random\nfor seed in [3, 5]:\n    random.seed(seed)\n    print(f'seed = {seed} | acc = {random.random()}')"
    results = run_script(script(text), [1, 2])
    assert any("--as-is" in warning for warning in results.warnings)
    assert set(acc(results).values()) == {expected(5)}


def test_logged_metrics_come_back_where_seedwise_is_the_stub(script: Script) -> None:
    text = "import random, seedwise\nrandom.seed(42)\nfor k in range(3):\n    seedwise.log(loss=random.random(), step=10 * k)\nseedwise.log({'val/acc': 1})\nprint('acc = 9')"
    results = run_script(script(text), [1])
    assert list(results.runs[0].series) == ["loss", "val/acc"]
    assert results.runs[0].series["loss"].steps == (0, 10, 20)


def test_of_a_distributed_run_only_rank_0_is_recorded(script: Script) -> None:
    text = (
        "import os, random, seedwise\nrandom.seed(42)\n"
        "for rank in '0', '1':\n    os.environ['LOCAL_RANK'] = rank\n    seedwise.log(lightning=int(rank))\n"
        "for rank in '2', '0':\n    os.environ['RANK'] = rank\n    seedwise.log(torchrun=int(rank))\n"
    )
    series = run_script(script(text), [1]).runs[0].series
    assert {name: s.values for name, s in series.items()} == {"lightning": (0.0,), "torchrun": (0.0,)}


def test_log_outside_a_run_does_nothing_but_check() -> None:
    sw.log(loss=0.3, step=1)
    sw.log({"a": np.float32(1)})
    with pytest.raises(TypeError, match="'loss' is 'high'"):
        sw.log(loss="high")  # type: ignore[arg-type]


def test_a_process_killed_while_it_reads_the_source_is_named(script: Script) -> None:
    with pytest.raises(ScriptError, match="killed by SIGKILL before it could report"):
        run_script(["sh", "-c", "kill -9 $$"], [1])


def test_another_program_that_dies_under_the_first_seed_has_the_others_run(project: Path) -> None:
    (project / "simulate").write_text("#!/bin/sh\n[ $1 = 1 ] && kill -9 $$\necho acc = 0.$1\n")
    (project / "simulate").chmod(0o755)
    results = run_script(["./simulate", "{seed}"], [1, 2, 3])
    assert acc(results) == {2: 0.2, 3: 0.3}


def test_no_guest_is_an_error_not_a_silent_run(script: Script) -> None:
    command = script(PLAIN)
    with pytest.raises(ScriptError, match="-I, -E or -S"):
        run_script([command[0], "-I", command[1]], [1])
    with pytest.raises(ScriptError, match="no Python process"):
        run_script(["true"], [1])


def test_code_changed_during_the_sweep_stops_it(script: Script, project: Path) -> None:
    text = PLAIN + f"open({str(project / 'train.py')!r}, 'a').write('# more')\n"
    results = run_script(script(text), [1, 2, 3], jobs=1, workdir="shared")
    assert results.runs[0].status is Status.FINISHED
    assert (results.runs[1].status, results.runs[1].cause) == (Status.FAILED, Cause.CHANGED)
    assert results.runs[2].detail == "not begun"


def test_processes_started_by_the_script_are_gone_with_it(script: Script, project: Path) -> None:
    text = (
        PLAIN
        + "import subprocess, sys\np = subprocess.Popen([sys.executable, '-c', 'import time; time.sleep(600)'])\nprint('child =', p.pid)"
    )
    results = run_script(script(text), [1])
    pid = int(results.runs[0].series["child"].values[0])
    for _ in range(50):
        try:
            os.kill(pid, 0)
        except ProcessLookupError:
            return
        time.sleep(0.1)
    pytest.fail("a child outlived its run")


def test_a_site_reached_only_while_running_is_substituted_and_listed(script: Script, project: Path) -> None:
    script("import random\nrandom.seed(42)\nvalue = random.random()", "plugins/extra.py")
    text = "import importlib, sys\nsys.path.append('plu' + 'gins')\nprint('acc =', importlib.import_module('ex' + 'tra').value)"
    results = run_script(script(text), [1, 2])
    assert acc(results) == {1: expected(1), 2: expected(2)}
    assert [site["location"] for site in results.sites] == ["plugins/extra.py:2"]


def _interrupt_after_a_run(process: "subprocess.Popen[str]") -> None:
    """Press Ctrl-C once a run is saved."""
    from seedwise.api.listing import listing

    while process.poll() is None and not any(row.finished for row in listing()):
        time.sleep(0.1)
    process.send_signal(signal.SIGINT)


def test_interrupted_once_keeps_what_is_done_and_the_same_command_finishes(script: Script, project: Path) -> None:
    command = script("import random, time\nrandom.seed(42)\ntime.sleep(0.6)\nprint('acc =', random.random())")
    words = [sys.executable, "-m", "seedwise.cli", "run", "-n", "6", "--jobs", "1", "--json", "--", *command]
    process = subprocess.Popen(words, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    interrupter = threading.Thread(target=_interrupt_after_a_run, args=(process,))
    interrupter.start()
    out, err = process.communicate(timeout=60)
    assert process.returncode == 130, err
    import json

    told = json.loads(out)
    assert 1 <= told["finished"] < 6
    assert len(told["seeds"]) == 6
    assert told["metrics"]["acc"]["finished"] == told["finished"]
    done = run_script(command, range(1, 7), jobs=2)
    assert acc(done) == {seed: expected(seed) for seed in range(1, 7)}


@pytest.mark.slow
def test_two_commands_share_the_seeds(script: Script, project: Path) -> None:
    command = script("import random, time\nrandom.seed(42)\ntime.sleep(0.3)\nprint('acc =', random.random())")
    words = [sys.executable, "-m", "seedwise.cli", "run", "-n", "8", "--jobs", "1", "--json", "--", *command]
    both = [subprocess.Popen(words, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL) for _ in range(2)]
    assert [process.wait(60) for process in both] == [0, 0]
    for process in both:
        process.communicate()
    from seedwise.experiments.loading import open_store

    with open_store() as store:
        rows = store._db.execute("SELECT seed, attempt, status FROM runs ORDER BY seed").fetchall()
    assert rows == [(seed, 1, "finished") for seed in range(1, 9)]


def test_as_is_makes_a_run_of_each_printed_seed(script: Script) -> None:
    from seedwise.experiments.options import Options
    from seedwise.runs.request import Request, silent
    from seedwise.runs.sweep import execute

    text = "import random\nfor seed in [0, 3, 5, 363, 366, 999]:\n    random.seed(seed)\n    print('seed = %4d | acc = %0.4f | loss = %0.4f' % (seed, random.random(), random.random()))"
    for _ in range(2):
        outcome = execute(Request(script(text), [], Options(as_is=True)), None, silent)
        assert outcome.results.seeds == (0, 3, 5, 363, 366, 999)
        assert outcome.results.scores("acc")[363] == pytest.approx(expected(363), abs=5e-5)


def test_undecodable_output_is_kept_byte_for_byte(script: Script) -> None:
    text = "import sys\nsys.stdout.buffer.write(b'acc = 0.5 \\xff\\xfe no newline')"
    results = run_script(script(text), [1])
    assert Path(str(results.runs[0].folder), "stdout").read_bytes() == b"acc = 0.5 \xff\xfe no newline"
    assert acc(results) == {1: 0.5}


def test_a_nan_fails_its_metric_with_the_seed(script: Script) -> None:
    results = run_script(
        script("seed = 42\nprint('loss =', float('nan') if seed == 2 else seed, '| acc =', seed / 10)"), [1, 2, 3]
    )
    summary = sw.summarize(results.scores("loss"))
    assert summary.mean is None
    assert "NaN or infinite under seed 2" in summary.reason
    assert sw.summarize(results.scores("acc")).mean == pytest.approx(0.2)


def test_nothing_usable_is_said_and_can_be_read_again(script: Script) -> None:
    results = run_script(script("import random\nrandom.seed(42)\nprint('the outcome was', random.random())"), [1, 2])
    assert results.metrics == ()
    assert any("no metric in 2 finished runs" in warning for warning in results.warnings)
    again = sw.load("train", metric=["out=outcome was (.*)"])
    assert dict(again.scores("out").by_seed) == {1: expected(1), 2: expected(2)}


@pytest.mark.parametrize("method", ["fork", "spawn"])
def test_child_processes_repeat_and_differ_from_one_another(method: str, script: Script) -> None:
    text = f"""
import multiprocessing as mp, random
import numpy as np
def draw(k):
    return random.random() + np.random.default_rng().random()
if __name__ == "__main__":
    values = []
    for k in range(2):
        with mp.get_context({method!r}).Pool(1) as pool:
            values += pool.map(draw, [k])
    print("acc =", values[0], "loss =", values[1])
"""
    one, again = run_script(script(text), [1, 2]), run_script(script(text), [1, 2], name="again")
    assert acc(one) == acc(again)
    assert len({*one.scores("acc").values, *one.scores("loss").values}) == 4


def test_configuration_edited_during_the_sweep_is_noticed(script: Script, project: Path) -> None:
    (project / "k.yaml").write_text("k: 1")
    text = "import random, time\nrandom.seed(42)\nk = float(open('k.yaml').read().split()[1])\nprint('acc =', k * random.random())"

    def edit(event: object) -> None:
        if isinstance(event, Ended):
            (project / "k.yaml").write_text("k: 100")

    results = run_script(script(text), range(1, 7), jobs=1, tell=edit)
    causes = [run.cause for run in results.runs]
    assert Cause.CHANGED in causes
    assert all(value < 1 for value in results.scores("acc").values)


def test_a_file_that_is_executed_as_text_belongs_to_the_identity(script: Script) -> None:
    script("scale = 1\n", "model_def.py")
    command = script(
        "import random\nrandom.seed(42)\nexec(open('model_def.py').read())\nprint('acc =', scale * random.random())"
    )
    run_script(command, [1])
    script("scale = 2\n", "model_def.py")
    changed = run_script(command, [1, 2])
    assert changed.name == "train@2"
    assert any("model_def.py changed" in note for note in changed.notes)


def test_two_regular_expressions_of_one_name_never_mix(script: Script) -> None:
    command = script("seed = 42\nprint(f'final err 0.{seed} and top 1.{seed}, acc = 2.{seed}')")
    run_script(command, [1, 2], metric=[r"err=final err ([0-9.]+)"])
    results = run_script(command, [1, 2, 3], metric=[r"err=top ([0-9.]+)"])
    assert dict(results.scores("err").by_seed) == {1: 1.1, 2: 1.2, 3: 1.3}
    assert dict(sw.load("train", metric=["acc"]).scores("acc").by_seed) == {1: 2.1, 2: 2.2, 3: 2.3}


def test_a_failure_outside_the_run_is_tried_again(script: Script, project: Path) -> None:
    outside = Path("/var/lib") / f"seedwise-test-{os.getpid()}"
    if os.geteuid() == 0:
        outside.mkdir()
    command = script(f"open('{outside}/x', 'w')\nprint('acc =', 1)")
    try:
        if os.geteuid() == 0:
            first = run_script(command, [1], keep_going=True)
            assert first.runs[0].cause is Cause.ISOLATION
            assert len(run_script(command, [1], share=[str(outside)]).finished) == 1
    finally:
        if outside.exists():
            for path in outside.iterdir():
                path.unlink()
            outside.rmdir()


def test_resume_failed_runs_them_again(script: Script, project: Path) -> None:
    from seedwise.api.experiments import resume

    (project / "fail").write_text("")
    command = script("import os\nseed = 42\nassert not os.path.exists('fail')\nprint('acc =', seed / 7)")
    assert len(run_script(command, [1, 2], keep_going=True).failed) == 2
    (project / "fail").unlink()
    assert len(run_script(command, [1, 2], keep_going=True).failed) == 2
    assert len(resume("train", None, None, lambda event: None).results.failed) == 2
    outcome = resume("train", None, None, lambda event: None, failed=True)
    assert len(outcome.results.finished) == 2
    assert [run.attempt for run in outcome.results.runs] == [2, 2]


def test_resume_refuses_to_mix_experiments(script: Script) -> None:
    from seedwise.api.experiments import resume

    run_script(script("seed = 42\nassert seed != 2\nprint('acc =', seed / 7)"), [1, 2])
    script("seed = 42\nprint('acc =', seed / 7)")
    with pytest.raises(UsageError, match=r"train\.py changed since train"):
        resume("train", None, None, lambda event: None, failed=True)


@pytest.mark.slow
def test_subprocesses_have_streams_of_their_own_in_every_run_alike(script: Script) -> None:
    script("import random, sys\nimport numpy as np\nprint(random.random() + np.random.default_rng().random())", "w.py")
    text = """
import os, random, subprocess, sys
import numpy as np
values = [random.random() + np.random.default_rng().random()]
values += [float(subprocess.check_output([sys.executable, "w.py", "--fold", str(k)])) for k in range(2)]
same = [subprocess.Popen([sys.executable, "w.py"], env={**os.environ, "K": str(k)}, stdout=subprocess.PIPE) for k in range(3)]
values += [float(process.communicate()[0]) for process in same]
for k, value in enumerate(values):
    print(f"acc{'abcdef'[k]} = {value!r}")
"""
    one, again = run_script(script(text), [1, 2]), run_script(script(text), [1, 2], name="again")
    names = [f"acc{letter}" for letter in "abcdef"]
    drawn = [one.runs[k].series[name].values[0] for k in (0, 1) for name in names]
    assert drawn == [again.runs[k].series[name].values[0] for k in (0, 1) for name in names]
    assert len(set(drawn)) == 12


@pytest.mark.slow
def test_a_kept_split_is_told_as_typed(script: Script) -> None:
    text = SPLIT.replace("random_state=SEED", "random_state=SPLIT_SEED").replace(
        "SEED = 42", "SEED = 42\nSPLIT_SEED = 1"
    )
    held = run_script(script(text), [1, 2, 3], metric=["acc", "split"], keep=["split"])
    assert len(set(held.scores("split").values)) == 1
    assert {site["location"]: site["receives"] for site in held.sites} == {"train.py:4": "s", "train.py:5": "as typed"}
    shared = run_script(script(SPLIT), [1, 2], metric=["acc", "split"], keep=["split"], name="shared")
    assert {site["location"]: site["receives"] for site in shared.sites} == {
        "train.py:4": "s",
        "train.py:6": "42, as typed",
    }


def test_every_name_leads_back_to_its_experiment(script: Script) -> None:
    from seedwise.api.listing import listing

    run_script(script(PLAIN), [1, 2, 3])
    run_script(script(PLAIN), [1], threads=2)
    other = run_script([*script(PLAIN), "--lr", "1"], [1, 2])
    assert any("another command than train@2 has: this is train@3" in note for note in other.notes)
    assert [(row.name, len(sw.load(row.name))) for row in listing()] == [
        ("train@1", 3),
        ("train@2", 1),
        ("train@3", 2),
    ]
    assert sw.load("train").name == "train@3"


def test_the_configuration_file_is_among_the_sites(script: Script, project: Path) -> None:
    (project / "conf.yaml").write_text("seed: 42\n")
    text = "import random\nrandom.seed(int(open('conf.yaml').read().split()[1]))\nprint('acc =', random.random())"
    results = run_script(script(text), [3], seed_site="conf.yaml:seed")
    assert [(site["location"], site["receives"]) for site in results.sites] == [("conf.yaml:seed", "s")]
    assert not [warning for warning in results.warnings if "not typed" in warning]
