"""Loads a file of benchmarks/ whose procedures a test uses."""

import importlib.util
from functools import cache
from pathlib import Path
from types import ModuleType


@cache
def benchmark(name: str) -> ModuleType:
    """The module benchmarks/NAME.py."""
    spec = importlib.util.spec_from_file_location(
        f"{name}_benchmark", Path(__file__).parents[2] / "benchmarks" / f"{name}.py"
    )
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module
