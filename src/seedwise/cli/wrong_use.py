"""Says in one style what was wrong with a command line, and what to type instead."""

import os
import re
import shlex
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, Literal, get_args, get_origin

from ..typos import closest, did_you_mean, one_of

if TYPE_CHECKING:
    from cyclopts import App, CycloptsError
    from cyclopts.argument import Argument, ArgumentCollection

_WHOLE = re.compile(r"[+-]?[0-9]+")
_SYNONYMS = {
    "ls": "list",
    "status": "list",
    "delete": "rm",
    "remove": "rm",
    "start": "run",
    "exec": "run",
    "train": "run",
    "logs": "log",
    "cat": "log",
    "report": "show",
    "results": "show",
    "continue": "resume",
    "diff": "compare",
    "clean": "prune",
    "verify": "check",
    "power": "plan",
    "version": "--version",
}
_OPTIONS_MEANT = {"-V": "--version", "-v": "--version", "-?": "--help", "/?": "--help"}


def only_whole_numbers(_app: "App", _commands: Sequence[str], arguments: "ArgumentCollection") -> None:
    """Refuse 3.5 where a whole number is wanted. Without this it would be rounded. Raises UsageError."""
    for argument in arguments:
        if not _is_whole(argument):
            continue
        for token in argument.tokens:
            if token.value and not _WHOLE.fullmatch(token.value):
                from ..errors import UsageError

                raise UsageError(_number_wanted(token.keyword or argument.name, "a whole number", token.value))


def _is_whole(argument: "Argument") -> bool:
    hint = argument.hint
    return hint is int or (get_origin(hint) is not Literal and int in get_args(hint))


def in_words(error: "CycloptsError", arguments: Sequence[str], commands: Sequence[str]) -> str:
    """What was wrong, in one line, and what to type instead. `commands` are the names of our commands."""
    from cyclopts import CoercionError, MissingArgumentError, UnknownCommandError, UnknownOptionError, exceptions

    command = " ".join(error.command_chain or ())
    if isinstance(error, UnknownCommandError):
        return no_such_command(arguments, commands)
    if isinstance(error, UnknownOptionError):
        named = (error.token.keyword or error.token.value).partition("=")[0]
        known = [name for argument in error.argument_collection for name in argument.names if name.startswith("-")]
        return _setting_meant(named, command, known, arguments) or no_such_option(named, command, known, arguments)
    if isinstance(error, CoercionError) and error.argument is not None:
        return _wrong_value(error)
    if isinstance(error, MissingArgumentError) and error.argument is not None:
        return _missing(error.argument, command)
    if isinstance(error, exceptions.UnusedCliTokensError):
        return _too_much(command, error.unused_tokens or [], arguments)
    if isinstance(error, exceptions.RepeatArgumentError):
        return f"{error.token.keyword or error.token.value} stands twice: once is enough"
    return str(error)


def no_such_option(name: str, command: str, known: Sequence[str], arguments: Sequence[str]) -> str:
    """What to say of an option that does not exist."""
    elsewhere = _meant_elsewhere(name, command, known, arguments)
    if elsewhere:
        return elsewhere
    meant = did_you_mean(name, known)
    return f"{command} has no option {name}{meant or f': seedwise {command} --help lists them'}"


def _setting_meant(name: str, command: str, known: Sequence[str], arguments: Sequence[str]) -> str:
    """What to say where somebody gave a function a setting as a script takes it; "" if that is not so."""
    from ..experiments.functions import is_call

    function = next((word for word in arguments if is_call([word])), None)
    if function is None or closest(name, known):
        return ""
    at = next(k for k, word in enumerate(arguments) if word.partition("=")[0] == name)
    _, equals, value = arguments[at].partition("=")
    value = value if equals else next((word for word in arguments[at + 1 : at + 2] if not word.startswith("-")), "…")
    setting = name.lstrip("-").replace("-", "_")
    return f"{command} has no option {name}; a setting of {function} is given by --set {setting}={value}"


def _meant_elsewhere(name: str, command: str, known: Sequence[str], arguments: Sequence[str]) -> str:
    """What to say of an option that belongs to Python, or to another command of ours; "" if nobody knows."""
    if name == "-m" and not any(map(_starts_a_program, arguments)):
        at = arguments.index(name) if name in arguments else len(arguments)
        rest = shlex.join([*arguments[:at], "python", *arguments[at:]])
        return f"{command} has no option -m; a module is run by python: seedwise {rest}"
    if name == "-n" and "--seeds" in known:
        return f"{command} has no option -n: the seeds are named, --seeds 1-10"
    return ""


