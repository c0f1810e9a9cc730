"""Decompositions: the runs of the design, the components that they give, and what is said before and after."""

import json
import os
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

import seedwise as sw
from seedwise.cli import main
from seedwise.errors import Interrupted, MetricError, UsageError
from seedwise.events import Event, Note
from seedwise.experiments.crossing import crossing
from seedwise.reports import spread
from seedwise.stats import crossed_components

Script = Callable[..., list[str]]

SCRIPT = """
import random
import numpy as np
np.random.seed(4); random.seed(4)

def init_weights():
    return np.random.normal(0, 1)

def shuffled():
    rows = list(range(1000))
    random.shuffle(rows)
    return rows

a, b = init_weights(), (shuffled()[0] - 500) / 300
print("acc =", 2 * a + b + 0.5 * a * b)
"""


def test_a_design_has_every_cell_once_and_repeats_one_experiment_for_each_number_of_threads() -> None:
    design = crossing(("init", "order", "threads"), 3, (1, 2), 2, 200)
    members = design.members()
    cells = [cell for member in members if member.repeat == 1 for cell in member.cells]
    assert len(cells) == len(set(cells)) == design.cells == 18
    assert [(m.threads, m.at) for m in members if m.repeat == 2] == [(1, (("order", (1,)),)), (2, (("order", (1,)),))]
    assert design.runs == 24
    assert len({json.dumps(m.settings) for m in members}) == len(members)


def test_too_many_runs_become_a_fraction_and_its_seeds_are_those_of_its_cells() -> None:
    design = crossing(("init", "order", "dropout"), 8, (), 2, 200)
    assert (design.fraction, design.cells, design.whole, design.runs) == (True, 64, 512, 72)
    for member in design.members():
        at = dict(member.at)
        assert [(at["order"][i] - 1, at["dropout"][i] - 1) for i in range(8)] == [cell[1:] for cell in member.cells]


def test_a_fraction_is_run_under_each_number_of_threads() -> None:
    design = crossing(("init", "order", "dropout", "threads"), 7, (1, 4), 2, 200)
    assert (design.fraction, design.cells, design.whole, design.runs) == (True, 98, 686, 112)
    once = [member for member in design.members() if member.repeat == 1]
    cells = [cell for member in once for cell in member.cells]
    assert len(set(cells)) == 98
    assert {(cell[0], cell[1], cell[3]) for cell in cells} == {
        (i, j, t) for i in range(7) for j in range(7) for t in (0, 1)
    }
    assert {(member.threads, cell[3]) for member in once for cell in member.cells} == {(1, 0), (4, 1)}
    assert len({json.dumps(m.settings) for m in design.members()}) == len(design.members())


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (
            (("init", "order"), 30, (), 2, 200),
            "init and order are 930 runs, more than 200: .*, 13 seeds of each are 182",
        ),
        ((("init", "order", "threads"), 30, (1, 2), 2, 200), "three sources or more.*, 9 seeds of each are 180 runs"),
        ((("init", "order", "dropout", "split"), 8, (), 2, 200), "prime.*, 7 seeds of each are 56 runs"),
        ((("init", "order", "dropout"), 30, (), 2, 200), "a fraction .* 930 runs.*, 13 seeds of each are 182 runs"),
        ((("init",), 1, (), 2, 200), "at least 2"),
        ((("threads",), 4, (1, 2), 2, 200), "one source"),
        ((("init", "threads"), 4, (2,), 2, 200), "two numbers or more"),
        ((("init",), 4, (), 1, 200), "no repeats"),
    ],
)
def test_a_design_that_tells_nothing_or_is_too_large_is_refused(arguments: tuple[object, ...], told: str) -> None:
    with pytest.raises(UsageError, match=told):
        crossing(*arguments)  # type: ignore[arg-type]


