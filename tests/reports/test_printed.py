"""`print` of a value shows what the command prints; `repr` is one line; what docstrings name is there."""

import inspect
import re

import pytest

import seedwise as sw
from seedwise.api.printed import page_of
from seedwise.reports.page import lay_out

from .test_screen import results_of_30

A = {s: 0.8 + 0.01 * (s % 5) for s in range(10)}
B = {s: 0.7 + 0.01 * (s % 4) for s in range(10)}
C = {s: 0.6 + 0.01 * (s % 3) for s in range(10)}


def values() -> list[object]:
    runs = results_of_30()
    return [
        runs,
        sw.summarize(A, metric="acc"),
        sw.compare(A, B, metric="acc", goal="max", rng=0),
        sw.compare_many({"a": A, "b": B, "c": C}, goal="max", rng=0),
        sw.compare_tasks({"a": {"x": A, "y": B}, "b": {"x": B, "y": C}}, goal="max", resamples=100, rng=0),
        sw.plan(0.01, sd=0.02),
        sw.against_threshold(A, 0.7, goal="max"),
    ]


@pytest.mark.parametrize("value", values(), ids=lambda v: type(v).__name__)
def test_print_is_the_page_and_repr_one_line(value: object) -> None:
    assert str(value) == lay_out(page_of(value))
    assert repr(value).startswith(f"<{type(value).__name__}")
    assert "\n" not in repr(value)
    assert len(repr(value)) < 600
    if hasattr(value, "sentence"):
        assert str(value).startswith(value.sentence)


def test_thirty_runs_are_one_screen() -> None:
    assert len(str(results_of_30()).splitlines()) < 24


def test_runs_scores_and_series_are_one_line_too() -> None:
    results = results_of_30()
    for value in (results.runs[0], results.scores("test_acc"), results.runs[0].series["test_acc"]):
        assert len(repr(value)) < 150
        assert "\n" not in repr(value)


def test_every_exception_that_a_docstring_names_is_exported() -> None:
    named = set()
    for name in sw.__all__:
        named |= set(re.findall(r"\b[A-Z]\w*Error\b", inspect.getdoc(getattr(sw, name)) or ""))
    assert named - {"ValueError", "TypeError"} <= set(sw.__all__)
    assert issubclass(sw.MetricError, sw.SeedwiseError)


def test_editors_find_a_signature_and_a_docstring_for_every_public_name() -> None:
    for name in sw.__all__:
        value = getattr(sw, name)
        assert inspect.getdoc(value), name
        if inspect.isfunction(value):
            assert inspect.signature(value).return_annotation is not inspect.Signature.empty
