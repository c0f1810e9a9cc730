"""In a notebook a value shows the page that a terminal prints, and nothing that a run named acts in it."""

import re
from html.parser import HTMLParser

import pytest

import seedwise as sw
from seedwise.api import printed
from seedwise.reports.notebook_html import to_html
from seedwise.reports.page import Line, lay_out, warning
from seedwise.reports.table import Table
from seedwise.results import Metric, Run, Series

HOSTILE = "<script>alert(1)</script>\"'&\x1b[31m\x00\u202eevil"


class Read(HTMLParser):
    """The tags of a page, and the text between them."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.tags: list[str] = []
        self.attributes: list[tuple[str, str | None]] = []
        self.text = ""
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        self.attributes += attrs

    def handle_data(self, data: str) -> None:
        self.text += data


def some(name: str = "acc", shift: float = 0.0) -> dict[int, float]:
    return {seed: shift + 0.7 + seed / 100 for seed in range(1, 9)}


def results(name: str, metric: str) -> sw.Results:
    runs = [Run(seed, sw.Status.FINISHED, {metric: Series((1,), (value,))}) for seed, value in some().items()]
    failed = Run(9, sw.Status.FAILED, detail=HOSTILE)
    return sw.Results(name, "", (HOSTILE,), (*runs, failed), (Metric(metric, sw.Goal.MAX),))


def no_pictures(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(printed, "find_spec", lambda name: None)


@pytest.mark.parametrize(
    "value",
    [
        results("base", "acc"),
        sw.summarize(some()),
        sw.compare(some(shift=0.1), some()),
        sw.plan(effect=0.01, sd=0.02),
        sw.compare_many({"a": some(), "b": some(shift=0.1), "c": some(shift=0.2)}),
    ],
    ids=["results", "summary", "comparison", "plan", "ranking"],
)
def test_the_page_holds_what_the_terminal_prints(value: object, monkeypatch: pytest.MonkeyPatch) -> None:
    no_pictures(monkeypatch)
    bundle = value._repr_mimebundle_()  # type: ignore[attr-defined]
    assert set(bundle) == {"text/plain", "text/html"}
    shown = Read(bundle["text/html"]).text
    assert bundle["text/plain"].split("\n")[0] in str(value)
    for word in re.findall(r"[\w.±%]+", lay_out(printed.page_of(value))):
        assert word in shown


def test_what_runs_and_users_name_stays_text(monkeypatch: pytest.MonkeyPatch) -> None:
    no_pictures(monkeypatch)
    for value in (results(HOSTILE, HOSTILE), sw.compare(some(), some(shift=0.2), names=(HOSTILE, "b"))):
        page = value._repr_mimebundle_()["text/html"]
        read = Read(page)
        assert set(read.tags) <= {"div", "p", "span", "table", "thead", "tbody", "tr", "th", "td"}
        assert {name for name, _ in read.attributes} <= {"style"}
        assert "<script>" in read.text
        assert not {"\x1b", "\x00", "\u202e"} & set(page)


def test_a_picture_is_a_file_of_its_own_in_the_page() -> None:
    page = to_html([Line("a"), Table(("x",), (("1",),))], [("<svg onload='x()'></svg>", HOSTILE)])
    read = Read(page)
    assert read.tags[:3] == ["div", "p", "img"]
    assert dict(read.attributes)["src"].startswith("data:image/svg+xml;base64,")  # type: ignore[union-attr]
    assert "onload" not in page


def test_a_warning_has_its_colour_on_its_first_word() -> None:
    assert re.search(r"<span style=[^>]*>Warning:</span> a &lt; b\.</p>", to_html([warning("a < b")]))


def test_a_ledger_shows_its_table_and_escapes_it() -> None:
    ledger = sw.Ledger()
    ledger.entry("random").note = HOSTILE
    bundle = ledger._repr_mimebundle_()
    assert bundle["text/plain"] == str(ledger)
    assert set(Read(bundle["text/html"]).tags) == {"table", "tr", "th", "td"}


@pytest.mark.slow
def test_results_show_their_picture_where_it_can_be_drawn() -> None:
    bundle = results("base", "acc")._repr_mimebundle_()
    assert bundle["image/svg+xml"].startswith("<svg")
    assert Read(bundle["text/html"]).tags.count("img") == 1
    nothing = sw.Results("base", "", ("x",), (Run(9, sw.Status.FAILED, detail="x"),), ())
    assert "image/svg+xml" not in nothing._repr_mimebundle_()
