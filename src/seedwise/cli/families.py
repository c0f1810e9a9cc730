"""`seedwise run --grid`, and what the commands do with the name of a family."""

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

from .printing import as_dict as results_as_dict
from .printing import deliver, exit_code

if TYPE_CHECKING:
    from ..events import Event
    from ..experiments.grids import Grid
    from ..reports.family import Family
    from ..runs.request import Request
    from .app import Shown


def grid_of(texts: Sequence[str] | None, settings: Sequence[str] | None) -> "tuple[Grid | None, list[str]]":
    """The grid that was asked for, None if there is none; and the settings that have one value.

    A setting of a function with several values, `--set lr=0.01,0.1`, is part of the grid.
    """
    from ..experiments.grids import read_grid, split_values

    several = [text for text in settings or () if len(split_values(text.partition("=")[2])) > 1]
    single = [text for text in settings or () if text not in several]
    asked = [*(texts or ()), *several]
    return (read_grid(asked, "--grid" if texts else "--set") if asked else None), single


def check_grid(grid: "Grid | None", confirm: int | None, ignored: dict[str, object]) -> None:
    """Raises UsageError for options that do not go with a grid, or that need one."""
    from ..errors import UsageError
    from .app import refuse

    if grid is None:
        refuse({"--confirm": confirm}, "it goes with --grid")
        return
    refuse(ignored, "a grid is a family of experiments, each with one command and the same seeds")
    if confirm is not None and confirm < 2:
        raise UsageError(f"--confirm takes a number of fresh seeds, 2 or more; got {confirm}")


def run_grid(
    request: "Request", grid: "Grid", confirm: int | None, store: str | None, tell: "Callable[[Event], None]"
) -> "tuple[Family, int]":
    """Runs the whole grid; and the exit code."""
    from ..api.families import run_family

    family, outcomes = run_family(request, grid, store, tell, confirm=confirm or 0)
    return family, max(exit_code(outcome) for outcome in outcomes)


def deliver_family(family: "Family", shown: "Shown", pairs: bool = False) -> None:
    """Prints or writes a family."""
    from ..reports.family import page_of_family

    value = {**family.as_dict(), "experiments": [results_as_dict(of) for of in family.members.values()]}
    alone = shown.table_alone or shown.output is not None  # a paper takes one table
    deliver(page_of_family(family, pairs and not alone), value, shown)


def with_members(name: str, store: str | None) -> list[str]:
    """The members of a family; the name itself where it is that of one experiment, or of none."""
    from ..experiments.members import members_of

    return members_of(name, store) or [name]
