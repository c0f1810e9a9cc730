"""Shell completion: of commands, options, their choices, and the names of experiments."""

from collections.abc import Iterable, Sequence
from typing import Annotated, Literal, get_args, get_origin

from cyclopts import Parameter

from .app import app
from .groups import REST

_NAMED = (
    "show",
    "log",
    "export",
    "rm",
    "resume",
    "watch",
    "compare",
    "list",
    "summarize",
    "noise",
    "ensemble",
    "select",
)
"""Commands that take names of experiments."""

_BASH = """_seedwise() {
    local IFS=$'\\n'
    COMPREPLY=($(seedwise completion words -- "${COMP_WORDS[@]:1:COMP_CWORD}" 2>/dev/null))
}
complete -o bashdefault -o default -F _seedwise seedwise
"""
_ZSH = "autoload -U +X bashcompinit && bashcompinit\n" + _BASH
_FISH = (
    "complete -c seedwise -a '(seedwise completion words -- (commandline -opc)[2..-1] (commandline -ct) 2>/dev/null)'\n"
)


@app.command(group=REST)
def completion(
    shell: Annotated[Literal["bash", "zsh", "fish", "words"], Parameter(help="The shell.")],
    /,
    *typed: Annotated[str, Parameter(show=False)],
) -> int:
    """Print what teaches a shell to complete: commands, options, their choices, names of experiments.

    bash, zsh: put   eval "$(seedwise completion bash)"   into ~/.bashrc or ~/.zshrc

    fish: seedwise completion fish > ~/.config/fish/completions/seedwise.fish
    """
    if shell == "words":
        print("\n".join(candidates(typed)))
        return 0
    print({"bash": _BASH, "zsh": _ZSH, "fish": _FISH}[shell], end="")
    return 0


def candidates(typed: Sequence[str]) -> list[str]:
    """What the last of some words can become; [] where the shell completes files.

    Parameters
    ----------
    typed
        The words behind `seedwise`, the last as far as it is typed.
    """
    *before, last = typed or [""]
    commands = [name for name in app if not name.startswith("-")]
    if not before:
        return _beginning(last, [*sorted(commands), "help", "--help", "--version"])
    command = before[0]
    if command == "help":
        return _beginning(last, commands)
    if command not in commands or _is_users(before):
        return []
    arguments = app[command].assemble_argument_collection()
    options = {name: argument for argument in arguments for name in argument.names if name.startswith("-")}
    option = options.get(before[-1])
    if option is not None and option.token_count()[0] > 0:
        return _beginning(last, _choices(option.hint))
    if last.startswith("-"):
        return _beginning(last, [name for name in options if name.startswith("--")])
    if command == "completion":
        return _beginning(last, ["bash", "zsh", "fish"])
    return _beginning(last, _experiments()) if command in _NAMED else []


def _is_users(words: Sequence[str]) -> bool:
    """Whether the words of the user's own command have begun."""
    from .users_words import TAKE_A_COMMAND, start_of_command

    if words[0] not in TAKE_A_COMMAND:
        return False
    from ..errors import UsageError

    try:
        return start_of_command(words) is not None
    except UsageError:
        return False


def _choices(hint: object) -> list[str]:
    if get_origin(hint) is Literal:
        return [str(choice) for choice in get_args(hint)]
    return [choice for part in get_args(hint) for choice in _choices(part)]


def _experiments() -> list[str]:
    """Names of experiments, and of families before their members."""
    from ..errors import SeedwiseError
    from ..experiments.store import open_store

    try:
        with open_store() as store:
            names = [experiment.name for experiment in store.experiments()]
    except SeedwiseError:
        return []
    return list(dict.fromkeys([*(name.partition(" ")[0] for name in names), *names]))


def _beginning(start: str, words: Iterable[str]) -> list[str]:
    return [word for word in words if word.startswith(start)]
