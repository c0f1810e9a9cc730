"""What is compared or summarised: experiments of the store, or files with scores."""

import os
import sys
from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from ..advice import Advice
    from ..decisions import Comparison
    from ..results import Results
    from ..tables.runs import Layout


def name_of(side: str, sides: Sequence[str]) -> str:
    stem = _stem(side) if os.path.exists(side) else side
    return stem if sum(_stem(s) == stem for s in sides) < 2 else side


def _stem(side: str) -> str:
    return os.path.splitext(os.path.basename(side.rstrip("/")))[0]


def side_of(
    side: str,
    metric: Sequence[str],
    store: str | None,
    layout: "Layout | None" = None,
    *,
    brief: bool = True,
    pool: bool = True,
) -> "Results":
    from ..api.elsewhere import is_made_elsewhere
    from ..api.tables import read_scores
    from ..errors import UsageError
    from ..experiments.loading import load
    from ..experiments.store import ENDINGS_OF_TABLES, find_folder
    from ..tables.runs import AS_NAMED

    if is_made_elsewhere(side, store):
        return read_scores(side, metric, layout or AS_NAMED, pool=pool)
    if os.path.splitext(side)[1] in ENDINGS_OF_TABLES and store is None and not find_folder().is_dir():
        raise UsageError(f"no such file: {side}")
    return load(side, metric=metric, store=store, brief=brief)


def named_or_newest(name: str | None, store: str | None) -> str:
    """The name that was typed, or the newest experiment, which is then said on standard error."""
    if name is not None:
        return name
    from ..api.listing import newest

    (found,), there = newest(1, store)
    say_newest(found, there)
    return found


def say_newest(what: str, there: int) -> None:
    from ..reports.screen import Tone, screen_of

    others = f", the newest of {there} experiments" if there > 1 else ""
    screen = screen_of(sys.stderr)
    print(screen.toned(screen.has(f"{what}{others}:"), Tone.QUIET), file=sys.stderr)


def print_notes(notes: "Iterable[Advice]", as_json: bool) -> None:
    """What the user should know of how files were read. Beside JSON it goes to standard error."""
    from ..reports.page import lay_out, warning
    from ..reports.screen import screen_of

    stream = sys.stderr if as_json else sys.stdout
    for note in dict.fromkeys(notes):
        print(lay_out([warning(note)], screen_of(stream)), file=stream)


def shared_metrics(results: "Mapping[str, Results]", metric: Sequence[str] | None) -> list[str]:
    """The metrics to be compared: those asked for, or those that every side has, in the order of the first."""
    from ..errors import MetricError

    if metric:
        first = next(iter(results.values()))
        return [first.metric(text.partition("=")[0].partition(":")[0]).name for text in metric]
    known = [[m.name for m in of.metrics] for of in results.values()]
    shared = [name for name in known[0] if all(name in names for names in known)]
    if not shared:
        listed = "; ".join(f"{n} has {', '.join(k) or 'none'}" for n, k in zip(results, known, strict=True))
        raise MetricError(f"no metric is in every side: {listed}")
    asked = [name for name in next(iter(results.values())).question if name in shared]
    if len(asked) > 1:
        raise MetricError(
            f"which metric decides: {', '.join(asked[:-1])} or {asked[-1]}? Both are likely: --metric {asked[0]}"
        )
    return shared


def compare_results(results: "Sequence[Results]") -> "Comparison | None":
    """The first metric that both have, compared; None where there is none, or too little of it."""
    from ..api.compare import compare as one
    from ..errors import SeedwiseError

    new, base = results
    try:
        name = shared_metrics({new.name: new, f"{base.name} ": base}, None)[0]
        return one(new.scores(name), base.scores(name), names=(new.name, base.name))
    except SeedwiseError:
        return None
