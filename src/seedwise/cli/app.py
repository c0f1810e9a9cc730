"""The commands. Each returns its exit code: 0 done, 1 the answer is no, 2 wrong use, 3 some seeds failed, 130 interrupted."""

import io
import json
import os
import shutil
import sqlite3
import sys
from collections.abc import Sequence
from typing import TYPE_CHECKING, Annotated, Any, Literal

from cyclopts import App, Parameter

from ..errors import SeedwiseError

if TYPE_CHECKING:
    from ..api.experiments import Removal
    from ..api.script import Outcome
    from ..results import Results, Summary

app = App(
    name="seedwise",
    help="What does the random seed do to your training run? Control it, vary it, and say what the numbers mean.",
    version_flags=["--version"],
    suppress_keyboard_interrupt=False,  # `start` says what became of it
)

_Flag = Parameter(negative=())
Json = Annotated[bool, Parameter(name="--json", negative=(), help="Print JSON and nothing else on standard output.")]
StoreOption = Annotated[
    str | None, Parameter(name="--store", help="Folder of the store (default: the nearest .seedwise).")
]
MetricOption = Annotated[
    list[str] | None,
    Parameter(
        name="--metric",
        negative=(),
        help="A metric: NAME, NAME:min, NAME:max or NAME=REGEX. Repeat for several.",
    ),
]
ReduceOption = Annotated[
    Literal["last", "best", "mean"],
    Parameter(name="--reduce", help="Which value of a series of one run counts."),
]

ShownReduce = Annotated[
    Literal["last", "best", "mean"] | None,
    Parameter(name="--reduce", help="Which value of a series of one run counts (default: as when it was run)."),
]


def start(arguments: Sequence[str]) -> int:
    """Run one command; errors become a line and an exit code, never a traceback."""
    from . import check as checking  # noqa: F401 (their commands)
    from . import statistics as questions

    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="replace")  # a terminal without ± must not end in a traceback
    try:
        result = app(list(arguments), result_action="return_value")
        sys.stdout.flush()
    except SeedwiseError as error:
        _fail(str(error))
        return 2
    except KeyboardInterrupt:
        _fail("interrupted; nothing is left running, and the runs that `seedwise list` shows are saved")
        return 130
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())  # the reader has seen enough
        return 0
    except sqlite3.Error as error:
        _fail(
            f"the store cannot be read or written ({error}); what was saved before is left as it is, logs and files too"
        )
        return 2
    except OSError as error:
        _fail(f"{error.strerror or error}{f': {error.filename}' if error.filename else ''}; what was finished is saved")
        return 2
    except Exception as error:
        if os.environ.get("SEEDWISE_TRACEBACK"):
            raise
        _fail(
            f"a fault in Seedwise itself: {type(error).__name__}: {error}; SEEDWISE_TRACEBACK=1 shows where. Please report it"
        )
        return 2
    return result if isinstance(result, int) else 0


def _fail(text: str) -> None:
    from ..reports.words import printable

    for k, line in enumerate(text.splitlines() or [""]):
        print(f"{'seedwise: ' if k == 0 else '  '}{printable(line)}", file=sys.stderr)


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


