"""A forked run is, byte for byte, what a fresh one is; and where it could not be, it is fresh."""

import os
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from seedwise.api.experiments import output_of
from seedwise.api.script import run_script

from ..oracle import editor
from .both_ways import hold_both_ways

HEAVY = {"torch_loader"}
LONG = {"torch_everything", "sklearn_forest"}
NEVER_FORKED = {"launcher"}
Script = Callable[..., list[str]]


def cases() -> list[object]:
    """Every second one is a slow test: all of them are run fresh in tests/oracle too."""
    names = editor.names()
    slow = HEAVY | LONG | set(names[1::2])
    marks = {n: [pytest.mark.slow] * (n in slow) + [pytest.mark.long] * (n in LONG) for n in names}
    return [pytest.param(n, marks=marks[n]) for n in names]


@pytest.mark.parametrize("name", cases())
def test_every_oracle_script(name: str, project: Path, forked: list[int]) -> None:
    editor.write(project, {path: editor.plain(text) for path, text in editor.sources(name).items()})
    os.chdir(project)
    hold_both_ways([sys.executable, "main.py"], forked)
    assert name in NEVER_FORKED or len(forked) >= 2


EARLY = """
import random
import numpy as np
random.seed(42)
np.random.seed(42)
import {module}
print("drawn =", random.random(), np.random.rand())
"""


@pytest.mark.slow
@pytest.mark.parametrize("module", ["sklearn.ensemble", "pandas", "scipy.stats", "torch"])
def test_scripts_that_seed_before_they_import(module: str, script: Script, forked: list[int]) -> None:
    hold_both_ways(script(EARLY.format(module=module)), forked)
    assert forked


def library(folder: Path, monkeypatch: pytest.MonkeyPatch, text: str) -> None:
    """An installed package that behaves badly on import."""
    site = folder / "site-packages"
    site.mkdir()
    (site / "badlib.py").write_text(text)
    monkeypatch.setenv("PYTHONPATH", str(site))


BAD = {
    "draws": "import random\nvalue = random.random()",
    "draws from NumPy": "import numpy as np\nvalue = np.random.rand()",
    "makes a generator": "import random\nrng = random.Random()\nfirst = rng.random()\nvalue = lambda: rng.random()",
    "starts a thread": "import threading, time\nthreading.Thread(target=time.sleep, args=(30,), daemon=True).start()\nvalue = 1",
    "reads the environment": "import os\nvalue = os.environ.get('CHOICE')",
    "changes the environment": "import os\nos.environ['ADDED'] = 'yes'\nvalue = 1",
    "filters warnings": "import warnings\nwarnings.filterwarnings('error', category=UserWarning)\nvalue = 1",
    "prints": "print('hello from badlib')\nvalue = 1",
    "keeps a file open": "file = open(__file__)\nvalue = 1",
    "imports the user's": "import helper\nvalue = helper.VALUE",
    "fails": "raise RuntimeError('not today')",
    "leaves sys.modules": "import sys\nvalue = 1\ndel sys.modules[__name__]",
    "sets logging": "import logging\nlogging.basicConfig(level=10)\nvalue = 1",
}
ASKS = """
import os, random, sys, warnings, logging
random.seed(42)
print("before", "badlib" in sys.modules, os.environ.get("ADDED"), len(warnings.filters), logging.root.handlers)
{first}
try:
    import badlib
    value = badlib.value() if callable(badlib.value) else badlib.value
except Exception as error:
    value = repr(error)
print("after", value, os.environ.get("ADDED"), [f[0] for f in warnings.filters], logging.root.level)
print("acc =", random.random())
"""
FIRST = {
    "": "",
    "environment": "os.environ['CHOICE'] = 'late'",
    "environment by seed": "SEED = 42\nos.environ['CHOICE'] = str(SEED)",
    "warnings": "warnings.filterwarnings('ignore')",
    "path": "sys.path.append('elsewhere')",
    "folder": "os.makedirs('sub', exist_ok=True); os.chdir('sub')",
}


@pytest.mark.parametrize("what", BAD)
@pytest.mark.parametrize(
    "first", ["", *(pytest.param(f, marks=pytest.mark.slow) for f in ("environment by seed", "warnings"))]
)
def test_a_library_that_does_something_on_import(
    what: str, first: str, script: Script, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, forked: list[int]
) -> None:
    library(tmp_path, monkeypatch, BAD[what])
    Path("helper.py").write_text("VALUE = 5\n")
    hold_both_ways(script(ASKS.format(first=FIRST[first])), forked, (1, 2, 3))


