"""What a paper has to say of its runs: a paragraph, a table, and the answers to a reproducibility checklist's questions."""

import re
from collections.abc import Sequence
from dataclasses import dataclass

from ..decisions import Comparison, Ranking
from ..results import Summary
from ..words import duration, half_width, number, places_for, printable, seed_list
from .decisions import p_text, percent, places_of, signed
from .formats import Format
from .latex import escaped, to_latex
from .page import Line, lay_out
from .paper import mean_on_paper, note_on_paper
from .screen import Screen
from .table import Table, to_markdown

_TYPED = re.compile("`([^`]*)`")


@dataclass(frozen=True)
class Ran:
    """What the store knows of one experiment, as a methods section needs it."""

    name: str
    command: str
    seeds: tuple[int, ...]
    finished: int
    failed: int
    open: int
    causes: tuple[str, ...]
    rule: str
    """The rule that stopped adding seeds; "" if there was none."""
    commands: int
    """How many commands asked for its seeds."""
    sites: tuple[str, ...]
    varied: tuple[str, ...]
    """Other sources that varied with the seed."""
    threads: str
    python: str
    packages: tuple[str, ...]
    machine: str
    seconds: float
    each: float | None
    """Mean seconds of a finished run."""
    summaries: tuple[Summary, ...]


@dataclass(frozen=True)
class Methods:
    """Everything that is said."""

    ran: tuple[Ran, ...]
    compared: Comparison | Ranking | None
    project_seconds: float
    """The seconds of every run in the store, of all experiments."""
    version: str

    @property
    def paragraph(self) -> str:
        """The paragraph for the paper."""
        return " ".join(
            part for part in [*map(_of_one, self.ran), _interval(self), _comparison(self), _compute(self)] if part
        )

    def as_dict(self) -> dict[str, object]:
        """Plain values, for JSON."""
        return {
            "paragraph": self.paragraph,
            "checklist": [{"question": question, "answer": answer} for question, answer in checklist(self)],
            "experiments": [_as_dict(one) for one in self.ran],
            "hours": sum(one.seconds for one in self.ran) / 3600,
            "project_hours": self.project_seconds / 3600,
        }


def _as_dict(ran: Ran) -> dict[str, object]:
    plain = {name: getattr(ran, name) for name in ran.__dataclass_fields__}
    return {**plain, "seeds": list(ran.seeds), "summaries": [s.as_dict() for s in ran.summaries]}


def _of_one(ran: Ran) -> str:
    """Seeds asked for, finished, failed; when one stopped; where the seed went."""
    n = len(ran.seeds)
    text = f"{ran.name} (`{ran.command}`) was run under {n} seed{'s' if n != 1 else ''} ({seed_list(ran.seeds)})"
    rest = []
    if ran.failed:
        rest.append(f"{ran.failed} failed ({'; '.join(ran.causes)})")
    if ran.open:
        rest.append(f"{ran.open} did not end")
    text += (
        f", of which {ran.finished} finished"
        + (f" and {' and '.join(rest)}; results are among finished runs" if rest else "")
        + "."
    )
    text += f" {_stopped(ran)}"
    if ran.sites:
        text += f" The seed took the place of the number typed at {', '.join(ran.sites[:4])}."
    if ran.varied:
        text += f" With it varied: {', '.join(ran.varied)}."
    return text


def _stopped(ran: Ran) -> str:
    if ran.rule:
        return f"Seeds were added until {ran.rule}."
    if ran.commands == 1:
        return "All seeds were asked for by one command, before any result was known."
    return f"Seeds were run by {ran.commands} commands, without a stopping rule [say whether all were planned at first, or results were looked at in between]."


def _interval(m: Methods) -> str:
    shown = [(ran, ran.summaries[0]) for ran in m.ran if ran.summaries and ran.summaries[0].mean is not None]
    if not shown:
        return ""
    parts = []
    for ran, s in shown:
        k = places_for(s)
        half = half_width(s)
        who = f" of {ran.name}" if len(m.ran) > 1 else ""
        parts.append(
            f"{s.label}{who} is {number(s.mean, k)}"
            + (f" ± {number(half, k)}" if half is not None else "")
            + f" (n = {s.finished}, SD {number(s.sd, k)})"
        )
    methods = dict.fromkeys(f"{percent(s.level)} {s.method}" for _, s in shown if s.interval is not None)
    said = f", where ± is the half-width of the {' or the '.join(methods)} of the mean over seeds" if methods else ""
    return f"{'; '.join(parts)}{said}."


