"""The data of a network that is diagnosed: what a function in a file gives, a torch data set, or arrays in a file."""

import inspect
from collections.abc import Callable, Mapping, Sequence
from zipfile import BadZipFile, is_zipfile

import numpy as np

from ..errors import UsageError
from ..experiments.functions import is_call
from ..experiments.importing import found_in, module_at, names_in

Pair = tuple[object, object]


def data_of(text: str | None, path: str, described: Mapping[str, object]) -> tuple[Pair, Pair | None, str]:
    """Training data, test data, and where they are from."""
    if text is None and "train" in described:
        test = described.get("test")
        return _pair(described["train"], path), None if test is None else _pair(test, path), path
    if text is None:
        there = names_in(module_at(path))
        if "data" not in there:
            raise UsageError(
                f"which data? --data FILE.py:NAME, a function that gives inputs and targets, or --data FILE.npz; {path} has "
                f"{', '.join(there) or 'nothing else'}"
            )
        text = f"{path}:data"
    if text.endswith(".npz"):
        return (*_arrays_in(text), text)
    if not is_call([text]):
        raise UsageError(
            f"--data {text}: FILE.py:NAME or FILE.npz. Another file is read by a function of a few lines: "
            "def data(): return inputs, targets"
        )
    file, _, name = text.rpartition(":")
    found = found_in(file, name)
    if inspect.isroutine(found):
        check_call(found, {}, text)
        found = found()
    return (*_split(found, text), text)


def _split(found: object, text: str) -> tuple[Pair, Pair | None]:
    """Training and test data out of what a function gave."""
    if isinstance(found, Mapping):
        if "train" not in found:
            raise UsageError(f"{text} gives a dict without train; it has {', '.join(map(str, found))}")
        test = found.get("test")
        return _pair(found["train"], text), None if test is None else _pair(test, text)
    parts = list(found) if isinstance(found, tuple | list) else [found]
    if len(parts) == 4:
        return _four(parts, text)
    if len(parts) == 2 and all((isinstance(part, tuple) and len(part) == 2) or _is_dataset(part) for part in parts):
        return _pair(parts[0], text), _pair(parts[1], text)
    return _pair(found, text), None


def _four(parts: list[object], text: str) -> tuple[Pair, Pair]:
    """Four arrays: x, y, test_x, test_y; or as scikit-learn's train_test_split gives them: x, test_x, y, test_y."""
    shapes = [_shape(part) for part in parts]
    if any(not shape for shape in shapes):
        raise UsageError(f"{text} gives four parts that are no arrays")
    rows = [shape[0] for shape in shapes]
    ours, theirs = rows[0] == rows[1] and rows[2] == rows[3], rows[0] == rows[2] and rows[1] == rows[3]
    if ours and theirs:  # as many examples to test as to train: inputs are shaped alike
        ours, theirs = shapes[0][1:] == shapes[2][1:], shapes[0][1:] == shapes[1][1:]
    if ours == theirs:
        raise UsageError(
            f"{text} gives four arrays with {', '.join(map(str, rows))} rows: which are which? Give a dict: "
            '{"train": (x, y), "test": (test_x, test_y)}'
        )
    a, b, c, d = parts
    return ((a, b), (c, d)) if ours else ((a, c), (b, d))


def _is_dataset(part: object) -> bool:
    from torch.utils.data import DataLoader, Dataset

    return isinstance(part, Dataset | DataLoader)


def _pair(part: object, text: str) -> Pair:
    """Inputs and targets: a pair of arrays, or a torch data set."""
    from torch.utils.data import DataLoader

    if isinstance(part, DataLoader):
        part = part.dataset
    if _is_dataset(part):
        return _of_dataset(part, text)
    if not isinstance(part, tuple | list) or len(part) != 2:
        raise UsageError(f"{text}: data are (inputs, targets), or a torch Dataset; got {type(part).__name__}")
    return part[0], part[1]


def _of_dataset(part: object, text: str) -> Pair:
    """All examples of a data set, stacked."""
    import torch

    if not hasattr(part, "__len__"):
        raise UsageError(f"{text}: a data set without a length cannot be put into one table")
    rows = [part[k] for k in range(len(part))]  # type: ignore[index]
    if not rows or any(not isinstance(row, tuple | list) or len(row) != 2 for row in rows):
        raise UsageError(f"{text}: each item of the data set is (input, target)")
    x, y = (
        [torch.as_tensor(np.asarray(row[k]) if not torch.is_tensor(row[k]) else row[k]) for row in rows] for k in (0, 1)
    )
    if len({tuple(of.shape) for of in x}) > 1 or len({tuple(of.shape) for of in y}) > 1:
        raise UsageError(f"{text}: examples have different shapes; pad them to one")
    return torch.stack(x), torch.stack(y)


_NAMES = (("x", "X", "inputs", "x_train", "X_train", "train_x"), ("y", "targets", "y_train", "train_y"))
_TEST = (("x_test", "X_test", "test_x"), ("y_test", "test_y"))


def _arrays_in(path: str) -> tuple[Pair, Pair | None]:
    try:
        with open(path, "rb") as file:
            if not is_zipfile(file):
                raise UsageError(f"{path} is no archive of arrays: np.savez({path!r}, x=x, y=y) writes one")
            file.seek(0)
            with np.load(file, allow_pickle=False) as loaded:
                arrays = {name: loaded[name] for name in loaded.files}
    except FileNotFoundError:
        raise UsageError(f"--data {path}: no such file") from None
    except (ValueError, OSError, EOFError, BadZipFile) as error:
        raise UsageError(f"{path} holds no plain arrays: {error}") from None

    def pair(names: Sequence[Sequence[str]]) -> list[list[str]]:
        return [[name for name in of if name in arrays] for of in names]

    train, test = pair(_NAMES), pair(_TEST)
    alone = all(len(of) == 1 for of in train) and len({len(of) for of in test}) == 1 and len(test[0]) < 2
    if not alone:
        raise UsageError(f"{path}: arrays x and y (and x_test, y_test); it has {', '.join(arrays) or 'none'}")
    (x,), (y,) = train
    return (arrays[x], arrays[y]), ((arrays[test[0][0]], arrays[test[1][0]]) if test[0] else None)


def check_call(found: Callable[..., object], config: Mapping[str, object], label: str) -> None:
    """Raises UsageError if a function does not take these arguments, or needs others."""
    try:
        signature = inspect.signature(found)
    except ValueError:
        return
    try:
        signature.bind(**config)
    except TypeError as error:
        raise UsageError(f"{label}: {error}; --set NAME=VALUE gives an argument") from None


def length(pair: Pair) -> int:
    """How many examples there are."""
    return _shape(pair[0])[0]


def _shape(part: object) -> tuple[int, ...]:
    return tuple(part.shape) if hasattr(part, "shape") else np.asarray(part).shape
