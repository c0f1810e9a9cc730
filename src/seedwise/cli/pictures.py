"""`seedwise plot`: a picture for a paper; `seedwise report`: everything on one page."""

import re
from dataclasses import dataclass
from typing import Annotated, Literal

from cyclopts import Parameter

from .app import (
    BY_NAME,
    NOT_ACROSS,
    AcrossTasks,
    InTable,
    Json,
    MetricOption,
    StoreOption,
    app,
    refuse,
)
from .drawn import AS_NAMED, Asked, Where, read
from .groups import LOOKING, PRINTED, TASKS
from .methods import print_methods
from .printing import print_json, write_file
from .sides import named_or_newest, print_notes

_UNITS = {"in": 72.0, "cm": 72 / 2.54, "mm": 72 / 25.4, "pt": 1.0}


@Parameter(name="*")
@dataclass(frozen=True)
class Looks:
    """How the picture looks."""

    width: Annotated[str, Parameter(group=PRINTED, help="How wide: 3.25in, 82mm, 6.75in.")] = "3.25in"
    title: Annotated[str, Parameter(group=PRINTED, help="A title above the picture (default: none, as in papers).")] = (
        ""
    )


AS_IN_PAPERS = Looks()


Sides = Annotated[
    str, Parameter(help="NAME…: experiments, families or files with scores (default: the newest experiment).")
]
_KINDS = Literal[
    "dots", "curves", "ecdf", "histogram", "compare", "pairs", "lottery", "profile", "tasks", "improvement", "ranks"
]


@app.command(group=LOOKING)
def plot(
    *sides: Sides,
    output: Annotated[
        str, Parameter(name=["--output", "-o"], group=PRINTED, help="The file: .pdf, .svg, .png or .json.")
    ],
    kind: Annotated[
        _KINDS | None, Parameter(help="Which picture (default: dots; compare for two; tasks over tasks).")
    ] = None,
    looks: Looks = AS_IN_PAPERS,
    metric: MetricOption = None,
    where: Where = AS_NAMED,
    across: AcrossTasks = NOT_ACROSS,
    table: InTable = BY_NAME,
    json: Json = False,
    store: StoreOption = None,
) -> int:
    """Draw a picture for a paper, 3.25 inches wide, and print its caption.

    seedwise plot base --kind curves -o fig.pdf

    seedwise plot new base -o difference.pdf

    seedwise plot atari.csv --by agent --task game --normalise atari --kind profile -o profile.pdf
    """
    from dataclasses import replace

    from ..api.pictures import plot as picture_of
    from ..reports.pictures.kinds import Kind, kind_named
    from ..reports.pictures.picture import Picture, ending_of

    ending_of(output)
    points = points_of(looks.width)
    name = one_metric(metric)
    names = sides or (named_or_newest(None, store),)
    chosen = None if kind is None else kind_named(kind)
    found = read(
        Asked(names, metric or (), where, table.layout(), across, store),
        brief=chosen is not Kind.CURVES,
        nemenyi=chosen is Kind.RANKS,
    )
    if chosen is Kind.CURVES and found.by_step is not None:
        picture = Picture(found.by_step)
    elif found.tasks is not None:
        picture = picture_of(found.tasks, chosen)
    else:
        groups = found.groups if len(found.groups) > 1 else next(iter(found.groups.values()))
        picture = picture_of(groups, chosen, metric=name, level=where.level, rng=where.rng)
    picture = Picture(picture.info, replace(picture.style, title=looks.title, width=points))
    picture.save(output)
    if json:
        print_json({"file": output, "kind": picture.kind, "caption": picture.caption, "data": picture.data})
    else:
        print(picture.caption)
    print_notes(found.notes, True)
    return 0


def one_metric(metric: list[str] | None) -> str | None:
    """The name of the one metric that was asked for. Raises UsageError for several."""
    from ..errors import UsageError

    if metric and len(metric) > 1:
        raise UsageError("a picture shows one metric: name one --metric")
    return first_metric(metric)


def first_metric(metric: list[str] | None) -> str | None:
    """The name of the first metric that was asked for."""
    from ..metrics.choose import parse_metric

    return parse_metric(metric[0]).name if metric else None


_NARROWEST, _WIDEST = 72.0, 72.0 * 40


def points_of(width: str) -> float:
    """A width such as `3.25in` in points. Raises UsageError."""
    from ..errors import UsageError

    found = re.fullmatch(r"\s*(\d+(?:\.\d*)?|\.\d+)\s*(in|cm|mm|pt)\s*", width)
    points = float(found[1]) * _UNITS[found[2]] if found else 0.0
    if not _NARROWEST <= points <= _WIDEST:
        raise UsageError(
            f"--width takes a number with its unit, from 1in to 40in: 3.25in, 82mm, 8.2cm, 234pt; got {width!r}"
        )
    return points


@app.command(group=LOOKING)
def report(
    *sides: Sides,
    output: Annotated[
        str | None,
        Parameter(
            name=["--output", "-o"],
            group=PRINTED,
            help="The page (default: report.html); with --methods .tex, .md, .txt or .json.",
        ),
    ] = None,
    methods: Annotated[
        bool,
        Parameter(
            negative=(),
            show_default=False,
            help="Instead: the paragraph for a paper, and the answers to a checklist's questions.",
        ),
    ] = False,
    nemenyi: Annotated[
        bool,
        Parameter(
            negative=(), group=TASKS, show_default=False, help="Over tasks: also the critical-difference diagram."
        ),
    ] = False,
    metric: MetricOption = None,
    where: Where = AS_NAMED,
    across: AcrossTasks = NOT_ACROSS,
    table: InTable = BY_NAME,
    json: Json = False,
    store: StoreOption = None,
) -> int:
    """Write everything that is known on one page, which works offline: pictures, numbers, logs, environment.

    seedwise report base -o report.html

    seedwise report new base -o comparison.html

    seedwise report new base --methods -o methods.tex
    """
    from ..api.report import page_of_results, page_of_tasks
    from ..reports.html.writing import data_of, render

    names = sides or (named_or_newest(None, store),)
    if methods:
        refuse({"--nemenyi": nemenyi, **across.typed(), **table.layout().typed()}, "--methods is about what was run")
        refuse({"--by": where.by, "--task": where.task}, "--methods is about what was run")
        return print_methods(names, metric or (), where, output, json, store)
    output = output or "report.html"
    check_page(output)
    found = read(Asked(names, metric or (), where, table.layout(), across, store), brief=False, nemenyi=nemenyi)
    if found.tasks is not None:
        page = page_of_tasks(
            found.tasks, title=", ".join(names), task=where.task, notes=found.notes, by_step=found.by_step
        )
    else:
        refuse({"--nemenyi": nemenyi}, "it is for several tasks: --task COLUMN names them")
        page = page_of_results(
            found.groups, metric=first_metric(metric), level=where.level, rng=where.rng, notes=found.notes, store=store
        )
    write_file(output, render(page))
    if json:
        print_json({"file": output, "title": page.title, "sentence": page.sentences[0], **data_of(page)})
    else:
        print(page.sentences[0])
        print(f"The report is in {output}: open it in a browser.")
    print_notes(found.notes, True)
    return 3 if any(of.failed for of in found.groups.values()) else 0


def check_page(path: str) -> None:
    """Raises UsageError for a file that is no page."""
    import os

    from ..errors import UsageError

    if os.path.splitext(path)[1].lower() not in (".html", ".htm"):
        raise UsageError(
            f"a report is a page: -o report.html; got {path} (seedwise show -o writes tables, plot -o pictures)"
        )
