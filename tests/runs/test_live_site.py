"""Where several numbers are typed, the one that reaches a generator first receives s, whatever overrides what."""

import json
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from seedwise.api.script import run_script
from seedwise.cli.start import start
from seedwise.results import Status

Write = Callable[..., list[str]]

# In each, «7» reaches the global generator; the other numbers are overridden, or never used.
FORMS = {
    "attribute": ("class C: pass\ncfg = C()\ncfg.seed = 1\ncfg.seed = «7»\n", "cfg.seed"),
    "class_attribute": ("class C:\n    seed = 1\ncfg = C()\ncfg.seed = «7»\n", "cfg.seed"),
    "key": ("cfg = {'seed': 1}\ncfg['seed'] = «7»\n", "cfg['seed']"),
    "update": ("cfg = {'seed': 1}\ncfg.update(seed=«7»)\n", "cfg['seed']"),
    "update_with_a_dict": ("cfg = {'seed': 1}\ncfg.update({'seed': «7»})\n", "cfg['seed']"),
    "merged": ("base = {'seed': 1}\ncfg = {**base, 'seed': «7»}\n", "cfg['seed']"),
    "set_defaults": (
        "import argparse\np = argparse.ArgumentParser()\np.add_argument('--seed', type=int, default=1)\n"
        "p.set_defaults(seed=«7»)\na = p.parse_args()\n",
        "a.seed",
    ),
    "parsed_list": (
        "import argparse\np = argparse.ArgumentParser()\np.add_argument('--seed', type=int, default=1)\n"
        "a = p.parse_args(['--seed', '«7»'])\n",
        "a.seed",
    ),
    "subclass": ("class B:\n    seed = 1\nclass C(B):\n    seed = «7»\n", "C().seed"),
    "super_init": (
        "class B:\n    def __init__(self, seed=1):\n        self.seed = seed\n"
        "class C(B):\n    def __init__(self):\n        super().__init__(seed=«7»)\n",
        "C().seed",
    ),
    "inherited_dataclass": (
        "from dataclasses import dataclass\n@dataclass\nclass B:\n    seed: int = 1\n"
        "@dataclass\nclass C(B):\n    seed: int = «7»\n",
        "C().seed",
    ),
    "replace": (
        "from dataclasses import dataclass, replace\n@dataclass\nclass B:\n    seed: int = 1\nc = replace(B(), seed=«7»)\n",
        "c.seed",
    ),
    "presets": ("P = {'small': {'seed': 1}, 'big': {'seed': «7»}}\nc = P['big']\n", "c['seed']"),
    "kwargs": ("def f(seed=1, **more):\n    return seed\ndef g(**more):\n    return f(**more)\nx = g(seed=«7»)\n", "x"),
    "environment": (
        "import os\nseed = 1\nos.environ['SEED'] = '«7»'\nif 'SEED' in os.environ:\n    seed = int(os.environ['SEED'])\n",
        "seed",
    ),
    "yacs": (
        "class Node(dict):\n    def merge_from_list(self, pairs):\n        for k, v in zip(pairs[::2], pairs[1::2]):\n"
        "            self[k] = v\ncfg = Node()\ncfg['SEED'] = 1\ncfg.merge_from_list(['SEED', «7»])\n",
        "cfg['SEED']",
    ),
    "setattr": ("class C: seed = 1\nc = C()\nsetattr(c, 'seed', «7»)\n", "c.seed"),
    "chain_map": (
        "from collections import ChainMap\nc = ChainMap({'seed': «7»}, {'seed': 1})\n",
        "c['seed']",
    ),
    "other_module": ("import conf\nconf.SEED = «7»\n", "conf.SEED"),
    "computed": ("base_seed = 3\nseed = «7»\nrank = 2\nseed = seed * 1000 + rank\nother_seed = 5\n", "seed"),
    "hashed": ("import zlib\nseed = «7»\nother_seed = 3\nv = zlib.crc32(str(seed).encode())\n", "v"),
    "refuses_large_ones": ("other_seed = 3\nseed = «7»\nassert seed < 100_000\n", "seed"),
}


_IN_THE_FAST_SUITE = ("environment", "yacs", "computed", "hashed")


@pytest.mark.parametrize(
    "form", [pytest.param(form, marks=() if form in _IN_THE_FAST_SUITE else pytest.mark.slow) for form in FORMS]
)
def test_the_number_that_reaches_the_generator_receives_s(form: str, project: Path, script: Write) -> None:
    body, use = FORMS[form]
    (project / "conf.py").write_text("SEED = 1\n")
    text = body + f"import random\nrandom.seed({use})\nprint('acc =', random.random())\n"
    results = run_script(script(text.replace("«7»", "7")), seeds=[5])
    (project / "by_hand.py").write_text(text.replace("«7»", "5"))
    by_hand = subprocess.run([sys.executable, "by_hand.py"], capture_output=True, text=True, check=True).stdout
    assert results.scores("acc")[5] == float(by_hand.split()[-1])


