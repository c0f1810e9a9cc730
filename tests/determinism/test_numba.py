"""numba compiles functions that draw from a generator of numba's own: it is named, though Python never sees the draws."""

import sys
from pathlib import Path

import pytest

from seedwise.api.check import check_script
from seedwise.determinism import Cause

pytestmark = [pytest.mark.frameworks, pytest.mark.timeout(600)]

PROGRAM = """\
import numpy as np
from numba import njit

@njit
def noisy(n):
    return np.random.normal(0.0, 1.0, n).sum()

@njit
def seed(n):
    np.random.seed(n)

np.random.seed(0)
{call}
print("sum", noisy(100))
"""


def test_the_generator_of_compiled_functions_is_named(project: Path) -> None:
    (project / "draw.py").write_text(PROGRAM.format(call=""))
    found = check_script([sys.executable, "draw.py"], timeout=200)
    assert (found.cause, found.location, found.fix_verified) == (Cause.ENTROPY, "draw.py:14", True), found.sentence
    assert "@njit def seed(n): np.random.seed(n)" in found.fix


@pytest.mark.long
def test_seeding_it_in_a_compiled_function_helps(project: Path) -> None:
    (project / "draw.py").write_text(PROGRAM.format(call="seed(0)"))
    assert check_script([sys.executable, "draw.py"], timeout=200).ok
