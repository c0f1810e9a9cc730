"""Weights & Biases: the folders `offline-run-…` and `run-…`, each with one file `run-ID.wandb`.

Source: the messages of wandb/proto/wandb_internal.proto, whose numbers never change. (wandb 0.31 itself has no module
left that reads these files.)
"""

import json
import math
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Final

from ...errors import UsageError
from ...metrics.protobuf import Damaged, as_bytes, as_float, as_integer, as_text, fields
from ..sheet import Sheet
from .tracked import GROUP, Tracked, sheet_of_runs
from .wire import log_records

_HISTORY, _SUMMARY, _CONFIG, _RUN, _EXIT = 2, 3, 5, 17, 18
_OF_RUN: Final = {1: "id", 3: "project", 6: "group", 7: "job_type", 8: "name"}
_RUN_CONFIG, _SWEEP = 4, 12
_KEY, _NESTED, _JSON = 1, 2, 16
_BOOLEAN, _INTEGER, _NUMBER = 4, 5, 6
_TEXTS: Final = (7, 8)
_OWN: Final = ("_wandb", "_runtime", "_timestamp", "_step")


def read_wandb(path: str, files: Sequence[Path]) -> Sheet:
    """The runs in some `.wandb` files.

    Raises
    ------
    UsageError
        A file is damaged in its middle. (One that ends in the middle of a record is of a run that was killed.)
    """
    runs, kept = [], []
    for file in files:
        try:
            run, rest = _read(file)
        except (Damaged, ValueError) as error:
            raise UsageError(f"{file} cannot be read as a run of W&B: {error}") from None
        runs.append(run)
        kept.append(rest)
    for key, name in (("group", GROUP), ("job_type", "job_type"), ("project", "project"), ("sweep", "sweep")):
        said = [rest.get(key, "") for rest in kept]
        if any(said) and (key != "project" or len(set(said)) > 1):
            for run, text in zip(runs, said, strict=True):
                run.settings.setdefault(name, text or "none")
    return sheet_of_runs(path, "runs of W&B", runs)


def _read(file: Path) -> tuple[Tracked, dict[str, str]]:
    run = Tracked("", file.stem.removeprefix("run-"), state="running")
    rest: dict[str, str] = {}
    summary: dict[str, float] = {}
    step = 0
    for record in log_records(file.read_bytes()):
        for number, value in fields(record):
            if number == _RUN:
                _take_run(run, rest, as_bytes(value))
            elif number == _CONFIG:
                _take_config(run, as_bytes(value))
            elif number == _HISTORY:
                step = _take_history(run, as_bytes(value))
            elif number == _SUMMARY:
                summary.update(_numbers(as_bytes(value), 1))
            elif number == _EXIT:
                codes = [as_integer(code) for k, code in fields(as_bytes(value)) if k == 1]
                run.state = "failed" if any(codes) else "finished"
    for name, last in summary.items():
        if name not in run.metrics:
            run.log(name, step, last)
    run.name = rest.get("name") or run.identity
    return run, rest


def _take_run(run: Tracked, rest: dict[str, str], message: bytes) -> None:
    for number, value in fields(message):
        if number in _OF_RUN:
            rest[_OF_RUN[number]] = as_text(value)
        elif number == _SWEEP:
            rest["sweep"] = as_text(value)
        elif number == _RUN_CONFIG:
            _take_config(run, as_bytes(value))


def _take_config(run: Tracked, message: bytes) -> None:
    for name, value in _items(message, 1):
        for key, leaf in _leaves(name, value):
            if key.partition("/")[0] not in _OWN and not isinstance(leaf, list):
                run.settings[key] = leaf if isinstance(leaf, str) else json.dumps(leaf)


def _take_history(run: Tracked, message: bytes) -> int:
    """Adds one row of numbers to a run; gives its step."""
    step = next((as_integer(n) for k, of in fields(message) if k == 2 for j, n in fields(as_bytes(of)) if j == 1), None)
    numbers = dict(_numbers(message, 1, with_own=True))
    at = int(numbers.get("_step", 0)) if step is None else step
    for name, number in numbers.items():
        if name not in _OWN:
            run.log(name, at, number)
    return at


def _numbers(message: bytes, item: int, with_own: bool = False) -> Iterator[tuple[str, float]]:
    for name, value in _items(message, item):
        for key, leaf in _leaves(name, value):
            own = key.partition("/")[0] in _OWN
            if isinstance(leaf, str) and leaf in ("NaN", "Infinity", "-Infinity"):
                leaf = float(leaf)
            if isinstance(leaf, int | float) and not isinstance(leaf, bool) and (with_own or not own):
                yield key, float(leaf)


def _items(message: bytes, item: int) -> Iterator[tuple[str, object]]:
    """Name and value of each item of a message."""
    for number, value in fields(message):
        if number != item:
            continue
        key, nested, found = "", [], None
        for of, held in fields(as_bytes(value)):
            if of == _KEY:
                key = as_text(held)
            elif of == _NESTED:
                nested.append(as_text(held))
            elif of == _JSON:
                found = _of_json(as_text(held))
            elif of == _BOOLEAN:
                found = bool(as_integer(held))
            elif of == _INTEGER:
                found = as_integer(held)
            elif of == _NUMBER:
                found = as_float(held)
            elif of in _TEXTS:
                found = as_text(held)
        yield "/".join(nested) or key, found


def _of_json(text: str) -> object:
    try:
        return json.loads(text)
    except ValueError:
        return math.nan if text == "NaN" else text


def _leaves(name: str, value: object) -> Iterator[tuple[str, object]]:
    """The numbers and texts in a value; nested names are joined by `/`. Media (which have a `_type`) are left out."""
    if not isinstance(value, Mapping):
        yield name, value
    elif "_type" not in value:
        for key, inner in value.items():
            yield from _leaves(f"{name}/{key}", inner)
