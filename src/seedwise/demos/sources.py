"""Article 1's network: how much of what the seed does is the starting weights, and how much the order of the data?"""

from pathlib import Path

from .people import prepare
from .steps import Step, play

FOLDER = Path("seedwise-demo-people")


def run(data: str | None, n: int) -> int:
    """Decompose the spread of article 1's script, with n seeds of each source. Returns the exit code."""
    prepare(data)
    print(
        "The article's script is left as it is: its seed sets the starting weights and the order of the rows. Here each of the two gets seeds of its own, "
        "crossed with the other's."
    )
    last = (
        "Do several cores drown the seed? `seedwise decompose -n 4 --vary init,order,threads -- python people.py` takes the number of threads as a "
        "third factor. docs/sources.md has the rest."
    )
    return play(FOLDER, (), steps(n), last)


def steps(n: int) -> list[Step]:
    """The one command."""
    return [
        Step(
            "How much of the spread is which? Where the two together make the most, holding one of them does not take it away.",
            (("decompose", "-n", str(n), "--vary", "init,order", "--name", "sources", "--", "python", "people.py"),),
        )
    ]
