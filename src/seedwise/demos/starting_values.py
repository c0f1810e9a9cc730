"""Article 4's table: what starting values do, and which remedy makes training better, or only steadier."""

import shlex
from pathlib import Path

from .steps import Step, play

FOLDER = Path("seedwise-demo-starting-values")
STARTS, NORMS, OPTIMIZERS = "init=zeros,small,large,xavier,he", "norm=0,1", "optimizer=sgd,rmsprop,adam"


def run(n: int) -> int:
    """Look into three networks, then run two tables under n seeds. Returns the exit code."""
    print(
        "A network that forecasts next year's sunspots, started in five ways: zeros, weights that are too small or too large, Xavier's, and He's."
    )
    last = (
        f"Everything is in {FOLDER}; seedwise show starts has all pairs, in the mean and in the spread. The whole crossing, 30 settings, is one command too: "
        f"seedwise {shlex.join(whole())}. It makes 435 pairs, and needs as many seeds to tell them apart. docs/starting-values.md explains it all."
    )
    return play(FOLDER, ("forecast.py", "sunspots.csv"), steps(n), last)


def steps(n: int) -> list[Step]:
    """What goes wrong, and the tables."""
    looks = tuple(
        (
            *("diagnose", "forecast.py:build", "--data", "forecast.py:data", "--set", f"init={start}"),
            *("--optimizer", "adam", "--lr", "0.01", "--epochs", "40", "-n", "3"),
        )
        for start in ("zeros", "small", "he")
    )
    return [
        Step("1 of 3. What do the starting values do to the network? Three of the five, looked into:", looks),
        Step(
            f"2 of 3. Each start with and without batch norm, under {n} seeds. Which is better in the mean, and which is steadier?",
            (_table("starts", n, STARTS, NORMS),),
        ),
        Step(
            f"3 of 3. A rate of learning that adapts: three optimizers from He's values, with and without batch norm, under {n} seeds.",
            (_table("optimizers", n, "init=he", NORMS, OPTIMIZERS),),
        ),
    ]


def whole(n: int = 30) -> tuple[str, ...]:
    """The command that crosses everything."""
    return _table("whole", n, STARTS, NORMS, OPTIMIZERS)


def _table(name: str, n: int, *settings: str) -> tuple[str, ...]:
    return (
        *("run", "-n", str(n), "--name", name, "forecast.py:train"),
        *(word for text in settings for word in ("--set", text)),
    )
