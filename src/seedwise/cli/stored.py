"""The commands that show, export and remove what was run; `sites` and `demo`."""

import sys
from typing import TYPE_CHECKING, Annotated, Literal

from cyclopts import Parameter

from .app import AS_TEXT, Json, MetricOption, Shown, ShownReduce, StoreOption, app, refuse
from .families import deliver_family, with_members
from .groups import LOOKING, REST, RUNNING
from .printing import as_dict, deliver, print_json, print_page, write_file
from .sides import named_or_newest

if TYPE_CHECKING:
    from collections.abc import Sequence

    from ..api.experiments import Removal

Family = Annotated[str | None, Parameter(help="A family: train, or a pattern such as 'train lr=*'.")]
OnlySeeds = Annotated[str | None, Parameter(help="Only the runs under these seeds: 1-10 or 0,3,5.")]
Name = Annotated[str | None, Parameter(help="An experiment: NAME, or NAME@2 for an older one (default: the newest).")]


@app.command(group=RUNNING)
def sites(
    *command: Annotated[str, Parameter(help="A script, or a command after --.")],
    seed: Annotated[int, Parameter(help="Show what the sites receive under this seed.")] = 7,
    keep: Annotated[
        list[str] | None, Parameter(negative=(), help="Leave a seed site as typed: train.py:12, or split.")
    ] = None,
    seed_site: Annotated[str | None, Parameter(help="Where the number stands: train.py:3.")] = None,
    json: Json = False,
) -> int:
    """Show where seeds are typed in a script, without running it."""
    from ..api.sites import read

    found = read(command, seed=seed, keep=keep or (), seed_site=seed_site)
    if json:
        print_json(found.as_dict())
        return 0
    print_page(found.page())
    return 0


@app.command(name="list", group=LOOKING)
def list_(name: Family = None, /, *, store: StoreOption = None, json: Json = False) -> int:
    """List the experiments of this project, or of a family, oldest first."""
    import time

    from ..api.listing import command_line, listing
    from ..reports.listing import list_table

    rows = listing(store)
    if name is not None:
        rows = [row for row in rows if row.name.partition("@")[0] in with_members(name, store)]
    if json:
        print_json([row.as_dict() for row in rows])
    elif rows:
        print_page([list_table(rows, [command_line(row.command) for row in rows], time.time())])
    else:
        print("no experiments yet: seedwise run -n 30 -- python train.py")
    return 0


@app.command(group=LOOKING)
def show(
    name: Name = None,
    /,
    *,
    metric: MetricOption = None,
    reduce: ShownReduce = None,
    metric_file: Annotated[
        list[str] | None,
        Parameter(
            negative=(), show_default=False, help="Read metrics from files that the runs wrote: out/metrics.json."
        ),
    ] = None,
    seeds: OnlySeeds = None,
    shown: Shown = AS_TEXT,
    store: StoreOption = None,
) -> int:
    """Report on an experiment: NAME, or NAME@2 for an older one; without NAME on the newest."""
    from ..api.summary import summarize_all
    from ..experiments.loading import load
    from ..experiments.members import members_of
    from ..reports.page import Line
    from ..reports.report import report_of
    from ..results import parse_seeds

    shown.check()
    name = named_or_newest(name, store)
    if members_of(name, store):
        from ..api.families import load_family

        refuse({"--metric-file": metric_file, "--explain": shown.explain, "--seeds": seeds}, f"{name} is a family")
        family = load_family(name, metric=metric or (), reduce=reduce, store=store)
        deliver_family(family, shown, pairs=True)
        return 3 if any(of.failed for of in family.members.values()) else 0
    results = load(
        name,
        metric=metric or (),
        reduce=reduce,
        metric_file=metric_file or (),
        seeds=None if seeds is None else parse_seeds(seeds),
        store=store,
        brief=True,
    )
    summaries = summarize_all(results)
    page = report_of(results, summaries)
    if shown.explain and summaries:
        from ..reports.decisions import explain_summary

        page += [Line(""), *map(Line, explain_summary(next(iter(summaries.values()))))]
    if members_of(f"{name} *", store):
        page.append(Line(f"There is a family of that name too: seedwise show '{name} *'."))
    deliver(page, as_dict(results), shown)
    return 3 if results.failed else 0


@app.command(group=LOOKING)
def log(
    name: Name = None,
    /,
    seed: Annotated[int | None, Parameter(help="Which run; it may be left out where there is one.")] = None,
    *,
    stderr: Annotated[
        bool, Parameter(negative=(), show_default=False, help="Standard error instead of standard output.")
    ] = False,
    store: StoreOption = None,
) -> int:
    """Print what a run printed, byte for byte; without NAME, of the newest experiment."""
    from ..api.experiments import output_of

    path = output_of(named_or_newest(name, store), seed, "stderr" if stderr else "stdout", store)
    with open(path, "rb") as file:
        while block := file.read(1 << 20):
            sys.stdout.buffer.write(block)
    sys.stdout.buffer.flush()
    return 0


