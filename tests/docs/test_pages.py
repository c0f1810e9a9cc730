"""What README and docs say still holds."""

import re
import shlex
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md")), *sorted((ROOT / "docs" / "decisions").glob("*.md"))]


@pytest.mark.parametrize("page", PAGES, ids=lambda p: p.name)
def test_links_lead_somewhere(page: Path) -> None:
    for target in re.findall(r"\]\(([^)#]+)", page.read_text()):
        assert "://" in target or (page.parent / target).exists(), target


def test_every_command_and_option_of_the_pages_exists() -> None:
    known = subprocess.run(
        [sys.executable, "-m", "seedwise.cli", "--help"], capture_output=True, text=True, check=True
    ).stdout
    options = subprocess.run(
        [sys.executable, "-m", "seedwise.cli", "run", "--help"], capture_output=True, text=True, check=True
    ).stdout
    for page in PAGES:
        for line in re.findall(r"(?:^\s*\$?\s*|`)(seedwise [a-z][^`\n]*)", page.read_text(), re.MULTILINE):
            words = shlex.split(line.replace("…", "").partition("  ")[0], comments=True)
            assert words[1] in known, line
            for word in words[2 : words.index("--") if "--" in words else None]:
                if word.startswith("--") and words[1] == "run":
                    assert word in options, line


def test_the_readme_shows_the_demo_as_it_prints() -> None:
    """The columns of the table in the README are those of the report."""
    from seedwise.reports.report import metric_table
    from seedwise.results import Results

    columns = metric_table(Results("x", "k", (), ()), {}).columns
    assert re.search(r"\s+".join(re.escape(c) for c in columns), (ROOT / "README.md").read_text())


@pytest.mark.slow
def test_the_python_example_of_the_overview_runs(tmp_path: Path) -> None:
    (tmp_path / "train.py").write_text("import random\nrandom.seed(42)\nprint('acc =', random.random())\n")
    block = (ROOT / "docs" / "overview.md").read_text().split("## In Python")[1].split("## The commands")[0]
    code = "\n".join(line[4:] for line in block.splitlines() if line.startswith("    "))
    code = code.replace('"python"', repr(sys.executable))
    done = subprocess.run([sys.executable, "-c", code], cwd=tmp_path, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
