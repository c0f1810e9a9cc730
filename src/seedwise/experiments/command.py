"""The command of an experiment: how its seed gets in, and its environment."""

import hashlib
import os
import re
import shlex
import shutil
from collections.abc import Mapping, Sequence
from pathlib import Path

from seedwise_guest.protocol import ENTRY

from ..errors import ScriptError, UsageError
from ..threads import thread_settings
from ..typos import closest, did_you_mean
from ..wording import is_at_command_line, option
from .interpreters import default_python
from .kernels import kernel_python
from .names import is_name

PLACEHOLDER = "{seed}"


def placeholders(command: Sequence[str]) -> list[str]:
    """The words in which Seedwise replaces `{seed}`.

    The text after -c is left out: there, `{seed}` may be part of an f-string.
    """
    return [word for k, word in enumerate(command) if k == 0 or command[k - 1] != "-c"]


def check_command(command: Sequence[str]) -> tuple[str, ...]:
    """The command as it will be started. Raises UsageError or ScriptError if it cannot be started."""
    if not command or not command[0].strip():
        raise UsageError(
            "no command: seedwise run -n 30 python train.py"
            if is_at_command_line()
            else 'no command: run_script(["python", "train.py"], seeds=range(1, 31))'
        )
    first = command[0]
    if first.endswith(".ipynb"):
        return (kernel_python(first).python, *command)
    if os.path.isdir(first):
        raise ScriptError(_is_directory(first, command[1:]))
    if first.endswith(".py") and not os.access(first, os.X_OK):
        if not os.path.exists(first):
            raise ScriptError(_no_such_script(first))
        return (default_python(), *command)
    if os.sep in first and not os.path.exists(first):
        raise ScriptError(f"no such file: {first}{did_you_mean(first, scripts_beside(first))}")
    if shutil.which(first) is None:
        raise ScriptError(_no_such_program(command))
    name = os.path.basename(first)
    if name.startswith(("python", "pypy")):
        _check_script(command)
    return tuple(command)


def _is_directory(path: str, rest: Sequence[str]) -> str:
    """What to say of a folder in place of a command: the package, or the script in it, that was meant."""
    inside = set(os.listdir(path)) if os.access(path, os.R_OK) else set()
    parts = os.path.normpath(path).split(os.sep)
    if {"__main__.py", "__init__.py"} <= inside and all(part.isidentifier() for part in parts):
        return f"{path} is a package; did you mean: {shlex.join(['python', '-m', '.'.join(parts), *rest])}?"
    if "__main__.py" in inside:
        return f"{path} is a directory; did you mean: {shlex.join(['python', path, *rest])}?"
    scripts = sorted(name for name in inside if name.endswith(".py") and not name.startswith("__"))
    meant = "train.py" if "train.py" in scripts or not scripts else scripts[0]
    script = os.path.join(path, meant)
    return f"{path} is a directory" + (
        f"; did you mean: {shlex.join(['python', script, *rest])}?" if scripts else ": name a script"
    )


def words_of(command: str | Sequence[str]) -> tuple[str, ...]:
    """The words of a command. A single one with spaces is split as a shell would: "python train.py".

    Raises
    ------
    UsageError
        It cannot be split, or needs a shell.
    """
    if not isinstance(command, Sequence):
        raise UsageError(f"a command is made of words, ['python', 'train.py']; got {command!r:.60}")
    words = (command,) if isinstance(command, str) else tuple(command)
    not_text = next((word for word in words if not isinstance(word, str)), None)
    if not_text is not None:
        raise UsageError(f"a command is made of words, and {not_text!r} is none: {[str(word) for word in words]!r}")
    if len(words) != 1 or not any(c.isspace() for c in words[0]) or os.path.exists(words[0]):
        return words
    try:
        parts = shlex.split(words[0])
    except ValueError as error:
        raise UsageError(f"{words[0]!r} cannot be split into words: {error}") from None
    if any(part in _OF_A_SHELL or part.startswith((">", "2>", "$(")) or part.endswith(";") for part in parts):
        raise UsageError(
            f"{words[0]!r} needs a shell: seedwise run -n 30 bash -c {shlex.quote(words[0])}"
            if is_at_command_line()
            else f"{words[0]!r} needs a shell: ['bash', '-c', {words[0]!r}]"
        )
    return tuple(parts)


