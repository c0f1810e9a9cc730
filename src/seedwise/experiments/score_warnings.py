"""What the scores of an experiment tell: no metric, no goal, no spread. Each warning names the next step."""

import shlex
from collections.abc import Sequence
from pathlib import Path

from ..advice import Advice
from ..results import Reduce, Results, Run
from ..wording import either_goal, is_at_command_line, option
from .config_site import find_seeds
from .options import Mode
from .silent_script import functions_instead, printed_nothing


def about_scores(
    results: Results, mode: Mode, configs: Sequence[str], fixed: str | None, folder: str, code: Sequence[str]
) -> list[Advice]:
    """Warnings about the scores of an experiment.

    Parameters
    ----------
    configs
        The configuration files that the runs read.
    fixed
        The argument of the command that fixes the seed; None if there is none.
    folder, code
        Where the command was started, and the user's files that it loads.
    """
    found: list[Advice] = []
    if not results.metrics and results.finished:
        found.append(_without_metric(results, folder, code))
    found += [
        Advice(f"{name} is left out: {reason}", "print it in every run")
        for name, reason in results.left_out.items()
        if "do not have it" in reason
    ]
    for metric in results.metrics:
        values = [run.series[metric.name].values for run in results.finished if metric.name in run.series]
        if metric.goal is None and len(values) > 1 and metric is results.metrics[0] and not results.question:
            found.append(
                Advice(
                    f"whether less or more {metric.name} is better is not known",
                    f"{either_goal(metric.name)} says it",
                )
            )
        if metric.name == "value" and any(len(v) > 1 for v in values) and metric.reduce is Reduce.LAST:
            found.append(
                Advice(
                    f"each run printed up to {max(map(len, values))} values, of which the last counts",
                    f"{option('--reduce mean')} or best takes another",
                )
            )
    if mode is not Mode.AS_IS and _without_spread(results):
        found.append(_same_numbers(results, configs, fixed))
    return found


def _without_spread(results: Results) -> bool:
    """Whether every metric is the same under all seeds, of which there are two at least."""
    every = [results.scores(metric.name) for metric in results.metrics]
    return (
        len(results.finished) > 1
        and bool(every)
        and all(len(s) > 1 and len(set(s.values.tolist())) == 1 for s in every)
    )


def _without_metric(results: Results, folder: str, code: Sequence[str]) -> Advice:
    """What to do where no run has a metric."""
    finished = results.finished
    runs = "1 finished run" if len(finished) == 1 else f"{len(finished)} finished runs"
    offered = _offered(finished)
    if offered:
        return Advice(f"no metric was printed in {runs}", f"{offered} (with `run` or `show`)")
    quiet = printed_nothing(finished)
    functions = functions_instead(results.command, folder, code, len(results)) if quiet else ""
    if functions:
        return Advice(f"no metric in {runs}, which printed nothing", functions)
    reasons = "; ".join(f"{name}: {reason}" for name, reason in list(results.left_out.items())[:5])
    why = f" ({reasons})" if reasons else ", which printed nothing" if quiet else ""
    kept = "" if quiet else "; the output is kept, so `seedwise show` can read it again"
    how = "print `name = number`, or call seedwise.log(name=number)"
    if not quiet:
        regex = option("--metric NAME=REGEX")
        how = f"print `name = number`, call seedwise.log(name=number), or say {regex}{kept}"
    return Advice(f"no metric in {runs}{why}", how)


def _offered(runs: Sequence[Run]) -> str:
    """Where a metric stands that was not printed, with the option that reads it."""
    from ..metrics import files

    for run in runs[:1]:
        found = files.offers(Path(run.folder, "files")) if run.folder else []
        if found:
            return "; ".join(
                f"{name} is in {path}: {option(f'--metric-file {shlex.quote(path) if is_at_command_line() else path}')}"
                for path, name in found[:3]
            )
    return ""


def _same_numbers(results: Results, configs: Sequence[str], fixed: str | None) -> Advice:
    """What to do where every seed gave the same."""
    n = len(results.finished)
    if results.draws:
        return Advice(
            f"all {n} runs gave the same numbers, so that what varies does not reach the result, or has no effect on it",
            f"the table of sources says what each draws; {option('--vary')} takes others",
        )
    if fixed:
        return Advice(
            f"all {n} seeds gave the same numbers, as the command fixes the seed ({fixed})",
            "write {seed} in place of its number",
        )
    sites = "".join(
        f"; a seed stands in a file that the runs read: {option(f'--seed-site {site}')}"
        for site in find_seeds(configs)[:1]
    )
    return Advice(
        f"all {n} seeds gave the same numbers, so that the seed does not reach the result, or has no effect on it",
        f"`seedwise sites` shows where it goes in{sites}",
    )
