"""Test cases for contracts. Whoever writes a store, an executor or a backend runs these cases against it.

Each is a class whose methods are tests for pytest. Make a subclass with a name that begins with `Test`, and write the
method that makes your object:

    from seedwise.testing import ExecutorCases

    class TestMine(ExecutorCases):
        def make(self):
            return MyExecutor()
"""

from .backends import BackendCases
from .executors import ExecutorCases
from .stores import StoreCases

__all__ = ["BackendCases", "ExecutorCases", "StoreCases"]
