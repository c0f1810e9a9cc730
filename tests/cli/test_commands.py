"""The command line: exit codes, names in JSON, and errors for a person."""

import json
import os
import random
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

Script = Callable[..., list[str]]
PLAIN = "import random\nrandom.seed(42)\nprint(f'acc = {random.random():.4f}')\n"
SUMMARY = "metric goal n finished mean sd sem interval level median iqm min max best_seed worst_seed".split()


def seedwise(*words: str, **environment: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "seedwise.cli", *words],
        capture_output=True,
        text=True,
        check=False,
        env={**os.environ, **environment},
        stdin=subprocess.DEVNULL,
    )


def test_run_show_list_export_log(script: Script) -> None:
    command = script(PLAIN)
    run = seedwise("run", "-n", "3", "--name", "base", "--", *command)
    assert run.returncode == 0, run.stderr
    first = run.stdout.splitlines()[0]
    assert first.startswith("acc is ")
    assert "95 % t interval" in first
    assert "train.py:2 (42 → s)" in run.stdout
    shown = json.loads(seedwise("show", "base", "--json").stdout)
    assert {"name", "key", "command", "seeds", "finished", "failed", "sites", "metrics"} <= set(shown)
    assert (shown["seeds"], shown["finished"], shown["failed"]) == ([1, 2, 3], 3, 0)
    assert set(SUMMARY) <= set(shown["metrics"]["acc"])
    values = {seed: round(random.Random(seed).random(), 4) for seed in (1, 2, 3)}
    assert shown["metrics"]["acc"]["mean"] == pytest.approx(sum(values.values()) / 3)
    assert shown["metrics"]["acc"]["best_seed"] == max(values, key=lambda s: values[s])
    (listed,) = json.loads(seedwise("list", "--json").stdout)
    assert {k: listed[k] for k in ("name", "n", "finished", "failed")} == {
        "name": "base",
        "n": 3,
        "finished": 3,
        "failed": 0,
    }
    assert listed["key"] == shown["key"]
    assert seedwise("export", "base").stdout.splitlines() == [
        "seed,status,acc",
        *[f"{seed},finished,{value!r}" for seed, value in values.items()],
    ]
    assert len(json.loads(seedwise("export", "base", "--format", "json").stdout)["runs"]) == 3
    assert seedwise("log", "base", "--seed", "2").stdout == f"acc = {values[2]:.4f}\n"
    assert seedwise("log", "base", "--seed", "2", "--stderr").stdout == ""
    assert seedwise("log", "base", "2").stdout == f"acc = {values[2]:.4f}\n"
    said = seedwise("log", "base").stderr
    assert "which run of base? it has seeds 1–3: seedwise log base --seed 1" in said
    assert (
        "base has no run under seed 9; it has seeds 1–3: seedwise log base --seed 1"
        in seedwise("log", "base", "9").stderr
    )
    assert seedwise("export", "--seeds", "2-3").stdout.splitlines() == [
        "seed,status,acc",
        *[f"{seed},finished,{values[seed]!r}" for seed in (2, 3)],
    ]


def test_some_failed_is_exit_3(script: Script) -> None:
    command = script("seed = 42\nassert seed != 2, 'no two'\nprint('acc =', seed / 7)")
    run = seedwise("run", "-n", "3", "--json", "--", *command)
    assert run.returncode == 3
    told = json.loads(run.stdout)
    assert told["failures"] == [{"seed": 2, "cause": "exception", "detail": "train.py:2: AssertionError: no two"}]
    assert told["metrics"]["acc"]["n"] == 3
    assert told["metrics"]["acc"]["finished"] == 2
    text = seedwise("show", "train").stdout
    assert "over 2 of 3 seeds (among finished; mean, " in text


