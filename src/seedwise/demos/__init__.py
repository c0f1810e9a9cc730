"""The experiments of the articles from which this project grew."""

from ..errors import UsageError
from ..typos import did_you_mean

_ABOUT = {
    "keras": "the same script twice and thirty times, --backend tensorflow, jax, torch, or theano (a quarter of an hour)",
    "lottery": "article 1's network under a thousand seeds, trained together: what picking the best would have claimed",
    "people": "one network under the article's six seeds, then under 30 (three to five minutes)",
    "streams": "what a seed is: one sequence, read in order",
}


def run_demo(name: str | None, *, data: str | None, n: int | None, backend: str | None = None) -> int:
    """Run the demo of this name. Without a name, list the demos. Returns the exit code."""
    if name is None:
        print("\n".join(f"seedwise demo {known:8}  {about}" for known, about in _ABOUT.items()))
        return 0
    if name not in _ABOUT:
        there = f"; there are: {', '.join(_ABOUT)}"
        raise UsageError(f"no demo {name!r}{did_you_mean(name, _ABOUT) or there}")
    if backend is not None and name != "keras":
        raise UsageError("--backend belongs to `seedwise demo keras`")
    if n is not None and n < 1:
        raise UsageError(f"-n is at least 1; got {n}")
    if name == "lottery":
        from . import lottery

        return lottery.run(data, n or 1000)
    if name == "keras":
        if data is not None:
            raise UsageError("--data belongs to `seedwise demo people`")
        from . import keras

        return keras.run(backend or "tensorflow", n or 30)
    if name == "people":
        from . import people

        return people.run(data, n or 30)
    if data is not None:
        raise UsageError("--data belongs to `seedwise demo people` and `seedwise demo lottery`")
    from . import streams

    return streams.run()