@pytest.mark.parametrize("first", FIRST)
def test_an_import_that_depends_on_what_the_script_did_before(
    first: str, script: Script, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, forked: list[int]
) -> None:
    library(tmp_path, monkeypatch, BAD["reads the environment"])
    hold_both_ways(script(ASKS.format(first=FIRST[first])), forked, (1, 2, 3, 4))
    assert len(forked) >= 2


ENDINGS = {
    "exit code": "import sys; print('acc = 1'); sys.exit(3)",
    "text": "import sys; print('acc = 1'); sys.exit('no luck')",
    "exception": "print('acc = 1'); {}['key']",
    "os._exit": "import os; print('acc = 1', flush=True); os._exit(5)",
    "open file": "f = open('kept.txt', 'w'); f.write('kept'); print('acc = 1')",
    "atexit": "import atexit; atexit.register(print, 'at the end'); print('acc = 1')",
    "thread": "import threading, time\ndef f():\n    time.sleep(.2); print('from the thread')\nthreading.Thread(target=f).start()\nprint('acc = 1')",
    "destructor": "class A:\n    def __del__(self):\n        print('gone')\na = A()\nb = [a]; b.append(b)\nprint('acc = 1')",
    "failing atexit": "import atexit; atexit.register(lambda: 1 / 0); print('acc = 1')",
    "abort": "import os; print('acc = 1', flush=True); os.abort()",
    "fork": "import os\nprint('acc = 1', flush=True)\npid = os.fork()\nif pid == 0:\n    print('child'); raise SystemExit(0)\nos.waitpid(pid, 0)\nprint('parent')",
    "arguments": "import sys; print(sys.argv, sys.orig_argv[1:], __file__, sys.path[0] != ''); print('acc = 1')",
    "environment": "import os; print(sorted(k for k in os.environ if k.startswith('SEEDWISE'))); print('acc = 1')",
    "signals": "import signal; print(signal.getsignal(signal.SIGPIPE), signal.getsignal(signal.SIGINT), signal.getsignal(signal.SIGCHLD)); print('acc = 1')",
    "multiprocessing": (
        "import multiprocessing, random\ndef f(k): return random.random()\n"
        "if __name__ == '__main__':\n    random.seed(42)\n"
        "    with multiprocessing.get_context('spawn').Pool(1) as p: print(p.map(f, [1, 2]))\n"
        "    with multiprocessing.get_context('fork').Pool(1) as p: print(p.map(f, [1, 2]))\n    print('acc = 1')"
    ),
}


@pytest.mark.parametrize(
    "ending", [pytest.param(e, marks=pytest.mark.slow if k % 2 else ()) for k, e in enumerate(ENDINGS)]
)
def test_ways_to_end(ending: str, script: Script, forked: list[int]) -> None:
    hold_both_ways(script("import json\n" + ENDINGS[ending] + "\n"), forked, (1, 2, 3))
    assert len(forked) >= 1 or ending in ("os._exit", "abort")  # these tell nothing of what they imported
    for name in ("fresh", "forked"):
        if ending == "open file":
            folder = Path(output_of(name, 3, "stdout")).parent
            assert (folder / "files" / "kept.txt").read_text() == "kept"


def test_a_seed_in_the_command_reaches_a_forked_run(script: Script, forked: list[int]) -> None:
    command = [*script("import sys\nprint('acc =', sys.argv[-1])\nprint(sys.argv)"), "--seed", "{seed}"]
    hold_both_ways(command, forked)
    assert forked == [2, 2**32 - 1]


def test_a_script_that_is_no_script_starts_fresh(script: Script, forked: list[int]) -> None:
    script("print('acc = 1')", "train.py")
    hold_both_ways([sys.executable, "-m", "train"], forked, (1, 2, 3))
    results = run_script(["bash", "-c", f"{sys.executable} train.py; true"], range(1, 4), name="shell", jobs=1)
    assert not forked
    assert any("each run starts fresh: a program stands between" in note for note in results.notes)


def test_an_order_of_imports_that_depends_on_the_seed(
    script: Script, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, forked: list[int]
) -> None:
    library(tmp_path, monkeypatch, "import os\nos.environ['ADDED'] = str(os.environ.get('OTHER'))\nvalue = 1")
    (tmp_path / "site-packages" / "other.py").write_text("import os\nos.environ['OTHER'] = 'x'\n")
    text = "import os\nSEED = 42\nif SEED % 2:\n    import other, badlib\nelse:\n    import badlib, other\nprint(os.environ['ADDED'], 'acc =', SEED)"
    hold_both_ways(script(text), forked, (1, 2, 3, 4, 5))
    assert os.environ.get("ADDED") is None
