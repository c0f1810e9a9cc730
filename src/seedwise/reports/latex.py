"""Tables as LaTeX, ready for a paper: booktabs, numbers aligned at their decimal points, everything else escaped."""

import re
from collections.abc import Sequence

from .screen import Screen
from .table import plain_cell

_COMMENT = 76
"""Columns of a comment without its sign."""

_ESCAPED = {
    "\\": r"\textbackslash{}",
    "&": r"\&",
    "%": r"\%",
    "$": r"\$",
    "#": r"\#",
    "_": r"\_",
    "{": r"\{",
    "}": r"\}",
    "~": r"\textasciitilde{}",
    "^": r"\textasciicircum{}",
    "<": "$<$",
    ">": "$>$",
    "±": r"$\pm$",
    "δ": r"$\delta$",
    "…": r"\dots{}",
    "–": "--",
    "→": r"$\to$",
    "≤": r"$\leq$",
    "≥": r"$\geq$",
    "²": "$^2$",
    "√": r"$\surd$",
    "½": r"$\frac12$",
}
_NUMBER = re.compile(
    r"\s*(?P<sign>[-+−]?)(?P<whole>\d*)(?P<rest>(?:\.\d+)?)(?P<more>(?:e[-+]?\d+)?)\s*(?:±\s*(?P<half>\S+))?\s*"
)

_MINUS = re.compile(r"(?<![\w.}-])-(?=\d)")
"""A hyphen that stands for a minus."""


def escaped(text: str) -> str:
    """The text with every character escaped that LaTeX would take as a command."""
    return _MINUS.sub("$-$", "".join(_ESCAPED.get(c, c) for c in text))


def to_latex(
    columns: Sequence[str],
    rows: Sequence[Sequence[object]],
    numeric: frozenset[int] | None = None,
    comments: Sequence[str] = (),
) -> str:
    """A table as LaTeX with the rules of booktabs; it needs no other package.

    Parameters
    ----------
    columns, rows
        The names and the cells. A cell `0.81 ± 0.02` becomes `$0.81 \\pm 0.02$`.
    numeric
        Columns whose numbers are aligned at the decimal point. By default those that hold nothing but numbers.
    comments
        Lines that stand above the table behind `%`: a caption, what ± is.
    """
    cells = [[plain_cell(cell) for cell in row] for row in rows]
    if numeric is None:
        numeric = frozenset(k for k in range(len(columns)) if cells and all(_is_number(row[k]) for row in cells))
    shape = "".join("r@{}l" if k in numeric else "l" for k in range(len(columns)))
    head = [rf"\multicolumn{{2}}{{c}}{{{escaped(c)}}}" if k in numeric else escaped(c) for k, c in enumerate(columns)]
    lines = [*commented(comments), rf"\begin{{tabular}}{{{shape}}}", r"\toprule"]
    lines += [" & ".join(head) + r" \\", r"\midrule"]
    for row in cells:
        lines.append(" & ".join(_aligned(c) if k in numeric else escaped(c) for k, c in enumerate(row)) + r" \\")
    return "\n".join([*lines, r"\bottomrule", r"\end{tabular}"]) + "\n"


def commented(texts: Sequence[str]) -> list[str]:
    """Texts as comments, broken between words."""
    return [f"% {line}" for text in texts for line in Screen(_COMMENT).wrapped(" ".join(text.split()))]


def _is_number(cell: str) -> bool:
    return bool(cell.strip()) and _NUMBER.fullmatch(cell) is not None


def _power(exponent: str) -> str:
    """`e+11` as a power of ten."""
    return rf"$\cdot 10^{{{int(exponent[1:])}}}$" if exponent else ""


def _with_power(number: str) -> str:
    digits, e, power = number.partition("e")
    return escaped(digits) + _power(e + power) if e else escaped(number)


def _aligned(cell: str) -> str:
    """A number in two columns, before and after its decimal point."""
    found = _NUMBER.fullmatch(cell)
    if found is None or not cell.strip():
        return rf"\multicolumn{{2}}{{c}}{{{escaped(cell)}}}"
    sign = {"-": "$-$", "−": "$-$", "+": "$+$"}.get(found["sign"], "")
    power = _power(found["more"])
    half = rf" $\pm$ {_with_power(found['half'])}" if found["half"] else ""
    return f"{sign}{found['whole']} & {found['rest']}{power}{half}"