@pytest.mark.parametrize("clock", ["os.getpid()", "time.time_ns() % 2**31"])
def test_a_seed_that_differs_at_each_start_accuses_no_site(clock: str, script: Write) -> None:
    text = f"import os, random, time\nAUG_SEED = 1\nseed = 2\nrandom.seed({clock})\nx = random.Random(AUG_SEED)\nrandom.seed(seed)\nprint('acc =', random.random())\n"
    results = run_script(script(text), seeds=[5])
    assert any("typed nowhere in the source" in note for note in results.notes)


def test_twice_a_seed_is_that_seed(script: Write) -> None:
    names = "abcdefg"
    typed = "".join(f"{name}_seed = {10 + k}\n" for k, name in enumerate(names))
    results = run_script(
        script(f"import random\n{typed}random.seed(a_seed * 2)\nprint('acc =', random.random())\n"), seeds=[5]
    )
    assert [s["location"] for s in results.sites if s["receives"] == "s"] == ["train.py:2"]


def test_the_probe_leaves_no_process_behind(script: Write) -> None:
    text = (
        "import random, subprocess\nother_seed = 1\nseed = 2\nsubprocess.Popen(['setsid', 'sleep', '137.25'])\n"
        "random.seed(seed)\nprint('acc =', random.random())\n"
    )
    run_script(script(text), seeds=[5])
    found = subprocess.run(["pgrep", "-f", "sleep 137.25"], capture_output=True, text=True, check=False)
    assert found.stdout == ""


def test_without_a_global_seeding_the_first_generator_decides(script: Write) -> None:
    text = (
        "import numpy as np\nA_SEED = 1\nB_SEED = 2\n"
        "print('acc =', np.random.default_rng(B_SEED).random() + np.random.RandomState(A_SEED).rand() * 0)\n"
    )
    results = run_script(script(text), seeds=[5])
    assert [(s["location"], s["receives"]) for s in results.sites] == [
        ("train.py:2", "its own number, from s"),
        ("train.py:3", "s"),
    ]


def test_the_script_is_started_once_more_and_not_again(project: Path, script: Write) -> None:
    marks = project.parent / "marks"
    marks.mkdir()
    text = (
        "import random, sys\nother_seed = 1\nseed = 2\n"
        f"with open({str(marks / 'log')!r}, 'a') as f: f.write(str(seed) + '\\n')\n"
        "random.seed(seed)\nprint('acc =', random.random())\n"
    )
    command = script(text)
    run_script(command, seeds=[5], share=[str(marks)])
    run_script(command, seeds=[5, 6], share=[str(marks)])
    # what the probe wrote is forgotten, although the folder is shared
    assert sorted(set((marks / "log").read_text().split())) == ["5", "6"]


def test_a_seed_with_a_meaning_of_its_own_stays(script: Write) -> None:
    text = (
        "import argparse, random\np = argparse.ArgumentParser()\n"
        "p.add_argument('--seed', type=int, default=0)\np.add_argument('--hparams_seed', type=int, default=0)\n"
        "a = p.parse_args()\nlr = 0.1 if a.hparams_seed == 0 else random.Random(a.hparams_seed).random()\n"
        "random.seed(a.seed)\nprint('acc =', random.random(), 'lr =', lr)\n"
    )
    results = run_script(script(text), seeds=[5, 6])
    assert [s["receives"] for s in results.sites] == ["s", "as typed"]
    assert {run.series["lr"].values for run in results.runs} == {(0.1,)}


@pytest.mark.slow
@pytest.mark.parametrize(
    ("test", "typed", "stays"),
    [
        ("if other_seed < 0: pass", "-1", True),
        ("if other_seed: pass", "0", True),
        ("if not other_seed: pass", "0", True),
        ("if other_seed >= 0: pass", "-1", True),
        ("if other_seed == 0: pass", "3", False),
        ("if other_seed < 10: pass", "3", False),
        ("pass", "0", False),
    ],
)
def test_which_numbers_have_a_meaning(test: str, typed: str, stays: bool, script: Write) -> None:
    text = (
        f"import random\nseed = 2\nother_seed = {typed}\n{test}\nrandom.seed(seed)\nprint('acc =', random.random())\n"
    )
    results = run_script(script(text), seeds=[5])
    assert (results.sites[1]["receives"] == "as typed") is stays


def test_a_number_beside_the_name_of_a_seed_stays_unless_it_is_one(script: Write) -> None:
    text = "import random\nrows = [('seed', 3), ['SEED', 4]]\nrandom.seed(2)\nprint('acc =', random.random(), rows)\n"
    results = run_script(script(text), seeds=[5])
    assert [s["location"] for s in results.sites] == ["train.py:3"]
    assert "[('seed', 3), ['SEED', 4]]" in Path(str(results.runs[0].folder), "stdout").read_text()


