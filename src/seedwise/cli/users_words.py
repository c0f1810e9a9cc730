"""Which words of a command line are the user's own command, and which are Seedwise's."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from cyclopts.argument import Argument

TAKE_A_COMMAND = ("run", "check", "sites", "decompose")
"""The commands that are followed by a command of the user's."""


def marked(arguments: Sequence[str]) -> list[str]:
    """The words with `--` before the user's command, where it is not typed.

    From the first word that starts a command on, everything is the user's. A function, FILE.py:FUNCTION, has no words
    of its own: our options may follow it. So may they follow a script that is only read (`sites`).

    Raises
    ------
    UsageError
        An option before the command does not exist. The message says what was meant.
    """
    words = list(arguments)
    if not words or words[0] not in TAKE_A_COMMAND:
        return words
    start = start_of_command(words)
    if start is not None and words[0] == "decompose":
        words = _ours_in_front(words, start)
        start = start_of_command(words)
    if start is None or words[start] == "--" or _has_no_words(words[start], words[0]):
        return words
    return [*words[:start], "--", *words[start:]]


def _ours_in_front(words: list[str], start: int) -> list[str]:
    """The words with our options in front of the command, where they stand at the end of it and none says --vary before.

    `decompose -- python train.py --vary init,order -n 8` is how one says it: without --vary there is nothing to do.
    """
    if any(word.partition("=")[0] == "--vary" for word in words[:start]):
        return words
    options = _options(words[0])
    for k in range(start + 1, len(words)):
        if _are_options(words[k:], options) and any(word.partition("=")[0] == "--vary" for word in words[k:]):
            return [words[0], *words[1:start], *words[k:], *words[start:k]]
    return words


def _are_options(words: Sequence[str], options: "dict[str, Argument]") -> bool:
    """Whether these words are options of ours with their values, and nothing else."""
    at = 0
    while at < len(words):
        name, equals, _ = words[at].partition("=")
        if name not in options:
            return False
        at += 1 + (0 if equals else options[name].token_count()[0])
    return at == len(words)


def ours_among(words: Sequence[str], command: str) -> list[str]:
    """The options of one of our commands that stand among the user's words."""
    known = _options(command)
    return [word for word in words if word.startswith("-") and word.partition("=")[0] in known]


def _has_no_words(word: str, command: str) -> bool:
    from ..experiments.functions import is_call

    return is_call([word]) or (command == "sites" and word.endswith((".py", ".ipynb")))


def start_of_command(words: Sequence[str]) -> int | None:
    """Where the user's command starts, or the `--` before it; None if there is none."""
    options = _options(words[0])
    at = 1
    while at < len(words):
        word = words[at]
        if word == "--" or not word.startswith("-") or len(word) == 1:
            return at
        name, equals, _ = word.partition("=")
        if word in ("--help", "-h"):
            at += 1
            continue
        if name not in options and not word.startswith("--") and word[:2] in options:
            name, equals = word[:2], "="  # -n30
        if name not in options:
            raise _unknown(name, words, options)
        takes = 0 if equals else options[name].token_count()[0]
        at += 1 + takes
    return None


def _options(command: str) -> "dict[str, Argument]":
    from .app import app

    every = app[command].assemble_argument_collection()
    return {name: argument for argument in every for name in argument.names if name.startswith("-")}


def _unknown(name: str, words: Sequence[str], options: "dict[str, Argument]") -> Exception:
    from ..errors import UsageError
    from .wrong_use import no_such_option

    return UsageError(no_such_option(name, words[0], list(options), words))
