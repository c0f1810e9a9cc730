"""One thread for what the tests do by hand, as `fit` has: another number of threads rounds otherwise.

The tests on a GPU are collected where there is one; elsewhere the end of the report names the file that was left out.
"""

from collections.abc import Iterator

import pytest
import torch

collect_ignore = [] if torch.cuda.is_available() else ["test_on_cuda.py"]


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Say what was not tested."""
    for name in collect_ignore:
        terminalreporter.write_line(f"not tested: tests/batched/{name} (there is no CUDA device here)")


LONG = {"test_as_if_alone.py", "test_each_on_its_own.py", "test_seeds_last.py"}
"""Hundreds of steps of every kind of layer, by every engine, and programs that are compiled: `make test-long`."""


@pytest.fixture(autouse=True)
def one_thread() -> Iterator[None]:
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Training takes seconds: all of these are slow, but for what is refused before anything is trained."""
    for item in items:
        if "tests/batched/" in item.path.as_posix() and item.path.name != "test_refusals.py":
            item.add_marker(pytest.mark.slow)
            if item.path.name in LONG:
                item.add_marker(pytest.mark.long)
