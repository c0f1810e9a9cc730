"""Article 4: seeds in time-series forecasting. Its five answers to the seed, on the sunspots of 1700 to 2008."""

from pathlib import Path

from .steps import Step, play

FOLDER = Path("seedwise-demo-forecast")
_FOLDS_UNDER, _SOURCES_UNDER = 5, 6
"""So many seeds are enough for the folds, and for each source, if no fewer were asked for."""


def run(n: int) -> int:
    """Run the five answers, each under up to n seeds. Returns the exit code."""
    print(
        "Next year's sunspots from those of the last eleven years: learned from 1711 to 1949, tested on 1950 to 2008, by a network of two layers "
        "and by a small LSTM. The article names five answers to the seed: here they are."
    )
    last = f"Everything is in {FOLDER}: the script, the sunspots, and what each run gave (seedwise list, seedwise show forecast)."
    return play(FOLDER, ("forecast.py", "sunspots.csv"), steps(n), last)


def steps(n: int) -> list[Step]:
    """The article's five answers, each with its commands."""
    folds, sources = str(min(n, _FOLDS_UNDER)), str(min(n, _SOURCES_UNDER))
    return [
        Step(
            f"1 of 5. Several seeds, and their average: {n} seeds for each of the two networks. How far apart are they, and which one is better?",
            (("run", "-n", str(n), "--name", "forecast", "forecast.py:train", "--set", "net=mlp,lstm"),),
        ),
        Step(
            "2 of 5. A fixed seed in the whole pipeline. Is every generator seeded: does the same seed give the same forecast, bit for bit?",
            (("check", "forecast.py:train"),),
        ),
        Step(
            "3 of 5. Cross-validation: five fifths of all years, each forecast by networks that have not seen it, under several seeds. Does the better "
            "network stay the better one, and what moves the error more, the years or the seed?",
            (
                ("run", "-n", folds, "--name", "folds", "forecast.py:all_folds", "--set", "net=mlp,lstm"),
                ("cross-validate", "folds", "--by", "net", "--folds", "same"),
                ("cross-validate", "folds net=mlp", "--folds", "same"),
            ),
        ),
        Step(
            "4 of 5. Ensembles: the average of the forecasts of several seeds, beside one seed.",
            (("ensemble", "forecast net=mlp"), ("ensemble", "forecast net=lstm")),
        ),
        Step(
            "5 of 5. Reporting the variance, source by source: starting weights, order of the data and dropout are varied apart from each other.",
            (
                (
                    *("decompose", "-n", sources, "--vary", "init,order,dropout", "--max-runs", "100"),
                    *("--name", "sources", "forecast.py:train", "--set", "dropout=0.1"),
                ),
            ),
        ),
    ]