def _comparison(m: Methods) -> str:
    if m.compared is None:
        return ""
    if isinstance(m.compared, Ranking):
        return f"All {len(m.compared.pairs)} pairs were compared by a studentised permutation test with Holm's adjustment: {m.compared.sentence}"
    c = m.compared
    k = places_of((c.new, c.base), c.interval)
    between = (
        ""
        if c.interval is None
        else f", {percent(c.level)} interval {number(c.interval[0], k)} to {number(c.interval[1], k)} ({c.method})"
    )
    paired = f"paired by seed ({c.pairs} pairs)" if c.pairs is not None else "unpaired"
    test = (
        f"; studentised permutation test, two-sided, {paired}, {p_text(c.p_value)}"
        if c.p_value is not None
        else f"; {paired}"
    )
    low, high = c.probability_interval
    return (
        f"The difference in mean {c.metric}, {c.new.name} minus {c.base.name}, is {signed(c.difference, k)}{between}{test}; the probability that a run of "
        f"{c.new.name} is better is {c.probability_of_improvement:.2f} ({low:.2f} to {high:.2f}); decision: {c.decision}."
    )


def hours(seconds: float) -> str:
    """Seconds as hours, with two digits; less than an hour also as it is read."""
    return f"{seconds / 3600:.2g} h" + (f" ({duration(seconds)})" if seconds < 3600 else "")


def _compute(m: Methods) -> str:
    """Threads, machine, versions; compute in hours."""
    first = m.ran[0]
    threads = list(dict.fromkeys(ran.threads for ran in m.ran))
    machines = list(dict.fromkeys(ran.machine for ran in m.ran if ran.machine))
    pythons = list(dict.fromkeys(ran.python for ran in m.ran))
    packages = ", ".join(first.packages[:12]) + (" …" if len(first.packages) > 12 else "")
    total = sum(ran.seconds for ran in m.ran)
    where = f" on {' and '.join(machines)}" if machines else " [machine: not noted]"
    each = f", {duration(first.each)} each" if first.each is not None and len(m.ran) == 1 else ""
    text = f"Each run had {' or '.join(threads)}{where}, with Python {' and '.join(pythons)}{f' and {packages}' if packages else ''}."
    if total:
        text += f" The runs took {hours(total)} in all{each}"
        text += f"; all runs of the project {hours(m.project_seconds)}." if m.project_seconds > total * 1.001 else "."
    return f"{text} Runs and statistics: Seedwise {m.version}."


def checklist(m: Methods) -> list[tuple[str, str]]:
    """Questions of reproducibility checklists (Pineau et al. 2021; the NeurIPS paper checklist), with answers from the store."""
    first = m.ran[0]
    summary = first.summaries[0] if first.summaries else None
    how = (
        ""
        if summary is None or summary.interval is None
        else f"{percent(summary.level)} {summary.method} of the mean over seeds"
    )
    varies = "; ".join(
        f"{ran.name}: "
        + (", ".join(["the seed" + (f" at {', '.join(ran.sites[:4])}" if ran.sites else ""), *ran.varied]))
        for ran in m.ran
    )
    assumed = {
        "t interval": "runs are independent, and their scores are roughly normal or many",
        "Clopper-Pearson interval": "runs are independent; no other assumption",
    }.get(summary.method if summary else "", "runs are independent")
    counted = "; ".join(
        f"{ran.name}: {ran.finished} of {len(ran.seeds)} finished, {ran.failed} failed" for ran in m.ran
    )
    test = "none was made"
    if isinstance(m.compared, Comparison):
        test = f"{m.compared.method} interval and studentised permutation test, two-sided, {'paired by seed' if m.compared.pairs is not None else 'unpaired'}"
    elif m.compared is not None:
        test = "studentised permutation tests of all pairs, two-sided, adjusted by Holm"
    total = sum(ran.seconds for ran in m.ran)
    return [
        ("How many runs are there, and is any left out?", f"{counted}; means are among finished runs"),
        ("Was the number of runs fixed beforehand?", "; ".join(f"{ran.name}: {_stopped(ran)[:-1]}" for ran in m.ran)),
        ("What varies between the runs?", varies),
        ("What are the error bars?", how or "there are none: one run, or no spread"),
        (
            "Is it the standard deviation or the standard error?",
            "neither: it is an interval; SD between seeds stands beside it",
        ),
        ("What is assumed?", assumed),
        ("Which statistical test was made?", test),
        (
            "On what did it run?",
            "; ".join(dict.fromkeys(f"{ran.machine or 'not noted'}, {ran.threads}" for ran in m.ran)),
        ),
        ("Which versions?", f"Python {first.python}; {', '.join(first.packages) or 'no packages were loaded'}"),
        ("How long did each run take, and all of them?", f"{_each(m)}; in all {hours(total)}"),
        (
            "How much compute did the whole project take?",
            f"{hours(m.project_seconds)}, counting every run in the store, failed ones too",
        ),
        ("How is a run made again?", "; ".join(ran.command for ran in m.ran)),
    ]


