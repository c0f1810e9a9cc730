"""How a message names what its reader would type: `--timeout 3` at the command line, `timeout=3` in Python."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from contextvars import ContextVar

_at_command_line: ContextVar[bool] = ContextVar("at the command line", default=False)

_LISTS = frozenset({"metric", "keep", "share", "gpus", "metric_file"})
_FLAGS = frozenset(
    {"accept_change", "fail_fast", "fresh", "isolate_network", "keep_going", "paired", "wide", "remember"}
)
_OTHER_NAMES = {"n": "seeds", "set": "config"}
_COMMAND_LINE_ONLY = frozenset({"as_is", "against", "max_seeds", "until_decided", "save_trace"})


@contextmanager
def at_command_line() -> Iterator[None]:
    """Inside this block, messages are for somebody at the command line. Elsewhere they are for Python."""
    token = _at_command_line.set(True)
    try:
        yield
    finally:
        _at_command_line.reset(token)


def is_at_command_line() -> bool:
    """Whether messages are for somebody at the command line."""
    return _at_command_line.get()


def option(text: str) -> str:
    """An option, with or without a value, as the reader would type it.

    Parameters
    ----------
    text
        The words at the command line: `--timeout`, `--metric acc:min`, `--fresh`.

    Returns
    -------
    str
        The same words; in Python `timeout`, `metric=["acc:min"]`, `fresh=True`. An option that Python does not have
        is named as part of its command.
    """
    if _at_command_line.get():
        return text
    typed, _, value = text.partition(" ")
    name = typed.lstrip("-").replace("-", "_")
    if name in _COMMAND_LINE_ONLY:
        return (
            f"`seedwise {'compare' if name == 'until_decided' else 'check' if name == 'save_trace' else 'run'} {text}`"
        )
    name = _OTHER_NAMES.get(name, name)
    if not value:
        return name
    if name == "bounds":
        return f"{name}=({value.replace(',', ', ')})"
    if name in _LISTS:
        return f'{name}=["{value}"]'
    return f"{name}={value}" if _is_number(value) else f'{name}="{value}"'


def switched_on(text: str) -> str:
    """An option that takes no value, as the reader would type it: `--fresh`, in Python `fresh=True`."""
    if _at_command_line.get() or (name := text.lstrip("-").replace("-", "_")) not in _FLAGS:
        return option(text)
    return f"{name}=True"


def how_many_seeds(n: int) -> str:
    """The first `n` seeds, as the reader would ask for them."""
    return f"-n {n}" if _at_command_line.get() else f"seeds=range(1, {n + 1})"


def run_command(command: Sequence[str], options: str = "-n 30") -> str:
    """A command that runs, as the reader would type it."""
    import shlex

    if _at_command_line.get():
        return f"seedwise run {options} {shlex.join(command)}"
    return f"run_script({list(command)!r}, seeds=range(1, 31))"


def shown_by(name: str) -> str:
    """How an experiment is shown."""
    return f"seedwise show {name}" if _at_command_line.get() else f'load("{name}")'


def _is_number(text: str) -> bool:
    try:
        float(text)
    except ValueError:
        return False
    return True
