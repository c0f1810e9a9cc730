"""The site is built strictly, from the tutorial's own runs; and what would break it is found."""

import sys
from collections.abc import Sequence
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parents[2] / "docs"))

from builder import site
from builder.checks import faults
from builder.session import Step, differs
from builder.tutorial import played

pytestmark = [pytest.mark.slow, pytest.mark.timeout(300)]


@pytest.fixture(scope="module")
def tutorial(tmp_path_factory: pytest.TempPathFactory) -> tuple[Sequence[tuple[Step, str]], Path]:
    folder = tmp_path_factory.mktemp("tutorial")
    return list(played(folder)), folder


def test_the_tutorial_shows_what_its_commands_print(tutorial: tuple[Sequence[tuple[Step, str]], Path]) -> None:
    steps, folder = tutorial
    assert len(steps) > 12
    for step, printed in steps:
        assert (differs(step.shown, printed) or "").splitlines() == [], step.typed
    assert (folder / "compare.pdf").read_bytes().startswith(b"%PDF")


def test_the_site_is_built_without_a_warning_and_shows_the_report(
    tutorial: tuple[Sequence[tuple[Step, str]], Path], tmp_path: Path
) -> None:
    site.build(tmp_path / "site", tutorial[1] / "report.html")
    front = (tmp_path / "site" / "index.html").read_text()
    assert all(f'href="{page}.html"' in front for page in ("docs/tutorial", "docs/glossary", "reference/commands"))
    assert 'href="../report.html"' in (tmp_path / "site" / "docs" / "the-report.html").read_text()
    assert "Content-Security-Policy" in (tmp_path / "site" / "report.html").read_text()
    assert 'id="seedwise.compare"' in (tmp_path / "site" / "reference" / "what-the-numbers-mean.html").read_text()
    commands = (tmp_path / "site" / "reference" / "commands.html").read_text()
    assert 'id="seedwise-run"' in commands
    assert "In the file of --normalise" in commands
    assert '<pre tabindex="0">' in front
    assert 'role="heading">' not in front
    assert not list((tmp_path / "site").rglob("*.woff*"))
    names = (tmp_path / "site" / "reference" / "what-the-numbers-mean.html").read_text()
    assert "ScoresLike" in names
    assert '<dl role="presentation">' in names


@pytest.mark.parametrize(
    ("text", "fault"),
    [
        ("[there](sites.md#a-heading-that-was-renamed)", "a-heading-that-was-renamed"),
        ("[there](a-page-that-was-removed.md)", "a-page-that-was-removed"),
    ],
)
def test_a_link_to_a_page_or_heading_that_is_not_there_ends_the_build(
    text: str, fault: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def with_a_fault(into: Path) -> None:
        (into / "docs").mkdir(parents=True)
        (into / "index.md").write_text(f"# Front\n\n{text.replace('(', '(docs/')}\n\n```{{toctree}}\ndocs/sites\n```\n")
        (into / "docs" / "sites.md").write_text("# Sites\n\n## A heading\n")

    monkeypatch.setattr(site, "stage", with_a_fault)
    report = tmp_path / "report.html"
    report.write_text("a report")
    with pytest.raises(site.Broken, match=fault):
        site.build(tmp_path / "site", report)
    assert not (tmp_path / "site").exists()


def test_whatever_a_page_would_load_from_elsewhere_is_named(tmp_path: Path) -> None:
    (tmp_path / "style.css").write_text(
        "@font-face { src: url('https://fonts.example/f.woff2') } p { background: url(x.png) }"
    )
    (tmp_path / "page.html").write_text(
        '<link rel="stylesheet" href="style.css"><script src="//cdn.example/s.js"></script><img src="gone.png">'
        '<a href="https://example.org">may be followed</a><a href="#here"></a><a href="page.html#nowhere"></a><p id="here">'
    )
    assert faults(tmp_path) == [
        "page.html loads //cdn.example/s.js",
        "page.html loads gone.png, which is not there",
        "page.html leads to page.html#nowhere, and there is no such place on that page",
        "style.css loads https://fonts.example/f.woff2",
    ]
