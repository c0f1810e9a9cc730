"""Whether the first runs of a sweep all failed in the same way, so that the others would too."""

from ..experiments.options import Options
from ..results import Cause, Run, Status
from ..wording import switched_on
from ..words import without_numbers

_FIRST = 3


class Failing:
    """Looks at the first runs that end.

    Parameters
    ----------
    works
        Whether a run has finished before: then the script works, and what fails is a matter of the seed.
    """

    def __init__(self, works: bool) -> None:
        self._works = works
        self._seen: list[tuple[Cause | None, str]] = []

    def add(self, run: Run, alike: str) -> None:
        """Add a run that has ended for good. `alike` is what its failure shares with others; "" for its detail without numbers."""
        self._works = self._works or run.status is Status.FINISHED
        self._seen.append((run.cause, alike or without_numbers(run.detail)))

    @property
    def all_alike(self) -> bool:
        """Whether the first three runs have ended, and all of them failed alike."""
        return not self._works and len(self._seen) >= _FIRST and len(set(self._seen)) == 1

    def why_stop(self, run: Run, options: Options, more: bool) -> str:
        """Why no further seed is started after a run that failed for good; "" if they are.

        `more` is whether there are further seeds.
        """
        if options.fail_fast:
            return f"seed {run.seed} failed ({switched_on('--fail-fast')}): {run.detail}"
        if self.all_alike and more and not options.keep_going:
            return f"all {len(self._seen)} failed alike; {switched_on('--keep-going')} runs the rest"
        return ""
