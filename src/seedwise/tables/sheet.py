"""A table as columns: numbers where it has numbers, words where it has words, and the place of each cell."""

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from hashlib import blake2b
from itertools import pairwise
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..advice import Advice
from ..errors import UsageError
from ..results import Goal
from ..wording import file_option
from .cells import NO_NUMBER, Comma, exact, read_cells

SEED_COLUMNS = (
    "seed",
    "seeds",
    "random_state",
    "random_states",
    "random seed",
    "random_seed",
    "run",
    "run_id",
    "trial",
    "replicate",
    "rep",
    "repeat",
    "repetition",
)
_LABELS_IN_ORDER = SEED_COLUMNS[6:]
_SEEDS_IN_ORDER = SEED_COLUMNS[:6]
_LABELS = frozenset(_LABELS_IN_ORDER)
"""Columns that tell runs apart and may hold words."""
RUN_LABELS = ("run", "run_id", "run_name")
_WORDS = re.compile(r"[A-Z]?[a-z]+|[A-Z]+(?![a-z])")
_COUNTS = frozenset(
    ("n", "num", "number", "count", "len", "idx", "index", "per", "max", "min", "total", "offset", "path")
)
STEP_COLUMNS = (
    "step _step global_step steps timestep timesteps total_timesteps env_steps frame frames iteration iter iterations update "
    "updates epoch epochs"
).split()
WITHIN_RUNS = frozenset((*STEP_COLUMNS, "episode", "episodes", "ep", "fold", "folds", "cv_fold", "batch", "time"))
"""Columns whose values tell rows of one run apart: no seeds, no methods, no tasks."""

LARGEST = 1e150
"""Squares of larger numbers leave the range of floats."""

Codes = NDArray[np.int64]
Texts = tuple[str, ...]


@dataclass(frozen=True)
class Column:
    """One column. `values` has a number for each row, NaN where there is none."""

    name: str
    values: NDArray[Any]
    """int64; float64; or Python's integers where 64 bits do not hold them."""
    blank: NDArray[np.bool_] | None = None
    """Rows without anything; None if there are none."""
    wrong: tuple[int, str] | None = None
    """The first row that holds something other than a number, and why it is none."""
    right: int = 0
    """How many cells are numbers."""
    percent: bool = False
    truth: bool = False
    words: tuple[Codes, Texts] | None = None
    """Where the column was read as text: for each row the index of its text."""

    @property
    def numeric(self) -> bool:
        """Whether every cell that is not blank is a number."""
        return self.wrong is None and self.right > 0

    @property
    def mixed(self) -> bool:
        """Whether most cells are numbers and some are not, or are numbers that can be read in two ways."""
        filled = len(self.values) - (0 if self.blank is None else int(self.blank.sum()))
        return self.wrong is not None and (2 * self.right >= filled or self.wrong[1] != NO_NUMBER)


