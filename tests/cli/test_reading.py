"""What people read: the list, the newest experiment, files by their ending, tables for papers."""

import contextlib
import json
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

import seedwise as sw
from seedwise.api.listing import listing, newest
from seedwise.cli.start import start

from .test_commands import seedwise

Script = Callable[..., list[str]]
TEXT = "import random\nseed = 42\nrandom.seed(seed)\nprint(f'acc = {random.random():.4f}')\nprint(f'val_loss = {random.random():.4f}')\n"


@pytest.fixture(scope="module")
def ready(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A project with the experiments `base` and `train`; the second is the newest."""
    folder = tmp_path_factory.mktemp("ready")
    (folder / "train.py").write_text(TEXT)
    with contextlib.chdir(folder):
        sw.run_script([sys.executable, "train.py"], range(1, 6), name="base")
        sw.run_script([sys.executable, "train.py"], range(1, 4))
    return folder


@pytest.fixture
def two(ready: Path, project: Path) -> list[str]:
    """The same in a folder of its own."""
    shutil.copytree(ready, project, dirs_exist_ok=True)
    return [sys.executable, "train.py"]


def test_the_list_says_when_what_and_how_long(two: list[str]) -> None:
    rows = listing()
    assert [(r.name, r.n, r.finished, r.metric) for r in rows] == [("base", 5, 5, "acc"), ("train", 3, 3, "acc")]
    shown = sw.summarize(sw.load("base").scores("acc"))
    assert (rows[0].mean, rows[0].interval) == (shown.mean, shown.interval)  # the numbers of the report
    text = seedwise("list").stdout
    assert re.search(
        r"base +just now +acc 0\.\d+ ± 0\.\d+ +5 of 5 +\d\.\d s \(\d\.\d s each\) +python3? train\.py", text
    ), text
    assert "key" not in text
    told = json.loads(seedwise("list", "--json").stdout)
    assert {"key", "last_run", "mean", "interval", "seconds", "differs"} <= set(told[0])


def test_the_list_says_what_differs_between_versions_of_a_name(script: Script, project: Path) -> None:
    command = script("import helper\n" + TEXT)
    (project / "helper.py").write_text("x = 1\n")
    sw.run_script(command, [1])
    sw.run_script([*command, "--lr", "0.5"], [1])
    (project / "helper.py").write_text("x = 2\n")
    sw.run_script([*command, "--lr", "0.5"], [1])
    sw.run_script([*command, "--lr", "0.5"], [1], threads=2)
    assert [(r.name, r.differs) for r in listing()] == [
        ("train@1", ()),
        ("train@2", ("--lr 0.5",)),
        ("train@3", ("helper.py",)),
        ("train@4", ("threads 1 → 2",)),
    ]
    assert "changed: helper.py" in seedwise("list").stdout


def test_a_failed_experiment_stands_in_the_list_without_a_mean(script: Script) -> None:
    with pytest.raises(sw.RunsFailedError):
        sw.run_script(script("seed = 42\nraise SystemExit(3)\n"), [1, 2])
    (row,) = listing()
    assert (row.finished, row.failed, row.metric, row.mean) == (0, 2, None, None)
    assert "0 of 2       2" in seedwise("list").stdout


def test_without_a_name_the_newest_is_taken_and_said(two: list[str]) -> None:
    done = seedwise("show")
    assert "train: 3 of 3 runs finished" in done.stdout
    assert done.stderr == "train, the newest of 2 experiments:\n"
    log = seedwise("log", "--seed", "2")
    assert (log.stdout, log.stderr) == (seedwise("log", "train", "--seed", "2").stdout, done.stderr)
    compared = seedwise("compare")
    assert compared.stderr == "compare train base, the newest of 2 experiments:\n"
    assert compared.stdout.startswith("Whether train or base is better in acc")


def test_more_seeds_make_an_old_experiment_the_newest(script: Script) -> None:
    for seeds, name in (([1], "base"), ([1], "train"), ([1, 2], "base")):
        sw.run_script(script(TEXT), seeds, name=name)
    assert newest() == (["base"], 2)


def test_the_newest_of_too_few_is_an_error_in_words(script: Script) -> None:
    assert "no experiments here" in seedwise("show").stderr
    sw.run_script(script(TEXT), [1])
    done = seedwise("compare")
    assert done.returncode == 2
    assert "compare takes NEW and BASE, or a FILE.csv with --by COLUMN; there is only train" in done.stderr
    assert seedwise("show").stderr == "train:\n"


def test_log_loads_nothing_heavy(two: list[str]) -> None:
    code = "import sys; from seedwise.cli.start import start; start(['log', 'base', '--seed', '2']); "
    code += "print(*sorted({'numpy', 'scipy', 'torch', 'rich.console', 'seedwise.runs'} & set(sys.modules)))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.endswith("\n\n"), done.stdout


@pytest.mark.parametrize("words", [["show", "base"], ["list"]])
def test_show_and_list_load_no_scipy_and_nothing_that_runs(two: list[str], words: list[str]) -> None:
    code = f"import sys; from seedwise.cli.start import start; start({words}); "
    code += "print(*sorted({'scipy', 'torch', 'pandas', 'seedwise.runs.supervisor'} & set(sys.modules)))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.endswith("\n\n"), done.stdout


COMMANDS = [["show", "base"], ["summarize", "base"], ["compare", "train", "base"], ["export", "base"]]


@pytest.mark.parametrize("words", COMMANDS, ids=lambda w: w[0])
def test_a_file_is_written_as_its_ending_says(words: list[str], two: list[str], project: Path) -> None:
    for ending, sign in ((".tex", r"\toprule"), (".md", "| --- |"), (".csv", ","), (".json", "{"), (".txt", "acc")):
        assert start([*words, "-o", f"out{ending}"]) == 0
        assert sign in (project / f"out{ending}").read_text()
    json.loads((project / "out.json").read_text())


@pytest.mark.parametrize("words", COMMANDS, ids=lambda w: w[0])
def test_an_ending_that_is_not_known_is_refused_before_anything_is_printed(
    words: list[str], two: list[str], project: Path
) -> None:
    name = "out.xlsx" if words[0] != "compare" else "out"
    done = seedwise(*words, "-o", name)
    assert (done.returncode, done.stdout) == (2, "")
    assert ".tex" in done.stderr
    assert not (project / name).exists()


def test_a_format_and_another_ending_are_refused(two: list[str]) -> None:
    assert "leave one of them out" in seedwise("export", "base", "--format", "csv", "-o", "x.tex").stderr


@pytest.mark.parametrize("words", COMMANDS, ids=lambda w: w[0])
def test_latex_is_a_table_alone(words: list[str], two: list[str]) -> None:
    done = seedwise(*words, "--format", "latex")
    lines = [line for line in done.stdout.splitlines() if line and not line.startswith("%")]
    assert lines[0].startswith(r"\begin{tabular}")
    assert lines[-1] == r"\end{tabular}"
    assert not set("▁▂▃▄▅▆▇█±…–") & set("\n".join(lines))
    assert done.stdout.startswith("% Caption: ")
    if words[0] != "export":
        assert r"$\pm$" in "".join(lines)
        assert "95 % t interval of the mean over seeds" in " ".join(done.stdout.replace("\n% ", " ").split())


@pytest.mark.parametrize("words", COMMANDS, ids=lambda w: w[0])
def test_latex_is_well_formed(words: list[str], two: list[str]) -> None:
    """Braces in pairs, every row as many cells as the head has columns, no special character unescaped."""
    import re

    lines = [line for line in seedwise(*words, "--format", "latex").stdout.splitlines() if not line.startswith("%")]
    wide = rows = 0
    for line in lines:
        begin = re.fullmatch(r"\\begin\{tabular\}\{(.*)\}", line)
        if begin is not None:
            wide = len(re.sub(r"@\{\}", "", begin[1]))
        if not line.endswith(r"\\"):
            continue
        rows += 1
        spanned = sum(int(n) - 1 for n in re.findall(r"\\multicolumn\{(\d+)\}", line))
        assert len(re.split(r"(?<!\\)&", line)) + spanned == wide, line
        assert line.count("{") == line.count("}")
        assert not re.search(r"(?<!\\)[%#_]", line), line
        assert len(re.findall(r"(?<!\\)\$", line)) % 2 == 0, line
    assert rows > 1


def test_csv_holds_every_digit(two: list[str], project: Path) -> None:
    seedwise("show", "base", "-o", "out.csv")
    header, first, *_ = (project / "out.csv").read_text().splitlines()
    row = dict(zip(header.split(","), first.split(","), strict=False))
    assert float(row["mean"]) == sw.summarize(sw.load("base").scores("acc")).mean
    assert {"interval_low", "interval_high"} <= set(row)


@pytest.mark.slow
def test_a_locale_with_only_ascii_gets_ascii(two: list[str]) -> None:
    for words in (["show", "base"], ["list"], ["compare", "train", "base"], ["show", "nix"]):
        environment = {**os.environ, "PYTHONIOENCODING": "ascii", "PYTHONUTF8": "0"}
        done = subprocess.run(
            [sys.executable, "-m", "seedwise.cli", *words], capture_output=True, check=False, env=environment
        )
        assert (done.stdout + done.stderr).isascii()
        assert b"?" not in done.stdout


def test_what_changed_in_a_command_is_told_by_option_with_both_values() -> None:
    from seedwise.experiments.differences import _words

    old, new = "python t.py --name foo --lr 0.1 -n 5".split(), "python t.py --seed {seed} --lr 0.2".split()
    assert _words(old, new) == ["--name foo --lr 0.1 -n 5 → --seed {seed} --lr 0.2"]
    assert _words("python t.py --lr 0.1".split(), "python t.py --lr 0.2".split()) == ["--lr 0.1 → --lr 0.2"]


def test_a_seed_that_the_command_fixes_is_named(script: Script) -> None:
    command = script(
        "import argparse, random\np = argparse.ArgumentParser()\np.add_argument('--seed', type=int, default=0)\n"
        "random.seed(p.parse_args().seed)\nprint('acc =', random.random())\n"
    )
    results = sw.run_script([*command, "--seed", "3"], [1, 2])
    assert any("the command fixes the seed (--seed 3)" in text for text in results.warnings)
