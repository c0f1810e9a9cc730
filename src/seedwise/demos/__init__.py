"""The experiments of the articles from which this project grew."""

from collections.abc import Callable
from dataclasses import dataclass

from ..errors import UsageError
from ..typos import did_you_mean


@dataclass(frozen=True)
class Asked:
    """What was asked of a demo: a file of the author's, how many seeds, a backend of Keras."""

    data: str | None
    n: int
    backend: str | None


def _forecast(asked: Asked) -> int:
    from . import forecast

    return forecast.run(asked.n)


def _keras(asked: Asked) -> int:
    from . import keras

    return keras.run(asked.backend or "tensorflow", asked.n)


def _lottery(asked: Asked) -> int:
    from . import lottery

    return lottery.run(asked.data, asked.n)


def _people(asked: Asked) -> int:
    from . import people

    return people.run(asked.data, asked.n)


def _sources(asked: Asked) -> int:
    from . import sources

    return sources.run(asked.data, asked.n)


def _starting_values(asked: Asked) -> int:
    from . import starting_values

    return starting_values.run(asked.n)


def _streams(asked: Asked) -> int:
    from . import streams

    return streams.run()


@dataclass(frozen=True)
class Demo:
    """One demo: what it shows, how many seeds it takes (None: they cannot be chosen), whether it reads the author's file."""

    about: str
    run: Callable[[Asked], int]
    n: int | None
    fewest: int = 1
    takes_data: bool = False


DEMOS = {
    "forecast": Demo("five answers to the seed, on forecasts of sunspots (three to five minutes)", _forecast, 20, 2),
    "keras": Demo(
        "the same script twice and thirty times, --backend tensorflow, jax, torch, or theano (a quarter of an hour)",
        _keras,
        30,
    ),
    "lottery": Demo(
        "article 1's network under a thousand seeds, trained together: what picking the best would have claimed",
        _lottery,
        1000,
        takes_data=True,
    ),
    "people": Demo(
        "one network under the article's six seeds, then under 30 (three to five minutes)",
        _people,
        30,
        takes_data=True,
    ),
    "sources": Demo(
        "that network's spread divided: starting weights, and order of the data (three to five minutes)",
        _sources,
        6,
        2,
        takes_data=True,
    ),
    "starting-values": Demo(
        "five initialisations with and without batch norm, under three optimizers: which is better, and which is steadier "
        "(about five minutes)",
        _starting_values,
        10,
        2,
    ),
    "streams": Demo("what a seed is: one sequence, read in order", _streams, None),
}


def run_demo(name: str | None, *, data: str | None, n: int | None, backend: str | None = None) -> int:
    """Run the demo of this name. Without a name, list the demos. Returns the exit code."""
    if name is None:
        width = max(map(len, DEMOS))
        print("\n".join(f"seedwise demo {known:{width}}  {demo.about}" for known, demo in DEMOS.items()))
        return 0
    if name not in DEMOS:
        there = f"; there are: {', '.join(DEMOS)}"
        raise UsageError(f"no demo {name!r}{did_you_mean(name, DEMOS) or there}")
    demo = DEMOS[name]
    if backend is not None and name != "keras":
        raise UsageError("--backend belongs to `seedwise demo keras`")
    if data is not None and not demo.takes_data:
        takers = " and ".join(f"`seedwise demo {known}`" for known, of in DEMOS.items() if of.takes_data)
        raise UsageError(f"--data belongs to {takers}")
    if n is not None and demo.n is None:
        raise UsageError(f"-n would be ignored: `seedwise demo {name}` has no seeds to choose")
    if n is not None and n < demo.fewest:
        raise UsageError(f"-n is at least {demo.fewest}; got {n}")
    return demo.run(Asked(data, n or demo.n or 0, backend))
