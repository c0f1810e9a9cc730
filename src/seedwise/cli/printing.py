"""What several commands print, and the exit codes."""

import sys
from collections.abc import Sequence
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from ..batched.storing import BatchedOutcome
    from ..reports.page import Block
    from ..results import Results, Summary
    from ..runs.request import Outcome
    from .app import Shown


def print_json(value: object) -> None:
    """Print a value as JSON."""
    from ..reports.formats import Format, written

    sys.stdout.write(written(Format.JSON, (), value))


def report(results: "Results", as_json: bool, summaries: "dict[str, Summary] | None" = None) -> None:
    """Print what there is to say about an experiment."""
    from ..api.summary import summarize_all
    from ..reports.report import report_of

    if as_json:
        print_json(as_dict(results))
        return
    print_page(report_of(results, summarize_all(results) if summaries is None else summaries))


def print_page(blocks: "Sequence[Block]") -> None:
    """Print a report on standard output, laid out for what stands behind it."""
    from ..reports.page import lay_out
    from ..reports.screen import screen_of

    print(lay_out(blocks, screen_of(sys.stdout)))


def deliver(blocks: "Sequence[Block]", value: object, shown: "Shown") -> None:
    """Give an answer as it was asked for: printed as text, Markdown, LaTeX or JSON, or written to a file.

    Parameters
    ----------
    value
        The same numbers for JSON and CSV.
    """
    from ..reports.formats import Format, format_of, written

    if shown.output is not None:
        write_file(shown.output, written(format_of(shown.output), blocks, value))
    if shown.json:
        print_json(value)
    elif shown.format == "text":
        print_page(blocks)
    else:
        sys.stdout.write(written(Format(shown.format), blocks, value))


def write_file(path: str, text: str) -> None:
    """Write a file. Raises SeedwiseError if that cannot be done."""
    from ..errors import SeedwiseError

    try:
        with open(path, "w", encoding="utf-8", newline="") as file:
            file.write(text)
    except OSError as error:
        raise SeedwiseError(f"cannot write {path}: {error.strerror}") from None


def as_dict(results: "Results") -> dict[str, object]:
    from ..api.summary import summarize_all
    from ..reports.report import remarks_of

    summaries = summarize_all(results)
    return {
        "name": results.name,
        "key": results.key,
        "command": list(results.command),
        "seeds": list(results.seeds),
        "there": len(results.runs) if results.there is None else results.there,
        "finished": len(results.finished),
        "failed": len(results.failed),
        "failures": [{"seed": run.seed, "cause": run.cause, "detail": run.detail} for run in results.failed],
        "sites": [dict(site) for site in results.sites],
        "sources": [one.as_dict() for one in results.draws],
        "metrics": {name: summary.as_dict() for name, summary in summaries.items()},
        "question": list(results.question),
        "left_out": dict(results.left_out),
        "warnings": list(results.warnings),
        "remarks": remarks_of(results, summaries),
        "notes": list(results.notes),
        "forked": sum(run.forked for run in results.finished) if results.forking else 0,
        "forking": results.forking,
    }


def exit_code(outcome: "Outcome | BatchedOutcome") -> int:
    if outcome.interrupted:
        return 130
    return 3 if outcome.results.failed or not outcome.complete else 0
