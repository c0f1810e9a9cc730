"""`seedwise run` and `resume`."""

from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Annotated

from cyclopts import Parameter

from . import run_options as opt
from .app import Json, MetricOption, Shown, ShownReduce, StoreOption, app, refuse
from .asking import asking
from .families import check_grid, deliver_family, grid_of, run_grid, with_members
from .groups import RUNNING
from .printing import as_dict, exit_code, print_json, report

if TYPE_CHECKING:
    from ..experiments.grids import Grid
    from ..results import Metric, Reduce
    from ..runs.request import Outcome, Request


_AS_USUAL = opt.RunOptions()
_HERE = opt.OnOptions()


@app.command(group=RUNNING, sort_key=0)
def run(
    *command: opt.Command,
    n: opt.Number = None,
    seeds: opt.Seeds = None,
    name: opt.Name = None,
    metric: MetricOption = None,
    reduce: ShownReduce = None,
    remember: opt.Remember = False,
    how: opt.RunOptions = _AS_USUAL,
    elsewhere: opt.OnOptions = _HERE,
    set: opt.Settings = None,
    grid: opt.Grid = None,
    confirm: opt.Confirm = None,
    batched: opt.Batched = False,
    against: opt.Against = None,
    until_margin: opt.UntilMargin = None,
    max_seeds: opt.MaxSeeds = None,
    until_rule: opt.UntilRule = "sequence",
    bounds: opt.Bounds = None,
    store: StoreOption = None,
    json: Json = False,
) -> int:
    """Run an unmodified script, or a function, under many seeds.

    seedwise run -n 30 -- python train.py

    seedwise run -n 30 train.py:train --set lr=0.1

    seedwise run -n 10 --grid lr=0.01,0.1 -- python train.py --lr {lr}
    """
    from ..metrics.choose import parse_metric
    from ..results import Reduce
    from ..runs.request import Request
    from ..runs.stopping import until_asked
    from .which_seeds import Which

    which = Which(n, seeds, max_seeds)
    how_reduced = None if reduce is None else Reduce(reduce)
    asked = [parse_metric(text, how_reduced or Reduce.LAST) for text in metric or ()]
    if batched:
        never = {"--against": against, "--until-margin": until_margin, "--grid": grid, "--confirm": confirm}
        refuse({**never, "--remember": remember, "--on": elsewhere.on}, "--batched trains all seeds in one program")
        chosen = which.chosen(command, as_is=False, until_margin=False, against=False)
        return _batched(
            (with_settings(command, set), chosen, name, asked, how_reduced or Reduce.LAST), how, store, json
        )
    options = how.checked()
    axes, single = grid_of(grid, set)
    check_grid(axes, confirm, {"--against": against, "--as-is": options.as_is})
    on = elsewhere.where(against, "" if axes is None else "--grid")
    until = until_asked(until_margin, until_rule, _bounds(bounds))
    chosen = which.chosen(command, as_is=options.as_is, until_margin=until is not None, against=against is not None)
    request = Request(
        with_settings(command, single),
        chosen,
        options,
        name,
        asked,
        how_reduced,
        until=until,
        remember=remember,
        brief=True,
        on=on,
    )
    if elsewhere.dry_run:
        return _show_script(request, store)
    other = None if against is None else replace(request, command=_words(against), name=None, brief=False)
    return _execute(request, other, axes, confirm, (which.told(), store, json))


def _execute(
    request: "Request",
    other: "Request | None",
    axes: "Grid | None",
    confirm: int | None,
    rest: tuple[str, str | None, bool],
) -> int:
    """Run one experiment, two in turn, or a grid, and report.

    Parameters
    ----------
    rest
        What is said first, the folder of the store, and whether the report is JSON.
    """
    from ..events import Note
    from ..reports.live import showing
    from ..runs.sweep import execute, execute_against

    told, store, json = rest
    with showing(quiet=False, prefer=request.metrics[0].name if request.metrics else None) as live:
        if told:
            live(Note(told))
        request = replace(request, ask=asking(live))
        if other is not None:
            return _report_both(execute_against((replace(request, brief=False), other), store, live), json)
        if axes is not None:
            family, code = run_grid(request, axes, confirm, store, live)
        else:
            outcome = execute(request, store, live)
            hint = _misplaced(request.command, outcome)
            if hint:
                live(Note(hint))
    if axes is not None:
        deliver_family(family, Shown(json=json))
        return code
    report(outcome.results, json)
    return exit_code(outcome)


