"""Mistakes that a person makes, at the command line and in Python, each with the answer it must get.

Nothing may be made or run: each is refused before anything starts.
"""

import os
import random
import shlex
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

import seedwise as sw
from seedwise.cli.start import start
from seedwise.experiments.site_reading import placement_to_dict
from seedwise.experiments.store import Store
from seedwise.results import Run, Series, Status
from seedwise_guest.protocol import Placement

TRAIN = "import random\nrandom.seed(42)\nprint('acc =', random.random())\n\ndef train(seed, lr=0.1, depth=2):\n    return lr\n\nclass Trainer:\n    def fit(self):\n        pass\n"
CONF = "seed: 3\nlr: 0.1\n"
MANIFEST = {"mode": "substitute", "folder": "", "keep": [], "seed site": "", "threads": 1}
PLAN = placement_to_dict(Placement([], None))


@pytest.fixture
def here(project: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A folder with a script, and two experiments that were run before. A mistake changes neither."""
    (project / "train.py").write_text(TRAIN)
    (project / "conf.yaml").write_text(CONF)
    (project / "results.csv").write_text("seed,acc\n1,0.5\n2,0.75\n")
    for folder in ("data", "pkg", "scripts"):
        (project / folder).mkdir()
    for file in ("pkg/__init__.py", "pkg/__main__.py", "scripts/fit.py"):
        (project / file).write_text("")
    monkeypatch.setenv("PATH", f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}")
    with Store(project / ".seedwise") as store:
        for name in ("baseline", "dropout"):
            made = store.add_experiment(name, f"key of {name}", ["python", "train.py"], MANIFEST, PLAN)
            for seed in (1, 2):
                store.finish(made.id, Run(seed, Status.FINISHED, {"accuracy": Series((1,), (random.random(),))}))
    before = state(project)
    yield project
    assert state(project) == before


def state(project: Path) -> object:
    with Store(project / ".seedwise") as store:
        kept = [(e.label, len(store.runs(e.id))) for e in store.experiments()]
    return kept, sorted(
        str(path.relative_to(project)) for path in project.rglob("*") if "store.sqlite" not in path.name
    )


AT_COMMAND_LINE = [
    # commands
    ("runn -n 3 python train.py", "no command runn: did you mean seedwise run -n 3 python train.py"),
    ("ls", "no command ls: did you mean seedwise list"),
    ("diff baseline dropout", "no command diff: did you mean seedwise compare baseline dropout"),
    ("frobnicate", "no command frobnicate; there are check, compare, completion, cross-validate,"),
    ("python train.py", "python is no command of Seedwise: seedwise run -n 30 python train.py"),
    ("train.py -n 3", "train.py is no command of Seedwise: seedwise run -n 3 train.py"),
    ("-n 3 python train.py", "the command comes first: seedwise run -n 3 python train.py"),
    ("-n 3 run python train.py", "the command comes first: seedwise run -n 3 python train.py"),
    ("version", "no command version: did you mean seedwise --version"),
    ("-V", "no option -V: did you mean seedwise --version"),
    ("summarize", "summarize takes a file with scores, or the name of an experiment: seedwise summarize dropout"),
    # options
    ("run -n 3 -m pkg", "a module is run by python: seedwise run -n 3 python -m pkg"),
    ("show baseline -n 2", "show has no option -n: the seeds are named, --seeds 1-10"),
    ("run --nam a -n 3 python train.py", "run has no option --nam: did you mean --name?"),
    ("run -m acc -n 3 python train.py", "run has no option -m: "),
    ("run -n 3 --metrics acc python train.py", "run has no option --metrics: did you mean --metric?"),
    ("show baseline --sede 1", "show has no option --sede"),
    ("run -n 3 --name", "--name takes a value"),
    ("run -n 3 -n 4 python train.py", "-n stands twice: once is enough"),
    ("run -n 3 --reduce bset python train.py", "--reduce is last, best, mean or area; got bset: did you mean best?"),
    ("run -n 3 --workdir overlai python train.py", "did you mean overlay?"),
    ("export baseline --format cvs", "--format is csv, json, md, latex or parquet; got cvs: did you mean csv?"),
    # numbers of seeds, and seeds
    ("run -n 3.5 python train.py", "-n takes a whole number; got 3.5"),
    ("run -n three python train.py", "-n takes a whole number; got three"),
    ("run -n python train.py", "-n takes a whole number; got python"),
    ("run -n 0 python train.py", "-n is the number of seeds, at least 1; got 0"),
    ("run -n -3 python train.py", "-n is the number of seeds, at least 1; got -3"),
    ("run -n 3 --jobs 1.5 python train.py", "--jobs takes a whole number; got 1.5"),
    ("run -n 3 --timeout soon python train.py", "--timeout takes a number; got soon"),
    ("run -n 3 --seeds 1-3 python train.py", "-n or --seeds, not both"),
    ("run python train.py", "how many seeds? seedwise run -n 30 python train.py"),
    ("run python train.py -n 30", "before it, it is Seedwise's: seedwise run -n 30 python train.py"),
    ("run --seeds 1 2 3 python train.py", "2 is no command; seeds are one word, with commas: --seeds 0,3,5"),
    ("run --seeds '1 2 3' python train.py", "'1 2 3' is neither: did you mean --seeds 1,2,3?"),
    ("run --seeds 'range(3)' python train.py", "did you mean --seeds 0:3?"),
    ("run --seeds 5-1 python train.py", "--seeds 5-1: the range ends before it begins"),
    ("run --seeds 1,1 python train.py", "each seed may stand once"),
    ("run --seeds 4294967296 python train.py", "0 to 4294967295"),
    # what is run
    ("run -n 3", "no command: seedwise run -n 30 python train.py"),
    ("run -n 3 python trian.py", "no such script: trian.py: did you mean train.py?"),
    ("run -n 3 train", "no such command: train: did you mean train.py?"),
    ("run -n 3 pyhton train.py", "no such command: pyhton: did you mean python train.py?"),
    ("run -n 3 data", "data is a directory: name a script"),
    ("run -n 3 pkg --lr 1", "pkg is a package; did you mean: python -m pkg --lr 1?"),
    ("run -n 3 scripts", "scripts is a directory; did you mean: python scripts/fit.py?"),
    ("run -n 3 python -m pgk", "no module pgk for `python -m pgk`: did you mean pkg?"),
    ("run 3 python train.py", "-n stands before the number: seedwise run -n 3 python train.py"),
    ("run -n 3 python", "python alone would wait for input: name a script"),
    (
        "run -n 3 -- 'cd data && python train.py'",
        "needs a shell: seedwise run -n 30 bash -c 'cd data && python train.py'",
    ),
    ("run -n 3 notes.ipynb", "no such notebook: notes.ipynb"),
    # functions
    ("run -n 3 train.py:trian", "train.py has no function trian: did you mean train?"),
    ("run -n 3 trian.py:train", "no such script: trian.py: did you mean train.py?"),
    ("run -n 3 train.py:train --set lrr=0.1", "train has no setting lrr: did you mean lr?"),
    ("run -n 3 train.py:train lr=0.1", "and no word lr=0.1: did you mean --set lr=0.1?"),
    ("run -n 3 train.py:train --lr 0.1", "a setting of train.py:train is given by --set lr=0.1"),
    (
        "run -n 3 train.py:train --set seed=3",
        "the function receives the seed from Seedwise; name the seeds with --seeds",
    ),
    ("run -n 3 train.py::train", "a function is named train.py:train"),
    ("run -n 3 train.train", "a function is named train.py:train"),
    ("run -n 3 python train.py:train", "a function is named without python: train.py:train"),
    ("run -n 3 LR=1 python train.py", "a variable is set by env: env LR=1 python train.py"),
    ("run -n 3 ''", "no command: seedwise run -n 30 python train.py"),
    ("run -n 3 train.py:Trainer.fitt", "Trainer in train.py has no fitt: did you mean fit?"),
    ("summarize result.csv", "no file result.csv, and no experiment of that name: did you mean results.csv?"),
    ("run -n 3 --set lr=1 python train.py", "--set is for a function"),
    # experiments
    ("show baselin", "no experiment 'baselin': did you mean baseline?"),
    ("show baseline.py", "no experiment 'baseline.py': did you mean baseline?"),
    ("show baseline@7", "no experiment 'baseline@7'; there are: baseline@1"),
    ("show nothinglikeit", "there are: baseline, dropout"),
    (
        "show baseline dropout",
        "show takes one name, and no dropout; two are compared: seedwise compare baseline dropout",
    ),
    ("log baseline --seed two", "--seed takes a whole number; got two"),
    ("log baseline --seed 9", "baseline has no run under seed 9"),
    ("export baseline --seeds 1,9", "baseline has no seed 9; it has seeds 1, 2"),
    ("show baseline --metric acuracy:maximum", "the goal is min or max, not 'maximum'"),
    ("rm baselin --yes", "did you mean baseline?"),
    ("resume dropuot", "did you mean dropout?"),
    # other options of run
    ("run -n 3 --metric 'acc=([' python train.py", "not a regular expression"),
    ("run -n 3 --seed-site conf.yaml:sed python train.py", "--seed-site conf.yaml:sed: 'sed'"),
    ("run -n 3 --name 'a b' python train.py", "--name takes letters, digits"),
    ("run -n 3 --as-is python train.py", "leave out -n"),
    ("run -n 3 --timeout -1 python train.py", "--timeout is a number of seconds above 0; got -1.0"),
    ("run -n 3 --threads many python train.py", "--threads takes a number or `script`; got 'many'"),
    ("run -n 3 --max-seeds 9 python train.py", "--max-seeds goes with --until-margin"),
    ("demo keros", "no demo 'keros': did you mean keras?"),
    ("sites trian.py", "no such script: trian.py: did you mean train.py?"),
    ("check", "no command: seedwise check -- python train.py"),
]


@pytest.mark.parametrize(("line", "said"), AT_COMMAND_LINE, ids=[line for line, _ in AT_COMMAND_LINE])
def test_a_mistake_at_the_command_line(line: str, said: str, here: Path, capfd: pytest.CaptureFixture[str]) -> None:
    code = start(shlex.split(line))
    out, err = capfd.readouterr()
    assert said in err
    assert err.startswith("seedwise: ")
    assert len(err.splitlines()) == 1
    assert (code, out) == (2, "")


def train(seed: int, lr: float = 0.1) -> float:
    return seed * lr


async def waits(seed: int) -> float:
    return seed


IN_PYTHON: list[tuple[str, Callable[[], Any], str]] = [
    # each of them as somebody would write it, and what the exception says
    ("run(train, 30)", lambda: sw.run(train, 30), "not how many: seeds=range(1, 31)?"),  # type: ignore[arg-type]
    ("run(train, '1-3')", lambda: sw.run(train, "1-3"), "is text: seeds=[1, 2, 3]"),  # type: ignore[arg-type]
    ("run(train, [1, 1])", lambda: sw.run(train, [1, 1]), "each seed may stand once"),
    ("run(train, [0.5])", lambda: sw.run(train, [0.5]), "got 0.5 of type float"),  # type: ignore[list-item]
    ("run(train, [-1])", lambda: sw.run(train, [-1]), "0 to 4294967295"),
    ("run(train, [])", lambda: sw.run(train, []), "no seeds: name at least one"),
    ("run(train, range)", lambda: sw.run(train, range), "such as range(1, 31) or [0, 3, 5]"),  # type: ignore[arg-type]
    ("run(train(1), [1])", lambda: sw.run(train(1), [1]), "without () behind train"),  # type: ignore[arg-type]
    ("run('train.py', [1])", lambda: sw.run("train.py", [1]), "run_script(['python', 'train.py'], seeds=…)"),  # type: ignore[arg-type]
    ("run(lambda: 1, [1])", lambda: sw.run(lambda: 1, [1]), "takes no argument: the first one receives the seed"),
    ("config={'lrr': 1}", lambda: sw.run(train, [1], config={"lrr": 1}), "train has no setting lrr: did you mean lr?"),
    ("a setting lacks", lambda: sw.run(lambda seed, lr: lr, [1]), "needs lr beside the seed: config={'lr': …}"),
    ("run(async def, [1])", lambda: sw.run(waits, [1]), "waits is async"),
    ("timeout=-1", lambda: sw.run(train, [1], timeout=-1), "timeout is a number of seconds above 0; got -1"),
    ("timeout='3'", lambda: sw.run(train, [1], timeout="3"), "timeout takes a number; got '3'"),  # type: ignore[arg-type]
    ("jobs=0", lambda: sw.run(train, [1], jobs=0), "jobs is at least 1; got 0"),
    ("jobs=1.5", lambda: sw.run(train, [1], jobs=1.5), "jobs takes a whole number; got 1.5"),  # type: ignore[arg-type]
    (
        "reduce='bset'",
        lambda: sw.run(train, [1], reduce="bset"),
        "reduce is last, best, mean or area; got 'bset': did you mean best?",
    ),
    ("workdir='overlai'", lambda: sw.run(train, [1], workdir="overlai"), "did you mean overlay?"),
    (
        "metric='acc:up'",
        lambda: sw.run(train, [1], metric="acc:up"),
        "metric 'acc:up': the goal is min or max, not 'up'",
    ),
    ("name='a b'", lambda: sw.run(train, [1], name="a b"), "name takes letters, digits"),
    ("run_script('trian.py')", lambda: sw.run_script("python trian.py", [1]), "did you mean train.py?"),
    ("run_script([])", lambda: sw.run_script([], [1]), "no command: run_script(["),
    (
        "run_script([.., 0.1])",
        lambda: sw.run_script(["python", "train.py", 0.1], [1]),
        "0.1 is none: ['python', 'train.py', '0.1']",
    ),  # type: ignore[list-item]
    ("until_margin=0", lambda: sw.run_script("train.py", [1], until_margin=0), "until_margin is a number above 0"),
    (
        "until_rule='betting'",
        lambda: sw.run_script("train.py", [1], until_margin=1, until_rule="betting"),
        "bounds=(0, 1)",
    ),
    (
        "seed_site='conf.yaml'",
        lambda: sw.run_script("train.py", [1], seed_site="conf.yaml"),
        "seed_site takes FILE.py:LINE",
    ),
    ("load('baselin')", lambda: sw.load("baselin"), "no experiment 'baselin': did you mean baseline?"),
    ("scores('acuracy')", lambda: sw.load("baseline").scores("acuracy"), "no metric 'acuracy': did you mean accuracy?"),
    ("check('train.py')", lambda: sw.check("train.py"), "check() takes a function"),  # type: ignore[arg-type]
]


@pytest.mark.parametrize(("call", "said"), [(c, s) for _, c, s in IN_PYTHON], ids=[line for line, _, _ in IN_PYTHON])
def test_a_mistake_in_python(call: Callable[[], Any], said: str, here: Path) -> None:
    with pytest.raises(sw.SeedwiseError) as raised:
        call()
    assert said in str(raised.value)
    assert "--" not in str(raised.value)  # the words of the command line are not Python's