def test_a_seed_in_a_configuration_file_is_proposed(
    project: Path, script: Write, capsys: pytest.CaptureFixture[str]
) -> None:
    (project / "conf.json").write_text('{"lr": 0.1, "run": {"manual_seed": 17}}')
    text = (
        "import json, random\nc = json.load(open('conf.json'))\nrandom.seed(c['run']['manual_seed'])\n"
        "print('acc =', random.random())\n"
    )
    assert start(["run", "-n", "2", "--", *script(text)]) == 0
    assert "add --seed-site conf.json:manual_seed" in capsys.readouterr().err
    assert start(["run", "-n", "2", "--seed-site", "conf.json:manual_seed", "--json", "--", *script(text)]) == 0
    summary = json.loads(capsys.readouterr().out)["metrics"]["acc"]
    assert summary["min"] != summary["max"]


def test_a_generator_that_never_follows_the_seed_is_named(project: Path, script: Write) -> None:
    (project / "site-packages").mkdir()
    (project / "site-packages" / "trainer.py").write_text(
        "import random\ndef fit(seed=42):\n    random.seed(seed)\n    return random.random()\n"
    )
    text = (
        "import sys\nsys.path.insert(0, 'site-packages')\nimport random, trainer\nrandom.seed(3)\n"
        "print('acc =', trainer.fit())\n"
    )
    results = run_script(script(text), seeds=[5, 6])
    assert any("random was seeded with 42 at train.py:5 in every run" in text for text in results.warnings)


def test_a_generator_that_the_script_leaves_unseeded_is_named(script: Write) -> None:
    text = "import random\nimport numpy as np\nnp.random.seed(3)\nprint('acc =', random.random() + np.random.rand())\n"
    results = run_script(script(text), seeds=[5, 6])
    assert any(text.startswith("random: drawn from, and never seeded") for text in results.warnings)


def test_an_experiment_that_an_older_version_placed_otherwise_is_another_one(
    script: Write, monkeypatch: pytest.MonkeyPatch
) -> None:
    command = script(
        "import random\nclass C: pass\nc = C()\nc.seed = 1\nc.seed = 7\nrandom.seed(c.seed)\nprint('acc =', random.random())\n"
    )
    with monkeypatch.context() as older:
        older.setattr("seedwise.runs.sweep.is_doubtful", lambda placement: False)
        before = run_script(command, seeds=[5])
    after = run_script(command, seeds=[5])
    assert (before.name, after.name) == ("train", "train@2")
    assert any("where the seed goes (train.py:4, train.py:5) changed since train" in n for n in after.notes)


@pytest.mark.parametrize("seeding", ["random.seed", "np.random.seed"])
def test_calls_through_a_loop_over_seeding_functions_are_sites(seeding: str, script: Write) -> None:
    text = (
        "import random\nimport numpy as np\nfor f in (random.seed, np.random.seed):\n    f(42)\n"
        "print('acc =', random.random() + np.random.rand())\n"
    )
    results = run_script(script(text), seeds=[5])
    random_part = __import__("random").Random(5).random()
    numpy_part = __import__("numpy").random.RandomState(5).rand()
    assert results.scores("acc")[5] == random_part + numpy_part


def test_an_installed_package_beside_the_script_is_a_library(project: Path, script: Write) -> None:
    (project / "deps" / "lib-1.0.dist-info").mkdir(parents=True)
    (project / "deps" / "lib-1.0.dist-info" / "RECORD").write_text("lib.py,sha256=x,1\n")
    (project / "deps" / "lib.py").write_text("SEED = 5\nimport random\nnumber = random.Random(SEED).random()\n")
    text = "import sys\nsys.path.insert(0, 'deps')\nimport random, lib\nrandom.seed(3)\nprint('acc =', random.random() + lib.number)\n"
    results = run_script(script(text), seeds=[5])
    assert [s["location"] for s in results.sites] == ["train.py:4"]
    assert results.runs[0].status is Status.FINISHED


def test_what_is_read_as_text_is_not_claimed(project: Path, script: Write, capsys: pytest.CaptureFixture[str]) -> None:
    (project / "config.py").write_text("seed = 5\n")
    command = script(
        "exec(open('config.py').read())\nimport random\nrandom.seed(seed)\nprint('acc =', random.random())\n"
    )
    assert start(["sites", *command]) == 0
    shown = capsys.readouterr().out
    assert shown.startswith("No seed that Seedwise could replace")
    assert "config.py:1: the script reads this file as text" in shown


def test_a_counter_is_no_loop_over_seeds(script: Write) -> None:
    text = "import random\nrandom.seed(1)\nstep = 0\nwhile step < 3:\n    step += 1\nprint('acc =', random.random())\n"
    assert not any("counts through" in text for text in run_script(script(text), seeds=[5, 6]).warnings)


@pytest.mark.slow
def test_a_split_that_is_kept_by_its_line_is_not_said_to_vary(script: Write) -> None:
    text = (
        "import random\nSEED = 42\ndef train_test_split(n, random_state): return n\n"
        "train_test_split(3, random_state=0)\nrandom.seed(SEED)\nprint('acc =', random.random())\n"
    )
    varied = run_script(script(text), seeds=[5], name="varied").warnings
    kept = run_script(script(text), seeds=[5], keep="train.py:4", name="kept").warnings
    assert any("also varied: split (train.py:4)" in text for text in varied)
    assert not any("also varied" in text for text in kept)
