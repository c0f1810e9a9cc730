"""Test cases for contracts. Whoever writes a store, an executor, a backend, or another way to start processes runs these cases against it.

Each is a class whose methods are tests for pytest. Make a subclass with a name that begins with `Test`, and write the
method that makes your object:

    from seedwise.testing import ProcessCases

    class TestMine(ProcessCases):
        def make(self):
            return MyProcesses()
"""

from .backends import BackendCases
from .executors import ExecutorCases
from .processes import ProcessCases
from .stores import StoreCases

__all__ = ["BackendCases", "ExecutorCases", "ProcessCases", "StoreCases"]
