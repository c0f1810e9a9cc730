"""How a message names what its reader would type: `--timeout 3` at the command line, `timeout=3` in Python."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from contextvars import ContextVar

_at_command_line: ContextVar[bool] = ContextVar("at the command line", default=False)

_FLAGS = frozenset(
    {
        "accept_change",
        "fail_fast",
        "fresh",
        "isolate_network",
        "keep_going",
        "live",
        "nemenyi",
        "paired",
        "remember",
        "wide",
    }
)
_OTHER_NAMES = {"n": "seeds", "set": "config", "from_components": "components"}
_COMMAND_LINE_ONLY = frozenset(
    {"as_is", "against", "max_seeds", "measure", "python", "with", "until_decided", "save_trace", "dry_run"}
)


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
        The same words; in Python `timeout=3`, `metric="acc:min"`, `threads=[1, 2]`, `fresh=True`. An option that
        Python does not have is named as part of its command.
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
    numbers = value.split(",")
    if len(numbers) > 1 and all(map(_is_number, numbers)):
        return f"{name}=[{', '.join(numbers)}]"
    return f"{name}={value}" if _is_number(value) else f'{name}="{value}"'


def either_goal(metric: str = "NAME") -> str:
    """How one says which way a metric is better: `--metric acc:min or :max`; in Python `metric="acc:min" or "acc:max"`."""
    if _at_command_line.get():
        return f"--metric {metric}:min or :max"
    return f'metric="{metric}:min" or "{metric}:max"'


def file_option(text: str) -> str:
    """An option that says how a file of scores is read: `--seed-column NAME`, `--by method`.

    Python reads files only in the usual form, so there the command that has the option is named.
    """
    if _at_command_line.get() or not text.startswith("--"):
        return text
    name = text.partition(" ")[0]
    return f"`seedwise {_COMMANDS_OF_FILES.get(name, 'summarize')} FILE {text}`"


_COMMANDS_OF_FILES = {
    "--by": "compare",
    "--task": "compare",
    "--wide": "compare",
    "--zero": "compare",
    "--one": "compare",
    "--normalise": "compare",
    "--source": "variance",
    "--fold-column": "cross-validate",
    "--folds": "cross-validate",
}


def switched_on(text: str) -> str:
    """An option that takes no value, as the reader would type it: `--fresh`, in Python `fresh=True`."""
    if _at_command_line.get() or (name := text.lstrip("-").replace("-", "_")) not in _FLAGS:
        return option(text)
    return f"{name}=True"


def run_command(command: Sequence[str], n: int = 30) -> str:
    """A command that runs under the first n seeds, as the reader would type it."""
    import shlex

    if _at_command_line.get():
        return f"seedwise run -n {n} {shlex.join(command)}"
    return f"run_script({list(command)!r}, seeds=range(1, {n + 1}))"


def _is_number(text: str) -> bool:
    try:
        float(text)
    except ValueError:
        return False
    return True
