"""`seedwise decompose`."""

from dataclasses import replace
from typing import Annotated

from cyclopts import Parameter

from . import run_options as opt
from .app import AS_TEXT, Level, MetricOption, Shown, StoreOption, app
from .asking import asking
from .groups import DECIDING, SEEDS
from .printing import deliver

_AS_USUAL = opt.RunOptions()
_HERE = opt.OnOptions()


@app.command(group=DECIDING)
def decompose(
    *command: opt.Command,
    n: Annotated[int, Parameter(group=SEEDS, name=["-n", "--number"], help="Seeds of each source.")] = 8,
    repeats: Annotated[
        int, Parameter(group=SEEDS, help="How often n of the runs are done: shows what no seed controls.")
    ] = 2,
    max_runs: Annotated[
        int, Parameter(group=SEEDS, help="If the whole design has more runs, a fraction of it is run.")
    ] = 200,
    name: opt.Name = None,
    metric: MetricOption = None,
    how: opt.RunOptions = _AS_USUAL,
    elsewhere: opt.OnOptions = _HERE,
    set: opt.Settings = None,
    level: Level = 0.95,
    shown: Shown = AS_TEXT,
    store: StoreOption = None,
) -> int:
    """Which source of randomness makes the spread? Runs a crossed design of seeds, without editing the script.

    seedwise decompose -n 8 --vary init,order,dropout -- python train.py

    With threads among what varies, the number of threads is a factor: --vary init,order,threads --threads 1,4
    """
    from ..api.decompose import check_level_and_name, run_design, threads_of
    from ..errors import UsageError
    from ..experiments.crossing import crossing
    from ..experiments.options import sources_named
    from ..metrics.choose import parse_metric
    from ..reports.decomposition import page_of_decomposition
    from ..reports.live import showing
    from ..results import Reduce
    from ..runs.request import Request
    from .run import with_settings

    shown.check()
    vary = sources_named(how.vary or ())
    if not vary:
        raise UsageError(
            "which sources? --vary init,order: some of init, order, dropout, augment, split, other; and threads"
        )
    given = _numbers(how.threads)
    on = elsewhere.where(several="decompose")
    levels = threads_of(vary, given if len(given) > 1 else given[0], here=on is None)
    corrections = tuple(how.source or ())
    design = crossing(vary, n, levels, repeats, max_runs, corrections)
    check_level_and_name(level, name)
    options = replace(how, vary=None, source=None, threads=str(levels[0] if levels else given[0])).checked()
    asked = [parse_metric(text, Reduce.LAST) for text in metric or ()]
    request = Request(with_settings(command, set), [1], options, name, asked, on=on)
    with showing(quiet=False, prefer=asked[0].name if asked else None) as live:
        request = replace(request, ask=asking(live))
        found = run_design(request, design, corrections, store, live, level)
    deliver(page_of_decomposition(found, shown.explain), found.as_dict(), shown)
    return 0


def _numbers(text: str) -> list[int]:
    from ..errors import UsageError

    words = text.split(",")
    if not all(word.strip().isdigit() for word in words):
        raise UsageError(
            f"--threads takes a number, or with threads among what varies several, such as 1,2; got {text!r}"
        )
    return [int(word) for word in words]
