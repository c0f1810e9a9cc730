"""`check` on functions and scripts: exit codes, traces kept, faults of the checked program, the plugin."""

import json
import re
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

import seedwise as sw
from seedwise.api.check import check_script
from seedwise.cli.start import start
from seedwise.determinism import Cause, Check, Trace, Verdict, compare, fix_for, sentence_of
from seedwise.determinism.rerunning import made_by_workers
from seedwise.errors import ScriptError, UsageError

pytest_plugins = ["pytester"]
Script = Callable[..., list[str]]


def good(seed: int) -> float:
    return float(np.random.default_rng(seed).random())


def unseeded(seed: int) -> float:
    return seed + float(np.random.default_rng().random())


def deaf(seed: int) -> float:
    return float(np.random.default_rng(7).random())


@pytest.mark.slow
def test_ctrl_c_waits_for_no_run_of_several(script: Script) -> None:
    words = script(
        "import os, random, time\nprint('acc =', random.random(), flush=True)\n"
        "time.sleep(60 * (os.environ['PYTHONHASHSEED'] != '0'))"  # the first run has this hash seed
    )
    command = [sys.executable, "-m", "seedwise.cli", "check", "--", *words]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:
        assert process.stderr is not None
        next(line for line in process.stderr if "run it once" in line)
        time.sleep(5)  # this one has ended, and others run
        began = time.monotonic()
        process.send_signal(signal.SIGINT)
        process.communicate(timeout=30)
    assert time.monotonic() - began < 20
    assert process.returncode == 130


@pytest.mark.slow
def test_hash_order_is_told_where_plain_runs_had_every_hash_seed(script: Script) -> None:
    words = script("print('acc =', sum([len(w) for w in {'fig', 'pear', 'apple'}]))")
    found = check_script(words, thorough=True)
    assert "hash order of strings" in {one.name for one in found.perturbations}
    assert found.ok


@pytest.mark.slow
def test_functions() -> None:
    found = sw.check(good, seed=7)
    assert found.ok
    assert found.verdict is Verdict.IDENTICAL
    bad = sw.check(unseeded, seed=7)
    assert bad.cause.startswith("unseeded generator")
    assert bad.location.endswith(f"test_check.py:{unseeded.__code__.co_firstlineno + 1}")
    assert bad.fix_verified


def test_a_seed_without_effect() -> None:
    def train(seed: int) -> float:
        np.random.seed(3)
        return float(np.random.rand())

    found = sw.check(train, seed=1)
    assert found.cause == "seed without effect"
    assert not found.ok


@pytest.mark.slow
def test_json_and_exit_codes(script: Script, capsys: pytest.CaptureFixture[str]) -> None:
    command = script("import random\nprint('acc =', random.random())")
    assert start(["check", "--json", "--", *command]) == 1
    found = json.loads(capsys.readouterr().out)
    assert {"verdict", "cause", "location", "fix", "fix_verified", "ledger", "perturbations"} <= set(found)
    assert found["location"] == "train.py:2"
    assert start(["check", "--", *script("import random\nrandom.seed(1)\nprint('acc =', random.random())")]) == 0
    assert capsys.readouterr().out.startswith("identical")


def test_a_trace_kept_is_compared_on_another_day(script: Script, capsys: pytest.CaptureFixture[str]) -> None:
    text = "import random\nrandom.seed({})\nprint('acc =', random.random())"
    assert start(["check", "--save-trace", "t.npz", "--", *script(text.format(1))]) == 0
    assert start(["check", "--against", "t.npz", "--", *script(text.format(1))]) == 0
    capsys.readouterr()
    assert start(["check", "--against", "t.npz", "--", *script(text.format(2))]) == 1
    out = capsys.readouterr().out
    assert "another machine or version" in out
    assert "seeded otherwise than in the trace: random" in out
    assert start(["check", "--against", "nothing.npz", "--", *script(text.format(1))]) == 2