@dataclass(frozen=True)
class Sheet:
    """A table. `place` says where a row is, as `x.csv:4`; `spell` gives a column as it was written."""

    path: str
    columns: tuple[Column, ...]
    rows: int
    place: Callable[[int], str]
    spell: Callable[[int], tuple[Codes, Texts]]
    step: int | None = None
    """The column that orders the rows of a run, where that is known and not read from its name."""
    origin: str = ""
    """What the rows were made of, where that is no table: `6 runs of W&B`."""
    settings: frozenset[int] = frozenset()
    """Columns that were stored as settings of runs, and not as what came of them."""
    goals: Mapping[str, Goal] = field(default_factory=dict)
    """Metrics whose goal was stored with them."""
    notes: tuple[Advice, ...] = ()
    """What the user should know of how the rows were made."""

    @property
    def names(self) -> Texts:
        """The names of the columns."""
        return tuple(column.name for column in self.columns)

    def index(self, name: str, typed: str) -> int:
        """The index of a column. Raises UsageError, which names the existing columns."""
        names = self.names
        if name in names:
            return names.index(name)
        lower = [known.lower() for known in names]
        if name.lower() in lower:
            return lower.index(name.lower())
        raise UsageError(
            f"{self.path} has no column {name!r} ({file_option(typed)}); its columns are {', '.join(names)}"
        )

    @property
    def seeds_at(self) -> int | None:
        """The index of the column of seeds; None if there is none, or if several may be it."""
        found = self.may_be_seeds
        return found[0] if len(found) == 1 else _first(self.names, _LABELS_IN_ORDER) if not found else None

    @property
    def may_be_seeds(self) -> list[int]:
        """The columns whose names say a seed: `seed`, else those that end in `/seed`, else such as `torch_seed`."""
        exact = _first(self.names, _SEEDS_IN_ORDER)
        if exact is not None:
            return [exact]
        lower = [name.lower().replace(".", "/") for name in self.names]
        ends = [k for k, name in enumerate(lower) if name.rpartition("/")[2] in _SEEDS_IN_ORDER]
        return ends or [k for k, name in enumerate(self.names) if looks_like_seed(name)]

    @property
    def steps_at(self) -> int | None:
        """The index of the column that orders the rows of a run; None if there is none."""
        return self.step if self.step is not None else _first(self.names, STEP_COLUMNS)

    def words(self, k: int) -> tuple[Codes, Texts]:
        """A column as text: for each row the index of its text, and the texts in the order in which they come."""
        return self.columns[k].words or self.spell(k)

    def text(self, k: int, row: int) -> str:
        """One cell as it was written."""
        codes, texts = self.words(k)
        return texts[int(codes[row])]

    def numbers(self, k: int) -> Column:
        """A column whose every cell is a number or blank. Raises UsageError, which names the first other cell."""
        column = self.columns[k]
        if column.wrong is not None:
            row, why = column.wrong
            hint = "; leave the cell of a run that did not finish empty" if why == NO_NUMBER else ""
            raise UsageError(f"{self.place(row)}: {column.name} is {self.text(k, row)!r}, {why}{hint}")
        if not column.right:
            raise UsageError(f"{self.path}: the column {column.name} is empty")
        _refuse_out_of_range(self, column)
        return column

    def seeds(self, k: int) -> NDArray[Any]:
        """A column of seeds, exact: int64, or Python's integers where they are larger.

        Raises
        ------
        UsageError
            A cell is blank or no whole number, or a whole number that was a float and has lost its last digits.
        """
        column = self.columns[k]
        if column.blank is not None and column.blank.any():
            raise UsageError(f"{self.place(int(np.argmax(column.blank)))}: the seed ({column.name}) is missing")
        if column.words is not None:
            return self._spelt_seeds(k)
        if column.values.dtype.kind in "iO":
            return column.values
        whole = np.isfinite(column.values) & (column.values == np.trunc(column.values))
        if not whole.all():
            row = int(np.argmin(whole))
            raise UsageError(f"{self.place(row)}: the seed {self.text(k, row)!r} is not an integer")
        if (np.abs(column.values) >= 2**53).any():
            row = int(np.argmax(np.abs(column.values)))
            raise UsageError(
                f"{self.place(row)}: the seed {self.text(k, row)} was written as a float and has lost its last digits: write integers"
            )
        return column.values.astype(np.int64)

    def named_runs(self, k: int) -> bool:
        """Whether a column tells runs apart by names, none of which is a number."""
        words = self.columns[k].words
        return words is not None and self.columns[k].name.lower() in _LABELS and all(exact(t) is None for t in words[1])

    def _spelt_seeds(self, k: int) -> NDArray[Any]:
        codes, texts = self.words(k)
        known = [exact(text) for text in texts]
        if None in known:
            if self.named_runs(k):
                return _numbers_of_names(texts)[codes]
            row = int(np.argmax(codes == known.index(None)))
            raise UsageError(f"{self.place(row)}: the seed {self.text(k, row)!r} is not an integer")
        return _whole([seed for seed in known if seed is not None])[codes]


def looks_like_seed(name: str) -> bool:
    """Whether the name of a column or setting says a seed: `seed`, `torch_seed`, `trainer/random_state`."""
    words = [word.lower() for word in _WORDS.findall(name)]
    said = any(word in ("seed", "seeds") for word in words) or ("random", "state") in pairwise(words)
    return said and not _COUNTS.intersection(words)


def _refuse_out_of_range(sheet: Sheet, column: Column) -> None:
    """Numbers whose squares leave the range of floats give no variance."""
    values = column.values
    if values.dtype.kind == "O":
        row = max(range(len(values)), key=lambda k: abs(values[k]), default=0)
        if len(values) and abs(values[row]) > LARGEST:
            raise UsageError(f"{sheet.place(row)}: {column.name} is too large a number: rescale the column")
    if values.dtype.kind != "f" or not values.size:
        return
    size = np.where(np.isfinite(values), np.abs(values), 0)
    row = int(np.argmax(size))
    if size[row] > LARGEST:
        raise UsageError(
            f"{sheet.place(row)}: {column.name} is {values[row]:g}, whose square is beyond floating-point numbers: rescale the column"
        )
    if 0 < size[row] < 1 / LARGEST:
        raise UsageError(
            f"{sheet.place(row)}: {column.name} is at most {size[row]:g}, whose square is 0 as a floating-point number: rescale the column"
        )


