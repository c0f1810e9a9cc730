"""CSV and its relatives, read in pieces: numbers become arrays at once, so that a million rows stay small."""

import codecs
import csv
from collections.abc import Generator, Iterator, Sequence
from itertools import islice
from typing import Any, TextIO

import numpy as np
from numpy.typing import NDArray

from ..errors import UsageError
from .cells import Comma, read_cells
from .sheet import Codes, Column, Sheet, Texts, column_of_texts

_ROWS = 20_000
"""Rows that are read at a time."""
_BLOCK = 2**20
_SEPARATORS = "\t;,"

Columns = list[Sequence[str]]

csv.field_size_limit(2**24)


def _is_plain(block: bytes, separator: str, width: int) -> bool:
    """Whether lines and separators are all that is needed to tell the cells of some rows apart."""
    if any(mark in block for mark in (b'"', b"\r", b"\0")):
        return False
    data = np.frombuffer(block, dtype=np.uint8)
    ends, cuts = np.flatnonzero(data == 10), np.flatnonzero(data == ord(separator))
    if ends[0] == 0 or (np.diff(ends) == 1).any():
        return False
    return len(cuts) == len(ends) * (width - 1) and bool(
        np.all(np.searchsorted(cuts, ends) == np.arange(1, len(ends) + 1) * (width - 1))
    )


class _Codes(dict[str, int]):
    """Text → its number, in the order in which texts come."""

    def __missing__(self, text: str) -> int:
        self[text] = len(self)
        return self[text]


class _Pieces:
    """What was read of one column so far: numbers, until a cell is none; then texts."""

    def __init__(self, as_text: bool) -> None:
        self.as_text = as_text
        self.again = False
        self.known = _Codes()
        self.parts: list[NDArray[Any]] = []
        self.blanks: list[NDArray[np.bool_]] = []

    def add(self, cells: Sequence[str]) -> None:
        """Take the cells of further rows."""
        if self.again:
            return
        numbers = None if self.as_text else _fast(cells)
        if numbers is None and not self.as_text:
            self.again, self.as_text = bool(self.parts), True
            self.parts = [] if self.again else self.parts
            if self.again:
                return
        if numbers is None:
            self.parts.append(np.fromiter(map(self.known.__getitem__, cells), np.int32, len(cells)))
        else:
            self.parts.append(numbers[0])
            self.blanks.append(numbers[1])

    def texts(self) -> tuple[Codes, Texts]:
        """The codes of all rows, and the texts without space around them."""
        bare: dict[str, int] = {}
        of = np.array([bare.setdefault(text.strip(), len(bare)) for text in self.known], dtype=np.int64)
        codes = np.concatenate(self.parts) if self.parts else np.zeros(0, dtype=np.int64)
        return (of[codes] if len(of) else codes.astype(np.int64)), tuple(bare)

    def column(self, name: str) -> Column:
        """The numbers of all rows."""
        whole = all(part.dtype == np.int64 for part in self.parts)
        exact = all(part.dtype != np.float64 for part in self.parts)
        values = np.concatenate(self.parts if whole or exact else [part.astype(np.float64) for part in self.parts])
        self.parts.clear()
        blank = np.concatenate(self.blanks)
        lacking = int(blank.sum())
        return Column(name, values, blank if lacking else None, None, len(values) - lacking)


def _fast(cells: Sequence[str]) -> tuple[NDArray[Any], NDArray[np.bool_]] | None:
    """Plain numbers and empty cells, as Python reads them; None where a cell needs a closer look."""
    none = np.zeros(len(cells), dtype=np.bool_)
    try:
        if cells[0][-1:].isdigit() and "." not in cells[0]:
            whole = list(map(int, cells))
            if "_" in "".join(cells):
                return None
            try:
                return np.array(whole, dtype=np.int64), none
            except OverflowError:
                return np.array(whole, dtype=object), none
    except ValueError:
        pass
    try:
        values = np.fromiter(map(float, cells), np.float64, len(cells))
    except ValueError:
        none = np.fromiter((not cell for cell in cells), np.bool_, len(cells))
        if not none.any() or none.all():
            return None
        try:
            values = np.fromiter((float(cell or "nan") for cell in cells), np.float64, len(cells))
        except ValueError:
            return None
    zero = (cells[i] for i in np.flatnonzero(values == 0).tolist())
    if np.isinf(values).any() or any(cell.strip("0.+-eE ") for cell in zero) or "_" in "".join(cells):
        return None  # an overflow, an underflow, or a name such as 1_0
    return values, none


def _open(path: str) -> TextIO:
    with open(path, "rb") as file:
        head = file.read(4)
    wide = head.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE))
    return open(path, encoding="utf-16" if wide else _encoding(path), errors="replace", newline="")


def _encoding(path: str) -> str:
    """UTF-8, or what Excel writes in Europe and America where it is no UTF-8: else two names would become one."""
    with open(path, encoding="utf-8-sig") as file:
        try:
            while file.read(1 << 20):
                pass
        except UnicodeDecodeError:
            return "cp1252"
    return "utf-8-sig"


def _rows(file: TextIO, separator: str) -> Iterator[tuple[int, list[str]]]:
    """The rows that are not blank, with the numbers of their lines."""
    reader = csv.reader(file, delimiter=separator)
    try:
        for row in reader:
            if any(cell.strip() for cell in row):
                yield reader.line_num, row
    except csv.Error as error:
        raise UsageError(f"{file.name}:{reader.line_num}: {error}") from None