@app.command
def run(
    *command: Annotated[str, Parameter(help="The command, after --: python train.py")],
    n: Annotated[int | None, Parameter(name=["-n", "--number"], help="Seeds 1 … n; a larger n adds seeds.")] = None,
    seeds: Annotated[str | None, Parameter(help="The seeds themselves: 0,3,5 or 1-30.")] = None,
    name: Annotated[str | None, Parameter(help="Name of the experiment (default: the script's).")] = None,
    metric: MetricOption = None,
    reduce: ReduceOption = "last",
    jobs: Annotated[
        int | None, Parameter(name=["--jobs", "-j"], help="Runs at a time (default: cores / threads).")
    ] = None,
    threads: Annotated[str, Parameter(help="Threads of each run, or `script` to leave its own.")] = "1",
    keep: Annotated[
        list[str] | None, Parameter(negative=(), help="Leave a seed site as typed: train.py:12, or split.")
    ] = None,
    seed_site: Annotated[
        str | None,
        Parameter(help="Where the number stands: train.py:3, or conf.yaml:seed in a configuration file."),
    ] = None,
    as_is: Annotated[bool, Parameter(negative=(), help="The script loops over its seeds itself: run it once.")] = False,
    share: Annotated[list[str] | None, Parameter(negative=(), help="A file or folder that all runs share.")] = None,
    workdir: Annotated[
        Literal["auto", "overlay", "farm", "sequential", "shared"],
        Parameter(help="How runs are kept from sharing files."),
    ] = "auto",
    accept_change: Annotated[bool, Parameter(negative=(), help="Go on though code or packages have changed.")] = False,
    fresh: Annotated[
        bool,
        Parameter(
            negative=(), help="Start an interpreter for each run; by default runs are forked where that gives the same."
        ),
    ] = False,
    isolate_network: Annotated[
        bool,
        Parameter(negative=(), help="A network of its own for each run: its loopback, and no port of another run."),
    ] = False,
    set: Annotated[
        list[str] | None, Parameter(negative=(), help="A setting of a function: lr=0.1. Repeat for several.")
    ] = None,
    timeout: Annotated[float | None, Parameter(help="Seconds after which a run is ended and counts as failed.")] = None,
    retries: Annotated[int, Parameter(help="How often a failed run is tried again at once.")] = 0,
    fail_fast: Annotated[bool, Parameter(negative=(), help="Start no further run after the first that fails.")] = False,
    gpus: Annotated[str | None, Parameter(help="GPUs to be used, 0,1: each run sees one of them.")] = None,
    nice: Annotated[int, Parameter(help="By how much runs step back for other work, 0 to 19.")] = 0,
    against: Annotated[
        str | None,
        Parameter(help='Another command, "python other.py": the two alternate seed by seed, and are compared.'),
    ] = None,
    until_margin: Annotated[
        float | None, Parameter(help="Stop when the mean is known to ± this; looks after every seed, validly.")
    ] = None,
    max_seeds: Annotated[int | None, Parameter(help="With --until-margin: at most so many seeds.")] = None,
    until_rule: Annotated[
        Literal["sequence", "stein", "betting"],
        Parameter(help="t confidence sequence, Stein's two stages, or betting for declared --bounds."),
    ] = "sequence",
    bounds: Annotated[str | None, Parameter(help="With --until-rule betting: 0,1.")] = None,
    store: StoreOption = None,
    json: Json = False,
) -> int:
    """Run an unmodified script, or a function, under many seeds.

    seedwise run -n 30 -- python train.py

    seedwise run -n 30 train.py:train --set lr=0.1
    """
    from ..api.script import execute, execute_against, make_options, make_until
    from ..errors import UsageError
    from ..experiments.functions import is_call
    from ..metrics.choose import parse_metric
    from ..reports.live import showing
    from ..results import Reduce, parse_seeds

    if threads != "script" and not threads.isdigit():
        raise UsageError(f"--threads takes a number or `script`; got {threads!r}")
    options = make_options(
        as_is=as_is, keep=keep or (), seed_site=seed_site, threads=None if threads == "script" else int(threads), jobs=jobs,
        workdir=workdir, share=share or (), accept_change=accept_change,
        fresh=fresh, isolate_network=isolate_network, timeout=timeout, retries=retries, fail_fast=fail_fast,
        gpus=gpus.split(",") if gpus else (), nice=nice,
    )  # fmt: skip
    if set:
        if not is_call(command):
            raise UsageError("--set is for a function, FILE.py:FUNCTION; a script takes its settings after --")
        command = (*command, *[word for text in set for word in ("--set", text)])
    if as_is and (n is not None or seeds is not None):
        raise UsageError("--as-is runs the script once, with the seeds that it loops over: leave out -n and --seeds")
    if n is not None and seeds is not None:
        raise UsageError("-n or --seeds, not both")
    if n is not None and n < 1:
        raise UsageError(f"-n is the number of seeds, at least 1; got {n}")
    if n is not None and n > 10_000_000:
        raise UsageError(f"-n {n}: the most is ten million seeds")
    until = make_until(until_margin, until_rule, _bounds(bounds))
    if until is not None:
        if n is not None:
            raise UsageError("with --until-margin the most is --max-seeds; -n is a number that is fixed beforehand")
        if max_seeds is None and seeds is None:
            raise UsageError("--until-margin needs an end: --max-seeds 200")
        if against is not None:
            raise UsageError(
                "--until-margin is for one command; two are run on with `seedwise compare --until-decided`"
            )
        n = None if seeds is not None else max_seeds
    elif max_seeds is not None:
        raise UsageError("--max-seeds goes with --until-margin; a fixed number is -n")
    if n is None and seeds is None and not as_is:
        raise UsageError("how many seeds? -n 30, or --seeds 0,3,5")
    chosen = parse_seeds(seeds) if seeds is not None else list(range(1, (n or 1) + 1))
    asked = [parse_metric(text, Reduce(reduce)) for text in metric or ()]
    with showing(quiet=False, prefer=asked[0].name if asked else None) as live:
        if against is not None:
            both = execute_against(command, _words(against), chosen, options, name, asked, Reduce(reduce), store, live)
            return _report_both(both, json)
        outcome = execute(command, chosen, options, name, asked, Reduce(reduce), store, live, brief=True, until=until)
    report(outcome.results, json)
    return _exit_code(outcome)


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
    from .statistics import compare_results

    compared = compare_results([one.results for one in both])
    if as_json:
        print_json(
            {
                "experiments": [_as_dict(one.results) for one in both],
                "comparison": None if compared is None else compared.as_dict(),
            }
        )
    else:
        for one in both:
            report(one.results, False)
            print()
        if compared is not None:
            print(compared.sentence)
    return max(_exit_code(one) for one in both)