_OF_A_SHELL = frozenset("&& || | ; & > >> < cd source export".split())


def scripts_beside(path: str) -> list[str]:
    """The scripts in the folder of a path, as one would type them in its place."""
    folder = os.path.dirname(path)
    try:
        return [
            os.path.join(folder, name)
            for name in sorted(os.listdir(folder or "."))[:2000]
            if name.endswith((".py", ".ipynb"))
        ]
    except OSError:
        return []


def _no_such_script(path: str) -> str:
    there = scripts_beside(path)
    others = f"; here are {', '.join(there[:5])}" if there and not os.path.dirname(path) else ""
    return f"no such script: {path}{did_you_mean(path, there) or others}"


def _no_such_program(command: Sequence[str]) -> str:
    """What to say of a first word that is no program: what was meant."""
    first, rest = command[0], list(command[1:])
    if first.isdigit():
        return f"{first} is no command; seeds are one word, with commas: {option('--seeds 0,3,5')}"
    if _SETTING.fullmatch(first) and rest:
        return f"no such command: {first}; a variable is set by env: {shlex.join(['env', *command])}"
    path, colon, name = first.partition(":")
    name = name.strip(":").removesuffix("()")
    if colon and os.path.isfile(path if path.endswith(".py") else f"{path}.py"):
        return f"no such command: {first}; a function is named {path.removesuffix('.py')}.py:{name}"
    if not colon and os.path.isfile(f"{first}.py"):
        return f"no such command: {first}: did you mean {shlex.join([f'{first}.py', *rest])}?"
    module, dot, name = first.rpartition(".")
    if dot and os.path.isfile(f"{module}.py"):
        return f"no such command: {first}; a function is named {module}.py:{name.removesuffix('()')}"
    meant = closest(first, [name for name in _PROGRAMS if shutil.which(name)])
    if meant:
        return f"no such command: {first}: did you mean {shlex.join([meant, *rest])}?"
    return f"no such command: {first}; is it installed and on PATH?"


_SETTING = re.compile(r"[A-Za-z_]\w*=.*")
_PROGRAMS = ("python", "python3", "uv", "torchrun", "accelerate", "poetry", "bash", "jupyter", "papermill")


def _check_script(command: Sequence[str]) -> None:
    """Report an error now that Python would otherwise report in every run."""
    words = list(command[1:])
    while words and words[0].startswith("-") and words[0] != "-":
        if words[0][1:2] != "-" and any(letter in words[0] for letter in "cm"):
            return
        words = words[2:] if words[0] in ("-W", "-X") else words[1:]
    if not words or words[0] == "-":
        if not words:
            raise UsageError(f"{command[0]} alone would wait for input: name a script")
        return
    script = words[0]
    if PLACEHOLDER in script:
        return
    if not os.path.exists(script):
        path, colon, function = script.partition(":")
        if colon and os.path.isfile(path):
            raise ScriptError(f"no such script: {script}; a function is named without {command[0]}: {path}:{function}")
        raise ScriptError(_no_such_script(script))
    if os.path.isdir(script) and not os.path.exists(os.path.join(script, "__main__.py")):
        raise ScriptError(f"{script} is a directory without a __main__.py: name a script in it")


def default_name(command: Sequence[str]) -> str:
    """The name of an experiment without --name: the script's name without its ending."""
    words = list(command)
    for k, word in enumerate(words):
        if word == "-m" and k + 1 < len(words):
            return _clean(words[k + 1].rpartition(".")[2])
        if word == "-c":
            return "command"
        if word.endswith((".py", ".ipynb")):
            return _clean(Path(word).stem)
    if os.sep in words[0] and not os.path.basename(words[0]).startswith(("python", "pypy")):
        return _clean(Path(words[0]).stem)
    return _clean(Path(words[-1] if len(words) > 1 and not words[-1].startswith("-") else words[0]).stem)


def _clean(name: str) -> str:
    kept = "".join(c if c.isalnum() or c in "._-" else "-" for c in name).strip(".-")
    return kept or "experiment"