FAULTS = {
    "crash": ("raise ValueError('bad luck')", "exit code 1: ValueError: bad luck"),
    "os._exit": ("import os; os._exit(5)", "exit code 5"),
    "signal": ("import os; os.abort()", "killed by signal 6"),
    "endless": ("while True: pass", "did not end in time"),
    "syntax": ("a b", "SyntaxError"),
}


@pytest.mark.parametrize("what", [pytest.param(k, marks=pytest.mark.slow if k == "endless" else ()) for k in FAULTS])
def test_a_program_that_fails_is_reported_as_such(
    what: str, script: Script, capsys: pytest.CaptureFixture[str]
) -> None:
    code, said = FAULTS[what]
    assert start(["check", "--timeout", "3", "--", *script(code)]) == 2
    error = capsys.readouterr().err
    assert said in error
    assert "Traceback" not in error


@pytest.mark.slow
def test_much_output_and_subprocesses(script: Script, capsys: pytest.CaptureFixture[str]) -> None:
    text = (
        "import random, subprocess, sys\nrandom.seed(1)\n"
        "for k in range(200000):\n    print('x' * 500)\n"
        "print(subprocess.run([sys.executable, '-c', 'print(1)'], capture_output=True, text=True).stdout)\n"
        "print('acc =', random.random())"
    )
    assert start(["check", "--json", "--", *script(text)]) == 0
    assert json.loads(capsys.readouterr().out)["verdict"] == "identical"


def test_what_is_written_is_compared_too_and_no_run_sees_it(script: Script, project: Path) -> None:
    text = "import json, os, random\nassert not os.path.exists('out.json')\njson.dump({'loss': random.random()}, open('out.json', 'w'))"
    assert start(["check", "--", *script(text)]) == 1
    assert not (project / "out.json").exists()


@pytest.mark.slow
def test_the_spread_of_what_is_not_controlled(script: Script, capsys: pytest.CaptureFixture[str]) -> None:
    assert (
        start(["check", "--measure", "5", "--json", "--", *script("import random\nprint('acc =', random.random())")])
        == 1
    )
    measured = json.loads(capsys.readouterr().out)["measured"]
    assert measured["acc"]["n"] == 5
    assert 0 < measured["acc"]["sd"] < 1


@pytest.mark.slow
def test_the_spread_of_reruns_beside_that_of_seeds(script: Script, capsys: pytest.CaptureFixture[str]) -> None:
    text = (
        "import random\nimport numpy as np\nrandom.seed(1)\nprint('acc =', random.random() + np.random.rand() / 1000)"
    )
    assert start(["check", "--measure", "6", "--json", "--", *script(text)]) == 1
    measured = json.loads(capsys.readouterr().out)["measured"]["acc"]
    assert measured["sd"] < 0.001
    assert measured["seed_sd"] > 0.1


WORKERS = """
import multiprocessing
import numpy as np

def seeded(k):
    return np.random.RandomState(k).rand()

def free(k):
    return np.random.RandomState().rand()

if __name__ == "__main__":
    with multiprocessing.get_context("fork").Pool(1) as pool:  # two would share the tasks as it happens
        print("loss =", sum(pool.map(FUNCTION, range(4))))
"""


@pytest.mark.slow
def test_a_legacy_generator_with_a_seed_is_no_finding_in_a_worker_either(script: Script) -> None:
    sound = check_script(script(WORKERS.replace("FUNCTION", "seeded")))
    assert sound.ok
    assert not [e for e in sound.ledger if " made at " in e["generator"]]
    assert check_script(script(WORKERS.replace("FUNCTION", "free"))).location == "train.py:9"


def test_what_one_worker_did_not_use_another_did() -> None:
    entry = {"generator": "numpy generator made at train.py:3", "state": "unseeded"}
    told = [
        {"type": "made", "pid": 1, "entry": entry},
        {"type": "made", "pid": 2, "entry": entry},
        {"type": "unmade", "pid": 2, "generator": entry["generator"]},
    ]
    assert made_by_workers(told) == [entry]
    assert made_by_workers([*told, {"type": "unmade", "pid": 1, "generator": entry["generator"]}]) == []