@pytest.mark.slow
def test_the_components_are_those_of_the_table_of_single_runs(script: Script) -> None:
    command = script(SCRIPT)
    told: list[Event] = []
    found = sw.decompose(command, ("init", "order"), n=3, tell=told.append)
    table = np.empty((3, 3))
    for j in range(3):
        scores = found.members[f"train vary=init,order order={j + 1}"].scores("acc")
        table[:, j] = [scores[seed] for seed in (1, 2, 3)]
    expected = crossed_components(table, ("init", "order"))
    assert found.components["init"].variance == pytest.approx(expected["init"].variance)
    assert found.components["order"].variance == pytest.approx(expected["order"].variance)
    assert found.components["init × order"].variance == pytest.approx(expected["rest"].variance)
    assert found.components["rest"].variance == 0
    notes = [event.text for event in told if isinstance(event, Note)]
    assert notes[0].startswith("3 init × 3 order: 12 runs, of which 3 repeat others")
    assert any("12 runs take about" in text for text in notes)
    assert "runs under the same seeds gave the same" in str(found)
    again = sw.decompose(command, "init,order", n=3)
    assert again.as_dict() == found.as_dict()


@pytest.mark.slow
def test_the_parts_add_up_to_the_spread_of_runs_in_which_everything_varies(script: Script) -> None:
    command = script(SCRIPT)
    found = sw.decompose(command, ("init", "order"), n=12)
    together = sw.run_script(command, range(101, 161), vary=("init", "order"), name="together")
    seen = float(together.scores("acc").values.var(ddof=1))
    lows, highs = zip(*(part.interval for part in found.components.parts), strict=True)
    assert sum(lows) < seen < sum(highs)
    assert 1 / 2.5 < seen / found.components.total < 2.5  # eleven degrees of freedom for each source


DIGITS = """
import warnings; warnings.simplefilter("ignore")
import numpy as np
from sklearn.datasets import load_digits
from sklearn.model_selection import train_test_split
from sklearn.neural_network import MLPClassifier
X, y = load_digits(return_X_y=True)
a, b, c, d = train_test_split(X[:400] / 16, y[:400], test_size=0.3, random_state=42)
net = MLPClassifier((16,), max_iter=5, random_state=42).fit(a, c)
print("loss =", -np.log(np.clip(net.predict_proba(b)[np.arange(len(d)), d], 1e-6, 1)).mean())
"""


@pytest.mark.slow
def test_the_parts_of_a_real_script_add_up_too(script: Script) -> None:
    command = script(DIGITS)
    found = sw.decompose(command, ("split", "init"), n=4)
    together = sw.run_script(command, range(101, 121), vary=("split", "init"), name="together")
    seen = float(together.scores("loss").values.var(ddof=1))
    lows, highs = zip(*(part.interval for part in found.components.parts), strict=True)
    assert sum(lows) < seen < sum(highs)
    assert found.components["rest"].variance == 0


DIABETES = """
import importlib.util
from pathlib import Path
import numpy as np

np.random.seed(42)
data = Path(importlib.util.find_spec("sklearn").origin).parent / "datasets" / "data"  # quicker than importing it
X, y = np.loadtxt(data / "diabetes_data_raw.csv.gz"), np.loadtxt(data / "diabetes_target.csv.gz")
X, y = (X - X.mean(0)) / X.std(0), (y - y.mean()) / y.std()

def split(n):
    rows = np.random.permutation(n)
    return rows[: n * 7 // 10], rows[n * 7 // 10 :]

train, test = split(len(y))
a, b, c, d = X[train], X[test], y[train], y[test]

def init_weights(rows, columns):
    return np.random.normal(0, (2 / rows) ** 0.5, (rows, columns))

def dropout(shape):
    return (np.random.random(shape) < 0.8) / 0.8

w, v = init_weights(10, 16), init_weights(16, 1)
for epoch in range(20):
    for rows in np.array_split(np.random.permutation(len(a)), 10):
        h = np.maximum(a[rows] @ w, 0)
        mask = dropout(h.shape)
        error = (h * mask) @ v - c[rows, None]
        back = (error @ v.T) * mask * (h > 0)
        v -= 0.05 * (h * mask).T @ error / len(rows)
        w -= 0.05 * a[rows].T @ back / len(rows)
print("r2 =", 1 - np.mean((np.maximum(b @ w, 0) @ v - d[:, None]) ** 2) / d.var())
"""


