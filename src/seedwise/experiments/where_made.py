"""What a careful colleague would say of runs that were made on different machines."""

from collections.abc import Sequence

from ..advice import Advice
from ..results import Run, Status
from ..wording import option
from ..words import seed_list


def about_nodes(runs: Sequence[Run]) -> list[Advice]:
    """Warnings where nodes have processors of different kinds, or versions that are not those at home."""
    placed = [run for run in runs if run.place is not None and run.status is Status.FINISHED]
    found: list[Advice] = []
    by_processor: dict[str, list[Run]] = {}
    by_version: dict[tuple[str, str], list[Run]] = {}
    for run in placed:
        assert run.place is not None
        by_processor.setdefault(run.place.processor, []).append(run)
        for name, version in run.place.versions.items():
            by_version.setdefault((name, version), []).append(run)
    if len(by_processor) > 1:
        kinds = "; ".join(f"{name or 'unknown'}: seed {_seeds(of)}" for name, of in by_processor.items())
        found.append(
            Advice(
                f"runs were made on {len(by_processor)} kinds of processor, where the same seed may give another number ({kinds})",
                f"one kind is asked for with {option('--slurm constraint=…')}, or with a partition of its own",
            )
        )
    for (name, version), of in sorted(by_version.items()):
        nodes = sorted({run.place.node for run in of if run.place is not None})
        some = "every run" if len(of) == len(placed) else f"seed {_seeds(of)}"
        found.append(
            Advice(
                f"{name} is {version} on {', '.join(nodes[:4])}{' …' if len(nodes) > 4 else ''} and another where the command was given, so that "
                f"{some} may not be what runs here would be",
                "install the same version on both",
            )
        )
    return found


def _seeds(runs: Sequence[Run]) -> str:
    return seed_list([run.seed for run in runs])