def _exit_code(outcome: "Outcome") -> int:
    if outcome.interrupted:
        return 130
    return 3 if outcome.results.failed or not outcome.complete else 0


def report(results: "Results", as_json: bool, summaries: "dict[str, Summary] | None" = None) -> None:
    """Print what there is to say about an experiment."""
    from ..api.summary import summarize_all
    from ..reports.report import lines_of_report

    summaries = summarize_all(results) if summaries is None else summaries
    if as_json:
        print_json(_as_dict(results))
        return
    width = shutil.get_terminal_size().columns if sys.stdout.isatty() else None
    print("\n".join(lines_of_report(results, summaries, width)))


def _as_dict(results: "Results") -> dict[str, Any]:
    from ..api.summary import summarize_all

    return {
        "name": results.name,
        "key": results.key,
        "command": list(results.command),
        "seeds": list(results.seeds),
        "finished": len(results.finished),
        "failed": len(results.failed),
        "failures": [{"seed": run.seed, "cause": run.cause, "detail": run.detail} for run in results.failed],
        "sites": [dict(site) for site in results.sites],
        "metrics": {name: summary.as_dict() for name, summary in summarize_all(results).items()},
        "left_out": dict(results.left_out),
        "warnings": list(results.warnings),
        "notes": list(results.notes),
        "forked": sum(run.forked for run in results.finished),
        "forking": results.forking,
    }


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
    from ..reports.words import printable

    rows = listing(store)
    if json:
        print_json(rows)
        return 0
    if not rows:
        print("no experiments yet: seedwise run -n 30 -- python train.py")
        return 0
    cells = tuple(
        (
            r["name"],
            r["key"],
            str(r["n"]),
            str(r["finished"]),
            str(r["failed"]),
            printable(" ".join(r["command"]))[:80],
        )
        for r in rows
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
    store: StoreOption = None,
    json: Json = False,
) -> int:
    """Report on an experiment: NAME, or NAME@2 for an older one."""
    from ..experiments.loading import load

    results = load(name, metric=metric or (), reduce=reduce, store=store, brief=True)
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
def resume(
    name: str,
    /,
    *,
    failed: Annotated[bool, Parameter(negative=(), help="Run the failed seeds again too.")] = False,
    jobs: Annotated[int | None, Parameter(name=["--jobs", "-j"])] = None,
    store: StoreOption = None,
    json: Json = False,
) -> int:
    """Run what an interrupted experiment has not finished."""
    from ..api.experiments import resume as go_on
    from ..reports.live import showing

    with showing() as live:
        outcome = go_on(name, jobs, store, live, failed)
    report(outcome.results, json)
    return _exit_code(outcome)


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
    from ..results import Status

    last = ""
    while True:
        results = load(name, store=store)
        counts = {s: len(results.having(s)) for s in Status}
        means = [f"{m} {v.mean:.4g}" for m, v in summarize_all(results).items() if v.mean is not None][:3]
        line = ", ".join(f"{k} {s}" for s, k in counts.items() if k) + ("; mean " + ", ".join(means) if means else "")
        if line != last:
            print(line, flush=True)
        last = line
        if not counts[Status.RUNNING]:
            return 3 if counts[Status.FAILED] else 0
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
