"""A page with commands and what they print: the commands are run again, and what they print is held against the page.

A block ```` ```console ```` has lines that begin with `$ `, each followed by what that command printed. A line `…` stands
for any lines, and ` …` at the end of a line for the rest of it. A block ```` ```python ```` is a program; a block
```` ```text ```` behind it is what it printed. Durations, and which seeds were run both ways, differ from place to place, and are not compared.
"""

import os
import re
import shlex
import subprocess
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

_BLOCK = re.compile(r"^```(console|python|text)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
_DURATION = re.compile(r"\b[0-9.]+ s\b")
_FORKED = re.compile(
    r"\d+ of \d+ runs? (was|were) forked; compared with fresh ones under seeds? [\d, and]+: the same\."
)
_ANY = "…"


@dataclass(frozen=True)
class Step:
    """One command as words, what was typed, and the lines that the page shows below it."""

    words: tuple[str, ...]
    typed: str
    shown: tuple[str, ...]


def steps_of(page: str) -> Sequence[Step]:
    """The commands and programs of a page of Markdown, in their order."""
    steps: list[Step] = []
    for kind, body in _BLOCK.findall(page):
        if kind == "console":
            for part in re.split(r"^\$ ", body, flags=re.MULTILINE)[1:]:
                typed, *shown = part.splitlines()
                steps.append(Step(tuple(shlex.split(typed)), typed, tuple(shown)))
        elif kind == "python":
            steps.append(Step(("python", "-c", body), body, ()))
        elif steps and steps[-1].words[:2] == ("python", "-c"):
            steps[-1] = Step(steps[-1].words, steps[-1].typed, tuple(body.splitlines()))
    return steps


def play(steps: Sequence[Step], folder: Path) -> Iterator[tuple[Step, str]]:
    """Run the steps in a folder, one after another. Gives each with what it printed on standard output.

    Raises RuntimeError for a command that ends otherwise than with 0, with what it wrote to standard error.
    """
    environment = {name: value for name, value in os.environ.items() if not name.startswith("SEEDWISE")}
    environment["PATH"] = os.pathsep.join((str(Path(sys.executable).parent), environment.get("PATH", "")))
    for step in steps:
        done = subprocess.run(
            step.words, cwd=folder, env=environment, capture_output=True, encoding="utf-8", check=False, timeout=300
        )
        if done.returncode:
            raise RuntimeError(f"$ {step.typed}\n{done.stdout}{done.stderr}")
        yield step, done.stdout


def differs(shown: Sequence[str], printed: str) -> str | None:
    """What of the lines on a page was not printed; None where all of it was."""
    pattern = ""
    printed = "".join(f"{line}\n" for line in printed.rstrip("\n").splitlines() if not _FORKED.fullmatch(line))
    for line in shown:
        if _FORKED.fullmatch(line):
            continue
        if line == _ANY:
            pattern += r"(?:.*\n)*?"
        elif line.endswith(f" {_ANY}"):
            pattern += re.escape(_what_stays(line[: -len(_ANY)])) + r".*\n"
        else:
            pattern += re.escape(_what_stays(line)) + r" *\n"
    if re.fullmatch(pattern, _what_stays(printed)):
        return None
    return "\n".join(("the page shows", *shown, "and what was printed is", printed))


def _what_stays(text: str) -> str:
    return re.sub(r" +", " ", _DURATION.sub("N", text))
