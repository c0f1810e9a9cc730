"""The report as a page: its numbers, what stays text, and what the script brings along."""

import base64
import hashlib
import html
import json
import re
from pathlib import Path
from typing import Any

import pytest

import seedwise as sw
from seedwise.api.report import page_of_results
from seedwise.reports.html.logs import end_of, without_commands
from seedwise.reports.html.writing import as_json, compact, expanded, render
from seedwise.reports.table import to_csv

from .test_pictures import results

HOSTILE = "<script>hacked=1</script>\"'><img src=x onerror=hacked=1>\x1b[31m\u202ejavascript:hacked=1\x00"


def data_in(text: str) -> dict[str, Any]:
    found = re.search(r'<script type="application/json" id="data">(.*?)</script>', text, re.DOTALL)
    assert found is not None
    data: dict[str, Any] = json.loads(found[1])
    return data


def table_in(data: dict[str, Any], figure: str, table: str, metric: str = "acc") -> dict[str, list[Any]]:
    columns = data["figures"][figure]["shown"][metric]["data"][table]
    return {name: expanded(column) for name, column in columns.items()}


@pytest.fixture(scope="module")
def page() -> str:
    return render(page_of_results({"base": results(n=30, failed=2)}))


def test_numbers_in_the_page_are_those_of_the_summary_to_the_last_digit(page: str) -> None:
    of = results(n=30, failed=2)
    scores, summary = of.scores("acc"), sw.summarize(of.scores("acc"))
    dots, means = table_in(data_in(page), "dots", "dots"), table_in(data_in(page), "dots", "means")
    assert dict(zip(dots["seed"], dots["value"], strict=True)) == dict(scores.by_seed)
    assert (means["mean"], means["low"] + means["high"]) == ([summary.mean], list(summary.interval or ()))
    curve = table_in(data_in(page), "curves", "mean")
    assert curve["mean"][-1] == pytest.approx(float(scores.values.mean()), rel=1e-14)
    lottery = table_in(data_in(page), "lottery", "best")
    assert dict(zip(lottery["n"], lottery["best"], strict=True))[10] == sw.expected_best(scores, 10)


@pytest.mark.slow
def test_comparison_in_the_page_is_that_of_compare() -> None:
    groups = {"new": results("new", 9), "base": results()}
    text = render(page_of_results(groups, rng=0))
    found = sw.compare(groups["new"], groups["base"], names=("new", "base"), rng=0)
    drawn = table_in(data_in(text), "compare", "difference")
    assert (drawn["difference"], drawn["low"] + drawn["high"]) == ([found.difference], list(found.interval or ()))
    assert html.escape(found.sentence) in text


def headings(text: str) -> list[str]:
    return [
        html.unescape(re.sub("<.*?>", "", found))
        for found in re.findall(r"<h[23][^>]*>(.*?)</h[23]>", text.partition("<script")[0])
    ]


@pytest.mark.slow
def test_the_page_goes_from_what_is_seen_to_where_it_comes_from_and_ends_with_what_follows(page: str) -> None:
    seen = ["Every seed", "Learning curves"]
    one, two = headings(page), headings(render(page_of_results({"new": results("new", 9), "base": results()})))
    assert one[:5] == [*seen, "Distribution", "Share of seeds up to each score", "Numbers"]
    assert one[-1] == "The seed lottery"
    assert two[:3] == [*seen, "Share of seeds up to each score"]
    assert two[-2:] == ["Comparison", "The comparison in numbers"]
    assert two.index("new") < two.index("base") < two.index("Comparison")


def test_failed_runs_stand_beside_the_mean(page: str) -> None:
    assert "n = 30 of 32" in json.dumps(data_in(page)["figures"]["dots"])
    assert "Failed under seed 31" in page
    runs = {name: expanded(column) for name, column in data_in(page)["parts"][0]["runs"].items()}
    assert runs["status"].count("failed") == 2


def test_only_the_scripts_of_the_page_itself_may_run(page: str) -> None:
    policy = html.unescape(re.search(r'Content-Security-Policy" content="([^"]*)"', page)[1])  # type: ignore[index]
    assert "default-src 'none'" in policy
    assert "unsafe-eval" not in policy
    assert "connect-src" not in policy  # nothing: default-src holds
    scripts = re.findall(r"<script>(.*?)</script>", page, re.DOTALL)
    assert len(scripts) == 2
    for script in scripts:
        assert "sha256-" + base64.b64encode(hashlib.sha256(script.encode()).digest()).decode() in policy


