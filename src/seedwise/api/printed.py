"""What `print` shows of a value: the page that the command line prints for it."""

import sys
from collections.abc import Callable
from importlib.util import find_spec
from typing import TYPE_CHECKING, Any

from ..decisions import Answer, Comparison, OverTasks, Ranking, TaskRanking
from ..errors import SeedwiseError
from ..reports import answers
from ..reports.cell_output import in_notebook
from ..reports.decomposition import Decomposition, page_of_decomposition
from ..reports.ensembles import Ensemble, page_of_ensemble
from ..reports.family import Family, page_of_family
from ..reports.page import Block, Line, lay_out
from ..reports.plan_sources import PlanOfSources, page_of_plan
from ..reports.report import report_of
from ..reports.screen import Screen, screen_of
from ..results import Results, Summary
from .summary import summarize_all

if TYPE_CHECKING:
    from ..showing import Shown

_NOTEBOOK = 100
"""Columns of a notebook's output, which breaks no tables."""


def page_of(value: object) -> list[Block]:
    """The page of a value: results, a summary, a comparison, a ranking, a plan, a check."""
    pages: dict[type, Callable[[Any], list[Block]]] = {
        Results: lambda results: report_of(results, summarize_all(results)),
        Summary: answers.of_summary,
        Comparison: answers.of_comparison,
        Ranking: answers.of_ranking,
        TaskRanking: answers.of_tasks,
        Family: page_of_family,
        Ensemble: page_of_ensemble,
        Decomposition: page_of_decomposition,
        PlanOfSources: page_of_plan,
        OverTasks: lambda found: answers.of_methods_over_tasks([found], "task", False),
    }
    for kind, page in pages.items():
        if isinstance(value, kind):
            return page(value)
    from ..diagnostics import Diagnosis
    from ..reports.diagnosis import page_of_diagnosis

    if isinstance(value, Diagnosis):
        return page_of_diagnosis(value)
    from ..determinism import Check
    from ..reports.check import page_of_check

    if isinstance(value, Check):
        return page_of_check(value, ledger=False)
    assert isinstance(value, Answer)
    return [Line(str(getattr(value, "sentence", "") or repr(value)))]


def text_of(value: "Shown") -> str:
    """The page of a value as text, for where it is likely to be printed. It has no colours: it may go to a file."""
    return lay_out(page_of(value), Screen(_width(), False, getattr(sys.stdout, "encoding", None)))


def bundle_of(value: "Shown") -> dict[str, str]:
    """The page of a value for a notebook: as text, as HTML, and its picture where the libraries that draw are installed."""
    from ..reports.notebook_html import to_html

    page = page_of(value)
    bundle = {"text/plain": lay_out(page, Screen(_NOTEBOOK))}
    picture = _picture_of(value)
    if picture is not None:
        bundle["image/svg+xml"] = picture[0]
    bundle["text/html"] = to_html(page, [] if picture is None else [picture])
    return bundle


def _picture_of(value: object) -> tuple[str, str] | None:
    """The picture of a value as SVG, and its caption; None where it has none, or it cannot be drawn here."""
    if not isinstance(value, Results | Comparison | Ranking | TaskRanking | OverTasks | Family):
        return None
    if find_spec("altair") is None or find_spec("vl_convert") is None:
        return None
    from .pictures import plot

    try:
        picture = plot(value)
        return picture.svg(), picture.caption
    except SeedwiseError:  # no metric, no run that finished: the page says so
        return None


def _width() -> int | None:
    if in_notebook():
        return _NOTEBOOK
    return screen_of(sys.stdout).width
