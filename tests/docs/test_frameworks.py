"""The pages of frameworks show the scripts that are tested, and the table says what the tests assert."""

import re
from pathlib import Path

import pytest

from ..frameworks.scripts import CASES, FOLDER, Case, what_check_compares

DOCS = FOLDER.parent
PAGES = sorted(FOLDER.glob("*.md"))


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.stem)
def test_pages_show_the_scripts_as_they_are(page: Path) -> None:
    text = page.read_text(encoding="utf-8")
    named = re.search(r"\[(\w+\.py)\]\(\1\), as you would write it", text)
    if named is None:
        assert page.stem in ("trackers", "launchers")
        return
    code = (FOLDER / named[1]).read_text(encoding="utf-8").rstrip()
    assert "\n".join(f"    {line}" if line else "" for line in code.splitlines()) in text


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_the_table_says_what_is_tested(case: Case) -> None:
    row = next(
        line
        for line in (DOCS / "frameworks.md").read_text(encoding="utf-8").splitlines()
        if line.startswith(f"| [{case.name}](")
    )
    cells = [cell.strip() for cell in row.strip("|").split("|")]
    assert cells[4] == what_check_compares(case)
    assert cells[5] == case.once
    for generator in case.ledger:
        assert generator.startswith("jax key") or generator in cells[3].split(", ")