@pytest.mark.slow
def test_a_fraction_of_a_regression_with_dropout_and_a_split_adds_up(script: Script) -> None:
    pytest.importorskip("sklearn")
    command, sources = script(DIABETES), ("split", "init", "dropout")
    found = sw.decompose(command, sources, n=6, max_runs=50)
    assert found.design.fraction
    together = sw.run_script(command, range(101, 121), vary=sources, name="together")
    seen = float(together.scores("r2").values.var(ddof=1))
    low, high = found.components.total_interval
    assert low < seen < high
    assert 1 / 2.5 < seen / found.components.total < 2.5
    assert sum(part.variance for part in found.components.parts) == pytest.approx(found.components.total)
    assert [d.source for d in together.draws if not d.varied] == ["order"]
    assert found.components["rest"].variance == 0
    assert not found.warnings


@pytest.mark.slow
def test_a_source_that_is_never_drawn_from_is_named_after_one_run(script: Script) -> None:
    command = script(SCRIPT)
    with pytest.raises(UsageError, match=r"no draw of the first run belongs to dropout.*init, order"):
        sw.decompose(command, ("init", "dropout"), n=3)
    assert len(sw.load("train vary=init,dropout dropout=1")) == 1


@pytest.mark.slow
def test_a_run_without_the_metric_is_named(script: Script) -> None:
    text = SCRIPT.replace('print("acc =",', 'if b > 0: print("acc =",').replace(
        "a * b)", "a * b)\nelse: print('loss = 1')"
    )
    with pytest.raises(MetricError, match=r"needs acc in every run: train vary=init,order order=\d, seed \d has loss"):
        sw.decompose(script(text), ("init", "order"), n=4, metric="acc")


@pytest.mark.slow
def test_a_run_that_fails_stops_the_design_and_the_message_says_what_to_do(script: Script) -> None:
    text = SCRIPT + "if b > -1: raise RuntimeError('the loss is not a number')\n"
    with pytest.raises(MetricError) as raised:
        sw.decompose(script(text), ("init", "order"), n=3)
    said = str(raised.value)
    assert "a design needs every run: train vary=init,order order=2, seed 1: exception: train.py:16: Runtime" in said
    assert said.endswith("`seedwise resume 'train vary=init,order order=2' --failed` runs it again")
    with pytest.raises(UsageError, match="no experiment"):
        sw.load("train vary=init,order order=3")


@pytest.mark.slow
def test_a_value_that_is_no_number_is_named_before_the_rest_is_run(script: Script) -> None:
    text = SCRIPT + "print('loss =', float('nan') if b > -1 else b)\n"
    with pytest.raises(MetricError, match=r"loss is nan in train vary=init,order order=2, seed 1: .* another metric"):
        sw.decompose(script(text), ("init", "order"), n=3, metric="loss")


@pytest.mark.slow
def test_a_script_that_divides_no_data_has_no_split_and_one_that_seeds_itself_again_is_told(script: Script) -> None:
    with pytest.raises(UsageError, match=r"belongs to split, .*--source|belongs to split, .*source="):
        sw.decompose(script(SCRIPT), ("init", "split"), n=2)
    again = SCRIPT.replace("a, b =", "for epoch in range(3):\n    random.seed(4)\n    shuffled()\na, b =")
    found = sw.decompose(script(again), ("init", "order"), n=2)
    assert any("the script seeds itself again, 3 times at train.py" in text for text in found.warnings)


@pytest.mark.slow
def test_a_fraction_under_two_numbers_of_threads_finds_what_they_add(script: Script) -> None:
    text = SCRIPT.replace("0.5 * a * b)", "dropout() + 0.01 * int(os.environ['OMP_NUM_THREADS']))").replace(
        "def shuffled", "import os\n\ndef dropout():\n    return np.random.normal(0, 1)\n\ndef shuffled"
    )
    vary = ("init", "order", "dropout", "threads")
    found = sw.decompose(script(text), vary, n=3, threads=[1, 2], max_runs=30)
    assert (found.design.fraction, found.design.runs) == (True, 24)
    assert found.components["threads"].variance == pytest.approx(0.01**2 / 2)
    assert found.components["interactions × threads"].variance == 0
    assert found.components["init"].variance > 0


