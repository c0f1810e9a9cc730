"""What counts as finished is there: files are kept first, the store finds damage, and nothing of a stranger's store is believed."""

import errno
import json
import os
import shutil
import sqlite3
from collections.abc import Callable
from pathlib import Path

import pytest

import seedwise as sw
from seedwise.api.experiments import output_of
from seedwise.api.script import run_script
from seedwise.cli import main
from seedwise.errors import SeedwiseError, StoreError, UsageError
from seedwise.experiments.command import without_secrets
from seedwise.experiments.layout import SEALED
from seedwise.experiments.owners import this_owner
from seedwise.experiments.store import Store
from seedwise.results import Cause, Run, Status
from seedwise.runs.supervisor import Supervisor
from seedwise_guest.process.capture import Files

Script = Callable[..., list[str]]


def seedwise(*words: str) -> int:
    """What the command line ends with."""
    with pytest.raises(SystemExit) as left:
        main([*words])
    return int(left.value.code or 0)


WRITES = "import random\nSEED = 42\nrandom.seed(SEED)\nopen('out.txt', 'w').write(str(SEED))\nprint('acc =', random.random())\n"


def test_files_are_kept_before_a_seed_counts_as_finished(script: Script, monkeypatch: pytest.MonkeyPatch) -> None:
    save = Supervisor._save

    def cut_short(self: Supervisor, run: Run) -> None:
        if run.seed == 3:
            raise KeyboardInterrupt  # the power goes between the files and the record
        save(self, run)

    monkeypatch.setattr(Supervisor, "_save", cut_short)
    command = script(WRITES)
    with pytest.raises(KeyboardInterrupt):
        run_script(command, range(1, 6), jobs=1, fresh=True)
    monkeypatch.setattr(Supervisor, "_save", save)
    for run in sw.load("train").finished:
        assert Path(str(run.folder), "files", "out.txt").read_text() == str(run.seed)
    results = run_script(command, range(1, 6), jobs=1, fresh=True)
    assert [Path(str(r.folder), "files", "out.txt").read_text() for r in results.finished] == ["1", "2", "3", "4", "5"]


def test_a_full_disk_fails_the_seed_and_leaves_no_half_of_a_file(
    script: Script, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    copy, full = shutil.copy2, [True]

    def copy_half(source: str, to: Path, **options: bool) -> None:
        if full[0] and "seed-2" in str(to):
            Path(to).write_text("half")
            raise OSError(errno.ENOSPC, "No space left on device")
        copy(source, to, **options)

    def across(source: str, to: Path) -> None:
        raise OSError(errno.EXDEV, "another disk")

    monkeypatch.setattr("seedwise.sandbox.worlds.os.rename", across)
    monkeypatch.setattr("seedwise.sandbox.worlds.shutil.copy2", copy_half)
    command = script(WRITES)
    assert seedwise("run", "-n", "4", "--jobs", "1", "--fresh", "--", *command) == 3
    assert "its files could not be kept: [Errno 28]" in capsys.readouterr().err
    results = sw.load("train")
    failed = {run.seed: run for run in results.failed}
    assert failed[2].cause is Cause.FILES
    assert not [path for path in Path(".seedwise").rglob("*") if path.is_file() and path.read_bytes() == b"half"]
    full[0] = False
    assert seedwise("run", "-n", "4", "--jobs", "1", "--fresh", "--", *command) == 0
    shown = capsys.readouterr().out
    assert "seed 2 in seed-2-attempt-2" in shown
    for run in sw.load("train").finished:
        assert Path(str(run.folder), "files", "out.txt").read_text() == str(run.seed)


def test_a_store_that_was_moved_reads_its_own_logs(
    script: Script, project: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    run_script(script(WRITES), [1, 2])
    moved = project.parent / "moved"
    shutil.copytree(project, moved)
    Path(output_of("train", 1, "stdout")).write_text("the old one")
    monkeypatch.chdir(moved)
    assert Path(output_of("train", 1, "stdout")).is_relative_to(moved)
    assert "acc" in Path(output_of("train", 1, "stdout")).read_text()


def change(statement: str, *values: object) -> None:
    with sqlite3.connect(".seedwise/store.sqlite") as db:
        db.execute(statement, values)
    db.close()


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE series SET last = 0.99, numbers = x'000000000000f03f' WHERE run = (SELECT id FROM runs WHERE seed = 2)",
        "UPDATE series SET numbers = x'000000000000f03f' WHERE run = (SELECT id FROM runs WHERE seed = 2)",
        "UPDATE series SET metric = 'acd' WHERE run = (SELECT id FROM runs WHERE seed = 2)",
        "UPDATE runs SET seed = 7 WHERE seed = 2",
        "UPDATE runs SET status = 'finishee' WHERE seed = 2",
        "UPDATE runs SET seconds = 5 WHERE seed = 2",
    ],
)
def test_a_damaged_record_is_never_a_result_and_its_seed_is_run_again(statement: str, script: Script) -> None:
    command = script(WRITES)
    before = dict(run_script(command, [1, 2, 3], jobs=1).scores("acc").by_seed)
    change(statement)
    damaged = sw.load("train")
    assert all(
        "damaged" in run.detail or run.detail == "not begun"
        for run in damaged.runs
        if run.status is not Status.FINISHED
    )
    assert dict(damaged.scores("acc").by_seed) == {1: before[1], 3: before[3]}
    assert dict(run_script(command, [1, 2, 3], jobs=1).scores("acc").by_seed) == before


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE experiments SET plan = replace(plan, '42', '43')",
        "UPDATE experiments SET command = '[\"rm\"]'",
        "UPDATE experiments SET version = '1/../..'",
        "UPDATE experiments SET name = '../../x'",
    ],
)
def test_a_damaged_experiment_is_said(statement: str, script: Script) -> None:
    run_script(script(WRITES), [1])
    change(statement)
    with pytest.raises((StoreError, UsageError)):
        sw.load("train")