def _first(names: Sequence[str], wanted: Iterable[str]) -> int | None:
    lower = [name.lower() for name in names]
    return next((lower.index(word) for word in wanted if word in lower), None)


def _numbers_of_names(names: Sequence[str]) -> NDArray[np.int64]:
    """Runs that have names and no seeds: a number made of each name, so that no other name pairs with it in another file."""
    made = [int.from_bytes(blake2b(name.encode(), digest_size=6).digest()) for name in names]
    if len(set(made)) < len(made):
        raise UsageError("two names of runs cannot be told apart: give each run a number")
    return np.array(made, dtype=np.int64)


def _whole(numbers: Sequence[int]) -> NDArray[Any]:
    try:
        return np.array(numbers, dtype=np.int64)
    except OverflowError:
        return np.array(numbers, dtype=object)


def column_of_texts(name: str, codes: Codes, texts: Texts, comma: Comma | None = None) -> tuple[Column, Comma | None]:
    """A column that was read as text, and what a comma in its numbers is."""
    cells = read_cells(texts, comma)
    wrong = None
    if cells.wrong:
        bad = np.zeros(len(texts), dtype=np.bool_)
        bad[list(cells.wrong)] = True
        row = int(np.argmax(bad[codes]))
        wrong = (row, cells.wrong[int(codes[row])])
    fine = ~cells.blank
    fine[list(cells.wrong)] = False
    blank = cells.blank[codes] if cells.blank.any() else None
    values, right = cells.values[codes], int(fine[codes].sum())
    return Column(name, values, blank, wrong, right, cells.percent, cells.truth, (codes, texts)), cells.comma


def factorised(texts: Sequence[str]) -> tuple[Codes, Texts]:
    """For each text the index of its first like, and the different texts, without space around them."""
    known: dict[str, int] = {}
    codes = np.fromiter((known.setdefault(text.strip(), len(known)) for text in texts), np.int64, len(texts))
    return codes, tuple(known)


def column_of(name: str, items: Any) -> Column:
    """A column of Python objects or an array: numbers, None, words."""
    mask = np.ma.getmaskarray(items) if isinstance(items, np.ma.MaskedArray) else None
    array = np.ma.getdata(items) if mask is not None else items
    if not isinstance(array, np.ndarray) or array.dtype.kind == "O":
        array, mask = _array_of(list(array), mask)
    if array.dtype.kind not in "iufbO":
        return column_of_texts(name, *factorised([str(item) for item in array.tolist()]))[0]
    truth = array.dtype.kind == "b"
    if array.dtype.kind == "u" or truth:
        array = array.astype(np.int64 if array.size == 0 or int(array.max()) < 2**63 else object)
    elif array.dtype.kind != "O":
        array = array.astype(np.int64 if array.dtype.kind == "i" else np.float64)
    if mask is not None and mask.any():
        array = array.astype(np.float64) if array.dtype.kind != "O" else array
        return Column(name, array, mask, None, int((~mask).sum()), truth=truth)
    return Column(name, array, None, None, len(array), truth=truth)


def _array_of(items: Sequence[Any], mask: NDArray[np.bool_] | None) -> tuple[NDArray[Any], NDArray[np.bool_] | None]:
    """Objects as an array of one kind, and a mask of those that are None."""
    lacking = np.array([item is None for item in items], dtype=np.bool_)
    if mask is not None:
        lacking |= mask
    kinds = {type(item) for item in items if item is not None}
    if kinds == {bool} and not lacking.any():
        return np.array(items, dtype=np.bool_), None
    if kinds and all(issubclass(kind, int | np.integer) and kind is not bool for kind in kinds):
        if not lacking.any():
            return _whole([int(item) for item in items]), None
        return np.array([0 if item is None else int(item) for item in items], dtype=object), lacking
    if kinds and all(issubclass(kind, int | float | np.number) and kind is not bool for kind in kinds):
        return np.array([np.nan if item is None else float(item) for item in items]), lacking
    return np.array(["" if item is None else str(item) for item in items], dtype=np.str_), None


def sheet_of(path: str, columns: Mapping[str, Any], place: Callable[[int], str] | None = None) -> Sheet:
    """A sheet of columns that are all of one length."""
    made = tuple(column_of(name, items) for name, items in columns.items())

    def spell(k: int) -> tuple[Codes, Texts]:
        column = made[k]
        texts = [f"{value!r}" if isinstance(value, float) else str(value) for value in column.values.tolist()]
        if column.blank is not None:
            texts = ["" if lacking else text for text, lacking in zip(texts, column.blank.tolist(), strict=True)]
        return factorised(texts)

    rows = len(made[0].values) if made else 0
    return Sheet(path, made, rows, place or (lambda row: f"{path}, row {row + 1}"), spell)