@pytest.mark.slow
def test_a_race_is_seen_as_what_no_seed_controls(script: Script) -> None:
    text = SCRIPT + "import os\nprint('loss =', a + int.from_bytes(os.getrandom(2), 'big') / 65536)\n"
    found = sw.decompose(script(text), ("init", "order"), n=4, metric="loss")
    assert found.components["rest"].variance > 0
    assert "that of what no seed controls" in str(found)


def test_the_sentence_says_how_many_times_the_one_is_the_other() -> None:
    rng = np.random.default_rng(0)
    table = rng.normal(0, 1, (5, 1)) + rng.normal(0, 0.01, (5, 2))
    found = crossed_components(table, ("init", "threads"), repeats=np.stack([table[:, 0], table[:, 0]], axis=1))
    said = spread.machine_sentence(found, "threads")
    assert said.startswith("The seeds' SD")
    assert "times that of the number of threads and what no seed controls" in said
    swapped = crossed_components(table, ("threads", "init"), repeats=np.stack([table[:, 0], table[:, 0]], axis=1))
    assert "times the seeds' SD" in spread.machine_sentence(swapped, "threads")


def test_names_of_components_stay_whole_at_60_columns_and_every_line_fits() -> None:
    table = np.random.default_rng(1).normal(0, 1e-3, (3, 3, 3))
    found = crossed_components(table, ("init", "split", "dropout"), repeats=[[table[0, 0, 0]] * 2])
    text = spread.components_table(found).text(60)
    assert max(map(len, text.splitlines())) <= 60
    assert all(part.name in text for part in found.parts)
    assert "init × split × dropout" in text


@pytest.mark.slow
def test_options_may_stand_behind_the_command_and_the_plan_reads_what_was_written(
    script: Script, project: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    from seedwise.cli.start import start as main

    command = script(SCRIPT)
    words = ["decompose", "-o", "parts.json", "--", *command, "--vary", "init,order", "-n", "3"]
    assert main(words) == 0
    shown = capsys.readouterr()
    assert "init × order" in shown.out
    assert "█" in shown.out
    data = json.loads((project / "parts.json").read_text())
    assert set(data) >= {"metric", "components", "runs"}
    assert main(["plan", "--from-components", "parts.json", "--margin", "0.5"]) == 0
    assert "runs that vary init and order together give a mean ± 0.5" in capsys.readouterr().out
    assert main(["plan", "--from-components", "train", "--margin", "0.5", "--metric", "acc"]) == 0
    assert "runs that vary init and order together give a mean ± 0.5" in capsys.readouterr().out
    by_name, by_file = (sw.plan_sources(source, 0.5) for source in ("train", "parts.json"))
    assert by_name.as_dict() == by_file.as_dict()
    with pytest.raises(UsageError, match="no decomposition is called 'tarin'; there is train"):
        sw.plan_sources("tarin", 0.5)
    with pytest.raises(UsageError, match="decomposed for acc, not for loss"):
        sw.plan_sources("train", 0.5, metric="loss")
    assert main(["plan", "--from-components", "parts.json"]) == 2
    assert "--margin 0.01" in capsys.readouterr().err


def test_the_threads_of_other_machines_are_asked_for(script: Script) -> None:
    command = script("print('acc = 0.5')")
    with pytest.raises(UsageError, match="which numbers of threads"):
        sw.decompose(command, vary=["init", "threads"], on="local")


def test_a_decomposition_that_is_interrupted_says_how_it_goes_on_and_ends_as_such(
    script: Script, project: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    command = script(
        SCRIPT + "import os, signal, time\nos.kill(int(os.environ['SEEDWISE_PARENT']), signal.SIGINT)\ntime.sleep(30)"
    )
    told: list[Event] = []
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("SEEDWISE_PARENT", str(os.getpid()))
        with pytest.raises(Interrupted, match="the same command goes on with the rest"):
            sw.decompose(command, vary="init", n=2, tell=told.append)
        with pytest.raises(SystemExit) as ended:
            main(["decompose", "-n", "2", "--vary", "init", "--", *command])
    assert ended.value.code == 130
    assert "interrupted" in capsys.readouterr().err
