"""Cells of text as numbers: plain, with a decimal comma, with thousands, in per cent, true or false."""

import math
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum

import numpy as np
from numpy.typing import NDArray

_BLANK = frozenset(("", "-", "–", "—", "na", "n/a", "<na>", "null", "none"))
_TRUTH = {"true": 1.0, "false": 0.0}
_WORDS = {f"{sign}{word}": float(f"{sign}{word}") for sign in ("", "+", "-") for word in ("nan", "inf", "infinity")}
_PLAIN = re.compile(r"[-+]?(?:\d+\.?\d*|\.\d+)(?:[eE][-+]?\d+)?", re.ASCII)
_THOUSANDS = re.compile(r"[-+]?[1-9]\d{0,2}(?:,\d{3})+(?:\.\d*)?", re.ASCII)
_DECIMAL = re.compile(r"[-+]?(?:\d+|[1-9]\d{0,2}(?:\.\d{3})+),\d+(?:[eE][-+]?\d+)?", re.ASCII)
_WRAPPED = re.compile(r"(?:np\.|numpy\.)?(?:float\d*|int\d*|tensor|array)\(([^,()]+)(?:,[^()]*)?\)", re.ASCII)
"""A number as NumPy or PyTorch writes it where a script did not call float(): `np.float64(0.8)`, `tensor(0.8)`."""
NO_NUMBER = "which is no number"


class Comma(StrEnum):
    """What a comma in the numbers of a column is."""

    DECIMAL = "decimal"
    THOUSANDS = "thousands"
    EITHER = "either"


@dataclass(frozen=True)
class Cells:
    """The numbers in some texts."""

    values: NDArray[np.float64]
    """NaN where a text is blank or no number."""
    blank: NDArray[np.bool_]
    wrong: Mapping[int, str]
    """Index → why it is no number."""
    comma: Comma | None = None
    percent: bool = False
    truth: bool = False


def read_cells(texts: Sequence[str], comma: Comma | None = None) -> Cells:
    """The numbers in the texts of one column.

    `80%` is 80, as in what a script prints. A column is either all in per cent or not at all, either all true and
    false or all numbers, and a comma means the same in all its cells.

    Parameters
    ----------
    comma
        What a comma is in the rest of the file, for a column whose own cells do not tell.
    """
    bare = [_bare(text) for text in texts]
    low = [text.lower() for text in bare]
    blank = np.array([text in _BLANK for text in low], dtype=np.bool_)
    said = {i for i, text in enumerate(low) if text in _TRUTH}
    in_percent = {i for i, text in enumerate(bare) if text.endswith("%")}
    numbers = [text[:-1].rstrip() if i in in_percent else text for i, text in enumerate(bare)]
    own = _comma_of([text for text in numbers if "," in text])
    style = comma if own is Comma.EITHER and comma is not None else own
    values = np.full(len(texts), np.nan)
    wrong: dict[int, str] = {}
    for i, text in enumerate(numbers):
        if blank[i]:
            continue
        found = _TRUTH[low[i]] if i in said else _number(text, style)
        if isinstance(found, str):
            wrong[i] = found
        else:
            values[i] = found
    right = [i for i in range(len(texts)) if not blank[i] and i not in wrong]
    _refuse_minority(right, in_percent, wrong, "% stands in some cells of the column and not in others")
    _refuse_minority(right, said, wrong, "true or false stands among numbers")
    values[list(wrong)] = np.nan
    return Cells(values, blank, wrong, own, bool(in_percent), bool(said) and len(said) == len(right))


def _bare(text: str) -> str:
    text = text.strip().replace("−", "-")
    wrapped = _WRAPPED.fullmatch(text)
    return text if wrapped is None else wrapped[1].strip()


def _refuse_minority(right: Sequence[int], marked: set[int], wrong: dict[int, str], why: str) -> None:
    with_it = [i for i in right if i in marked]
    without = [i for i in right if i not in marked]
    if with_it and without:
        fewer = with_it if len(with_it) <= len(without) else without
        wrong.update({i: why for i in fewer if i not in wrong})


def _comma_of(texts: Sequence[str]) -> Comma | None:
    """What a comma is in these numbers; those that are no numbers at all do not count."""
    sure = {
        Comma.THOUSANDS if _THOUSANDS.fullmatch(text) else Comma.DECIMAL
        for text in texts
        if bool(_THOUSANDS.fullmatch(text)) != bool(_DECIMAL.fullmatch(text))
    }
    if len(sure) == 1:
        return sure.pop()
    if sure or any(_THOUSANDS.fullmatch(text) for text in texts):
        return Comma.EITHER
    return None


def _number(text: str, comma: Comma | None) -> float | str:
    """The number, or why there is none."""
    if text.lower() in _WORDS:
        return _WORDS[text.lower()]
    if "," in text:
        if comma is Comma.EITHER and (_THOUSANDS.fullmatch(text) or _DECIMAL.fullmatch(text)):
            return "whose comma may be a decimal one or one of thousands: write a point, or leave it out"
        if comma is Comma.DECIMAL and _DECIMAL.fullmatch(text):
            text = text.replace(".", "").replace(",", ".")
        elif comma is Comma.THOUSANDS and _THOUSANDS.fullmatch(text):
            text = text.replace(",", "")
    elif comma is Comma.DECIMAL and "." in text and _PLAIN.fullmatch(text):
        return "with a point, while other cells of the column have a decimal comma"
    if not _PLAIN.fullmatch(text):
        return NO_NUMBER
    value = float(text)
    if math.isinf(value):
        return "which is too large for a floating-point number"
    if value == 0 and re.search(r"[1-9]", re.split(r"[eE]", text)[0]):
        return "which is too small for a floating-point number"
    return value


def exact(text: str) -> int | None:
    """The text as a whole number of any size, or None. `3.0` is 3."""
    text = text.strip()
    if re.fullmatch(r"[-+]?\d+", text, re.ASCII):
        return int(text)
    if not _PLAIN.fullmatch(text):
        return None
    value = float(text)
    return int(value) if math.isfinite(value) and value == int(value) and abs(value) < 2**53 else None
