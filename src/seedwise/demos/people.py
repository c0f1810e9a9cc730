"""Article 1: the effect of the PyTorch seed (J. McCaffrey, 2023), with data of the article's form."""

import shutil
import sys
from importlib.util import find_spec
from pathlib import Path

import numpy as np

from ..api.report import page_of_results
from ..api.summary import summarize_all
from ..errors import UsageError
from ..experiments.loading import results_of
from ..experiments.store import open_store
from ..reports.html.writing import render
from ..reports.live import showing
from ..reports.page import lay_out
from ..reports.report import report_of
from ..reports.screen import screen_of
from ..results import Results
from ..runs.request import Request
from ..runs.sweep import execute
from .steps import python_with_torch

FOLDER = Path("seedwise-demo-people")
SEEDS = (0, 3, 5, 363, 366, 999)
_ROWS = 200


def generate(rows: int = _ROWS) -> str:
    """Made-up people as tab-separated text: sex (-1, 1), age / 100, state (one-hot of three), income / 100,000,
    politics.

    The file has the form of the article's file, but not its rows, which belong to the article's author. Politics
    follows from the other columns with noise, so that a small network reaches about the article's accuracy. The text
    is always the same: it comes from a fixed stream.
    """
    rng = np.random.Generator(np.random.PCG64(2023))
    lines = ["# sex\tage\tmichigan\tnebraska\toklahoma\tincome\tpolitics (0 conservative, 1 moderate, 2 liberal)"]
    lean = np.array([0.2, -0.3, 0.6])
    for _ in range(rows):
        sex = rng.choice([-1, 1])
        age = rng.integers(18, 69) / 100
        state = rng.integers(3)
        income = np.round(np.clip(0.25 + 0.9 * age * rng.uniform(0.4, 1.3), 0.2, 0.9), 4)
        score = 4.0 * (age - 0.42) + 3.0 * (income - 0.55) + 0.5 * sex * (1 if state == 1 else -1) + lean[state]
        politics = int(np.digitize(-score + 0.55 * rng.normal(), [-0.55, 0.35]))
        one_hot = "\t".join("1" if state == k else "0" for k in range(3))
        lines.append(f"{sex}\t{age:.2f}\t{one_hot}\t{income:.4f}\t{politics}")
    return "\n".join(lines) + "\n"


def run(data: str | None, n: int) -> int:
    """Run the script under the article's six seeds, then under n seeds. Returns the exit code."""
    import os

    command = [python_with_torch(), "people.py"]
    prepare(data)
    os.chdir(FOLDER)
    store = str(Path.cwd() / ".seedwise")
    print(f"$ cd {FOLDER}\n$ seedwise run --seeds {','.join(map(str, SEEDS))} -- python people.py", flush=True)
    many = list(range(1, n + 1))
    for k, seeds in enumerate((list(SEEDS), many)):
        if k == 1:
            print(
                f"\nSix seeds show a spread; {n} seeds measure it.\n$ seedwise run -n {n} -- python people.py",
                flush=True,
            )
        with showing() as live:
            outcome = execute(Request(command, seeds, name="people"), store, live)
        if not outcome.complete:
            return 130
        if k == 0:
            for run_ in outcome.results.runs:
                if run_.seed in SEEDS and {"acc", "loss"} <= set(run_.series):
                    acc, loss = (run_.series[name].values[-1] for name in ("acc", "loss"))
                    print(f"seed = {run_.seed:4} | acc = {acc:.4f} | loss = {loss:.4f}")
    with open_store(store) as opened:
        results = results_of(opened, opened.experiment(outcome.results.name), seeds=many)
    print(lay_out(report_of(results, summarize_all(results)), screen_of(sys.stdout)))
    print(
        f"\nEverything is in {FOLDER}: the script, the data, and what each run printed (seedwise log people --seed 3)."
    )
    print(written_report(results, store))
    return 3 if results.failed else 0


def written_report(results: Results, store: str) -> str:
    """Write the report into this folder; where it is, or what to install to have one."""
    if not all(find_spec(name) for name in ("altair", "vl_convert", "jinja2")):
        return "pip install 'seedwise[report]', and `seedwise report people` draws all this on one page."
    page = page_of_results({"people": results}, store=store)
    Path("report.html").write_text(render(page), encoding="utf-8")
    return f"The report is in {FOLDER / 'report.html'}: open it in a browser."


def prepare(data: str | None) -> None:
    """Put the script and its data into the folder of the demo. Raises UsageError if the author's file is not there."""
    if data is not None and not Path(data).is_file():
        raise UsageError(f"--data {data}: no such file")
    FOLDER.mkdir(exist_ok=True)
    target = FOLDER / "people_train.txt"
    if data is not None:
        shutil.copyfile(data, target)
        print(f"Data: your file {data}.")
    else:
        text = generate()
        if not target.exists() or target.read_text() != text:
            target.write_text(text)
        print("Data: 200 made-up people in the form of the article's file; --data FILE takes the author's own.")
    script = Path(__file__).with_name("scripts") / "people.py"
    shutil.copyfile(script, FOLDER / "people.py")
