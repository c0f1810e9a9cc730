"""Starting a command. Exit codes: 0 done, 1 the answer is no, 2 wrong use, 3 some seeds failed, 130 interrupted."""

import io
import os
import sqlite3
import sys
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from ..errors import Interrupted, SeedwiseError, UsageError

if TYPE_CHECKING:
    from cyclopts import App

GOES_ON = "and what `seedwise list` shows is saved; the same command goes on"
"""What is said when a command is interrupted; a KeyboardInterrupt may carry another text."""


def start(arguments: Sequence[str]) -> int:
    """Run one command; errors become a line and an exit code, never a traceback."""
    from ..reports.characters import register
    from ..wording import at_command_line

    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            encoding = "ascii" if stream.isatty() and _is_plain(os.environ) else None
            stream.reconfigure(encoding=encoding, errors=register())  # a terminal without ± gets +/-
    try:
        with at_command_line():
            result = _run(arguments)
        sys.stdout.flush()
    except SeedwiseError as error:
        _fail(str(error))
        return 130 if isinstance(error, Interrupted) else 2
    except KeyboardInterrupt as interrupt:
        then = interrupt.args[0] if interrupt.args else GOES_ON
        _fail(f"interrupted; nothing is left running, {then}")
        return 130
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())  # the reader has seen enough
        return 0
    except SystemExit as ended:
        if isinstance(ended.__context__, BrokenPipeError):  # rich, which prints the help, ends so in the same case
            return 0
        raise
    except sqlite3.Error as error:
        _fail(
            f"the store cannot be read or written ({error}); what was saved before is left as it is, logs and files too"
        )
        return 2
    except OSError as error:
        _fail(f"{error.strerror or error}{f': {error.filename}' if error.filename else ''}; what was finished is saved")
        return 2
    except Exception as error:
        if os.environ.get("SEEDWISE_TRACEBACK"):
            raise
        _fail(
            f"a fault in Seedwise itself: {type(error).__name__}: {error}; SEEDWISE_TRACEBACK=1 shows where. Please report it"
        )
        return 2
    return result if isinstance(result, int) else 0


def with_all_commands() -> "App":
    """The command line, after every command has joined it."""
    from . import check, compare, completion, decompose, diagnose, pictures, plan, run, spread, stored, summarize, watch  # noqa: F401 (their commands)
    from .app import app

    return app


def _is_plain(environment: Mapping[str, str]) -> bool:
    """Whether the user's locale has ASCII alone, by name: Python would write UTF-8 there all the same (PEP 540)."""
    if environment.get("PYTHONIOENCODING") or environment.get("PYTHONUTF8"):
        return False
    said = next((value for name in ("LC_ALL", "LC_CTYPE", "LANG") if (value := environment.get(name))), "")
    return said in ("C", "POSIX")


def _run(arguments: Sequence[str]) -> object:
    """Run one command. Raises UsageError for words that are not understood."""
    from cyclopts import CycloptsError

    from .users_words import marked
    from .wrong_use import in_words

    app = with_all_commands()
    try:
        words = marked(_asking_for_help(arguments))
        return app(words, result_action="return_value", exit_on_error=False, print_error=False)
    except CycloptsError as error:
        raise UsageError(in_words(error, arguments, [name for name in app if not name.startswith("-")])) from None


def _asking_for_help(arguments: Sequence[str]) -> Sequence[str]:
    """`help run` is `run --help`."""
    if not arguments or arguments[0] != "help":
        return arguments
    return [*arguments[1:], "--help"]


def _fail(text: str) -> None:
    from ..reports.screen import screen_of
    from ..words import printable

    screen = screen_of(sys.stderr)
    for k, line in enumerate(text.splitlines() or [""]):
        for part in screen.wrapped(f"{'seedwise: ' if k == 0 else '  '}{screen.has(printable(line))}", "  "):
            print(part, file=sys.stderr)
