"""A report in the format of a file: text, Markdown, LaTeX, CSV, JSON."""

import json
import os
from collections.abc import Mapping, Sequence
from enum import StrEnum
from typing import Any

from ..errors import UsageError
from .latex import commented, to_latex
from .page import Block, Line, lay_out
from .table import Table, to_csv, to_markdown


class Format(StrEnum):
    """What a report is written as."""

    TEXT = "text"
    MARKDOWN = "md"
    LATEX = "latex"
    CSV = "csv"
    JSON = "json"


BY_ENDING: Mapping[str, Format] = {
    ".txt": Format.TEXT,
    ".md": Format.MARKDOWN,
    ".tex": Format.LATEX,
    ".csv": Format.CSV,
    ".json": Format.JSON,
}


def format_of(path: str) -> Format:
    """The format that a file's ending says. Raises UsageError, which names those that there are."""
    ending = os.path.splitext(path)[1].lower()
    if ending not in BY_ENDING:
        had = f"{ending} is none of them" if ending else f"{path} has none"
        raise UsageError(f"-o writes what the ending of the file says: {', '.join(BY_ENDING)}; {had}")
    return BY_ENDING[ending]


def written(format: Format, blocks: Sequence[Block], value: object) -> str:
    """The report in a format, with a line end behind its last line.

    Parameters
    ----------
    blocks
        The report as it is printed.
    value
        The same numbers with every digit: what JSON and CSV hold.
    """
    if format is Format.JSON:
        return json.dumps(plain(value), indent=2, ensure_ascii=False) + "\n"
    if format is Format.CSV:
        return _as_csv(plain(value))
    if format is Format.LATEX:
        return _as_latex(blocks)
    if format is Format.MARKDOWN:
        return _as_markdown(blocks)
    return lay_out(blocks) + "\n"


def plain(value: Any) -> Any:
    """A value that JSON can hold: NaN and infinity, which it lacks, become null."""
    if isinstance(value, float) and (value != value or value in (float("inf"), float("-inf"))):
        return None
    if isinstance(value, dict):
        return {str(k): plain(v) for k, v in value.items()}
    if isinstance(value, list | tuple):
        return [plain(v) for v in value]
    return value


def _as_latex(blocks: Sequence[Block]) -> str:
    """The tables alone. What is said before and after them stands in comments: the first sentence makes a caption."""
    parts: list[str] = []
    said: list[str] = []
    for block in blocks:
        if isinstance(block, Line):
            first = not parts and not said
            said += [f"Caption: {block.text}" if first else block.text] if block.text else []
            continue
        table = block.on_paper()
        said += [f"Note: {table.note}"] if table.note else []
        said += [r"This table needs \usepackage{booktabs}."] if not parts else []
        parts.append(to_latex(table.columns, table.rows, table.numeric, said))
        said = []
    if said:
        parts.append("".join(f"{line}\n" for line in commented(said)))
    return "\n".join(parts)


def _as_markdown(blocks: Sequence[Block]) -> str:
    parts = [
        to_markdown(block.columns, block.rows) if isinstance(block, Table) else f"{block.text}\n"
        for block in blocks
        if block != Line("")
    ]
    return "\n".join(parts)


def _as_csv(value: object) -> str:
    """One row for each metric, pair or group, with every number: `interval` becomes `interval_low`, `interval_high`."""
    rows = [_flat(record) for record in _records(value)]
    columns = list(dict.fromkeys(name for row in rows for name in row))
    return to_csv(columns, [[row.get(name) for name in columns] for row in rows])


def _records(value: object) -> list[Mapping[str, Any]]:
    assert isinstance(value, dict)
    if isinstance(value.get("metrics"), dict):
        return list(value["metrics"].values())
    if isinstance(value.get("pairs"), list):
        return list(value["pairs"])
    if isinstance(value.get("others"), list):
        return [{k: v for k, v in value.items() if k != "others"}, *value["others"]]
    if value and all(isinstance(v, dict) for v in value.values()):
        return [{"name": name, **record} for name, record in value.items()]
    return [value]


def _flat(record: Mapping[str, Any]) -> dict[str, object]:
    flat: dict[str, object] = {}
    for name, value in record.items():
        if isinstance(value, Mapping):
            flat |= {f"{name}_{inner}": v for inner, v in _flat(value).items()}
        elif "interval" in name and (value is None or len(value) == 2):
            flat[f"{name}_low"], flat[f"{name}_high"] = value or (None, None)
        else:
            flat[name] = "; ".join(map(str, value)) if isinstance(value, list) else value
    return flat
