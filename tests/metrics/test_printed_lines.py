"""Real printed lines are read as a researcher reads them; the headline is theirs, or they are asked."""

import math

import pytest

from seedwise.metrics.choose import choose, parse_metric
from seedwise.results import Run, Status

from .printed_lines import Case, cases

CASES = list(cases())


def headline_of(case: Case) -> str:
    """`name goal`, `?` and the candidates, or `-`."""
    choice = case.choice()
    if choice.question:
        return "? " + " ".join(name.lower() for name in choice.question)
    if not choice.metrics:
        return "-"
    first = choice.metrics[0]
    return f"{first.name.lower()} {first.goal.value if first.goal else '?'}"


@pytest.mark.parametrize("case", CASES, ids=[case.place for case in CASES])
def test_every_number_is_read_and_the_headline_is_never_wrong(case: Case) -> None:
    assert_headline(case)
    series = {name.lower(): s.values[-1] for name, s in case.series().items()}
    for name, value in case.read.items():
        assert name in series, f"{case.what}: {name} is not among {sorted(series)}"
        if math.isnan(value):
            assert math.isnan(series[name])
        else:
            assert series[name] == pytest.approx(value, rel=1e-6)


def assert_headline(case: Case) -> None:
    """The headline is the right one, or a question."""
    found = headline_of(case)
    if case.headline == "-":
        assert found[0] in "-?"
    elif case.headline == "?":
        assert found[0] == "?" or found.split()[0] in case.asked
    elif found[0] != "?":
        name, goal = found.split()
        assert name == case.headline, case.what
        assert goal in (case.goal, "?") or case.goal == "?", case.what


def test_the_headline_is_right_without_a_question_in_most_cases() -> None:
    said = [case for case in CASES if case.headline not in "?-"]
    right = [case for case in said if headline_of(case).split()[0] == case.headline]
    assert len(right) >= 0.9 * len(said), f"{len(right)} of {len(said)}"


def test_the_corpus_is_large() -> None:
    assert len(CASES) >= 250
    assert sum(len(case.read) for case in CASES) >= 750


def test_what_is_asked_for_overrules() -> None:
    for case in (case for case in CASES if case.read):
        series = case.series()
        wanted = next(name for name in series if name.lower() in case.read)
        runs = [Run(seed, Status.FINISHED, series, 0) for seed in (1, 2)]
        choice = choose(runs, [parse_metric(f"{wanted}:max")])
        assert [(m.name, m.goal_said) for m in choice.metrics] == [(wanted, True)], case.place
        assert choice.question == ()
