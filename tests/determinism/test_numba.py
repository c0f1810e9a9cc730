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


def test_the_generator_of_compiled_functions_is_named_and_seeding_it_there_helps(project: Path) -> None:
    command = [sys.executable, "draw.py"]
    (project / "draw.py").write_text(PROGRAM.format(call=""))
    found = check_script(command, timeout=200)
    assert (found.cause, found.location, found.fix_verified) == (Cause.ENTROPY, "draw.py:14", True), found.sentence
    assert "@njit def seed(n): np.random.seed(n)" in found.fix
    (project / "draw.py").write_text(PROGRAM.format(call="seed(0)"))
    assert check_script(command, timeout=200).ok