def _each(m: Methods) -> str:
    return "; ".join(
        f"{ran.name}: {duration(ran.each)} each" if ran.each is not None else f"{ran.name}: not known" for ran in m.ran
    )


def summaries_on_paper(m: Methods) -> Table | None:
    """Mean ± of each metric of each experiment, as a paper has it."""
    rows = []
    for ran in m.ran:
        for s in ran.summaries:
            if s.mean is None:
                continue
            k = places_for(s)
            counted = str(s.n) if s.finished == s.n else f"{s.finished} of {s.n}"
            rows.append((ran.name, s.label, counted, mean_on_paper(s.mean, s.interval, k), number(s.sd, k)))
    shown = [s for ran in m.ran for s in ran.summaries]
    if not rows:
        return None
    return Table(
        ("experiment", "metric", "n", "mean", "SD"),
        tuple(rows),
        frozenset({3, 4}),
        note=note_on_paper(shown[0].level, shown[0].method),
    )


def checklist_table(m: Methods) -> Table:
    """Questions and answers."""
    return Table(("question", "answer"), tuple(checklist(m)), shorten={})


def methods_written(m: Methods, format: Format, screen: Screen | None = None) -> str:
    """The paragraph, the table and the answers, as text, Markdown or LaTeX."""
    summaries = summaries_on_paper(m)
    if format is Format.LATEX:
        parts = [_TYPED.sub(r"\\texttt{\1}", escaped(_clean(m.paragraph))) + "\n"]
        if summaries is not None:
            said = [f"Note: {summaries.note}", r"These tables need \usepackage{booktabs}."]
            parts.append(to_latex(summaries.columns, _cleaned(summaries), summaries.numeric, said))
        answers = [r"\begin{description}"]
        answers += [rf"\item[{escaped(_clean(q))}] {escaped(_clean(a))}" for q, a in checklist(m)]
        parts.append("\n".join([*answers, r"\end{description}", ""]))
        return "\n".join(parts)
    if format is Format.MARKDOWN:
        parts = [_clean(m.paragraph) + "\n"]
        if summaries is not None:
            parts += [to_markdown(summaries.columns, _cleaned(summaries)), summaries.note + "\n"]
        return "\n".join([*parts, "".join(f"- **{_clean(q)}** {_clean(a)}\n" for q, a in checklist(m))])
    blocks: list[Line | Table] = [Line(_clean(m.paragraph))]
    if summaries is not None:
        blocks += [
            Table(summaries.columns, tuple(map(tuple, _cleaned(summaries))), summaries.numeric),
            Line(summaries.note),
        ]
    blocks += [Line(""), *(Line(f"{_clean(q)} {_clean(a)}.") for q, a in checklist(m))]
    return lay_out(blocks, screen) + "\n"


def _clean(text: str) -> str:
    return printable(text)


def _cleaned(table: Table) -> Sequence[Sequence[str]]:
    return [[printable(cell) for cell in row] for row in table.rows]