def _show_script(request: "Request", store: str | None) -> int:
    """Print what Slurm would be given."""
    from ..reports.live import showing
    from ..runs.sweep import script_for

    with showing() as live:
        script = script_for(request, store, live)
    print(script, end="")
    return 0


def _misplaced(command: Sequence[str], outcome: "Outcome") -> str:
    """What to say where no run finished, and options of ours were behind the command; "" otherwise."""
    from ..experiments.functions import is_call
    from .users_words import ours_among

    if outcome.results.finished or not outcome.results.failed or is_call(command):
        return ""
    ours = ours_among(command, "run")
    if not ours:
        return ""
    return f"{' and '.join(ours)} stood behind the command, so the command received it: options of Seedwise stand before it"


def _batched(
    asked: "tuple[Sequence[str], Sequence[int], str | None, Sequence[Metric], Reduce]",
    how: opt.RunOptions,
    store: str | None,
    as_json: bool,
) -> int:
    """Train the seeds together, and print the report."""
    from ..batched.command import BatchedRequest, execute_batched
    from ..reports.live import showing

    threads, vary = how.for_batched()
    request = BatchedRequest(*asked, threads, vary, brief=True)
    with showing(quiet=False, prefer=request.metrics[0].name if request.metrics else None) as live:
        outcome = execute_batched(request, store, live)
    report(outcome.results, as_json)
    return exit_code(outcome)


def with_settings(command: Sequence[str], settings: Sequence[str] | None) -> tuple[str, ...]:
    """The command with `--set name=value` behind it, where it is a function."""
    from ..errors import UsageError
    from ..experiments.functions import is_call

    if not settings:
        return tuple(command)
    if not is_call(command):
        raise UsageError(
            "--set is for a function, FILE.py:FUNCTION; a script takes its settings in its own words: python train.py --lr 0.1"
        )
    return (*command, *[word for text in settings for word in ("--set", text)])


def _bounds(text: str | None) -> tuple[float, float] | None:
    if text is None:
        return None
    from ..errors import UsageError

    try:
        low, high = (float(part) for part in text.split(","))
    except ValueError:
        raise UsageError(f"--bounds are two numbers, low,high, such as 0,1; got {text!r}") from None
    return low, high


def _words(text: str) -> list[str]:
    import shlex

    try:
        return shlex.split(text)
    except ValueError as error:
        from ..errors import UsageError

        raise UsageError(f"--against {text!r} cannot be split into words: {error}") from None


def _report_both(both: "tuple[Outcome, Outcome]", as_json: bool) -> int:
    from .sides import compare_results

    compared = compare_results([one.results for one in both])
    if as_json:
        print_json(
            {
                "experiments": [as_dict(one.results) for one in both],
                "comparison": None if compared is None else compared.as_dict(),
            }
        )
    else:
        for one in both:
            report(one.results, False)
            print()
        if compared is not None:
            print(compared.sentence)
    return max(exit_code(one) for one in both)


@app.command(group=RUNNING)
def resume(
    name: Annotated[str, Parameter(help="An experiment, NAME or NAME@2; or a family.")],
    /,
    *,
    failed: Annotated[bool, Parameter(negative=(), show_default=False, help="Run the failed seeds again too.")] = False,
    jobs: Annotated[
        int | None, Parameter(name=["--jobs", "-j"], help="Runs at a time (default: cores / threads).")
    ] = None,
    store: StoreOption = None,
    json: Json = False,
) -> int:
    """Run what an interrupted experiment, or any of a family, has not finished."""
    from ..api.experiments import resume as go_on
    from ..api.families import family_of
    from ..reports.live import showing

    outcomes = {}
    with showing() as live:
        for member in with_members(name, store):
            outcomes[member] = go_on(member, jobs, store, live, failed, asking(live))
            if outcomes[member].interrupted:
                break
    if list(outcomes) == [name]:
        report(outcomes[name].results, json)
    else:
        deliver_family(family_of(name, {n: outcome.results for n, outcome in outcomes.items()}), Shown(json=json))
    return max(map(exit_code, outcomes.values()))
