"""Spread against spread in a family: "makes it steadier" is a tested claim."""

import numpy as np
import pytest

from seedwise.api.families import family_of
from seedwise.reports.family import page_of_family
from seedwise.reports.page import lay_out
from seedwise.results import Goal, Metric, Results, Run, Series, Status
from seedwise.stats import compare_spreads, holm


def results(name: str, values: list[float]) -> Results:
    runs = tuple(Run(s, Status.FINISHED, {"acc": Series((1,), (v,))}) for s, v in enumerate(values))
    return Results(name, "k", (), runs, (Metric("acc", Goal.MAX),))


def members(**sds: tuple[float, float]) -> dict[str, Results]:
    rng = np.random.default_rng(3)
    return {f"net init={k}": results(k, rng.normal(m, sd, 20).tolist()) for k, (m, sd) in sds.items()}


def test_a_smaller_spread_is_claimed_with_its_test() -> None:
    family = family_of("net", members(he=(0.9, 0.002), small=(0.9, 0.03), xavier=(0.9, 0.002)))
    first = family.spreads[0]
    assert {p.other for p in family.spreads if p.shown} == {"net init=small"}
    assert first.ratio < 0.2
    assert first.interval[0] < first.ratio < first.interval[1] < 1
    text = str(family)
    assert "Steadier in acc: " in " ".join(text.split())
    assert "Holm over 3 pairs" in " ".join(text.split())


def test_each_p_is_that_of_the_two_samples_and_holm_holds_them_together() -> None:
    given = members(a=(0.9, 0.01), b=(0.8, 0.02), c=(0.7, 0.015))
    family = family_of("net", given)
    values = {name: [run.series["acc"].values[0] for run in of.runs] for name, of in given.items()}
    raw = [compare_spreads(values[p.steadier], values[p.other]).p_value for p in family.spreads]
    assert [p.p_value for p in family.spreads] == pytest.approx(raw)
    assert [p.adjusted_p for p in family.spreads] == pytest.approx(holm(raw).tolist())
    for pair in family.spreads:
        assert pair.ratio <= 1
        assert np.std(values[pair.steadier]) / np.std(values[pair.other]) == pytest.approx(pair.ratio)


def test_equal_spreads_are_no_claim() -> None:
    family = family_of("net", members(a=(0.9, 0.01), b=(0.8, 0.01)))
    assert "steadier" not in str(family)  # nobody asked
    asked = " ".join(lay_out(page_of_family(family, pairs=True)).split())
    assert "No setting is shown to be steadier" in asked


def test_a_network_that_never_learns_is_not_praised_for_being_steady() -> None:
    family = family_of("net", members(he=(0.9, 0.02), zeros=(0.1, 0.001)))
    assert "but its mean is worse" in " ".join(str(family).split())
    flat = family_of("net", {**members(he=(0.9, 0.02), b=(0.8, 0.02)), "net init=zeros": results("z", [0.1] * 20)})
    assert "Without any spread, and so without a ratio: net init=zeros" in " ".join(str(flat).split())


def test_the_spreads_are_in_the_json() -> None:
    found = family_of("net", members(he=(0.9, 0.002), small=(0.9, 0.03))).as_dict()["spreads"]
    assert isinstance(found, list)
    assert found[0]["shown"] is True
    assert found[0]["steadier"] == "net init=he"


@pytest.mark.slow
def test_where_spreads_are_equal_any_claim_is_as_rare_as_it_says() -> None:
    """Four settings of ten normal seeds: any pair is called steadier in at most 5 % of families."""
    rng, false = np.random.default_rng(0), 0
    for _ in range(400):
        x = rng.normal(0, 1, (4, 10))
        p = [compare_spreads(x[a], x[b], resamples=1).p_value for a in range(4) for b in range(a)]
        false += min(holm(p)) <= 0.05
    assert false / 400 <= 0.07
