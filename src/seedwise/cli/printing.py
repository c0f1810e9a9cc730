"""What several commands print, and the exit codes."""

import json
import shutil
import sys
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from ..results import Results, Summary
    from ..runs.request import Outcome


def print_json(value: object) -> None:
    """Print a value as JSON."""
    print(json.dumps(_plain(value), indent=2, ensure_ascii=False))


def _plain(value: Any) -> Any:
    """NaN and infinity have no JSON: they become null."""
    if isinstance(value, float) and (value != value or value in (float("inf"), float("-inf"))):
        return None
    if isinstance(value, dict):
        return {str(k): _plain(v) for k, v in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(v) for v in value]
    return value


def report(results: "Results", as_json: bool, summaries: "dict[str, Summary] | None" = None) -> None:
    """Print what there is to say about an experiment."""
    from ..api.summary import summarize_all
    from ..reports.report import lines_of_report

    summaries = summarize_all(results) if summaries is None else summaries
    if as_json:
        print_json(as_dict(results))
        return
    width = shutil.get_terminal_size().columns if sys.stdout.isatty() else None
    print("\n".join(lines_of_report(results, summaries, width)))


def as_dict(results: "Results") -> dict[str, object]:
    from ..api.summary import summarize_all

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
        "metrics": {name: summary.as_dict() for name, summary in summarize_all(results).items()},
        "question": list(results.question),
        "left_out": dict(results.left_out),
        "warnings": list(results.warnings),
        "notes": list(results.notes),
        "forked": sum(run.forked for run in results.finished) if results.forking else 0,
        "forking": results.forking,
    }


def exit_code(outcome: "Outcome") -> int:
    if outcome.interrupted:
        return 130
    return 3 if outcome.results.failed or not outcome.complete else 0