BAD = [
    (["run", "-n", "3", "--", "python", "nothere.py"], "no such script: nothere.py"),
    (["run", "-n", "3", "--", "python", "."], "is a directory"),
    (["run", "-n", "3", "."], "is a directory"),
    (["run", "-n", "3", "--", sys.executable, "bad.py"], "bad.py:1"),
    (["run", "--seeds", "1,1", "--", sys.executable, "train.py"], "each seed may stand once"),
    (["run", "--seeds", "1,x", "--", sys.executable, "train.py"], "'x' is neither"),
    (["run", "--seeds", str(2**40), "--", sys.executable, "train.py"], "0 to 4294967295"),
    (["run", "--seeds", "5-1", "--", sys.executable, "train.py"], "ends before it begins"),
    (["run", "--seeds", "", "--", sys.executable, "train.py"], "--seeds takes"),
    (["run", "-n", "0", "--", sys.executable, "train.py"], "at least 1"),
    (["run", "-n", "2", "--seeds", "1", "--", sys.executable, "train.py"], "not both"),
    (["run", "--", sys.executable, "train.py"], "how many seeds"),
    (["run", "-n", "3"], "no command"),
    (["run", "-n", "3", "--", "no-such-command-anywhere"], "no such command"),
    (["run", "-n", "3", "--jobs", "0", "--", sys.executable, "train.py"], "--jobs is at least 1"),
    (["run", "-n", "3", "--threads", "many", "--", sys.executable, "train.py"], "--threads takes"),
    (["run", "-n", "3", "--name", "../x", "--", sys.executable, "train.py"], "--name takes"),
    (["run", "-n", "3", "--keep", "train.py:99", "--", sys.executable, "train.py"], "nothing to keep"),
    (["run", "-n", "3", "--metric", "acc:up", "--", sys.executable, "train.py"], "min or max"),
    (["run", "-n", "3", "--metric", "acc=([", "--", sys.executable, "train.py"], "not a regular expression"),
    (["run", "-n", "3", "--share", "nowhere", "--", sys.executable, "train.py"], "no such file or folder"),
    (["run", "--as-is", "--", sys.executable, "train.py", "{seed}"], "one way"),
    (["run", "-n", "3", "--as-is", "--", sys.executable, "train.py"], "leave out -n"),
    (["run", "-n", "3", "--seed-site", "nix.yaml:seed", "--", sys.executable, "train.py"], "cannot read nix.yaml"),
    (["run", "-n", "3", "--store", "train.py", "--", sys.executable, "train.py"], "cannot be opened"),
    (["show", "nix"], "no experiments here"),
    (["sites", "nix.py"], "no such script"),
    (["demo", "nix"], "no demo 'nix'"),
    (["run", "-n", "two", "--", sys.executable, "train.py"], "-n takes a whole number; got two"),
    (["run", "--unknown", "--", sys.executable, "train.py"], "--unknown"),
]


@pytest.mark.parametrize(("words", "said"), BAD, ids=[" ".join(words)[:60] for words, _ in BAD])
def test_bad_input_is_an_error_in_words(words: list[str], said: str, script: Script, project: Path) -> None:
    script(PLAIN)
    (project / "bad.py").write_text("x = (\nseed = 3\n")
    done = seedwise(*words, COLUMNS="200")
    assert done.returncode == 2, done.stdout
    assert said in done.stderr
    assert "Traceback" not in done.stderr
    assert done.stdout == ""


def test_a_folder_that_cannot_be_written_is_said(script: Script, project: Path) -> None:
    command = script(PLAIN)
    (project / ".seedwise").write_text("in the way")
    done = seedwise("run", "-n", "1", "--", *command)
    assert done.returncode == 2
    assert "cannot be opened or written" in done.stderr


def test_a_store_of_a_newer_version_is_left_alone(script: Script, project: Path) -> None:
    import sqlite3

    command = script(PLAIN)
    assert seedwise("run", "-n", "1", "--", *command).returncode == 0
    with sqlite3.connect(project / ".seedwise" / "store.sqlite") as db:
        db.execute("PRAGMA user_version = 99")
    db.close()
    before = (project / ".seedwise" / "store.sqlite").read_bytes()
    for words in (["run", "-n", "2", "--", *command], ["list"], ["show", "train"]):
        done = seedwise(*words)
        assert done.returncode == 2
        assert "newer Seedwise" in done.stderr
    assert (project / ".seedwise" / "store.sqlite").read_bytes() == before


def test_sites_without_running(script: Script, project: Path) -> None:
    script("import random\nSEED = 42\nrandom.seed(SEED)\nopen('ran', 'w')\n")
    text = seedwise("sites", "train.py").stdout
    assert "1 seed site in 1 file; the seed is 42" in text
    assert "train.py:2" in text
    data = json.loads(seedwise("sites", "train.py", "--json", "--seed", "9").stdout)
    assert [(s["location"], s["typed"], s["receives"]) for s in data["sites"]] == [("train.py:2", "42", 9)]
    assert not (project / "ran").exists()


def test_terminal_codes_from_a_run_do_not_pass(script: Script) -> None:
    command = script("import sys\nsys.stderr.write('\\x1b[31mevil\\x1b]0;title\\x07')\nsys.exit(1)")
    done = seedwise("run", "-n", "1", "--", *command)
    assert done.returncode == 3
    assert "\x1b" not in done.stdout + done.stderr
    assert "\x07" not in done.stdout + done.stderr


def test_help_lists_the_commands() -> None:
    text = seedwise("--help").stdout
    for name in ("run", "sites", "list", "show", "log", "resume", "export", "demo"):
        assert name in text


def test_demo_streams_is_the_article() -> None:
    done = seedwise("demo", "streams")
    assert done.returncode == 0, done.stderr
    assert "0.07630829 0.77991879 0.43840923" in done.stdout
    assert "outputs 1 = 4 and 2 = 5, bit for bit" in done.stdout
