"""docs/coming-from.md: rliable's and deepsig's figures for public Atari scores, and ours.

The figures were computed by rliable 1.2.0 and deepsig 1.2.8 from docs/examples/dopamine.csv, normalised by the same
reference scores: `metrics.aggregate_mean`, `aggregate_median`, `aggregate_optimality_gap`, `aggregate_iqm` (of four runs,
since the number of all scores has to be a multiple of four), `probability_of_improvement`, `create_performance_profile`.
"""

import csv
import re
from pathlib import Path

import numpy as np
import pytest

import seedwise as sw

DOCS = Path(__file__).parents[2] / "docs"
MEAN_MEDIAN_GAP = {
    "C51": (7.699187950071898, 1.092326829138083, 0.2752950840320434),
    "DQN": (2.844815669530381, 0.6534564586804912, 0.4141889287830922),
    "IQN": (8.866336741302456, 1.2880069334630821, 0.20736589941760264),
    "Rainbow": (9.11961459062404, 1.472422244266791, 0.21786283118804484),
}
IQM_OF_FOUR_RUNS = {
    "C51": 1.2768552861237887,
    "DQN": 0.7488379204096047,
    "IQN": 1.754473955062906,
    "Rainbow": 1.7169928964595722,
}
IMPROVEMENT = {
    ("IQN", "DQN"): 0.9199999999999999,
    ("Rainbow", "DQN"): 0.9112727272727273,
    ("C51", "DQN"): 0.8014545454545454,
    ("Rainbow", "IQN"): 1 - 0.4876363636363636,
}
ABOVE = {  # τ above 0: there no run scores exactly τ
    "thresholds": (0.5, 1.0, 2.0, 4.0, 8.0),
    "C51": (0.7636363636363637, 0.5272727272727272, 0.32727272727272727, 0.16363636363636364, 0.04363636363636364),
    "IQN": (0.7781818181818182, 0.6654545454545454, 0.3781818181818182, 0.2872727272727273, 0.13090909090909092),
}


@pytest.fixture(scope="module")
def scores() -> dict[str, dict[str, list[float]]]:
    found: dict[str, dict[str, list[float]]] = {}
    with open(DOCS / "examples" / "dopamine.csv") as file:
        for row in csv.DictReader(file):
            found.setdefault(row["agent"], {}).setdefault(row["game"], []).append(float(row["score"]))
    return found


@pytest.fixture(scope="module")
def ranking(scores: dict[str, dict[str, list[float]]]) -> sw.TaskRanking:
    return sw.compare_tasks(scores, goal="max", reference="atari", profile=ABOVE["thresholds"], resamples=100, rng=0)


def test_mean_median_and_gap_against_rliable(ranking: sw.TaskRanking) -> None:
    for place in ranking.places:
        assert (place.mean, place.median, place.gap) == pytest.approx(MEAN_MEDIAN_GAP[place.name], rel=1e-12)


def test_iqm_against_rliable_where_a_quarter_of_the_scores_is_a_whole_number(
    scores: dict[str, dict[str, list[float]]],
) -> None:
    four = {agent: {game: runs[:4] for game, runs in of.items()} for agent, of in scores.items()}
    for place in sw.compare_tasks(four, goal="max", reference="atari", resamples=100, rng=0).places:
        assert place.iqm == pytest.approx(IQM_OF_FOUR_RUNS[place.name], rel=1e-12)


def test_probability_of_improvement_against_rliable(ranking: sw.TaskRanking) -> None:
    found = {(pair.new, pair.base): pair.probability_of_improvement for pair in ranking.pairs}
    for pair, theirs in IMPROVEMENT.items():
        assert found.get(pair, 1 - found.get(pair[::-1], 0.0)) == pytest.approx(theirs, rel=1e-12)


def test_profiles_against_rliable(ranking: sw.TaskRanking) -> None:
    for profile in ranking.profiles:
        if profile.name in ABOVE:
            assert profile.share == pytest.approx(ABOVE[profile.name], rel=1e-12)


def test_almost_dominance_against_deepsig(scores: dict[str, dict[str, list[float]]]) -> None:
    found = sw.compare(scores["IQN"]["alien"], scores["DQN"]["alien"], rng=0)
    assert found.almost_dominance == 0.0


def test_the_table_of_the_page_holds_these_figures(ranking: sw.TaskRanking) -> None:
    page = (DOCS / "coming-from.md").read_text()
    for place in ranking.places:
        row = re.search(rf"^\| {place.name} \| (.*) \|$", page, re.MULTILINE)
        assert row is not None
        shown = [float(cell) for cell in row[1].split(" | ")]
        assert shown[:4] == pytest.approx([place.mean, place.median, place.gap or 0.0, place.iqm], abs=0.00051)
    assert np.isfinite(shown).all()