def sealed(statement: str) -> None:
    """A change by somebody who knows how checksums are made."""
    change(statement)
    with Store(Path(".seedwise").absolute()) as store, store._write():
        for table in SEALED:
            store._seal(table, "true", ())


@pytest.mark.parametrize("folder", ["/etc", "runs/../../..", "../outside", "runs/train@1/link"])
def test_a_strangers_store_leads_nowhere_else(folder: str, script: Script, project: Path) -> None:
    (project.parent / "outside").mkdir()
    (project.parent / "outside" / "stdout").write_text("secret")
    run_script(script(WRITES), [1])
    (project / ".seedwise" / "runs" / "train@1" / "link").symlink_to(project.parent / "outside")
    sealed(f"UPDATE runs SET folder = '{folder}'")
    assert sw.load("train").runs[0].folder is None
    with pytest.raises(SeedwiseError):
        output_of("train", 1, "stdout")


@pytest.mark.parametrize(
    "statement", ["UPDATE experiments SET version = '1/../..'", "UPDATE experiments SET name = '../..'"]
)
def test_a_strangers_store_deletes_nothing_outside_itself(
    statement: str, script: Script, project: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    run_script(script(WRITES), [1])
    sealed(statement)
    before = sorted(path for path in project.rglob("*") if ".seedwise" not in path.parts)
    assert seedwise("prune", "--yes") == 2
    assert seedwise("rm", "train", "--yes") == 2
    assert "which none can be" in capsys.readouterr().err
    assert sorted(path for path in project.rglob("*") if ".seedwise" not in path.parts) == before


def test_a_torn_file_is_found_after_an_unclean_end(script: Script) -> None:
    run_script(script(WRITES), range(1, 40))
    place = Path(".seedwise/store.sqlite")
    data = bytearray(place.read_bytes())
    data[len(data) // 2 : len(data) // 2 + 4000] = os.urandom(4000)
    place.write_bytes(data)
    host, _, rest = this_owner().partition(":")
    owners = Path(".seedwise/owners")
    owners.mkdir(exist_ok=True)
    dead = owners / f"{host}_4194304_{rest.partition(':')[2]}_1".replace(":", "_")  # no process has this number
    dead.touch()
    with pytest.raises(StoreError, match="damaged"):
        Store(Path(".seedwise").absolute())
    assert dead.exists()


def test_names_that_are_no_utf_8_cost_nothing(script: Script, project: Path) -> None:
    odd = os.fsdecode(b"odd-\xff.json")
    (project / odd).write_text('{"lr": 1}')
    text = (
        "import json, os\nSEED = 42\nname = os.fsdecode(b'odd-\\xff.json')\nprint(json.load(open(name)))\n"
        "open(os.fsdecode(b'new-\\xff.txt'), 'w').write('x')\nprint('acc =', SEED)\n"
    )
    results = run_script(script(text), [1, 2, 3])
    assert len(results.finished) == 3
    (project / odd).write_text('{"lr": 2}')
    assert run_script(script(text), [1, 2, 3]).name == "train@2"  # a configuration file that was changed


def test_a_metric_with_a_name_of_no_characters_costs_nothing(script: Script) -> None:
    text = "import random, seedwise\nrandom.seed(42)\nseedwise.log({'od\\ud800d': 1.0, 'acc': random.random()})\n"
    results = run_script(script(text), [1, 2, 3])
    assert len(results.scores("acc").values) == 3


def test_no_configuration_file_is_forgotten_among_many_files(tmp_path: Path) -> None:
    files = Files()
    for k in range(25_000):
        files._audit("open", (str(tmp_path / f"{k}.jpg"), "r", 0))
    (tmp_path / "late.yaml").write_text("lr: 1")
    files._audit("open", (str(tmp_path / "late.yaml"), "r", 0))
    assert str(tmp_path / "late.yaml") in files.inputs()
    assert files.more == 5_000


@pytest.mark.parametrize(
    ("words", "kept"),
    [
        (["--hf-token", "abcdefgh1234"], False),
        (["--password=correct-horse"], False),
        (["wandb.api_key=0123456789abcdef"], False),
        (["--llm", "sk-abcdefghijklmnop1234"], False),
        (["model=hf_AbCdEfGhIjKlMnOp"], False),
        (["--max-tokens", "128"], True),
        (["--pad-token", "0"], True),
        (["--tokenizer", "bert-base-uncased"], True),
        (["--token-dim", "64", "--lr", "0.1"], True),
    ],
)
def test_secrets_on_the_command_line_are_not_kept(words: list[str], kept: bool, script: Script) -> None:
    assert (without_secrets(words) == tuple(words)) == kept
    if kept:
        return
    command = [*script("import sys\nSEED = 42\nprint('acc =', SEED, 'words =', len(sys.argv[1]))"), *words]
    results = run_script(command, [1])
    assert results.scores("words").values[0] == len(words[0])  # the run itself has them
    secret = words[-1].rpartition("=")[2]
    written = [p.read_bytes() for p in Path(".seedwise").rglob("*") if p.is_file()]
    assert not any(secret.encode() in data for data in written)
    assert run_script([*command[:-1], command[-1] + "x"], [1]).name == "train@2"


def test_resume_uses_the_options_that_the_run_had(script: Script, capsys: pytest.CaptureFixture[str]) -> None:
    command = script(
        "import os\nSEED = 42\nprint('acc =', SEED, 'nice =', os.nice(0))\nif SEED == 2: raise SystemExit(1)"
    )
    options = ["--retries", "1", "--nice", "7", "--timeout", "50", "--fresh", "--jobs", "1"]
    seedwise("run", "-n", "3", *options, "--", *command)
    assert seedwise("resume", "train", "--failed", "--jobs", "1") == 3
    capsys.readouterr()
    seedwise("show", "train", "--json")
    shown = json.loads(capsys.readouterr().out)
    assert shown["failed"] == 1
    folders = sorted(path.name for path in Path(".seedwise/runs/train@1").iterdir())
    assert folders == ["seed-1", "seed-2", "seed-2-attempt-2", "seed-2-attempt-3", "seed-2-attempt-4", "seed-3"]
    assert Path(".seedwise/runs/train@1/seed-2-attempt-4/stdout").read_text().endswith("nice = 7\n")


def test_only_their_owner_can_look_into_store_and_worlds(script: Script) -> None:
    run_script(script(WRITES), [1])
    assert os.stat(".seedwise").st_mode & 0o077 == 0
    assert os.stat(".seedwise/store.sqlite").st_mode & 0o077 == 0


@pytest.mark.slow
def test_nothing_of_ours_is_put_into_the_users_environment_for_a_subprocess(script: Script) -> None:
    text = (
        "import os, subprocess, sys, random\nSEED = 42\nrandom.seed(SEED)\nenv = {**os.environ, 'X': '1'}\nbefore = dict(env)\n"
        "draw = [sys.executable, '-c', 'import random; print(random.random())']\n"
        "out = [subprocess.run(draw, env=env, capture_output=True, text=True).stdout for _ in range(2)]\n"
        "assert env == before\nassert out[0] != out[1]\nprint('acc =', out[0], 'b =', out[1])"
    )
    command = script(text)
    results = run_script(command, [1, 2, 3], jobs=1)
    assert len(results.finished) == 3
    again = run_script(command, [1, 2, 3], jobs=1, name="again")
    assert dict(again.scores("acc").by_seed) == dict(results.scores("acc").by_seed)


def test_a_store_of_the_first_layout_is_taken_as_whole(project: Path) -> None:
    golden = Path(__file__).parents[1] / "golden" / "store-1.sqlite"
    Path("old").mkdir()
    shutil.copy(golden, "old/store.sqlite")
    with Store(Path("old").absolute()) as store:
        runs = [run for experiment in store.experiments() for run in store.runs(experiment.id)]
    assert runs
    assert all("damaged" not in run.detail for run in runs)
