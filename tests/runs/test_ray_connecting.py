"""Connecting to a Ray cluster, with a stand-in for Ray: a real one is in tests/elsewhere."""

import sys
from types import SimpleNamespace

import pytest

from seedwise.errors import UsageError
from seedwise.runs.executors import ray as executor

LATE = "Initialization failure from server:\nTraceback (most recent call last):\nRuntimeError: Starting Ray client server failed."


def cluster(monkeypatch: pytest.MonkeyPatch, *failures: str) -> list[str]:
    """A cluster that fails so many times. Returns the addresses that were asked."""
    asked: list[str] = []

    def init(address: str, **_: object) -> None:
        asked.append(address)
        if len(asked) <= len(failures):
            raise ConnectionError(failures[len(asked) - 1])

    monkeypatch.setitem(sys.modules, "ray", SimpleNamespace(is_initialized=lambda: False, init=init))
    monkeypatch.setattr(executor, "_listens", lambda address: True)
    monkeypatch.setattr(executor, "_BETWEEN", 0.0)
    return asked


def test_a_server_for_clients_that_is_late_is_asked_again(monkeypatch: pytest.MonkeyPatch) -> None:
    asked = cluster(monkeypatch, LATE, LATE)
    assert executor._connect("ray://head:10001")
    assert len(asked) == 3


@pytest.mark.parametrize(
    ("failures", "times", "said"),
    [
        ((LATE, LATE, LATE), 3, "Starting Ray client server failed."),
        (("no such cluster\nmore",), 1, "no such cluster"),
        (("\n",), 1, "ConnectionError"),
    ],
)
def test_what_does_not_come_is_said(
    monkeypatch: pytest.MonkeyPatch, failures: tuple[str, ...], times: int, said: str
) -> None:
    asked = cluster(monkeypatch, *failures)
    with pytest.raises(UsageError, match=said):
        executor._connect("ray://head:10001")
    assert len(asked) == times
