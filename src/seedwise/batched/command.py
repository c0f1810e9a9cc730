"""`seedwise run --batched net.py:experiment`: a function that describes a training, whose seeds are trained together."""

import inspect
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

from ..errors import ScriptError, SeedwiseError, UsageError
from ..events import Event
from ..experiments.command import check_name, default_name
from ..experiments.functions import fingerprint, is_call, parse_settings
from ..experiments.importing import found_in
from ..experiments.store import Experiment
from ..results import Metric, Reduce
from .fit import described_by, prepared
from .identity import identity_of
from .storing import BatchedOutcome, Kept, train_into_store


@dataclass(frozen=True)
class BatchedRequest:
    """A function that describes a training, and seeds, with what the user chose."""

    command: Sequence[str]
    """`net.py:experiment`, and its settings: `--set lr=0.1`."""
    seeds: Sequence[int]
    name: str | None = None
    metrics: Sequence[Metric] = field(default_factory=list)
    reduce: Reduce = Reduce.LAST
    threads: int = 1
    vary: Sequence[str] = ()
    """The sources that the seed governs; none for what the function says."""
    only: Experiment | None = None
    retry_failed: bool = False
    brief: bool = False


def execute_batched(request: BatchedRequest, store: str | None, tell: Callable[[Event], None]) -> BatchedOutcome:
    """Train what is missing of a request, and load the results.

    Raises
    ------
    UsageError, ScriptError
        The command is no function, or what it describes cannot be trained; the message says why.
    """
    if not is_call(request.command):
        raise UsageError(
            "--batched takes a function that describes a training: net.py:experiment; docs/batched.md shows one"
        )
    path, _, name = request.command[0].rpartition(":")
    config = parse_settings(request.command)
    function = _function(path, name)
    described = _described(function, config, request.command[0])
    if request.vary:
        if described["vary"] is not None:
            raise UsageError(f"{request.command[0]} says itself what varies: leave out --vary, or vary= there")
        described["vary"] = sorted(request.vary)
    task, wish = prepared(described, request.threads)
    identity = {**identity_of(described), **fingerprint(function, config)}
    label = check_name(request.name) if request.name is not None else default_name([path])
    kept = Kept(
        label,
        tuple(request.command),
        identity,
        request.metrics,
        request.reduce,
        store,
        request.only,
        request.retry_failed,
        request.brief,
        tuple(sorted(request.vary)),
    )
    try:
        return train_into_store(task, request.seeds, wish, kept, tell)
    except (SeedwiseError, KeyboardInterrupt):
        raise
    except Exception as error:
        raise ScriptError(
            f"the training that {request.command[0]} describes failed: {type(error).__name__}: {error}"
        ) from error


def _function(path: str, name: str) -> Callable[..., object]:
    function = found_in(path, name)
    if not callable(function):
        raise UsageError(f"{path} has no function {name}")
    return function


def _described(function: Callable[..., object], config: Mapping[str, object], label: str) -> dict[str, object]:
    try:
        inspect.signature(function).bind(**config)
    except TypeError as error:
        raise UsageError(f"{label} with these settings: {error}") from None
    try:
        given = function(**config)
    except Exception as error:
        raise ScriptError(f"{label} failed: {type(error).__name__}: {error}") from error
    return as_described(given, label)


def as_described(given: object, label: str) -> dict[str, object]:
    """What a function described, as arguments of `fit`: all of them, with the defaults. Raises UsageError for another thing."""
    if not isinstance(given, Mapping):
        raise UsageError(
            f"{label} describes a training as a dict of what sw.batched.fit takes: model, train, loss, …; it returned "
            f"{type(given).__name__}"
        )
    known = described_by()
    wrong = [str(name) for name in given if name not in known]
    if wrong:
        raise UsageError(
            f"{label} gives {', '.join(wrong)}, which a description does not have; it has {', '.join(known)}"
        )
    missing = [
        name for name, known_ in known.items() if known_.default is inspect.Parameter.empty and name not in given
    ]
    if missing:
        raise UsageError(f"{label} does not say {', '.join(missing)}")
    return {name: given.get(name, parameter.default) for name, parameter in known.items()}
