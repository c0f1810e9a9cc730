"""`seedwise check`."""

import sys
from typing import TYPE_CHECKING, Annotated, Any

from cyclopts import Parameter

from .app import Json, app, print_json

if TYPE_CHECKING:
    from ..determinism import Check


@app.command
def check(
    *command: Annotated[str, Parameter(help="The command, after --: python train.py; or FILE.py:FUNCTION.")],
    seed: Annotated[int | None, Parameter(help="For FILE.py:FUNCTION, or {seed} in the command.")] = None,
    rtol: Annotated[
        float, Parameter(help="Relative difference up to which numbers count as equal to rounding.")
    ] = 1e-4,
    timeout: Annotated[float, Parameter(help="Seconds for each process.")] = 600.0,
    save_trace: Annotated[str | None, Parameter(help="Keep what the first process did, in this file.")] = None,
    against: Annotated[
        str | None, Parameter(help="Compare with such a file: another machine, another version of the code.")
    ] = None,
    measure: Annotated[
        int, Parameter(help="Also measure, over so many reruns, the spread that the uncontrolled source causes.")
    ] = 0,
    ledger: Annotated[bool, Parameter(negative=(), help="Print every random generator.")] = False,
    json: Json = False,
) -> int:
    """Same seed, same result? If not: the cause, the line, and a fix that was tried.

    seedwise check -- python train.py

    The script runs as it is typed, in fresh processes with private files; one thing at a time is changed or held still.
    """
    from ..api.check import check_script
    from ..errors import UsageError

    if not 0 <= rtol < 1:
        raise UsageError(f"--rtol is 0 or more and below 1; got {rtol}")
    if not timeout > 0:
        raise UsageError(f"--timeout is a number of seconds above 0; got {timeout}")
    if measure and measure < 3:
        raise UsageError(f"--measure takes 3 reruns or more; got {measure}")
    if not command:
        raise UsageError("no command: seedwise check -- python train.py")
    try:
        found = check_script(
            command, seed=seed, rtol=rtol, timeout=timeout, save_trace=save_trace, against=against, measure=measure,
            tell=_say,
        )  # fmt: skip
    except ValueError as error:
        raise UsageError(str(error)) from None
    if json:
        print_json(found.as_dict())
    else:
        print("\n".join(_lines(found, ledger)))
    return 0 if found.ok else 1


def _spread(name: str, s: "dict[str, Any]") -> str:
    """How much the uncontrolled source matters, beside the seed."""
    if s["sd"] is None:
        return f"{name}: one run, no spread."
    what = f"between {s['n']} reruns" if s["of"] == "reruns" else "by this change alone"
    text = f"{name} has an SD of {s['sd']:.3g} {what}"
    if s["seed_sd"]:
        text += f", and of {s['seed_sd']:.3g} between {s['seeds']} seeds: {s['sd'] / s['seed_sd'] * 100:.2g} % of it"
    return text + "."


def _say(text: str) -> None:
    if sys.stderr.isatty():
        print(f"\r\033[2K{text} …", end="", file=sys.stderr, flush=True)


def _lines(found: "Check", ledger: bool) -> list[str]:
    from seedwise_guest.randomness.ledger import State

    from ..determinism import short_place, without_place
    from ..reports.table import Table
    from ..reports.words import printable

    if sys.stderr.isatty():
        print("\r\033[2K", end="", file=sys.stderr)
    lines = [printable(found.sentence)]
    if found.difference is not None and found.difference.what:
        lines.append(f"What differs: {printable('; '.join(found.difference.what))}.")
    d = found.divergence
    if d is not None:
        where = f" at {printable(short_place(d.line))}" if d.line else ""
        inside = f" in {printable(d.module)}" if d.module else ""
        reasons = {
            "input": "other numbers went into it",
            "generator": "it was drawn from another state of its generator",
            "kernel": "the same numbers went in and others came out",
            "memory": "it read memory that nothing had written",
            "control": "other operations were done from here on",
        }
        lines.append(f"First in step {d.step + 1}: {printable(d.operation)}{inside}{where}: {reasons[d.reason]}.")
    tried = [t for t in found.perturbations if t.outcome != "not tried"]
    rows = tuple((t.name, t.outcome, printable(t.detail)[:100]) for t in tried)
    lines += ["", Table(("tried", "result", ""), rows).text()]
    left = [f"{t.name} ({t.detail})" for t in found.perturbations if t.outcome == "not tried"]
    if left:
        lines.append(f"Not tried: {printable('; '.join(left))}.")
    entries = [
        e for e in found.ledger
        if ledger or (e["state"] not in (State.SEEDED, State.UNTOUCHED) and (e.get("made_at") or e.get("drawn_at")))
    ]  # fmt: skip
    if entries:
        cells = tuple(
            (
                printable(without_place(str(e["generator"]))), str(e["state"]), printable(", ".join(map(short_place, e.get("seeded_at") or ()))),
                printable(short_place(str(e.get("drawn_at") or e.get("made_at") or ""))),
            )
            for e in entries
        )  # fmt: skip
        lines += ["", Table(("generator", "state", "seeded at", "made or first drawn at"), cells).text()]
    for name, spread in found.measured.items():
        if isinstance(spread, str):
            lines.append(f"Note: {spread}.")
        else:
            lines.append(_spread(printable(name), spread))
    lines += [f"Note: {printable(note)}." for note in found.notes]
    return lines
