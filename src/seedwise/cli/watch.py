"""`seedwise watch`: follow runs from another terminal, line by line or on a page."""

from typing import Annotated

from cyclopts import Parameter

from .app import MetricOption, StoreOption, app, refuse
from .groups import RUNNING

Page = Annotated[
    bool,
    Parameter(
        name="--web",
        negative=(),
        show_default=False,
        help="Serve a page on this machine on which everything is seen as it comes (as `report` writes it).",
    ),
]
Port = Annotated[int | None, Parameter(help="With --web: the port (default: one that is free).")]


@app.command(group=RUNNING)
def watch(
    name: Annotated[str, Parameter(help="The experiment that is being run.")],
    /,
    *more: Annotated[str, Parameter(help="With --web: further experiments, compared with the first.")],
    web: Page = False,
    port: Port = None,
    metric: MetricOption = None,
    store: StoreOption = None,
) -> int:
    """Follow a run from another terminal until it is done (with --web: until Ctrl-C); Ctrl-C leaves it running.

    seedwise watch base --web

    From elsewhere: ssh -L 8000:127.0.0.1:8000 HOST, there seedwise watch base --web --port 8000
    """
    if not web:
        refuse({"--port": port, "--metric": metric or None, " ".join(more): bool(more)}, "it is for the page of --web")
    try:
        return _serve((name, *more), port, tuple(metric or ()), store) if web else _print_lines(name, store)
    except KeyboardInterrupt:
        import sys

        print("No longer watched; the runs go on.", file=sys.stderr)
        return 130


def _serve(names: tuple[str, ...], port: int | None, metric: tuple[str, ...], store: str | None) -> int:
    import sys

    from ..web.following import Asked
    from ..web.serving import serve

    def say(address: str) -> None:
        print(f"The page is at {address}", flush=True)
        print("Whoever knows this address can look. Ctrl-C ends the page; the runs go on.", file=sys.stderr, flush=True)

    serve(Asked(names, metric, store=store), port or 0, say)
    return 0


def _print_lines(name: str, store: str | None) -> int:
    """A line whenever something has changed, until nothing runs."""
    import time

    from ..api.summary import summarize_all
    from ..experiments.loading import load
    from ..reports.standing import line_of_progress
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
