"""Building the site: pages are staged, Sphinx makes HTML of them, and what it made is checked."""

import re
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

from .checks import faults
from .documented import undocumented
from .stage import stage


class Broken(Exception):
    """The pages have faults; the message names each."""


def build(into: Path, report: Path) -> None:
    """Build the site.

    Parameters
    ----------
    into
        The folder of the site. What was in it is replaced.
    report
        A report page that the site shows, as one file of HTML.

    Raises
    ------
    Broken
        For whatever Sphinx warns of (a link to a page or heading that is not there, a page that no contents name, a
        docstring that cannot be read), a public name without a docstring, a link that leads nowhere, and anything that
        a page would load from elsewhere.
    """
    found = undocumented()
    if found:
        raise Broken("\n".join(found))
    with tempfile.TemporaryDirectory(prefix="seedwise-site-") as temporary:
        source, made = Path(temporary) / "source", Path(temporary) / "html"
        stage(source)
        shown = Path(temporary) / "shown"
        shown.mkdir()
        shutil.copy(report, shown / "report.html")
        here = str(Path(__file__).parent)
        options = [
            "--fail-on-warning",
            "--quiet",
            "--builder",
            "html",
            "--conf-dir",
            here,
            "--define",
            f"html_extra_path={shown}",
        ]
        words = [*options, "--doctree-dir", str(Path(temporary) / "doctrees"), str(source), str(made)]
        done = subprocess.run([sys.executable, "-m", "sphinx", *words], capture_output=True, text=True, check=False)
        if done.returncode:
            raise Broken(done.stderr.replace(f"{source}/", "") or done.stdout)
        _make_accessible(made)
        found = faults(made)
        if found:
            raise Broken("\n".join(found))
        shutil.rmtree(into, ignore_errors=True)
        shutil.copytree(made, into)


def _make_accessible(made: Path) -> None:
    """What scrolls can be reached by keyboard; headings of the contents have a level; signatures are no lists of definitions."""
    for page in made.rglob("*.html"):
        if page.name == "report.html":
            continue
        text = page.read_text(encoding="utf-8").replace("<pre>", '<pre tabindex="0">')
        text = text.replace('role="heading">', 'role="heading" aria-level="2">')
        text = text.replace('<div class="table-wrapper', '<div tabindex="0" class="table-wrapper')
        text = re.sub(r'<dl>\s*<dd><em class="sig-param.*?</dl>', _as_lines, text, flags=re.DOTALL)
        page.write_text(text, encoding="utf-8")


def _as_lines(signature: re.Match[str]) -> str:
    return signature[0].replace("<dl>", '<dl role="presentation">').replace("<dd>", '<dd role="presentation">')
