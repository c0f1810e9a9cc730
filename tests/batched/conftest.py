"""One thread for what the tests do by hand, as `fit` has: another number of threads rounds otherwise."""

from collections.abc import Iterator

import pytest
import torch


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