MASK = "•••"
_SECRET = re.compile(
    r"(?:^|[-_.])(?:token|secret|password|passwd|credentials?|api[-_]?key|access[-_]?key|private[-_]?key)$",
    re.IGNORECASE,
)
_TOKEN = re.compile(r"(?:sk-|hf_|ghp_|gho_|github_pat_|glpat-|xox[abp]-|AKIA)[A-Za-z0-9_-]{12,}")
_SHORTEST = 8
"""A shorter value is hardly a secret: `--pad-token 0`. Neither is a number."""


def without_secrets(command: Sequence[str]) -> tuple[str, ...]:
    """The command as it may be stored and shown.

    Tokens and passwords are masked; the beginning of their digest is shown.
    """
    kept: list[str] = []
    for k, word in enumerate(command):
        name, equals, value = word.partition("=")
        before = command[k - 1] if k else ""
        if equals and _SECRET.search(name.lstrip("-")) and _may_be_secret(value):
            word = f"{name}={_mask(value)}"
        elif (
            before.startswith("-") and "=" not in before and _SECRET.search(before.lstrip("-")) and _may_be_secret(word)
        ):
            word = _mask(word)
        kept.append(_TOKEN.sub(lambda found: _mask(found.group()), word))
    return tuple(kept)


def _may_be_secret(value: str) -> bool:
    return len(value) >= _SHORTEST and not value.isdigit() and not value.startswith("-") and PLACEHOLDER not in value


def _mask(value: str) -> str:
    return MASK + hashlib.sha256(value.encode("utf-8", "surrogatepass")).hexdigest()[:6]


def check_name(name: str) -> str:
    """Return the name if it can be the name of a folder and can be typed. Raises UsageError otherwise."""
    if not is_name(name):
        raise UsageError(
            f"{option('--name')} takes letters, digits, '.', '_' and '-', and starts with a letter or digit; got {name!r}"
        )
    return name


_SHARED_GPU = {"XLA_PYTHON_CLIENT_PREALLOCATE": "false", "TF_FORCE_GPU_ALLOW_GROWTH": "true"}
"""JAX and TensorFlow take nearly all memory of a GPU when they start, so that a second run on it fails; with these they take
what they need. No number changes. What the user has set stays."""


def run_environment(threads: int | None, base: Mapping[str, str] | None = None) -> dict[str, str]:
    """The environment of every run of an experiment: hash seed, threads, and the guest's entry."""
    environment = dict(os.environ if base is None else base)
    hash_seed = environment.get("PYTHONHASHSEED", "")
    environment["PYTHONHASHSEED"] = hash_seed if hash_seed.isdigit() else "0"
    if threads is not None:
        environment.update(thread_settings(threads, environment.get("XLA_FLAGS", "")))
    for name, value in _SHARED_GPU.items():
        environment.setdefault(name, value)
    path = environment.get("PYTHONPATH")
    environment["PYTHONPATH"] = f"{ENTRY}{os.pathsep}{path}" if path else ENTRY
    return environment


def plain_threads() -> int:
    """How many threads a plain run would use here."""
    named = os.environ.get("OMP_NUM_THREADS", "")
    return int(named) if named.isdigit() and int(named) > 0 else available_cores()


def available_cores() -> int:
    """How many cores this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


_PREPARERS = frozenset("uv uvx poetry pdm hatch pipenv conda mamba micromamba pixi rye".split())


def leaves_at_once(command: Sequence[str]) -> bool:
    """Whether the command cannot do anything else when it is started for its source.

    True for plain Python, and for tools that prepare one.
    """
    name = os.path.basename(command[0])
    if name in _PREPARERS:
        return True
    options = [word for word in command[1:3] if word.startswith("-")]
    return name.startswith(("python", "pypy")) and not any(set(word) & set("IES") for word in options)


def fixed_seed_on_command_line(command: Sequence[str]) -> str | None:
    """An argument such as `--seed 7` or `seed=7` that fixes the seed of every run; None if there is none."""
    from seedwise_guest.protocol import names_a_seed

    for k, word in enumerate(command[1:], start=1):
        name, equals, value = word.partition("=")
        if not names_a_seed(name):
            continue
        if equals and value.lstrip("-").isdigit():
            return word
        if name.startswith("-") and not equals and k + 1 < len(command) and command[k + 1].lstrip("-").isdigit():
            return f"{word} {command[k + 1]}"
    return None