@app.command(group=LOOKING)
def export(
    name: Name = None,
    /,
    *,
    format: Annotated[
        Literal["csv", "json", "md", "latex", "parquet"] | None,
        Parameter(
            help="csv, md, latex, parquet: a row for each run; json: with series (default: by --output, else csv)."
        ),
    ] = None,
    output: Annotated[
        str | None,
        Parameter(
            name=["--output", "-o"],
            help="File (default: standard output); its ending says how: .csv, .json, .md, .tex, .txt, .parquet.",
        ),
    ] = None,
    metric: MetricOption = None,
    reduce: ShownReduce = None,
    seeds: OnlySeeds = None,
    store: StoreOption = None,
) -> int:
    """Write the runs of an experiment as CSV, JSON, Markdown, LaTeX or Parquet."""
    from ..api.experiments import export as write
    from ..api.families import export_family
    from ..errors import UsageError
    from ..experiments.members import members_of
    from ..reports.formats import format_of
    from ..results import parse_seeds

    name = named_or_newest(name, store)
    only = None if seeds is None else parse_seeds(seeds)
    chosen: str = format or "csv"
    if output is not None:
        ending = "parquet" if output.lower().endswith(".parquet") else format_of(output).value
        if format is not None and format != ending:
            raise UsageError(f"--format {format} and a file named {output}: leave one of them out")
        chosen = ending
    if chosen == "parquet":
        return _parquet(name, output, (metric or (), reduce, store, only))
    of = export_family if members_of(name, store) else write
    text = of(name, chosen, metric or (), reduce, store, only)
    if output is None:
        sys.stdout.write(text)
    else:
        write_file(output, text)
    return 0


def _parquet(
    name: str, output: str | None, asked: "tuple[Sequence[str], str | None, str | None, Sequence[int] | None]"
) -> int:
    """Write a file of Parquet.

    Parameters
    ----------
    asked
        Metrics, reduction, store and seeds.
    """
    from ..errors import UsageError
    from ..experiments.loading import load
    from ..experiments.members import members_of

    if output is None:
        raise UsageError("Parquet is no text: name a file with --output")
    metric, reduce, store, seeds = asked
    if members_of(name, store):
        raise UsageError(f"{name} is a family: write it as CSV or JSON")
    frame = load(name, metric=metric, reduce=reduce, seeds=seeds, store=store).to_pandas()
    try:
        frame.to_parquet(output)
    except ImportError:
        raise UsageError("Parquet takes pyarrow beside pandas: pip install pyarrow") from None
    return 0


@app.command(group=LOOKING)
def rm(
    name: Annotated[str, Parameter(help="An experiment, NAME or NAME@2; a family; or a pattern such as 'train lr=*'.")],
    /,
    *,
    yes: Annotated[
        bool, Parameter(negative=(), show_default=False, help="Do it; without, only say what would go.")
    ] = False,
    store: StoreOption = None,
) -> int:
    """Remove an experiment, or every one of a family, with its logs and files."""
    from ..api.experiments import Removal, remove

    gone = [remove(member, store, really=yes) for member in with_members(name, store)]
    return _say_removal(Removal(tuple(line for of in gone for line in of.what), sum(of.bytes for of in gone)), yes)


@app.command(group=LOOKING)
def prune(
    *,
    yes: Annotated[
        bool, Parameter(negative=(), show_default=False, help="Do it; without, only say what would go.")
    ] = False,
    store: StoreOption = None,
) -> int:
    """Remove logs and files of attempts that a later one replaced."""
    from ..api.experiments import prune as remove_old

    return _say_removal(remove_old(store, really=yes), yes)


def _say_removal(removal: "Removal", done: bool) -> int:
    if not removal.what:
        print("nothing to remove")
        return 0
    for line in removal.what:
        print(f"{'removed' if done else 'would remove'} {line}")
    print(f"{removal.bytes / 1e6:.1f} MB{'' if done else '; --yes does it'}")
    return 0


@app.command(group=REST)
def demo(
    name: Annotated[
        str | None, Parameter(help="Which: forecast, keras, lottery, people, sources, starting-values, streams.")
    ] = None,
    /,
    *,
    data: Annotated[
        str | None, Parameter(help="people, lottery, sources: the author's own file of training rows.")
    ] = None,
    n: Annotated[
        int | None,
        Parameter(
            name=["-n"],
            help="How many seeds (people: 30 after the six; lottery 1000, forecast 20, starting-values 10, sources 6; keras: 30 repeats).",
        ),
    ] = None,
    backend: Annotated[str | None, Parameter(help="keras: tensorflow, jax, torch, or theano.")] = None,
) -> int:
    """Run one of the experiments this grew from."""
    from ..demos import run_demo

    return run_demo(name, data=data, n=n, backend=backend)
