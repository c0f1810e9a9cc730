"""A notebook shows progress in one output of the cell, and nothing where it is not wanted."""

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

pytestmark = [pytest.mark.frameworks, pytest.mark.filterwarnings("ignore")]
TRAIN = "import seedwise as sw\ndef train(seed):\n    return {'acc': seed / 10}\n"


def outputs(project: Path, *cells: str) -> list[list[Any]]:
    nbformat = pytest.importorskip("nbformat")
    nbclient = pytest.importorskip("nbclient")
    pytest.importorskip("ipykernel")
    book = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(cell) for cell in cells])
    nbclient.NotebookClient(book, timeout=100, resources={"metadata": {"path": str(project)}}).execute()
    return [cell.outputs for cell in book.cells]


def test_marimo_shows_progress_and_results_too(project: Path) -> None:
    cells = (
        "import seedwise as sw\n    return (sw,)",
        "def train(seed):\n        return {'acc': seed / 10}\n    r = sw.run(train, range(1, 5))\n    return (r,)",
        "r\n    return",
    )
    names = ("", "sw", "r")
    text = "import marimo\napp = marimo.App()\n" + "".join(
        f"\n@app.cell\ndef _({name}):\n    {cell}\n" for name, cell in zip(names, cells, strict=True)
    )
    Path("book.py").write_text(text)
    words = [sys.executable, "-m", "marimo", "export", "ipynb", "book.py", "-o", "out.ipynb", "--include-outputs"]
    done = subprocess.run(words, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    shown = json.loads(Path("out.ipynb").read_text())["cells"]
    _, run, results = ([output.get("data", {}) for output in cell["outputs"]] for cell in shown)
    assert "train: 4 of 4 seeds done" in "".join(run[0]["text/html"])
    assert "<table" in "".join(results[0]["text/html"])


def test_progress_is_one_output_and_the_results_show_themselves(project: Path) -> None:
    run, bare, printed, silent = outputs(
        project, f"{TRAIN}r = sw.run(train, range(1, 5))", "r", "print(r)", "x = sw.run(train, [1, 2], progress=False)"
    )
    assert len(run) == 1
    assert "train: 4 of 4 seeds done" in run[0]["data"]["text/plain"]
    assert bare[0]["data"]["text/plain"].startswith("acc is 0.25 ±")
    assert "<table" in bare[0]["data"]["text/html"]
    assert bare[0]["data"]["image/svg+xml"].startswith("<svg")
    lines = printed[0]["text"].splitlines()
    assert lines[0].startswith("acc is 0.25 ±")
    assert max(map(len, lines)) <= 100
    assert silent == []