def _separator(path: str) -> tuple[str, bool]:
    """What stands between cells: what cuts the first line into most, and the next lines alike. Whether Excel said so."""
    with _open(path) as file:
        head = list(islice((line for line in file if line.strip()), 6))
    if not head:
        raise UsageError(f"{path} is empty")
    if head[0].lower().startswith("sep=") and len(head[0].strip()) == 5:
        return head[0][4], True

    def cuts(separator: str) -> tuple[int, bool]:
        widths = [len(row) for row in csv.reader(head, delimiter=separator)]
        return widths[0], len(set(widths)) == 1

    return max(_SEPARATORS, key=cuts), False


class _Text:
    """A file, its separator, and whether its first row names the columns."""

    def __init__(self, path: str) -> None:
        self.path = path
        self.separator, self.excel = _separator(path)
        first = next(self.rows(0), None)
        if first is None:
            raise UsageError(f"{path} is empty")
        names = [name.strip() for name in first[1]]
        numbers = not read_cells(names).wrong and any(names)
        if numbers and len(names) > 1:
            raise UsageError(f"{path}:{first[0]}: the first line holds numbers; it has to name the columns")
        self.header = 0 if numbers else 1
        self.names = ("value",) if numbers else (names[0].lstrip("# "), *names[1:])
        double = sorted({name for name in self.names if self.names.count(name) > 1})
        if double:
            raise UsageError(f"{path}: the column {double[0]!r} stands twice")

    def rows(self, header: int | None = None) -> Iterator[tuple[int, list[str]]]:
        """Rows with the numbers of their lines, after the header."""
        with _open(self.path) as file:
            yield from islice(
                _rows(file, self.separator), (header if header is not None else self.header) + self.excel, None
            )

    def pieces(self) -> Iterator[Columns]:
        """The columns of some rows at a time: by cutting plain blocks of bytes, the rest by the csv module."""
        begin = yield from self._plain_pieces()
        with _open(self.path) as file:
            if begin:
                file.seek(begin)
            rows = _rows(file, self.separator)
            for _ in range(0 if begin else self.header + self.excel):
                next(rows)
            while piece := [row for _, row in islice(rows, _ROWS)]:
                if {*map(len, piece)} - {len(self.names)}:
                    self._refuse_width()
                yield list(zip(*piece, strict=True))

    def _plain_pieces(self) -> Generator[Columns, None, int]:
        """Blocks without quotes, blank lines and rows that are too short or long. Returns where the others begin."""
        width, begin, skip = len(self.names), 0, self.header
        if self.excel:
            return 0
        encoding = _encoding(self.path).removesuffix("-sig")
        with open(self.path, "rb") as file:
            while block := file.read(_BLOCK):
                block += file.readline()
                bare = block.replace(b"\r\n", b"\n")
                bare = bare if bare.endswith(b"\n") else bare + b"\n"
                if not begin:
                    bare = bare.removeprefix(codecs.BOM_UTF8)
                if not _is_plain(bare, self.separator, width):
                    return begin
                cells = bare[:-1].decode(encoding, errors="replace").replace("\n", self.separator).split(self.separator)
                columns: Columns = [cells[k + skip * width :: width] for k in range(width)]
                if not all(columns[0]) or (width == 1 and not all(map(str.strip, columns[0]))):
                    return begin
                begin, skip = begin + len(block), 0
                if columns[0]:
                    yield columns
        return begin

    def _refuse_width(self) -> None:
        for number, row in self.rows():
            if len(row) != len(self.names):
                raise UsageError(f"{self.path}:{number} has {len(row)} cells; the header names {len(self.names)}")

    def place(self, row: int) -> str:
        """Where a row is."""
        found = next(islice(self.rows(), row, None), None)
        return f"{self.path}:{found[0]}" if found else self.path

    def spell(self, k: int) -> tuple[Codes, Texts]:
        """One column as text."""
        of = _Pieces(as_text=True)
        for piece in self.pieces():
            of.add(piece[k])
        return of.texts()


def read_delimited(path: str) -> Sheet:
    """Reads a CSV or TSV file. Raises UsageError, which names the wrong line.

    Cells are separated by comma, semicolon or tab. A column of numbers without a name is read as `value`.
    """
    text = _Text(path)
    columns = [_Pieces(as_text=False) for _ in text.names]
    rows = 0
    for piece in text.pieces():
        rows += len(piece[0])
        for of, cells in zip(columns, piece, strict=True):
            of.add(cells)
    if not rows:
        raise UsageError(f"{path} has no rows below its header")
    made = [_finished(text, k, of) for k, of in enumerate(columns)]
    commas = {comma for _, comma in made} - {None, Comma.EITHER}
    if len(commas) == 1:  # what a comma is in one column it is in the others
        (style,) = commas
        made = [
            column_of_texts(column.name, *column.words, style)
            if comma is Comma.EITHER and column.words
            else (column, comma)
            for column, comma in made
        ]
    kept = [k for k, (column, _) in enumerate(made) if not _is_row_number(column)]
    return Sheet(path, tuple(made[k][0] for k in kept), rows, text.place, lambda k: text.spell(kept[k]))


def _finished(text: _Text, k: int, of: _Pieces) -> tuple[Column, Comma | None]:
    if not of.as_text:
        return of.column(text.names[k]), None
    return column_of_texts(text.names[k], *(text.spell(k) if of.again else of.texts()))


def _is_row_number(column: Column) -> bool:
    """Whether a column is the index that pandas writes."""
    if column.name not in ("", "Unnamed: 0") or column.values.dtype != np.int64:
        return False
    return len(column.values) > 0 and column.values[0] == 0 and bool(np.all(np.diff(column.values) == 1))
