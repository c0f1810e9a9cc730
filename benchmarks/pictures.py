"""The report as a page, beside Altair's own offline page of one chart: how long it takes, and how many bytes it has.

    python benchmarks/pictures.py

Prints, for 30 seeds and for 10,000 (three metrics, a hundred steps each), the seconds of the whole command in a process of
its own, the megabytes of the page, and the seconds until the browser has drawn the first and the last picture. Limits: 2 s
for 30 seeds; for 10,000 seeds 10 s, 4 MB, and 2 s until the first picture.
"""

import os
import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np

from seedwise.experiments.store import Store
from seedwise.results import Run, Series, Status

STEPS = tuple(range(1, 101))
METRICS = ("val_loss", "train_loss", "val_acc")
PLAN = {"sites": [], "number": None, "kept": [], "remarks": [], "split_uses": []}


def fill(folder: Path, name: str, seeds: int) -> None:
    """An experiment in a store, as runs would have left it."""
    rng = np.random.default_rng(2021)
    manifest = {
        "command": ["python", "train.py"],
        "folder": str(folder),
        "mode": "placeholder",
        "threads": 1,
        "code": {},
    }
    with Store(folder / ".seedwise", create=True) as store:
        experiment = store.add_experiment(name, "0" * 12, ["python", "train.py"], manifest, PLAN)
        with store.together():
            for seed in range(1, seeds + 1):
                curve = np.exp(-np.arange(100) / 30) + rng.normal(0, 0.02) + rng.normal(0, 0.01, 100)
                series = {m: Series(STEPS, tuple((curve + k).tolist())) for k, m in enumerate(METRICS)}
                store.finish(experiment.id, Run(seed, Status.FINISHED, series, seconds=1.0))


def whole_command(folder: Path, *words: str) -> tuple[float, float]:
    """The seconds of a command, and those of the processor: medians of three; the first, which fills the cache, does not count."""
    times, cpu = [], []
    for _ in range(4):
        began, before = time.perf_counter(), resource.getrusage(resource.RUSAGE_CHILDREN)
        subprocess.run([sys.executable, *words], cwd=folder, check=True, capture_output=True)
        after = resource.getrusage(resource.RUSAGE_CHILDREN)
        times.append(time.perf_counter() - began)
        cpu.append(after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime)
    return sorted(times[1:])[1], sorted(cpu[1:])[1]


def in_browser(page: Path) -> tuple[float, float]:
    """Seconds until the first picture is drawn, and until all are."""
    from playwright.sync_api import sync_playwright

    path = next(
        p for p in ("/usr/bin/chromium", "/usr/bin/chromium-browser", "/usr/bin/google-chrome") if os.path.exists(p)
    )
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=path, args=["--no-sandbox"])
        tab = browser.new_page()
        began = time.perf_counter()
        tab.goto(page.as_uri(), wait_until="commit")
        tab.wait_for_selector(".chart svg, .chart canvas")
        first = time.perf_counter() - began
        tab.wait_for_selector("body[data-drawn]")
        last = time.perf_counter() - began
        browser.close()
    return first, last


ALTAIR = """
import altair as alt, numpy as np
rng = np.random.default_rng(2021)
rows = [{"seed": s, "step": t, "loss": float(np.exp(-t / 30) + rng.normal(0, 0.01))} for s in range(30) for t in range(100)]
chart = alt.Chart(alt.Data(values=rows)).mark_line(opacity=0.3).encode(x="step:Q", y="loss:Q", detail="seed:N")
chart.save("altair.html", inline=True)
"""


def main() -> None:
    """Both, one after the other."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        theirs = whole_command(folder, "-c", ALTAIR)
        size = (folder / "altair.html").stat().st_size / 1e6
        print(
            f"Altair's page of one chart, 30 curves:  {theirs[0]:5.2f} s ({theirs[1]:.2f} s of processor), {size:.2f} MB"
        )
        for seeds in (30, 10_000):
            fill(folder, f"of{seeds}", seeds)
            ours = whole_command(folder, "-m", "seedwise", "report", f"of{seeds}", "-o", "page.html")
            size = (folder / "page.html").stat().st_size / 1e6
            first, last = in_browser(folder / "page.html")
            print(
                f"seedwise report, {seeds:6,} seeds:          {ours[0]:5.2f} s ({ours[1]:.2f} s of processor), {size:.2f} MB; {ours[1] / theirs[1]:.1f} times the "
                f"processor's time; "
                f"first picture after {first:.2f} s, all after {last:.2f} s",
                flush=True,
            )


if __name__ == "__main__":
    main()
