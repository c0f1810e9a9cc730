"""The report in a browser: it asks for nothing, says nothing, and can be used by keyboard and on a telephone."""

import json
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from .browser import axe, browser, opened

pytestmark = [pytest.mark.slow, pytest.mark.browser]

SCRIPT = r"""
import random, sys
seed = 42
rate = float(sys.argv[1])
random.seed(seed)
luck = random.gauss(0, 0.02)
last = random.randint(10, 16)
for epoch in range(last):
    print(f"epoch {epoch} loss = {1 / (1 + rate * epoch) + luck:.6f} acc = {1 - 1 / (1 + rate * epoch) + luck:.6f}")
print("\x1b[31m<script>hacked=1</script><img src=x onerror=hacked=1>\x1b[0m\u202e javascript:hacked=1")
if seed == 4:
    raise ValueError("<script>hacked=1</script>")
"""


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A project with two experiments, and the pages of one and of both."""
    place = tmp_path_factory.mktemp("project")
    (place / "train.py").write_text(SCRIPT)
    rows = [
        f"{agent},{game},{seed},{seed * 0.1 + len(agent)}\n"
        for agent in ("A", "BB")
        for game in "xyz"
        for seed in range(4)
    ]
    (place / "tasks.csv").write_text("agent,game,seed,score\n" + "".join(rows))
    for name, rate in (("base", "0.1"), ("new", "0.2")):
        run(place, "run", "-n", "8", "--name", name, "--", sys.executable, "train.py", rate)
    run(place, "report", "base", "-o", "one.html")
    run(place, "report", "new", "base", "-o", "two.html")
    run(place, "report", "tasks.csv", "--by", "agent", "--task", "game", "--nemenyi", "-o", "tasks.html")
    return place


def run(place: Path, *words: str) -> str:
    done = subprocess.run(
        [sys.executable, "-m", "seedwise", *words], cwd=place, capture_output=True, text=True, check=False
    )
    assert done.returncode in (0, 3), done.stderr
    return done.stdout


@pytest.fixture(scope="module")
def chromium() -> Iterator[Any]:
    with browser() as started:
        yield started


@pytest.mark.parametrize(
    ("name", "width", "scheme"),
    [
        ("one.html", 1600, "light"),
        ("one.html", 360, "dark"),
        ("two.html", 360, "light"),
        ("two.html", 1600, "dark"),
        ("tasks.html", 360, "light"),
    ],
)
def test_a_page_asks_for_nothing_says_nothing_fits_and_can_be_used_by_everybody(
    folder: Path, chromium: Any, name: str, width: int, scheme: str
) -> None:
    with opened(chromium, folder / name, width, scheme) as found:
        assert found.page.locator(".chart svg").count() >= 4
        assert found.page.evaluate("document.documentElement.scrollWidth") <= width
        assert found.page.evaluate("typeof hacked") == "undefined"
        assert found.page.locator("img").count() == 0
        assert not serious(found.page)
        assert [url for url in found.requests if not url.startswith("file:")] == []
        assert len(found.requests) == 1
        assert found.said == []


def serious(page: Any) -> list[str]:
    """What axe-core finds that keeps somebody from using the page."""
    page.evaluate(axe() + "; 0")
    found: list[str] = page.evaluate(
        "axe.run(document).then(r => r.violations.filter(v => ['serious', 'critical'].includes(v.impact))"
        ".map(v => v.id + ': ' + v.nodes.slice(0, 3).map(n => n.html.slice(0, 200)).join(' | ')))"
    )
    return found


def test_everything_on_the_page_is_reached_by_keyboard_alone(folder: Path, chromium: Any) -> None:
    with opened(chromium, folder / "one.html") as found:
        page = found.page
        wanted = page.evaluate(
            "[...document.querySelectorAll('button, select, input, summary, a[href], [tabindex=\"0\"]')]"
            ".filter(e => e.checkVisibility() && !e.disabled && e.tabIndex >= 0).length"
        )
        page.evaluate("window.reached = new Set(); document.addEventListener('focusin', e => reached.add(e.target))")
        page.keyboard.press("Tab")
        assert page.evaluate("document.activeElement.className") == "skip"
        for _ in range(wanted + 5):
            page.keyboard.press("Tab")
        assert page.evaluate("reached.size") >= wanted
        page.locator("#metric").focus()
        page.keyboard.press("ArrowDown")
        page.wait_for_function("document.querySelector('#f-dots figcaption').textContent.startsWith('loss')")
        page.locator("#log-steps").focus()
        page.keyboard.press("Space")
        page.locator("form.one input").focus()
        page.keyboard.type("3")
        page.keyboard.press("Enter")
        told = page.locator("#run-0").inner_text()
        assert "Seed 3 of base: finished" in told
        assert "--seeds 3" in told
        assert "seed-3" in told
        page.locator(".runs th button", has_text="loss").focus()
        page.keyboard.press("Enter")
        shown = [
            float(text) for text in page.locator(".runs tbody tr td:nth-child(4)").all_inner_texts() if text != "–"
        ]
        assert shown == sorted(shown)
        assert page.locator(".runs th[aria-sort=ascending]").count() == 1
        page.locator(".numbers[data-for=dots] summary").focus()
        page.keyboard.press("Enter")
        page.wait_for_selector(".numbers[data-for=dots] table")
        assert found.said == []


def test_a_dot_leads_to_its_run_and_the_run_is_marked_in_the_curves(folder: Path, chromium: Any) -> None:
    with opened(chromium, folder / "two.html") as found:
        dot = found.page.locator("#c-dots svg path[aria-roledescription=point]").first
        dot.click(force=True)
        found.page.wait_for_function("document.querySelector('#told').textContent.includes('is shown under')")
        shown = [part for part in found.page.locator(".run").all_inner_texts() if part]
        assert len(shown) == 1
        assert "finished" in shown[0]
        found.page.wait_for_function(
            'document.querySelector(\'#c-curves svg [stroke-width="2"][opacity="1"]\') !== null'
        )


def test_numbers_in_the_page_are_those_of_show_json(folder: Path, chromium: Any) -> None:
    said = json.loads(run(folder, "show", "base", "--json"))["metrics"]["acc"]
    with opened(chromium, folder / "one.html") as found:
        means = found.page.evaluate(
            "JSON.parse(document.getElementById('data').textContent).figures.dots.shown.acc.data.means"
        )
    assert (means["mean"][0], [means["low"][0], means["high"][0]]) == (said["mean"], said["interval"])


def test_no_foreign_script_runs_and_nothing_is_fetched(folder: Path, chromium: Any) -> None:
    with opened(chromium, folder / "one.html") as found:
        found.page.evaluate(
            "() => { const s = document.createElement('script'); s.textContent = 'hacked = 1'; document.body.append(s);"
            "const i = document.createElement('img'); i.src = 'http://127.0.0.1:9/x.png'; document.body.append(i); }"
        )
        assert found.page.evaluate("typeof hacked") == "undefined"
        assert any("Content Security Policy" in text for text in found.said)


def test_a_picture_is_saved_from_the_page(folder: Path, chromium: Any, tmp_path: Path) -> None:
    with opened(chromium, folder / "one.html") as found:
        with found.page.expect_download() as waiting:
            found.page.locator(".buttons[data-for=curves] button[data-do=svg]").click()
        waiting.value.save_as(tmp_path / "curves.svg")
        text = (tmp_path / "curves.svg").read_text()
        assert text.startswith("<svg")
        assert "currentColor" not in text


def test_printed_every_log_is_open_and_nothing_to_press_is_left(folder: Path, chromium: Any) -> None:
    with opened(chromium, folder / "one.html") as found:
        found.page.evaluate("dispatchEvent(new Event('beforeprint'))")
        found.page.emulate_media(media="print")
        assert found.page.locator("details:not(.numbers):not([open])").count() == 0
        assert not found.page.locator(".buttons button").first.is_visible()


def test_only_axes_of_the_metric_and_of_steps_become_logarithmic_and_what_cannot_says_so(
    folder: Path, chromium: Any
) -> None:
    rows = [f"{seed},{step},{4 / step + seed / 9}\n" for seed in range(1, 7) for step in range(1, 9)]
    (folder / "above.csv").write_text("seed,step,loss\n" + "".join(rows))
    run(folder, "report", "above.csv", "-o", "above.html")
    labels = "[...document.querySelectorAll('#c-{} svg text')].map(e => e.textContent)"
    for name, said in (("above.html", ""), ("one.html", "values of 0 and below have no logarithm")):
        with opened(chromium, folder / name) as found:
            shares = found.page.evaluate(labels.format("ecdf"))
            found.page.locator("#log-values").check()
            found.page.wait_for_function("document.querySelector('#c-lottery svg') !== null")
            found.page.wait_for_timeout(1500)
            assert found.page.locator("#told").inner_text().startswith(said)
            assert bool(found.page.locator("#told").inner_text()) == bool(said)
            assert {"0.2", "0.4", "0.6", "0.8"} <= set(shares) & set(found.page.evaluate(labels.format("ecdf")))
            assert found.said == []
    with opened(chromium, folder / "tasks.html") as found:
        assert found.page.locator("#log-values, #log-steps").count() == 0
