"""Magics, pictures and tables of a notebook, as IPython takes them."""

import json
import random
import subprocess
import sys
from pathlib import Path

import pytest

from tests.experiments.test_notebooks import notebook, printed, run

pytestmark = pytest.mark.frameworks

MAGICS = (
    "%load_ext autoreload\n%autoreload 2\n%matplotlib inline\n%config InlineBackend.figure_format = 'retina'",
    "import random\nfrom IPython.display import HTML, display\n\n",
    "\n\n%%time\nSEED = 42\nrandom.seed(SEED)",
    "import matplotlib.pyplot as plt\nplt.plot([1, 2]);\nplt.show()",
    "!echo shell\nwords = !echo there\nprint(words)",
    "%%capture\nprint('hidden')",
    "%%writefile made.py\nNUMBER = 3",
    "import made\nprint(made.NUMBER)",
    "import pandas as pd\npd.DataFrame({'a': [1, 2]})",
    "display(HTML('<b>x</b>'))\nprint('acc', random.random())",
)


def test_magics_pictures_and_tables(project: Path) -> None:
    notebook("a.ipynb", *MAGICS)
    results = run("a.ipynb", 1, 7)
    for seed in (1, 7):
        lines = printed(results, seed).splitlines()
        assert lines == [
            "<Figure size 640x480 with 1 Axes>",
            "shell",
            "['there']",
            "Writing made.py",
            "3",
            "   a",
            "0  1",
            "1  2",
            "<IPython.core.display.HTML object>",
            f"acc {random.Random(seed).random()}",
        ]
    assert [site["location"] for site in results.sites] == ["a.ipynb cell 3 line 4"]


def test_the_same_numbers_as_a_kernel_gives(project: Path) -> None:
    cells = (
        "import numpy as np\nimport random",
        "SEED = 42\nrandom.seed(SEED)\nnp.random.seed(SEED)",
        "print(random.random(), np.random.rand())",
    )
    notebook("a.ipynb", *cells)
    ours = printed(run("a.ipynb", 9), 9)
    document = json.loads(Path("a.ipynb").read_text().replace("42", "9"))
    Path("edited.ipynb").write_text(json.dumps(document))
    text = (
        "import nbclient, nbformat\n"
        "book = nbformat.read('edited.ipynb', 4)\n"
        "nbclient.NotebookClient(book, timeout=100).execute()\n"
        "print(''.join(o.text for c in book.cells if c.cell_type == 'code' for o in c.outputs), end='')"
    )
    done = subprocess.run([sys.executable, "-W", "ignore", "-c", text], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert ours == done.stdout


def test_a_magic_that_does_not_exist_names_its_cell(project: Path) -> None:
    notebook("a.ipynb", "x = 1", "\n%nosuchmagic 3")
    results = run("a.ipynb", 1, keep_going=True)
    assert "a.ipynb cell 2 line 2" in results.runs[0].detail
    assert "`%nosuchmagic` not found" in results.runs[0].detail
