"""What a terminal shows: tables that fit, prose broken between words, colours with a meaning, plain characters."""

import io

import pytest
from hypothesis import given
from hypothesis import strategies as st
from rich.cells import cell_len

from seedwise.api.compare import compare
from seedwise.api.printed import page_of
from seedwise.reports.characters import in_encoding, register
from seedwise.reports.page import Line, lay_out, warning
from seedwise.reports.screen import Screen, Tone, screen_of
from seedwise.reports.table import Table
from seedwise.results import Goal, Metric, Results, Run, Scores, Series, Status

WIDTHS = (60, 80, 100, 160)


def results_of_30(metrics: int = 5) -> Results:
    names = [
        "test_acc",
        "test_f1",
        "val_acc",
        "val_loss",
        "train_loss",
        *(f"test_recall_of_class_{k}" for k in range(30)),
    ]
    runs = [
        Run(
            s,
            Status.FINISHED,
            {n: Series((1,), (0.8 + 0.01 * ((s * (k + 3)) % 7),)) for k, n in enumerate(names[:metrics])},
        )
        for s in range(1, 31)
    ]
    chosen = tuple(Metric(n, Goal.MIN if "loss" in n else Goal.MAX) for n in names[:metrics])
    return Results("train", "k", ("python", "train.py"), runs, chosen)


@pytest.mark.parametrize("width", WIDTHS)
@pytest.mark.parametrize("metrics", [1, 5, 35])
def test_a_report_fits_and_has_one_line_for_each_metric(width: int, metrics: int) -> None:
    lines = lay_out(page_of(results_of_30(metrics)), Screen(width)).splitlines()
    assert max(map(cell_len, lines)) <= width
    start = next(k for k, line in enumerate(lines) if line.startswith("metric"))
    assert [line.split()[0] for line in lines[start + 1 : start + 1 + min(metrics, 3)]] == [
        "test_acc",
        "test_f1",
        "val_acc",
    ][:metrics]
    assert len(lines) < metrics + 16  # 30 runs: one screen


@pytest.mark.parametrize("width", WIDTHS)
def test_a_comparison_fits(width: int) -> None:
    a, b = (Scores("acc", {s: 0.8 + d + 0.01 * (s % 5) for s in range(30)}, Goal.MAX) for d in (0.1, 0))
    page = page_of(compare(a, b, names=("a-model-with-a-rather-long-name-a", "the-one-it-is-compared-with"), rng=0))
    lines = lay_out(page, Screen(width)).splitlines()
    assert max(map(cell_len, lines)) <= width
    assert any(line.endswith("better") for line in lines)


def test_what_is_left_out_is_said_and_the_least_important_goes_first() -> None:
    table = Table(("name", "mean", "least", "less"), (("a", "1", "2" * 20, "3" * 20),), frozenset({1}), (2, 3))
    assert "left out at 40 columns: least)" in table.text(40)
    assert "3" * 20 in table.text(40)
    assert table.text(20).splitlines()[:2] == ["name  mean", "a        1"]
    assert "left out" not in table.text(60)


def test_a_long_name_keeps_both_ends() -> None:
    rows = tuple((f"experiment-number-{k}-with-a-long-name-{k}", "1") for k in (1, 2))
    lines = Table(("name", "mean"), rows, frozenset({1})).text(30).splitlines()
    assert all(line.startswith("experiment") and f"name-{k}" in line for k, line in enumerate(lines[1:], 1))


def test_wide_characters_are_aligned_by_cells() -> None:
    lines = Table(("指标", "mean"), (("准确率", "0.81"), ("loss", "0.5")), frozenset({1})).text().splitlines()
    assert len({cell_len(line) for line in lines}) == 1


@given(st.text("ab ±%… 12", max_size=200), st.integers(10, 60))
def test_prose_is_broken_between_words_and_no_word_is_lost(text: str, width: int) -> None:
    lines = Screen(width).wrapped(text)
    assert " ".join(lines).split() == text.split()
    assert all(
        cell_len(line) <= width or " ± " in line or len(line.split()) < 5 or "…" in line or "%" in line
        for line in lines
    )


def test_a_number_stays_with_its_interval_and_unit() -> None:
    text = "acc is 0.8098 ± 0.0084 at 95 % with p < .001 under seed 17."
    for width in range(12, 60):
        joined = "\n".join(Screen(width).wrapped(text))
        for whole in ("0.8098 ± 0.0084", "95 %", "p < .001", "seed 17."):
            assert whole in joined


def test_colours_mean_better_worse_and_failed() -> None:
    colours = Screen(80, colour=True)
    a, b = (Scores("acc", {s: 0.8 + d + 0.01 * (s % 5) for s in range(20)}, Goal.MAX) for d in (0.1, 0))
    assert "\x1b[32mbetter\x1b[0m" in lay_out(page_of(compare(a, b, rng=0)), colours)
    assert "\x1b[31mworse\x1b[0m" in lay_out(page_of(compare(b, a, rng=0)), colours)
    assert "\x1b[31mFailed\x1b[0m" in lay_out([Line("Failed under seed 7", Tone.BAD, "Failed")], colours)
    assert "\x1b[33mWarning:\x1b[0m" in lay_out([warning("x")], colours)


class Terminal(io.StringIO):
    encoding = "utf-8"

    def isatty(self) -> bool:
        return True


def test_no_colour_without_a_terminal_under_no_color_and_on_a_dumb_one(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TERM", "xterm")
    monkeypatch.delenv("NO_COLOR", raising=False)
    monkeypatch.setenv("COLUMNS", "77")
    assert screen_of(Terminal()) == Screen(77, True, "utf-8")
    assert screen_of(io.StringIO()) == Screen(None, False, None)
    monkeypatch.setenv("NO_COLOR", "1")
    assert not screen_of(Terminal()).colour
    monkeypatch.delenv("NO_COLOR")
    monkeypatch.setenv("TERM", "dumb")
    assert not screen_of(Terminal()).colour


def test_a_locale_with_only_ascii_gets_ascii_and_aligned_columns() -> None:
    text = lay_out(page_of(results_of_30()), Screen(160, False, "ascii"))
    assert text.isascii()
    assert "?" not in text
    assert "+/-" in text
    rows = [line for line in text.splitlines() if line.startswith(("test_", "val_"))][1:]
    assert len({line.index("|") for line in rows}) == 1
    assert in_encoding("± ▂", "latin-1") == "± :"
    assert "0.81 ± 0.02 → s".encode("ascii", register()) == b"0.81 +/- 0.02 -> s"


def test_what_every_report_says_is_no_warning() -> None:
    text = lay_out(page_of(results_of_30()))
    assert "The luckiest of these 30 seeds" in text
    assert "Warning" not in text
