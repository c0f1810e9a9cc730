"""Which seeds `run` takes: -n, --seeds, --max-seeds, and what goes with what."""

from collections.abc import Sequence
from dataclasses import dataclass

_MOST = 10_000_000


@dataclass(frozen=True)
class Which:
    """What was typed; each None where it was not."""

    n: int | None
    seeds: str | None
    max_seeds: int | None

    def chosen(self, command: Sequence[str], *, as_is: bool, until_margin: bool, against: bool) -> list[int]:
        """The seeds. Raises UsageError for what does not go together, with what does."""
        from ..errors import UsageError
        from ..results import parse_seeds

        self._check(as_is)
        if until_margin:
            self._check_until(against)
        elif self.max_seeds is not None:
            raise UsageError("--max-seeds goes with --until-margin; a fixed number is -n")
        if self.seeds is not None:
            return parse_seeds(self.seeds)
        n = self.max_seeds if until_margin else self.n
        if n is None and not as_is:
            raise UsageError(self._how_many(command))
        return list(range(1, (n or 1) + 1))

    def told(self) -> str:
        """What to say of seeds that were typed in a way that could mean something else; "" if there is nothing to say."""
        from ..results import parse_seeds
        from ..words import seed_list

        if self.seeds is None:
            return ""
        if ":" in self.seeds:
            return f"seeds {seed_list(parse_seeds(self.seeds))} ({self.seeds} as in Python, without its end)"
        if ".." in self.seeds:
            return f"seeds {seed_list(parse_seeds(self.seeds))} ({self.seeds} with both ends)"
        if self.seeds.strip().isdigit() and int(self.seeds) > 1:
            return f"one seed, {int(self.seeds)} (seeds 1 to {int(self.seeds)} are -n {int(self.seeds)})"
        return ""

    def _how_many(self, command: Sequence[str]) -> str:
        """Ask for the number of seeds, with the line that the user would type."""
        import shlex

        from .users_words import ours_among

        words = list(command)
        for k, word in enumerate(words):
            if word in ("-n", "--number", "--seeds") and k + 1 < len(words):
                rest = [*words[:k], *words[k + 2 :]]
                return (
                    f"{word} stands behind the command, so it is the command's own; before it, it is Seedwise's: "
                    f"seedwise run {word} {words[k + 1]} {shlex.join(rest)}"
                )
        misplaced = ours_among(words, "run")
        behind = (
            f" (options of Seedwise stand before the command; {misplaced[0]} is the command's own here)"
            if misplaced
            else ""
        )
        if len(words) > 1 and words[0].isdigit() and int(words[0]):
            return f"how many seeds? -n stands before the number: seedwise run -n {shlex.join(words)}"
        line = shlex.join(words) if words else "python train.py"
        return f"how many seeds? seedwise run -n 30 {line}, or --seeds 0,3,5 in place of -n 30{behind}"

    def _check(self, as_is: bool) -> None:
        from ..errors import UsageError

        if as_is and (self.n is not None or self.seeds is not None):
            raise UsageError(
                "--as-is runs the script once, with the seeds that it loops over: leave out -n and --seeds"
            )
        if self.n is not None and self.seeds is not None:
            raise UsageError("-n or --seeds, not both")
        if self.n is not None and self.n < 1:
            raise UsageError(f"-n is the number of seeds, at least 1; got {self.n}")
        if self.n is not None and self.n > _MOST:
            raise UsageError(f"-n {self.n}: the most is ten million seeds")

    def _check_until(self, against: bool) -> None:
        from ..errors import UsageError

        if self.n is not None:
            raise UsageError("with --until-margin the most is --max-seeds; -n is a number that is fixed beforehand")
        if self.max_seeds is not None and self.seeds is not None:
            raise UsageError("--max-seeds or --seeds, not both: the seeds that are named are the most")
        if self.max_seeds is None and self.seeds is None:
            raise UsageError("--until-margin needs an end: --max-seeds 200")
        if against:
            raise UsageError(
                "--until-margin is for one command; two are run on with `seedwise compare --until-decided`"
            )
