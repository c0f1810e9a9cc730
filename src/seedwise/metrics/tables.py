"""Tables in what a script prints: a header of names, and rows of numbers below it."""

import re
from collections.abc import Sequence

from .goals import looks_like_metric
from .headline import part_of
from .lines import NUMBER, number

_CELL = re.compile(rf"(?:{NUMBER}|[-+]?\d+,\d{{1,2}})\s?%?(?:\s?(?:±|\+/-|\+-)\s?[\d.]+)?", re.IGNORECASE)
_NAME = re.compile(r"[^\W\d][\w ./@^%#()-]*:?|1\s?-\s?\w+|#|P\(.*\)|[↑↓±]?", re.IGNORECASE)
_BARS = re.compile(r"[|│┃║&]")
_RULE = re.compile(r"[\s|│┃║:+=─━═┏┓┗┛┡┩┯┷┠┨├┤┌┐└┘┬┴┼╇╈╪╞╡╷╵╭╮╰╯-]+")
_NAMES_OF_NAMES = frozenset({"metric", "metrics", "measure", "name", "metrik"})
_NAMES_OF_VALUES = frozenset({"value", "score", "result", "wert"})
_MEANS = frozenset({"mean", "average", "avg", "mean score"})
_WHOLE = re.compile(r"(?:all|overall|total|mean|average|avg)$", re.IGNORECASE)
_AGGREGATE = re.compile(r"(?:micro|macro|weighted|samples)[ _-]avg$", re.IGNORECASE)


def is_rule(line: str) -> bool:
    """Whether a line is the rule of a table."""
    return bool(_RULE.fullmatch(line))


def cells_of(line: str) -> list[str]:
    """The cells of a line: between bars, else between tabs or two spaces, else between spaces or commas."""
    stripped = line.strip()
    if len(_BARS.findall(stripped)) >= 2:
        return [cell.strip() for cell in _BARS.split(re.sub(r"^[|│┃║&]|[|│┃║&]?\s*\\*$", "", stripped))]
    parts = [cell.strip() for cell in re.split(r"\t|\s{2,}", stripped)]
    if len(parts) < 2 or (len(parts) == 2 and len(stripped.split()) > 3):
        parts = [cell for cell in re.split(r"[\s,;]+", stripped) if cell]
    return parts


class Table:
    """The header that was seen last, and what a line is below it."""

    def __init__(self) -> None:
        self._header: list[str] = []
        self._loose: list[str] = []

    def header(self, line: str) -> None:
        """Take a line without numbers: the header of what follows, if it looks like one."""
        header = self._names(cells_of(line))
        loose = self._names([cell for cell in re.split(r"[\s,;|│┃║]+", line.strip()) if cell])
        if header or loose:
            self._header, self._loose = header, loose

    @staticmethod
    def _names(cells: Sequence[str]) -> list[str]:
        fits = len(cells) >= 2 and all(_NAME.fullmatch(cell) and len(cell) < 40 for cell in cells)
        return [_clean(cell) for cell in cells] if fits and any(cells) else []

    def row(self, line: str) -> dict[str, float] | None:
        """What a line says as a row of the table; None if it is none."""
        if not self._header and not self._loose:
            return None
        cells = cells_of(line)
        for header, values in ((self._header, cells), (self._loose, line.split()), (self._header, line.split())):
            found = self._read(header, values) if header else None
            if found is not None:
                return found
        return None

    def _read(self, header: list[str], cells: list[str]) -> dict[str, float] | None:
        if any(cell.endswith((":", "=")) for cell in cells):
            return None  # names with signs: the other rules apply
        numeric = [bool(_CELL.fullmatch(cell)) for cell in cells]
        if not any(numeric) or len(cells) not in (len(header), len(header) + 1):
            return None
        beside = len(cells) == len(header) + 1  # the names of the rows have no header
        if beside and numeric[0] and not numeric[1]:  # they have one, and the rows are numbered
            cells, numeric, beside = cells[1:], numeric[1:], False
        elif beside and numeric[0] and not any(_is_measure(name) for name in header):
            return None
        label = cells[0] if beside or not numeric[0] else ""
        if beside:
            cells, numeric = cells[1:], numeric[1:]
        found = self._of_names(header, cells, numeric, label)
        if found is not None:
            return found
        if len(header) == 2 and not beside and label and (looks_like_metric(label) or not _is_measure(header[1])):
            return self._of_two(header, label, cells)
        return self._of_columns(header, cells, label, beside)

    @staticmethod
    def _of_names(header: list[str], cells: list[str], numeric: list[bool], label: str) -> dict[str, float] | None:
        """A row of a table that has a column of metrics' names and one of values, or of means over folds."""
        columns = [name.lower() for name in header]
        named = next((k for k, name in enumerate(columns) if name in _NAMES_OF_NAMES), None)
        valued = next((k for k, name in enumerate(columns) if name in _NAMES_OF_VALUES), None)
        if named is not None and valued is not None and named != valued:
            return {_clean(cells[named]): _value(cells[valued])} if numeric[valued] and cells[named] else {}
        mean = next((k for k, name in enumerate(columns) if name in _MEANS), None)
        if mean is not None and label and looks_like_metric(label):
            return {_clean(label): _value(cells[mean])} if numeric[mean] else {}
        return None

    def _of_columns(self, header: list[str], cells: list[str], label: str, beside: bool) -> dict[str, float] | None:
        """A row whose columns are metrics, with the name of the row before them."""
        if not any(_is_measure(name) for name in header):
            return None if beside or label else _all(header, cells)
        prefix = self._prefix(label)
        if prefix is None and beside:
            return {}  # one row among many, as of a class
        if prefix is None:
            is_name = len(label.split()) < 4 and any(c.isalpha() for c in label)
            prefix = _clean(label) if is_name else ""  # methods below each other are not one series
        return {f"{prefix}_{name}" if prefix else name: value for name, value in _all(header, cells).items()}

    @staticmethod
    def _of_two(header: list[str], label: str, cells: list[str]) -> dict[str, float]:
        """A table of names and numbers; its title may say of which data: `Validate metric`."""
        name, part = _clean(label), part_of(header[0])
        if part and not part_of(name):
            word = _clean(header[0]).strip("/").partition("_")[0].partition("/")[0]
            name = f"{word if part_of(word) and word != 'validate' else part}_{name}"
        return {name: _value(cells[1])}

    @staticmethod
    def _prefix(label: str) -> str | None:
        """What the name of a row adds to the names of the columns; None for one row among many, as a class."""
        if not label or _WHOLE.match(label):
            return ""
        if _AGGREGATE.match(label) or (part_of(label) and len(label.split()) < 3):
            return _clean(label)
        return None


def _all(header: Sequence[str], cells: Sequence[str]) -> dict[str, float]:
    return {name: _value(cell) for name, cell in zip(header, cells, strict=True) if name and _CELL.fullmatch(cell)}


def _is_measure(name: str) -> bool:
    return looks_like_metric(name)


def _value(cell: str) -> float:
    return number(re.split(r"±|\+/-|\+-", cell)[0].rstrip(" %"))


def _clean(cell: str) -> str:
    """A cell as a name: `Box(P` is `p`."""
    cell = cell.strip().rstrip(":").rstrip(")") if cell.count("(") < cell.count(")") else cell.strip().rstrip(":")
    if cell.count("(") > cell.count(")"):
        cell = cell.rpartition("(")[2]
    return "_".join(re.sub(r"[()]", " ", cell).split()).lower()
