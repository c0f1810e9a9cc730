"""Decompositions: the runs of the design, the components that they give, and what is said before and after."""

import json
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

import seedwise as sw
from seedwise.errors import MetricError, UsageError
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


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        ((("init", "order"), 30, (), 2, 200), "930 runs, more than 200: .*13"),
        ((("init", "order", "dropout", "split"), 8, (), 2, 200), "prime"),
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
    lows, highs = zip(*(part.interval or (0.0, 0.0) for part in found.components.parts), strict=True)
    assert sum(lows) < seen < sum(highs)
    assert 1 / 2.5 < seen / found.components.total < 2.5  # eleven degrees of freedom for each source


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
    assert main(["plan", "--from-components", "parts.json"]) == 2
    assert "--margin 0.01" in capsys.readouterr().err
