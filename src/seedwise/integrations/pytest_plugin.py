"""For tests: `assert_reproducible(train, seed=0)`, `assert_resumes(train)` and `@pytest.mark.reproducible`.

The plugin does nothing if they are not used.
"""

from collections.abc import Callable
from typing import Any

import pytest

__all__ = ["assert_reproducible", "assert_resumes"]


def pytest_configure(config: pytest.Config) -> None:
    """Register the marker."""
    config.addinivalue_line(
        "markers",
        "reproducible(seed=0, rtol=None): what the test function returns must be the same in fresh processes under one seed; "
        "with rtol, equal to rounding is enough",
    )


@pytest.fixture
def assert_reproducible() -> Callable[..., object]:
    """A function: `assert_reproducible(train, seed=0, rtol=None, **config)`. If it fails, it says cause, line and fix.

    `train(seed, **config)` is called in fresh processes, with one thing changed at a time, as `seedwise check` does.
    With `rtol`, a result that is equal to rounding passes too.
    """

    def assert_it(function: Callable[..., object], seed: int = 0, *, rtol: float | None = None, **config: Any) -> Any:
        __tracebackhide__ = True
        return _hold(function, seed, config, rtol)

    return assert_it


@pytest.fixture
def assert_resumes() -> Callable[..., object]:
    """A function: `assert_resumes(train, seed=0, at=None, rtol=None, **config)`. If it fails, it says what was not restored.

    `train(seed, **config)` writes checkpoints into the working folder, and goes on from one that it finds there. It is
    ended after a checkpoint and called again, as `seedwise check --resume` does. With `rtol`, a result that is equal to
    rounding passes too.
    """

    def assert_it(
        function: Callable[..., object],
        seed: int = 0,
        *,
        at: int | None = None,
        rtol: float | None = None,
        **config: Any,
    ) -> Any:
        __tracebackhide__ = True
        from seedwise.api.resume import check_resume
        from seedwise.errors import SeedwiseError

        try:
            found = check_resume(
                function, seed, config=config, at=at, rtol=1e-4 if rtol is None else rtol, progress=False
            )
        except SeedwiseError as error:
            pytest.fail(str(error), pytrace=False)
        if not (found.ok or (rtol is not None and found.verdict == "equal-to-rounding")):
            pytest.fail(found.sentence, pytrace=False)
        return found

    return assert_it


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """Pass a marked test its `seed`."""
    marker = metafunc.definition.get_closest_marker("reproducible")
    if marker is not None and "seed" in metafunc.fixturenames:
        metafunc.parametrize("seed", [marker.kwargs.get("seed", marker.args[0] if marker.args else 0)])


@pytest.hookimpl(tryfirst=True)
def pytest_pyfunc_call(pyfuncitem: pytest.Function) -> bool | None:
    """Check a marked test instead of calling it here.

    Such a test is a training function: `def test_train(seed): … return {"loss": …}`.
    """
    marker = pyfuncitem.get_closest_marker("reproducible")
    if marker is None:
        return None
    rtol = marker.kwargs.get("rtol")
    names = pyfuncitem._fixtureinfo.argnames
    given: dict[str, Any] = {name: pyfuncitem.funcargs[name] for name in names}
    test, takes_seed = pyfuncitem.obj, "seed" in given
    seed = int(given.pop("seed", 0))

    def train(seed: int, **config: Any) -> Any:
        result = test(**config, **({"seed": seed} if takes_seed else {}))
        if result is None:
            raise TypeError("the test returned nothing to compare: let it return a number, a dict or an array")
        return result

    _hold(train, seed, given, rtol)
    return True


def _hold(function: Callable[..., object], seed: int, config: dict[str, Any], rtol: float | None) -> Any:
    """Run the check. If it fails, fail the test with the check's sentence, or with how the function failed."""
    __tracebackhide__ = True
    from seedwise.api.check import check
    from seedwise.determinism import Cause, Verdict
    from seedwise.errors import SeedwiseError

    try:
        found = check(function, seed, config=config, rtol=1e-4 if rtol is None else rtol, progress=False)
    except SeedwiseError as error:
        pytest.fail(str(error), pytrace=False)
    without_effect = found.verdict is Verdict.IDENTICAL and found.cause == Cause.NO_EFFECT
    if not (found.ok or without_effect or (rtol is not None and found.verdict is Verdict.ROUNDING)):
        pytest.fail(f"not reproducible: {found.sentence}", pytrace=False)
    return found