@pytest.mark.slow
def test_each_fix_has_the_place_of_its_own_cause(script: Script) -> None:
    text = "import numpy as np, time\nx = np.random.geometric(1e-4)\nt = int(time.time() * 1e6) % 1000\nprint('acc =', x * 1000 + t)"
    found = check_script(script(text))
    assert found.cause == "clock (and unseeded generator)"
    assert found.location == "train.py:3"
    assert found.fix.startswith("take the number from a seed, not from the clock (train.py:3); seed it before")
    assert found.fix.endswith("first drawn from: np.random.seed(0)")


@pytest.mark.slow
def test_a_fix_names_each_line_once_and_in_short(script: Script, capsys: pytest.CaptureFixture[str]) -> None:
    one = check_script(script("import numpy as np\nprint('acc =', np.random.default_rng().random())"))
    assert one.fix == "give it a seed where it is made (train.py:2): numpy generator"
    text = "import random\na = random.Random()\nb = random.Random()\nprint('acc =', a.random() + b.random())"
    two = check_script(script(text))
    assert two.fix.endswith("random.Random() made at train.py:2, random.Random() made at train.py:3")
    assert start(["check", "--", *script(text)]) == 1
    rows = [line.split() for line in capsys.readouterr().out.splitlines() if line.startswith("random.Random()")]
    assert rows == [["random.Random()", "unseeded", "train.py:2"], ["random.Random()", "unseeded", "train.py:3"]]


@pytest.mark.slow
def test_generators_made_by_turns_are_told_apart(script: Script) -> None:
    text = (
        "import numpy as np\n\ndef kept():\n    return np.random.default_rng()\n\ndef lost():\n    return np.random.default_rng()\n\n"
        "total = 0.0\nfor _ in range(2):\n    total += kept().random()\n    lost().random()\nprint('loss =', total)"
    )
    found = check_script(script(text))
    assert (found.cause, found.location, found.fix_verified) == (
        "unseeded generator: numpy generator",
        "train.py:4",
        True,
    )
    assert {e["note"] for e in found.ledger if " made at " in e["generator"]} == {"given no seed"}


@pytest.mark.slow
def test_sorting_is_tried_where_the_order_of_a_set_enters(script: Script) -> None:
    text = "def words():\n    return {'a', 'b', 'c', 'd'}\nfor word in words():\n    first = word\nprint('acc =', ord(first), len(words()))"
    found = check_script(script(text))
    assert (found.location, found.fix_verified) == ("train.py:3", True)
    assert found.fix == "sort the set where its order enters (train.py:3): sorted(…)"


@pytest.mark.slow
def test_a_hash_seed_that_is_set_inside_the_program_is_said_to_be_void(script: Script) -> None:
    text = "import os\nos.environ['PYTHONHASHSEED'] = '0'\nprint('acc =', hash('name') % 1000)"
    found = check_script(script(text))
    assert found.fix.startswith("take a digest instead of hash() (train.py:3)")
    assert any("train.py:2" in note and "no effect" in note for note in found.notes)


def test_threads_are_held_beside_the_flags_that_are_set() -> None:
    environment = fix_for(Cause.THREADS, "", xla_flags="--xla_dump_to=/tmp/x").environment
    assert "--xla_dump_to=/tmp/x" in environment["XLA_FLAGS"]