def no_such_command(arguments: Sequence[str], commands: Sequence[str]) -> str:
    """What to say of a first word that is none of our commands."""
    first = arguments[0]
    if first == "help" and len(arguments) > 1:
        return f"no command {arguments[1]}{did_you_mean(arguments[1], commands)}: seedwise help lists them"
    if first.startswith("-"):
        at = next((k for k, word in enumerate(arguments) if word in commands), None)
        if at is not None:
            rest = [*arguments[:at], *arguments[at + 1 :]]
            return f"the command comes first: seedwise {shlex.join([arguments[at], *rest])}"
        if first in ("-n", "--seeds", "--number"):
            return f"the command comes first: seedwise run {shlex.join(arguments)}"
        if first in _OPTIONS_MEANT:
            return f"no option {first}: did you mean seedwise {_OPTIONS_MEANT[first]}"
        return f"no option {first}: seedwise --help lists the commands, seedwise run --help the options of run"
    if _starts_a_program(first):
        return f"{first} is no command of Seedwise: seedwise run {_seeds_first(arguments)}"
    meant = _SYNONYMS.get(first) or closest(first, commands)
    if meant:
        return f"no command {first}: did you mean seedwise {shlex.join([meant, *arguments[1:]])}"
    return f"no command {first}; there are {one_of(sorted(commands)).replace(' or ', ' and ')}"


def _seeds_first(words: Sequence[str]) -> str:
    """The words of a command behind the number of its seeds, wherever it was typed."""
    for k, word in enumerate(words):
        if word in ("-n", "--number", "--seeds") and k + 1 < len(words):
            return shlex.join([word, words[k + 1], *words[:k], *words[k + 2 :]])
    return f"-n 30 {shlex.join(words)}"


def _starts_a_program(word: str) -> bool:
    from ..experiments.functions import is_call

    name = os.path.basename(word)
    return (
        word.endswith((".py", ".ipynb"))
        or is_call([word])
        or name.startswith(("python", "torchrun", "accelerate"))
        or name == "uv"
    )


def _wrong_value(error: Any) -> str:
    argument, hint = error.argument, error.target_type
    name = (error.token.keyword if error.token else None) or _named(argument)
    value = error.token.value if error.token else ""
    if get_origin(hint) is Literal:
        choices = [str(choice) for choice in get_args(hint)]
        return f"{name} is {one_of(choices)}; got {value}{did_you_mean(value, choices)}"
    return _number_wanted(name, "a whole number" if hint is int else "a number", value)


def _number_wanted(name: str, what: str, value: str) -> str:
    return f"{name} takes {what}; got {value}"


def _named(argument: "Argument") -> str:
    return str(argument.name) if str(argument.name).startswith("-") else str(argument.name).upper()


def _missing(argument: "Argument", command: str) -> str:
    name = _named(argument)
    if not name.startswith("-"):
        return f"{command} takes {_article(name)}: seedwise {command} {_example(command, name)}"
    if argument.tokens or (argument.parameter.required is not True and not argument.required):
        return f"{name} takes a value{_such_as(argument)}"
    return f"{command} takes {name}{_such_as(argument)}"


def _such_as(argument: "Argument") -> str:
    if get_origin(argument.hint) is Literal:
        return f": {one_of(map(str, get_args(argument.hint)))}"
    if _is_whole(argument):
        return f", a whole number: {_named(argument)} 3"
    return ""


def _article(name: str) -> str:
    known = {"NAME": "the name of an experiment", "WHAT": "a file with scores, or the name of an experiment"}
    return known.get(name, name)


def _example(command: str, name: str) -> str:
    """What the user could type: an experiment that there is, where one is wanted."""
    if name == "SHELL":
        return os.path.basename(os.environ.get("SHELL", "")) or "bash"
    if name not in ("NAME", "WHAT"):
        return name
    from ..api.listing import listing
    from ..errors import SeedwiseError

    try:
        rows = listing()
        if command == "resume":
            rows = [row for row in rows if row.finished < row.n]
        failed = {row.name for row in rows if command == "resume" and row.finished + row.failed == row.n}
        there = [f"{shlex.quote(row.name)}{' --failed' if row.name in failed else ''}" for row in rows]
    except SeedwiseError:
        there = []
    if not there:
        return f"{name} (there are none yet: seedwise run -n 30 python train.py)"
    more = " …" if len(there) > 5 else ""
    return there[-1] + (f" (there are also {', '.join(there[-5:-1])}{more})" if len(there) > 1 else "")


def _too_much(command: str, unused: Sequence[str], arguments: Sequence[str]) -> str:
    more = " ".join(unused)
    if command in ("show", "log", "export", "rm", "resume", "watch") and all("=" in word for word in unused):
        return f"a name with spaces stands in quotes: seedwise {command} {shlex.quote(' '.join(word for word in arguments[1:] if not word.startswith('-')))}"
    if command == "show":
        return f"show takes one name, and no {more}; two are compared: seedwise compare {shlex.join(arguments[1:])}"
    return f"{command} has no use for {more}: seedwise {command} --help says what it takes"
