"""The tutorial as it is run: in a folder with its script and nothing else."""

import shutil
from collections.abc import Iterator
from pathlib import Path

from .session import Step, play, steps_of

DOCS = Path(__file__).parents[1]
PAGE, SCRIPT = DOCS / "tutorial.md", DOCS / "examples" / "moons.py"


def played(folder: Path) -> Iterator[tuple[Step, str]]:
    """Every command of the page, with what it printed. The files that they write are in `folder`."""
    shutil.copy(SCRIPT, folder)
    yield from play(steps_of(PAGE.read_text(encoding="utf-8")), folder)


def report_of_the_tutorial(folder: Path) -> Path:
    """Run the page up to the report that it writes, and no further. Returns the report's path."""
    report = folder / "report.html"
    for _ in played(folder):
        if report.exists():
            break
    return report
