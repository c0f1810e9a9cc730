"""A notebook is a script too: its cells run in order, seeds are placed in them, and cell and line are named."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from seedwise import run_script
from seedwise.api.sites import read
from seedwise.errors import ScriptError, UsageError
from seedwise.experiments.identity import digest
from seedwise.experiments.kernels import kernel_python
from seedwise.results import Results, Status
from seedwise_guest.notebooks import execution
from seedwise_guest.notebooks.cells import NotebookError, as_place, place_of, read_cells

PLAIN = (
    "# Training\nimport random",
    "",
    "SEED = 42\nrandom.seed(SEED)",
    "def accuracy():\n    return random.random()\nacc = accuracy()",
    "acc",
    "print('acc =', acc)",
)


def notebook(path: str, *cells: str, words: str = "# Words", **metadata: object) -> str:
    """Write a notebook with these code cells, and words between them."""
    found: list[dict[str, object]] = []
    for cell in cells:
        found.append({"cell_type": "markdown", "metadata": {}, "source": words})
        found.append(
            {
                "cell_type": "code",
                "metadata": {},
                "outputs": [],
                "execution_count": None,
                "source": cell.splitlines(keepends=True),
            }
        )
    Path(path).write_text(json.dumps({"nbformat": 4, "nbformat_minor": 5, "metadata": metadata, "cells": found}))
    return path


def run(path: str, *seeds: int, **options: object) -> Results:
    return run_script([sys.executable, path], seeds or [1, 2], progress=False, **options)  # type: ignore[arg-type]


def printed(results: Results, seed: int) -> str:
    folder = next(of.folder for of in results.runs if of.seed == seed)
    assert folder is not None
    return Path(folder, "stdout").read_text()


def test_places_are_read_as_they_are_written() -> None:
    assert place_of("/p/fit.ipynb cell 3", 2) == "/p/fit.ipynb cell 3 line 2"
    assert as_place("fit.ipynb cell 3 line 2") == "fit.ipynb cell 3:2"
    assert as_place("train.py:3") == place_of("train.py", 3) == "train.py:3"


def test_cells_are_numbered_as_after_running_all(project: Path) -> None:
    notebook("a.ipynb", *PLAIN)
    cells = read_cells("a.ipynb", Path("a.ipynb").read_bytes())
    assert [(cell.number, cell.path) for cell in cells][:2] == [(1, "a.ipynb cell 1"), (2, "a.ipynb cell 2")]
    assert [cell.text.split("\n")[0] for cell in cells] == [
        "# Training",
        "SEED = 42",
        "def accuracy():",
        "acc",
        "print('acc =', acc)",
    ]


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("{", "is no notebook: Expecting"),
        ("[]", "it holds no object"),
        ('{"nbformat": 4}', "no list of cells"),
        ('{"nbformat": 3, "worksheets": []}', "format 3, of before 2015: open and save it in Jupyter"),
        ('{"nbformat": 4, "cells": [{"cell_type": "markdown", "source": "x"}]}', "has no code cells"),
        ('{"nbformat": 4, "cells": [3]}', "its cell 1 is no object"),
        ('{"nbformat": 4, "cells": [{"cell_type": "code", "source": 3}]}', "its cell 1 has no text"),
        ('{"nbformat": 4, "metadata": {"language_info": {"name": "julia"}}, "cells": []}', "a notebook of julia"),
    ],
)
def test_what_is_no_notebook_to_run_says_why(text: str, said: str) -> None:
    with pytest.raises(NotebookError, match=said):
        read_cells("a.ipynb", text.encode())


def test_the_code_alone_is_what_a_notebook_is(project: Path) -> None:
    notebook("a.ipynb", "x = 1", "y = 2")
    before = digest("a.ipynb")
    document = json.loads(Path("a.ipynb").read_text())
    document["cells"][1]["outputs"] = [{"output_type": "stream", "text": "9"}]
    document["cells"][1]["execution_count"] = 7
    document["cells"][0]["source"] = "other words"
    document["metadata"]["title"] = "new"
    Path("a.ipynb").write_text(json.dumps(document, indent=1))
    assert digest("a.ipynb") == before
    notebook("a.ipynb", "x = 1", "y = 3")
    assert digest("a.ipynb") != before
    notebook("a.ipynb", "x = 1\ny = 2")
    assert digest("a.ipynb") != before


def test_the_kernel_that_is_installed_gives_the_interpreter(project: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    kernels = project / "share" / "jupyter" / "kernels"
    (kernels / "mine").mkdir(parents=True)
    (kernels / "mine" / "kernel.json").write_text(json.dumps({"argv": [sys.executable, "-m", "ipykernel"]}))
    (kernels / "bare").mkdir()
    (kernels / "bare" / "kernel.json").write_text(json.dumps({"argv": ["python", "-m", "ipykernel"]}))
    monkeypatch.setenv("JUPYTER_PATH", str(kernels.parent))
    notebook("a.ipynb", "1", kernelspec={"name": "mine"})
    assert kernel_python("a.ipynb").python == sys.executable
    assert "the Python of its kernel mine" in kernel_python("a.ipynb").sentence
    notebook("b.ipynb", "1", kernelspec={"name": "bare"})
    (project / "bin").mkdir()
    (project / "bin" / "python").symlink_to(sys.executable)
    assert kernel_python("b.ipynb").python == str(project / "bin" / "python")
    notebook("c.ipynb", "1", kernelspec={"name": "gone"})
    assert "no kernel gone is installed here" in kernel_python("c.ipynb").sentence
    (kernels / "old").mkdir()
    (kernels / "old" / "kernel.json").write_text(json.dumps({"argv": ["/gone/python", "-m", "ipykernel"]}))
    notebook("e.ipynb", "1", kernelspec={"name": "old"})
    assert "its kernel old starts /gone/python, which is not there" in kernel_python("e.ipynb").sentence
    with pytest.raises(ScriptError, match=r"no such notebook: d\.ipynb"):
        kernel_python("d.ipynb")


def test_seed_sites_are_named_by_cell_and_line(project: Path) -> None:
    notebook("a.ipynb", *PLAIN, "import helper\nhelper.again(7)")
    Path("helper.py").write_text("import random\ndef again(seed):\n    random.seed(seed)\n")
    found = read([sys.executable, "a.ipynb"]).as_dict()["sites"]
    assert [site["location"] for site in found] == ["a.ipynb cell 2 line 1", "a.ipynb cell 6 line 2"]
    kept = read([sys.executable, "a.ipynb"], keep=["a.ipynb cell 6 line 2"]).as_dict()["sites"]
    assert [site["kept"] for site in kept] == [False, True]
    with pytest.raises(UsageError, match=r"nothing to keep at 'a\.ipynb cell 9:1'; .*a\.ipynb cell 2 line 1"):
        read([sys.executable, "a.ipynb"], keep=["a.ipynb cell 9:1"])


def test_an_error_of_syntax_names_cell_and_line(project: Path) -> None:
    notebook("a.ipynb", "x = 1", "y = 2\nif x\n")
    with pytest.raises(ScriptError, match=r"a\.ipynb cell 2 line 2: expected ':'"):
        read([sys.executable, "a.ipynb"])


def test_magics_without_ipython_are_named_by_cell_and_line(project: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    hidden = project / "hidden"
    hidden.mkdir()
    (hidden / "IPython.py").write_text("raise ImportError('not here')\n")
    monkeypatch.setenv("PYTHONPATH", str(hidden))
    notebook("a.ipynb", "x = 1", "\ny = 2\n%matplotlib inline")
    with pytest.raises(ScriptError, match=r"a\.ipynb cell 2 line 3: `%matplotlib inline` is for IPython, which is not"):
        read([sys.executable, "a.ipynb"])


def converted(path: str, old: str, seed: int) -> str:
    """What the cells print as one plain script in which the number is replaced, without Seedwise."""
    cells = read_cells(path, Path(path).read_bytes())
    text = "\n\n".join(cell.text for cell in cells).replace(old, str(seed))
    environment = {**os.environ, "PYTHONHASHSEED": "0", "OMP_NUM_THREADS": "1"}
    done = subprocess.run([sys.executable, "-c", text], capture_output=True, text=True, env=environment, check=True)
    return done.stdout


@pytest.mark.slow
def test_a_run_prints_what_the_cells_print_with_the_number_replaced(project: Path) -> None:
    cells = [cell for cell in PLAIN if cell != "acc"]
    notebook("a.ipynb", *cells, "import numpy as np\nnp.random.seed(SEED)\nprint(np.random.rand(), np.random.rand())")
    results = run("a.ipynb", 1, 2, 77)
    for seed in (1, 2, 77):
        assert printed(results, seed) == converted("a.ipynb", "42", seed)


@pytest.mark.slow
def test_the_last_expression_of_a_cell_is_shown_and_await_stands_outside_functions(project: Path) -> None:
    notebook(
        "a.ipynb",
        "import asyncio, random\nrandom.seed(3)\nasync def draw():\n    await asyncio.sleep(0)\n    return random.random()",
        "await draw()",
        "x = await draw()\nx;",
        "None",
        "display(round(x, 3), 'word')",
        "'__file__' in globals()",
    )
    for fresh in (False, True):
        lines = printed(run("a.ipynb", 5, 6, 7, fresh=fresh, name=f"a{fresh}"), 7).splitlines()
        random = __import__("random").Random(7)
        first, second = random.random(), random.random()
        assert lines == [repr(first), repr(round(second, 3)), "word", "False"]


@pytest.mark.slow
def test_runs_are_forked_after_the_first_cells(project: Path, forked: list[int]) -> None:
    notebook("a.ipynb", "import json\nimport sqlite3", "x = sum(range(10))", *PLAIN)
    results = run("a.ipynb", 1, 2, 3, 4)
    assert set(forked) >= {2, 3, 4}
    for seed in (1, 4):
        assert f"acc = {__import__('random').Random(seed).random()}" in printed(results, seed)


@pytest.mark.slow
def test_an_edited_output_is_the_same_experiment_and_an_edited_cell_another(project: Path) -> None:
    notebook("a.ipynb", *PLAIN)
    first = run("a.ipynb", 1)
    document = json.loads(Path("a.ipynb").read_text())
    document["cells"][1]["outputs"] = [{"output_type": "stream", "name": "stdout", "text": ["9"]}]
    document["metadata"]["title"] = "other"
    Path("a.ipynb").write_text(json.dumps(document, indent=2))
    again = run("a.ipynb", 1, 2)
    assert again.key == first.key
    assert not [w for w in again.warnings if "changed" in w]
    notebook("a.ipynb", *PLAIN, "print('more')")
    assert run("a.ipynb", 1).key != first.key


@pytest.mark.slow
def test_a_failure_names_its_cell(project: Path) -> None:
    notebook("a.ipynb", "import random\nrandom.seed(3)", "def f(x):\n    return 1 / x", "f(1)\nf(0)")
    results = run("a.ipynb", 1, keep_going=True)
    assert results.runs[0].status is Status.FAILED
    assert "a.ipynb cell 2 line 2 in f: ZeroDivisionError" in results.runs[0].detail
    folder = results.runs[0].folder
    assert folder is not None
    said = Path(folder, "stderr").read_text()
    assert 'a.ipynb cell 3", line 2, in <module>\n    f(0)' in said
    assert "seedwise_guest" not in said


@pytest.mark.slow
def test_a_notebook_runs_in_its_own_folder_and_a_seed_in_a_module_is_placed_too(project: Path) -> None:
    (project / "sub").mkdir()
    (project / "sub" / "data.txt").write_text("5")
    (project / "sub" / "model.py").write_text("import random\nrandom.seed(11)\n")
    notebook("sub/a.ipynb", "import model, random\nprint('acc', float(open('data.txt').read()) + random.random())")
    results = run("sub/a.ipynb", 4)
    assert printed(results, 4) == f"acc {5 + __import__('random').Random(4).random()}\n"


@pytest.mark.slow
def test_check_runs_a_notebook_too(project: Path, capsys: pytest.CaptureFixture[str]) -> None:
    from seedwise.cli.start import start

    notebook("a.ipynb", "import random\nprint('acc', random.random())")
    assert start(["check", "--json", "--", sys.executable, "a.ipynb"]) == 1
    found = json.loads(capsys.readouterr().out)
    assert found["verdict"] == "different"
    assert found["location"] == "a.ipynb cell 1 line 2"


def test_a_cell_may_find_that_there_is_no_ipython(project: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(execution, "find_spec", lambda name: None)
    monkeypatch.setenv("MPLBACKEND", "agg")
    monkeypatch.setattr("builtins.display", print, raising=False)
    namespace: dict[str, object] = {}
    execution.prepare("a.ipynb", namespace, ["try:\n    get_ipython()\nexcept NameError:\n    pass"])
    assert "get_ipython" not in namespace
