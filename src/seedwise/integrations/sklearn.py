"""scikit-learn: fits and scores an estimator under many seeds, each in its own process."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from numbers import Integral
from typing import Any, Protocol

from seedwise_guest.protocol import derive

from ..api.function import run
from ..errors import UsageError
from ..events import Event
from ..results import Results
from ..runs.request import silent

__all__ = ["across_seeds"]

_STATE = "random_state"


class Estimator(Protocol):
    """Anything with scikit-learn's parameters. It is cloned, fitted and scored."""

    def get_params(self, deep: bool = True) -> dict[str, object]: ...

    def set_params(self, **parameters: object) -> "Estimator": ...


def across_seeds(
    estimator: "Estimator",
    X: object,
    y: object = None,
    *,
    seeds: Iterable[int],
    cv: object = None,
    scoring: str | list[str] | None = None,
    groups: object = None,
    vary_split: bool = False,
    name: str | None = None,
    jobs: int | None = None,
    threads: int | None = 1,
    timeout: float | None = None,
    store: str | None = None,
    tell: Callable[[Event], None] = silent,
) -> Results:
    """Fit and score an estimator under many seeds.

    Under seed s, the `random_state` of a simple estimator is s. Where there are several (in pipelines, searches,
    ensembles), they receive what they would receive in a script. The first number that was typed becomes s, in every
    place where it stands. Every other number, and every None, becomes a number of its own, derived from s. So the
    members of an ensemble differ. The split is the same under every seed, unless `vary_split` is set. So the spread
    is that of training alone.

    Parameters
    ----------
    estimator
        Anything with scikit-learn's `fit`, `score` and `get_params`. It is cloned and does not change.
    X, y
        The data, shapes (n, …) and (n,) or (n, outputs).
    seeds
        The seeds themselves, each once.
    cv
        None: a quarter of the rows is held out for testing. An int: number of shuffled folds (stratified for a
        classifier). A splitter is used as it is.
    scoring
        Names of scikit-learn's scorers. By default `accuracy` for a classifier, `r2` for a regressor.
    groups
        For splitters such as GroupKFold, shape (n,).
    vary_split
        Split the data differently under each seed. Then the spread is that of training and split together.
    name, jobs, threads, timeout, store, tell
        As for `seedwise.run`.

    Returns
    -------
    Results
        One metric for each scorer, its mean over the folds. `NAME_of_folds` is the series of the folds.

    Raises
    ------
    UsageError
        The estimator has no `random_state` (every seed would give the same), or a splitter cannot be held or varied.
    """
    from sklearn.base import is_classifier, is_regressor
    from sklearn.utils.multiclass import type_of_target

    places = _places(estimator)
    if not places:
        raise UsageError(
            f"{type(estimator).__name__} has no random_state that could be set; if its seed comes from elsewhere, run a script or a "
            "function with seedwise.run"
        )
    for key, value in estimator.get_params(deep=True).items():
        if hasattr(value, "split") and hasattr(value, "get_n_splits"):
            _hold(value, False, f"{key}=")
    splitter = _splitter(cv, is_classifier(estimator) and type_of_target(y) in ("binary", "multiclass"), vary_split)
    names = [scoring] if isinstance(scoring, str) else list(scoring or ())
    if not names:
        if not (is_classifier(estimator) or is_regressor(estimator)):
            raise UsageError(f"{type(estimator).__name__} is neither classifier nor regressor: say scoring=…")
        names = ["accuracy" if is_classifier(estimator) else "r2"]

    fit_and_score = _task(estimator, (X, y, groups), places, splitter, vary_split, names)
    return run(
        fit_and_score,
        seeds,
        name=name or type(estimator).__name__,
        jobs=jobs,
        threads=threads,
        timeout=timeout,
        store=store,
        tell=tell,
        metric=[f"{metric}:max" for metric in names],
    )


def _task(
    estimator: Any,
    data: tuple[Any, Any, Any],
    places: Mapping[str, Any],
    splitter: Any,
    vary_split: bool,
    names: Sequence[str],
) -> Callable[[int], Mapping[str, Any]]:
    """The function that is called under each seed. It fits on each fold and scores with each scorer."""
    X, y, groups = data

    def fit_and_score(seed: int) -> Mapping[str, Any]:
        from sklearn.base import clone
        from sklearn.model_selection import cross_validate

        own = clone(estimator).set_params(**_received(places, seed))
        folds = _with_state(splitter, seed) if vary_split else splitter
        found = cross_validate(own, X, y, groups=groups, cv=folds, scoring=names, error_score="raise")
        told: dict[str, Any] = {}
        for metric in names:
            values = [float(value) for value in found[f"test_{metric}"]]
            told[metric] = sum(values) / len(values)
            if len(values) > 1:
                told[f"{metric}_of_folds"] = values
        return told

    fit_and_score.__qualname__ = "across_seeds.<locals>.fit_and_score"  # the name of its experiments
    return fit_and_score


def _places(estimator: Any) -> dict[str, Any]:
    """Every `random_state`, under the name that `set_params` takes, with the value that was typed there."""
    states = {k: v for k, v in estimator.get_params(deep=True).items() if k == _STATE or k.endswith(f"__{_STATE}")}
    for key, value in states.items():
        if value is not None and not isinstance(value, Integral):
            raise UsageError(f"{key} is a generator, {value!r}: give it a number or None, so that each seed can set it")
    return states


def _received(places: Mapping[str, Any], seed: int) -> dict[str, int]:
    """The number that each place receives under a seed."""
    typed = [int(value) for value in places.values() if value is not None]
    first = typed[0] if typed else None
    if len(places) == 1:
        return dict.fromkeys(places, seed)
    return {
        key: derive(seed, "place", key, bits=31)
        if value is None
        else seed
        if int(value) == first
        else derive(seed, "site", int(value), bits=31)
        for key, value in places.items()
    }


def _splitter(cv: Any, stratified: bool, vary: bool) -> Any:
    """The splitter. It has a fixed number of its own, or is varied."""
    from sklearn.model_selection import KFold, ShuffleSplit, StratifiedKFold, StratifiedShuffleSplit

    if cv is None:
        return (StratifiedShuffleSplit if stratified else ShuffleSplit)(n_splits=1, test_size=0.25, random_state=0)
    if isinstance(cv, bool):
        raise UsageError(f"cv is a number of folds or a splitter; got {cv}")
    if isinstance(cv, Integral):
        return (StratifiedKFold if stratified else KFold)(int(cv), shuffle=True, random_state=0)
    if not hasattr(cv, "split"):
        if vary:
            raise UsageError("vary_split needs cv=None, a number of folds, or a splitter with a random_state")
        return list(cv)
    _hold(cv, vary, "")
    return cv


def _hold(cv: Any, vary: bool, where: str) -> None:
    """Refuse a splitter that would change where it must be held, or that would not change where it must vary."""
    state = getattr(cv, _STATE, None)
    shuffles = getattr(cv, "shuffle", hasattr(cv, _STATE))
    if vary and not shuffles:
        raise UsageError(f"{where}{cv!r} always divides alike: vary_split has nothing to vary; give it shuffle=True")
    if not vary and shuffles and not isinstance(state, Integral):
        raise UsageError(
            f"{where}{cv!r} divides anew each time: give it a random_state"
            + ("" if where else ", or say vary_split=True")
        )


def _with_state(splitter: Any, seed: int) -> Any:
    """The same splitter with another random_state."""
    from copy import copy

    own = copy(splitter)
    own.random_state = seed
    return own
