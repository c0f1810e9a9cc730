"""What a script's source tells of its seeds: warnings that a careful colleague would give."""

from collections.abc import Mapping, Sequence
from typing import Any

from seedwise_guest.protocol import Placement, place_of

from ..advice import Advice
from ..results import Run
from ..wording import option
from .options import Mode


def shown_below(path: str, folder: str) -> str:
    """A path as it is shown: relative, if it lies below the folder of the experiment."""
    return path[len(folder) + 1 :] if folder and path.startswith(folder + "/") else path


def about_remarks(plan: Placement, mode: Mode, runs: Sequence[Run], folder: str) -> list[Advice]:
    """Warnings about places in the source that hold no seed, or none that could be replaced.

    Parameters
    ----------
    folder
        The one of the experiment, below which paths are shown relative to it.
    """
    by_kind: dict[str, list[str]] = {}
    for remark in plan.remarks:
        by_kind.setdefault(remark.kind, []).append(
            f"{place_of(shown_below(remark.path, folder), remark.line)} {remark.text}"
        )
    found: list[Advice] = []
    if mode is Mode.SUBSTITUTE:
        found += _substituted(plan, by_kind)
    if any(run.seed == 0 for run in runs):
        found += [
            Advice(f"{text}, so that seed 0 may mean no seed there", "use seeds from 1")
            for text in by_kind.get("zero", [])
        ]
    return found


def _substituted(plan: Placement, by_kind: Mapping[str, Sequence[str]]) -> list[Advice]:
    as_is = f"run the script once with {option('--as-is')}, and each printed seed becomes a run"
    found = [Advice(f"{text}, which is left as typed", as_is) for text in by_kind.get("list", [])]
    if not plan.own and "environment" not in by_kind:
        remedy = f"pass it as {{seed}}, read SEEDWISE_SEED, or name {option('--seed-site FILE:KEY')}"
        found += [Advice(text, remedy) for text in by_kind.get("elsewhere", [])]
    for text in by_kind.get("as text", []):
        fact, _, remedy = text.partition("; ")
        found.append(Advice(f"{fact}, in every run", remedy or "import the file instead"))
    texts = by_kind.get("text", [])
    if texts:
        more = f" (and {len(texts) - 1} more)" if len(texts) > 1 else ""
        found.append(
            Advice(
                f"{texts[0]}{more}, under every seed",
                "do not read the seed from such names and logs, or make them from the seed",
            )
        )
    return found


def about_split(
    plan: Placement, mode: Mode, sites: Sequence[Mapping[str, Any]], folder: str, varied: bool
) -> list[Advice]:
    """A warning where the seed divides the data too."""
    if mode is not Mode.SUBSTITUTE or varied or "split" in plan.kept:
        return []
    places = [site["location"] for site in sites if site["source"] == "split" and site["receives"] != "as typed"]
    kept = {site.key for site in plan.sites if plan.is_kept(site)}
    places += [place_of(shown_below(u.path, folder), u.line) for u in plan.split_uses if not set(u.sites) <= kept]
    if not places:
        return []
    where = ", ".join(dict.fromkeys(places))
    return [
        Advice(
            f"also varied: split ({where}), so the spread holds other data too",
            f"{option('--keep split')} leaves it as typed",
        )
    ]
