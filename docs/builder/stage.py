"""Pages in, one folder for Sphinx out: the Markdown of the repository in its places, contents, and pages made from code.

The pages are written for GitHub: links between them are relative, and lead to files. So the stage has the same folders.
README.md becomes the front page.
"""

import re
import shutil
from pathlib import Path

from .command_pages import commands
from .python_pages import python_pages

ROOT = Path(__file__).parents[2]
_PAGES = ("README.md", "CHANGELOG.md", "CONTRIBUTING.md", "SECURITY.md", "benchmarks/README.md")
_MADE = {
    "Tutorial": ["docs/the-report"],
    "Reference": ["reference/commands", "reference/python"],
}
_REPORT = """# A report to look at

The runs of [the tutorial](tutorial.md) as `seedwise report large small` shows them: two sizes of a network, 21 seeds each. It is one file, and asks nobody for anything.

<a href="../report.html">Open the report</a>

[What is on the page](pictures.md), and how pictures for papers are made.
"""


def stage(into: Path) -> None:
    """Fill the folder from which the site is built. Raises FileNotFoundError where a page of the contents is not there."""
    into.mkdir(parents=True)
    into = into.resolve()
    shutil.copytree(ROOT / "docs", into / "docs", ignore=shutil.ignore_patterns("builder", "__pycache__", ".*"))
    for name in _PAGES:
        _copy(name, into)
    for page in list(into.rglob("*.md")):
        for link in re.findall(r"\]\(([^)#:]+)[)#]", page.read_text(encoding="utf-8")):
            file = (page.parent / link).resolve()
            if not file.exists() and file.is_relative_to(into) and (ROOT / file.relative_to(into)).is_file():
                _copy(str(file.relative_to(into)), into)
    (into / "README.md").rename(into / "index.md")
    for page in into.rglob("*.md"):
        text = page.read_text(encoding="utf-8")
        up = "" if page.parent == into else "../" * len(page.parent.relative_to(into).parts)
        page.write_text(text.replace(f"]({up}README.md", f"]({up}index.md") if up else text, encoding="utf-8")
    (into / "docs" / "the-report.md").write_text(_REPORT, encoding="utf-8")
    (into / "reference").mkdir()
    (into / "reference" / "commands.md").write_text(commands(), encoding="utf-8")
    for name, text in python_pages().items():
        (into / "reference" / f"{name}.rst").write_text(text, encoding="utf-8")
    _contents(into)


def _copy(name: str, into: Path) -> None:
    (into / name).parent.mkdir(parents=True, exist_ok=True)
    shutil.copy(ROOT / name, into / name)


def sections(contents: str) -> dict[str, list[str]]:
    """The headings of docs/README.md, each with the pages that its list names, as paths from docs/."""
    found: dict[str, list[str]] = {}
    for part in re.split(r"^## ", contents, flags=re.MULTILINE)[1:]:
        heading, _, body = part.partition("\n")
        found[heading] = re.findall(r"^- \[[^]]+\]\(([^)#]+)\)", body, re.MULTILINE)
    return found


def _contents(into: Path) -> None:
    """Give Sphinx the contents that docs/README.md has, and those of folders of pages."""
    trees = [_tree(["docs/README"], "")]
    for heading, pages in sections((into / "docs" / "README.md").read_text(encoding="utf-8")).items():
        names = [page.removeprefix("../") if page.startswith("../") else f"docs/{page}" for page in pages]
        names = [name.removesuffix(".md") for name in names if name != "index.md"]
        trees.append(_tree([*names, *_MADE.get(heading, ())], heading))
    _add(into / "index.md", *trees)
    _add(into / "docs" / "frameworks.md", _tree(["frameworks/*"], "", "glob"))
    _add(into / "docs" / "decisions" / "README.md", "```{toctree}\n:glob:\n:maxdepth: 1\n\n0*\n```")


def _tree(pages: list[str], caption: str, *options: str) -> str:
    lines = ["```{toctree}", ":hidden:", *(f":{option}:" for option in options)]
    if caption:
        lines.append(f":caption: {caption}")
    return "\n".join([*lines, "", *pages, "```"])


def _add(page: Path, *blocks: str) -> None:
    page.write_text("\n\n".join([page.read_text(encoding="utf-8").rstrip(), *blocks, ""]), encoding="utf-8")