@pytest.mark.parametrize(
    ("libraries", "said"),
    [
        ({"random", "torch"}, "torch.set_num_threads(1), or OMP_NUM_THREADS=1 at launch"),
        ({"keras", "tensorflow"}, "OMP_NUM_THREADS=1 TF_NUM_INTRAOP_THREADS=1 TF_NUM_INTEROP_THREADS=1 at launch"),
        ({"jax"}, "--xla_cpu_multi_thread_eigen=false"),
        ({"keras"}, "--xla_cpu_multi_thread_eigen=false"),
        ({"random"}, "threads: OMP_NUM_THREADS=1 at launch"),
    ],
)
def test_threads_are_pinned_as_the_libraries_take_them(libraries: set[str], said: str) -> None:
    fix = fix_for(Cause.THREADS, "", libraries=libraries)
    assert said in fix.text
    assert all(name in fix.environment for name in re.findall(r"(\w+_THREADS|XLA_FLAGS)=", fix.text))


@pytest.mark.parametrize(
    ("a", "b", "said"),
    [
        (
            [1.0, 0.5],
            [1.0, np.nextafter(np.float32(0.5), np.float32(1))],
            "50 % of the parameters differ, by at most 1 units in the last place, 6e-08",
        ),
        ([1.0, 1e-9], [1.0, -1e-9], "50 % of the parameters differ, by at most 2e-09 of the largest one)"),
    ],
)
def test_a_rounding_is_told_at_the_scale_of_the_parameters(a: list[float], b: list[float], said: str) -> None:
    x, y = (
        Trace(0, "", "", steps=np.array([k], np.uint32), parameters=np.array(values, np.float32))
        for k, values in enumerate((a, b))
    )
    difference = compare(x, y)
    assert difference.verdict is Verdict.ROUNDING
    assert said in sentence_of(Check(difference.verdict, "thread count", difference=difference))


@pytest.mark.slow
def test_typed_seeds_that_change_nothing_are_said(script: Script, capsys: pytest.CaptureFixture[str]) -> None:
    assert start(["check", "--", *script("import random\nrandom.seed(1)\nrandom.random()\nprint('acc =', 0.5)")]) == 0
    assert "two seeds gave the same output" in capsys.readouterr().out
    assert start(["check", "--", *script("import random\nrandom.seed(1)\nprint('acc =', random.random())")]) == 0
    assert "two seeds gave the same" not in capsys.readouterr().out


@pytest.mark.parametrize(
    "words",
    [
        ("check",),
        ("check", "--rtol", "2", "--", "python", "train.py"),
        ("check", "--timeout", "0", "--", "python", "train.py"),
        ("check", "--measure", "1", "--", "python", "train.py"),
        ("check", "--seed", "3", "--", "python", "train.py"),
        ("check", "--", "python", "nothing.py"),
    ],
)
def test_wrong_use_is_a_line(words: tuple[str, ...], script: Script, capsys: pytest.CaptureFixture[str]) -> None:
    script("print(1)")
    assert start(list(words)) == 2
    assert "Traceback" not in capsys.readouterr().err


def test_what_is_no_function_is_refused() -> None:
    with pytest.raises(UsageError, match="takes a function"):
        sw.check("train.py")  # type: ignore[arg-type]
    with pytest.raises(ScriptError, match="nothing can be compared"):
        sw.check(lambda seed: 1 / 0)


@pytest.mark.slow
def test_the_plugin(pytester: pytest.Pytester) -> None:
    pytester.makepyfile(
        """
        import random
        import pytest

        def good(seed, scale=1.0):
            return random.Random(seed).random() * scale

        def bad(seed):
            return random.Random().random()

        def test_good(assert_reproducible):
            assert_reproducible(good, seed=3, scale=2.0)

        def test_bad(assert_reproducible):
            assert_reproducible(bad, seed=3)

        @pytest.mark.reproducible(seed=5)
        def test_train(seed):
            return {"loss": random.Random(seed).random()}

        @pytest.mark.reproducible
        def test_train_badly(seed):
            return {"loss": random.Random().random()}

        def test_plain():
            pass
        """
    )
    result = pytester.runpytest_subprocess("-p", "no:cacheprovider", "--strict-markers")
    result.assert_outcomes(passed=3, failed=2)
    result.stdout.fnmatch_lines(["*not reproducible: different: unseeded generator*"])
