"""Contract cases: whoever writes a store, an executor or a backend runs these against it.

Each is a class whose methods are tests for pytest. Make a subclass that is called `Test…` and say how yours is made:

    from seedwise.testing import ExecutorCases

    class TestMine(ExecutorCases):
        def make(self):
            return MyExecutor()
"""

from .backends import BackendCases
from .executors import ExecutorCases
from .stores import StoreCases

__all__ = ["BackendCases", "ExecutorCases", "StoreCases"]
