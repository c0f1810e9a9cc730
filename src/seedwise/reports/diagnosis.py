"""A diagnosis of starting values in words and tables."""

from collections.abc import Sequence

from ..diagnostics.result import Course, Diagnosis, LayerReport
from ..words import printable
from .page import Block, Line
from .screen import Tone
from .table import Table

_COLUMNS = 24
"""So many characters show the course of the loss."""
_BARS = "▁▂▃▄▅▆▇█"
_SHOWN = 8
"""So many examples that flip are named."""


def diagnosis_sentence(found: Diagnosis) -> str:
    """What was found, in a sentence."""
    seeds = f"{len(found.seeds)} seeds"
    if not found.findings:
        return f"No trouble with starting values was found under {seeds}."
    kinds = list(dict.fromkeys(finding.trouble.value for finding in found.findings))
    return f"Found under {seeds}: {', '.join(kinds)}."


def page_of_diagnosis(found: Diagnosis) -> list[Block]:
    """The sentence, each finding, the layers, the seeds, and what flips."""
    blocks: list[Block] = [Line(found.sentence)]
    blocks += [Line(f"- {printable(finding.sentence)}", Tone.WARNING) for finding in found.findings]
    blocks += [_layers(found.layers)] if found.layers else []
    blocks.append(_courses(found.courses))
    if found.learned_little:
        blocks.append(
            Line(
                "Training gained too little, in a median seed less than a tenth of the loss at the start, to speak of solutions: basins and epochs that are "
                "needed are left out. Train longer, with another rate of learning, or from other starting values."
            )
        )
    elif found.paths:
        highest = max(found.paths, key=lambda path: path.barrier)
        blocks.append(
            Line(
                f"On the straight line between two seeds' solutions the loss rises by at most {highest.barrier * 100:.1f} % of what training gained "
                f"(seeds {highest.seeds[0]} and {highest.seeds[1]}; {len(found.paths)} pair{'' if len(found.paths) == 1 else 's'})."
            )
        )
    return [*blocks, *_agreement(found)]


def _agreement(found: Diagnosis) -> list[Block]:
    a = found.agreement
    if a is None:
        return []
    if not found.labels:
        share = "" if a.share is None else f", {a.share * 100:.1f} % of the squared error"
        return [Line(f"Variance of predictions between seeds: {a.disagreement:.3g}{share} on {found.data} examples.")]
    flips = [f"{k} ({share * 100:.0f} %)" for k, share in zip(a.examples[:_SHOWN], a.agreeing, strict=False)]
    more = " …" if len(a.examples) > _SHOWN else ""
    named = (
        f"; {len(a.examples)} examples flip, most of all (share of seeds that agree): {', '.join(flips)}{more}"
        if flips
        else ""
    )
    return [
        Line(
            f"Two seeds differ on {a.disagreement * 100:.1f} % of the {found.data} examples, beside an error of {a.error * 100:.1f} %{named}."
        )
    ]


def _layers(layers: Sequence[LayerReport]) -> Table:
    """A row for each layer, in the order in which they compute."""
    columns: tuple[str, ...] = ("layer", "units", "gradient at start", "at end", "identical", "dead", "saturated")
    recurrent = any(layer.through_time is not None for layer in layers)
    rows = tuple(
        (
            printable(layer.name),
            str(layer.units),
            _figure(layer.gradient_at_start),
            _figure(layer.gradient_at_end),
            str(layer.identical),
            _per_cent(layer.dead),
            _per_cent(layer.saturated),
            *([_figure(layer.through_time)] if recurrent else []),
        )
        for layer in layers
    )
    if recurrent:
        columns = (*columns, "first / last step")
    return Table(columns, rows, frozenset(range(1, len(columns))), (1, 3, 6))


def _figure(value: float | None) -> str:
    return "–" if value is None else f"{value:.2g}"


def _per_cent(value: float | None) -> str:
    return "–" if value is None else f"{value * 100:.0f} %"


def _courses(courses: Sequence[Course]) -> Table:
    """A row for each seed."""
    top = max((c.losses[0] for c in courses), default=1.0)
    rows = tuple(
        (
            str(c.seed),
            f"{c.losses[0]:.4g}",
            "diverged" if c.diverged else f"{c.losses[-1]:.4g}",
            "–" if c.needed is None else str(c.needed),
            ", ".join(f"{a}–{b}" for a, b in c.flat) or "none",
            _picture(c.losses, top),
        )
        for c in courses
    )
    columns = ("seed", "loss at start", "at end", "epochs needed", "flat", "loss")
    return Table(columns, rows, frozenset({0, 1, 2, 3}), (5, 1), frozenset({5}))


def _picture(losses: Sequence[float], top: float) -> str:
    """The course of a loss, from 0 to `top`."""
    step = max(1, -(-len(losses) // _COLUMNS))
    shown = [value for value in losses[::step] if value == value and abs(value) < float("inf")]
    scale = top if top > 0 else 1.0
    return "".join(_BARS[min(7, max(0, int(value / scale * 7.99)))] for value in shown)