def test_the_page_names_no_address_that_it_would_load(page: str) -> None:
    outside = re.sub(r"<script>.*?</script>|<script type=.*?</script>", "", page, flags=re.DOTALL)
    assert not re.search(r"""(?:src|href)\s*=\s*["'](?!#)""", outside)
    assert "url(" not in outside


@pytest.mark.slow
def test_hostile_names_stay_text() -> None:
    of = results(HOSTILE, n=5)
    metric = sw.Metric(HOSTILE, sw.Goal.MAX)
    runs = tuple(
        sw.Run(
            r.seed,
            r.status,
            dict.fromkeys((HOSTILE,), next(iter(r.series.values()), sw.Series((1,), (0.5,)))),
            detail=HOSTILE,
            cause=r.cause,
        )
        for r in of.runs
    )
    text = render(page_of_results({HOSTILE: sw.Results(HOSTILE, "", (HOSTILE,), runs, (metric,))}))
    outside = re.sub(r"<script>(?!hacked).*?</script>|<script type=.*?</script>", "", text, flags=re.DOTALL)
    assert "<img" not in outside
    assert "<script>hacked" not in outside
    assert "\x1b" not in text
    assert "\x00" not in text
    assert "\u202e" not in text
    assert "<" not in re.search(r'id="data">(.*?)</script>', text, re.DOTALL)[1]  # type: ignore[index]


def test_json_in_a_page_cannot_end_its_element() -> None:
    value = {"a": "</script><!--<script>\u2028&", "b": [float("nan"), 1e-300]}
    text = as_json(value)
    assert not set("<>&\u2028") & set(text)
    assert json.loads(text) == {"a": value["a"], "b": [None, 1e-300]}


@pytest.mark.parametrize(
    "values",
    [[1, 2, 3, 4], [0.5] * 9, [None] * 5, ["x"] * 4, [1, 2, 4, 5], [True, 1, 1, 1], [1, 1.0, 1, 1], [], [3, 4]],
)
def test_compact_columns_are_the_same_again(values: list[object]) -> None:
    again = expanded(json.loads(json.dumps(compact({"c": values})["c"])))
    assert again == values
    assert [type(v) for v in again] == [type(v) for v in values]


def test_a_log_is_text_without_commands_to_a_terminal(tmp_path: Path) -> None:
    assert without_commands("\x1b[31mred\x1b[0m \x1b]0;title\x07x\n10%\r50%\r100%\r\n") == "red x\n100%\n"
    (tmp_path / "stdout").write_bytes(b"".join(b"line %d \xff\n" % k for k in range(5000)))
    log = end_of(str(tmp_path), 40)[0]
    assert (log.whole, len(log.text.split("\n"))) == (False, 40)
    assert log.text.endswith("line 4999 �")
    assert end_of(str(tmp_path / "nowhere"), 40) == ()


@pytest.mark.slow
def test_a_metric_without_curves_has_no_picture_and_says_why() -> None:
    of = results(n=5)
    runs = [sw.Run(r.seed, r.status, {**r.series, "last": sw.Series((1,), (0.5 * r.seed,))}) for r in of.finished]
    both = sw.Results("x", "", (), tuple(runs), (*of.metrics, sw.Metric("last", sw.Goal.MAX)))
    figure = data_in(render(page_of_results({"x": both})))["figures"]["curves"]
    assert set(figure["shown"]) == {"acc"}
    assert "one value in each run" in figure["missing"]["last"]


def test_csv_cells_that_a_spreadsheet_would_run_are_defused() -> None:
    text = to_csv(["=a", "b"], [["=cmd|'/c calc'!A1", -1.5], ["@x", "-1.5"], ["+1", None], [" =1+1", "-x"]])
    assert text.splitlines() == ["'=a,b", "'=cmd|'/c calc'!A1,-1.5", "'@x,-1.5", "+1,", "' =1+1,'-x"]


def test_without_the_extra_the_page_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    import sys

    page = page_of_results({"base": results()})
    monkeypatch.setitem(sys.modules, "jinja2", None)
    with pytest.raises(sw.UsageError, match=r"pip install 'seedwise\[report\]'"):
        render(page)
