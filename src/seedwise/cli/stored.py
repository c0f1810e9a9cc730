"""The commands that show, export and remove what was run; `sites` and `demo`."""

import sys
from typing import TYPE_CHECKING, Annotated, Literal

from cyclopts import Parameter

from ..errors import SeedwiseError
from .app import Json, MetricOption, ShownReduce, StoreOption, app
from .printing import print_json, report

if TYPE_CHECKING:
    from ..api.experiments import Removal


@app.command
def sites(
    *command: Annotated[str, Parameter(help="A script, or a command after --.")],
    seed: Annotated[int, Parameter(help="Show what the sites receive under this seed.")] = 7,
    keep: Annotated[list[str] | None, Parameter(negative=())] = None,
    seed_site: Annotated[str | None, Parameter(help="Where the number stands: train.py:3.")] = None,
    json: Json = False,
) -> int:
    """Show where seeds are typed in a script, without running it."""
    from ..api.sites import read

    found = read(command, seed=seed, keep=keep or (), seed_site=seed_site)
    if json:
        print_json(found.as_dict())
        return 0
    print("\n".join(found.lines()))
    return 0


@app.command(name="list")
def list_(*, store: StoreOption = None, json: Json = False) -> int:
    """List the experiments of this project, oldest first."""
    from ..api.experiments import listing
    from ..reports.table import Table
    from ..words import printable

    rows = listing(store)
    if json:
        print_json([row.as_dict() for row in rows])
        return 0
    if not rows:
        print("no experiments yet: seedwise run -n 30 -- python train.py")
        return 0
    cells = tuple(
        (r.name, r.key, str(r.n), str(r.finished), str(r.failed), printable(" ".join(r.command))[:80]) for r in rows
    )
    print(Table(("name", "key", "n", "finished", "failed", "command"), cells, frozenset({2, 3, 4})).text())
    return 0


@app.command
def show(
    name: str,
    /,
    *,
    metric: MetricOption = None,
    reduce: ShownReduce = None,
    metric_file: Annotated[
        list[str] | None, Parameter(negative=(), help="Read metrics from files that the runs wrote: out/metrics.json.")
    ] = None,
    seeds: Annotated[str | None, Parameter(help="Only the runs under these seeds: 1-10 or 0,3,5.")] = None,
    store: StoreOption = None,
    json: Json = False,
) -> int:
    """Report on an experiment: NAME, or NAME@2 for an older one."""
    from ..experiments.loading import load
    from ..results import parse_seeds

    results = load(
        name,
        metric=metric or (),
        reduce=reduce,
        metric_file=metric_file or (),
        seeds=None if seeds is None else parse_seeds(seeds),
        store=store,
        brief=True,
    )
    report(results, json)
    return 3 if results.failed else 0


@app.command
def log(
    name: str,
    /,
    *,
    seed: Annotated[int, Parameter(help="Which run.")],
    stderr: Annotated[bool, Parameter(negative=(), help="Standard error instead of standard output.")] = False,
    store: StoreOption = None,
) -> int:
    """Print what a run printed, byte for byte."""
    from ..api.experiments import output_of

    path = output_of(name, seed, "stderr" if stderr else "stdout", store)
    with open(path, "rb") as file:
        while block := file.read(1 << 20):
            sys.stdout.buffer.write(block)
    sys.stdout.buffer.flush()
    return 0


@app.command
def export(
    name: str,
    /,
    *,
    format: Annotated[
        Literal["csv", "json", "md", "latex", "parquet"],
        Parameter(help="csv, md, latex, parquet: a row for each run; json: with series."),
    ] = "csv",
    output: Annotated[str | None, Parameter(name=["--output", "-o"], help="File (default: standard output).")] = None,
    metric: MetricOption = None,
    reduce: ShownReduce = None,
    store: StoreOption = None,
) -> int:
    """Write the runs of an experiment as CSV, JSON, Markdown, LaTeX or Parquet."""
    from ..api.experiments import export as write

    if format == "parquet":
        from ..errors import UsageError
        from ..experiments.loading import load

        if output is None:
            raise UsageError("Parquet is no text: name a file with --output")
        frame = load(name, metric=metric or (), reduce=reduce, store=store).to_pandas()
        try:
            frame.to_parquet(output)
        except ImportError:
            raise UsageError("Parquet takes pyarrow beside pandas: pip install pyarrow") from None
        return 0
    text = write(name, format, metric or (), reduce, store)
    if output is None:
        sys.stdout.write(text)
        return 0
    try:
        with open(output, "w", encoding="utf-8") as file:
            file.write(text)
    except OSError as error:
        raise SeedwiseError(f"cannot write {output}: {error.strerror}") from None
    return 0


@app.command
def rm(
    name: str,
    /,
    *,
    yes: Annotated[bool, Parameter(negative=(), help="Do it; without, only say what would go.")] = False,
    store: StoreOption = None,
) -> int:
    """Remove an experiment, with its logs and files."""
    from ..api.experiments import remove

    return _say_removal(remove(name, store, really=yes), yes)


@app.command
def prune(
    *,
    yes: Annotated[bool, Parameter(negative=(), help="Do it; without, only say what would go.")] = False,
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


@app.command
def watch(name: str, /, *, store: StoreOption = None) -> int:
    """Follow a run from another terminal until it is done; Ctrl-C leaves it running."""
    import time

    from ..api.summary import summarize_all
    from ..experiments.loading import load
    from ..reports.progress import line_of_progress
    from ..results import Status

    last = ""
    while True:
        results = load(name, store=store)
        line = line_of_progress(results, summarize_all(results))
        if line != last:
            print(line, flush=True)
        last = line
        if not results.having(Status.RUNNING):
            return 3 if results.failed else 0
        time.sleep(1)


@app.command
def demo(
    name: Annotated[str | None, Parameter(help="Which: keras, people, streams.")] = None,
    /,
    *,
    data: Annotated[str | None, Parameter(help="people: the author's own file of training rows.")] = None,
    n: Annotated[
        int, Parameter(name=["-n"], help="people: how many seeds after the six; keras: how many repeats.")
    ] = 30,
    backend: Annotated[str | None, Parameter(help="keras: tensorflow, jax, torch, or theano.")] = None,
) -> int:
    """Run one of the experiments this grew from."""
    from ..demos import run_demo

    return run_demo(name, data=data, n=n, backend=backend)
