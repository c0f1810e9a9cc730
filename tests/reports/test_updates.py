"""What a live page is told leads from one state to the next, and is no more than what changed."""

import copy
import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from seedwise.api.report import page_of_results
from seedwise.reports.html.updates import applied, changes, is_built_alike, state_of
from seedwise.reports.html.writing import as_json

from .test_pictures import results

LEAVES = st.none() | st.booleans() | st.integers(-3, 3) | st.sampled_from([0.5, 1.0, "", "a"])
STATES = st.dictionaries(
    st.sampled_from("abcd"),
    st.recursive(
        LEAVES,
        lambda inner: st.lists(inner, max_size=6) | st.dictionaries(st.sampled_from("xyz"), inner, max_size=3),
        max_leaves=12,
    ),
    max_size=4,
)


@given(STATES, STATES)
def test_changes_lead_from_any_state_to_any_other(before: dict[str, Any], after: dict[str, Any]) -> None:
    told = json.loads(json.dumps(changes(before, after)))
    assert json.dumps(applied(copy.deepcopy(before), told), sort_keys=True) == json.dumps(after, sort_keys=True)
    assert changes(after, after) == []


@given(st.lists(st.integers(0, 3), max_size=12), st.lists(st.integers(0, 3), max_size=12))
def test_changes_lead_from_any_column_to_any_other(before: list[int], after: list[int]) -> None:
    assert applied({"c": list(before)}, changes({"c": before}, {"c": after})) == {"c": after}


def test_a_column_that_grew_or_of_which_little_changed_is_not_sent_again() -> None:
    column = list(range(10_000))
    assert changes({"c": column}, {"c": [*column, 7]}) == [[["c"], "cut", 10_000, 0, [7]]]
    assert changes({"c": column}, {"c": [*column[:500], -1, *column[500:]]}) == [[["c"], "cut", 500, 0, [-1]]]
    other = [*column]
    other[3], other[9000] = -1, -2
    assert changes({"c": column}, {"c": other}) == [[["c"], "at", [3, 9000], [-1, -2]]]


@pytest.mark.slow
def test_a_page_is_led_to_the_page_with_one_more_seed() -> None:
    runs = results(n=40).runs
    few, more = (state_of(page_of_results({"base": results_with(runs[:n])}, live=True)) for n in (30, 31))
    assert is_built_alike(few, more)
    told = json.loads(as_json(changes(few, more)))
    assert json.loads(as_json(applied(few, told))) == json.loads(as_json(more))
    assert len(as_json(told)) < len(as_json(more)) / 2


def results_with(runs: Any) -> Any:
    from dataclasses import replace

    return replace(results(n=40), runs=tuple(runs))
