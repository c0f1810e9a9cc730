"""Pickles by what they hold: whatever is pickled, the same values give the same lines, and others give others."""

import collections
import datetime
import io
import pickle
from typing import Any

import joblib
import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from sklearn.linear_model import LogisticRegression

from seedwise.runs.pickled import NotRead, lines_of_pickle

PROTOCOLS = range(pickle.HIGHEST_PROTOCOL + 1)
SCALARS = (
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats(allow_nan=False)
    | st.text(max_size=5)
    | st.binary(max_size=20)
)
VALUES = st.recursive(
    SCALARS,
    lambda inner: (
        st.lists(inner, max_size=4) | st.tuples(inner, inner) | st.dictionaries(st.text(max_size=3), inner, max_size=4)
    ),
    max_leaves=12,
)


class Net:
    def __init__(self) -> None:
        self.elapsed, self.weights, self.me = 0.25, np.arange(3.0), self


def said(value: object, protocol: int = 5) -> dict[str, Any]:
    lines = lines_of_pickle(pickle.dumps(value, protocol), "bytes")
    return {way: shown.tolist() if isinstance(shown, np.ndarray) else shown for way, _, shown in lines}


@given(VALUES, VALUES)
def test_values_have_the_same_lines_if_they_are_equal_and_others_have_others(a: Any, b: Any) -> None:
    for protocol in (2, 4, 5):
        assert said(a, protocol) == said(a, protocol)
        assert (repr(said(a, protocol)) == repr(said(b, protocol))) == (repr(_in_order(a)) == repr(_in_order(b)))


def _in_order(value: Any) -> Any:
    """A value with the keys of its dicts in order: in which they were added counts for nothing."""
    if isinstance(value, dict):
        return {key: _in_order(value[key]) for key in sorted(value)}
    return list(map(_in_order, value)) if isinstance(value, (list, tuple)) else value


@pytest.mark.parametrize("protocol", PROTOCOLS)
def test_the_order_in_which_keys_and_elements_were_added_is_no_part_of_it(protocol: int) -> None:
    inner = {"loss": 0.5}
    one = {"a": inner, "b": {1, 2}, "c": inner}
    other = {"c": {"loss": 0.5}, "b": {2, 1}, "a": {"loss": 0.5}}
    assert said(one, protocol) == said(other, protocol)
    assert said([0.5, 0.25], protocol) != said([0.25, 0.5], protocol)


@pytest.mark.parametrize("protocol", PROTOCOLS)
def test_numbers_stand_behind_the_way_to_them(protocol: int) -> None:
    found = said({"a": [1.5, {"b": np.float64(0.25)}], "w": np.ones((2, 2), ">f4")}, protocol)
    assert (found["a[0]"], found["a[1]/b"], found["w"]) == (
        1.5,
        0.25,
        [[1.0, 1.0], [1.0, 1.0]],
    )


@pytest.mark.parametrize("protocol", PROTOCOLS)
def test_objects_are_shown_by_what_they_hold_also_where_they_hold_themselves(protocol: int) -> None:
    found = said(Net(), protocol)
    assert (found["elapsed"], found["weights"]) == (0.25, [0.0, 1.0, 2.0])
    assert found["me"] == "an object around it"


def test_moments_are_dates_whenever_they_were() -> None:
    now = datetime.datetime.now()
    assert said({"at": now, "day": now.date()}) == said({"at": now + datetime.timedelta(days=3), "day": now.date()})
    assert said(datetime.timedelta(1)) != said(datetime.timedelta(2))


def test_containers_of_the_standard_library_models_and_generators_are_read() -> None:
    held = [
        collections.OrderedDict(a=1),
        collections.deque([1.5]),
        collections.Counter("aab"),
        collections.defaultdict(list, q=[1]),
        np.random.default_rng(1),
        np.array(["a", None], object),
        LogisticRegression().fit(np.arange(8.0).reshape(4, 2), [0, 1, 0, 1]),
    ]
    for one in held:
        assert said(one) == said(pickle.loads(pickle.dumps(one)))
    assert said(np.random.default_rng(1)) != said(np.random.default_rng(2))


def test_what_is_no_pickle_or_more_than_one_is_not_read() -> None:
    both = pickle.dumps(1) + pickle.dumps(2)
    old = io.BytesIO()
    torch.save({"w": torch.ones(3)}, old, _use_new_zipfile_serialization=False)
    for data in (
        b"",
        b"\x80\x04.",
        b"\x80\x05abc",
        both,
        pickle.dumps([1])[:-1],
        b"\x80\x04e.",
        old.getvalue(),
    ):
        with pytest.raises(NotRead):
            lines_of_pickle(data, "bytes")


def test_an_object_that_is_shared_very_often_is_given_up() -> None:
    value: Any = [0.5]
    for _ in range(40):
        value = [value, value]
    with pytest.raises(NotRead):
        lines_of_pickle(pickle.dumps(value), "bytes")


@pytest.mark.parametrize("protocol", range(3, 6))
def test_arrays_in_files_of_joblib_are_read(protocol: int) -> None:
    held = {
        "when": "now",
        "w": np.arange(6.0).reshape(2, 3),
        "column": np.asfortranarray(np.arange(4).reshape(2, 2)),
        "one": np.float32(0.5),
    }
    file = io.BytesIO()
    joblib.dump(held, file, protocol=protocol)
    found = {way: shown for way, _, shown in lines_of_pickle(file.getvalue(), "bytes")}
    assert (found["when"], found["one"]) == ("'now'", 0.5)
    assert all(np.array_equal(found[name], held[name]) for name in ("w", "column"))
    with pytest.raises(NotRead):
        lines_of_pickle(file.getvalue()[:-40], "bytes")
    objects = io.BytesIO()
    joblib.dump(np.array(["a", None], object), objects, protocol=protocol)
    with pytest.raises(NotRead):
        lines_of_pickle(objects.getvalue(), "bytes")


def test_tensors_of_torch_in_a_pickle_have_no_addresses() -> None:
    first = pickle.dumps({"w": torch.arange(4.0)})
    kept = [torch.zeros(1000) for _ in range(50)]
    again, other = pickle.dumps({"w": torch.arange(4.0)}), pickle.dumps({"w": torch.arange(4.0) + 1})
    assert first != again, kept
    assert lines_of_pickle(first, "bytes") == lines_of_pickle(again, "bytes") != lines_of_pickle(other, "bytes")


class Node:
    """An object that knows others."""


@pytest.mark.timeout(60)
def test_objects_with_too_many_ways_to_them_are_not_read() -> None:
    nodes = [Node() for _ in range(14)]
    for node in nodes:
        node.near = set(nodes) - {node}  # type: ignore[attr-defined]
    with pytest.raises(NotRead, match="too many values"):
        lines_of_pickle(pickle.dumps(nodes), "bytes")
    shared = np.arange(9_000.0)
    with pytest.raises(NotRead, match="too many values"):
        lines_of_pickle(pickle.dumps([[shared] for _ in range(1_000)]), "bytes")


def test_a_word_of_python_is_not_the_text_of_that_word() -> None:
    for value in (True, None):
        assert lines_of_pickle(pickle.dumps({value: 1}), "") != lines_of_pickle(pickle.dumps({str(value): 1}), "")
