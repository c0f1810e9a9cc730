"""The command of an experiment: how its seed gets in, and its environment."""

import hashlib
import os
import re
import shutil
from collections.abc import Mapping, Sequence
from pathlib import Path

from seedwise_guest.protocol import ENTRY

from ..errors import ScriptError, UsageError
from ..threads import thread_settings

PLACEHOLDER = "{seed}"
_RUN_NOTEBOOKS = frozenset({"jupyter", "papermill", "jupyter-nbconvert", "jupyter-execute"})
"""Programs that are given a notebook to work on; they take the seed as `{seed}`, or in the environment."""


def placeholders(command: Sequence[str]) -> list[str]:
    """The words in which Seedwise replaces `{seed}`.

    The text after -c is left out: there, `{seed}` may be part of an f-string.
    """
    return [word for k, word in enumerate(command) if k == 0 or command[k - 1] != "-c"]


def check_command(command: Sequence[str]) -> tuple[str, ...]:
    """The command as it will be started. Raises UsageError or ScriptError if it cannot be started."""
    if not command:
        raise UsageError("no command: seedwise run -n 30 -- python train.py")
    notebook = next((word for word in command if word.endswith(".ipynb")), None)
    if notebook is not None and os.path.basename(command[0]) not in _RUN_NOTEBOOKS:
        script = notebook[: -len("ipynb")] + "py"
        raise UsageError(
            f"{notebook} is a notebook, which Seedwise cannot run yet: make a script of it with "
            f"`jupyter nbconvert --to script {notebook}`, then seedwise run -- python {script}"
        )
    first = command[0]
    hint = f"did you mean: python {' '.join(command)}"
    if os.path.isdir(first):
        raise ScriptError(f"{first} is a directory; {hint}/train.py?")
    if first.endswith(".py") and not os.access(first, os.X_OK):
        if not os.path.exists(first):
            raise ScriptError(f"no such script: {first}")
        return (default_python(), *command)
    if os.sep in first and not os.path.exists(first):
        raise ScriptError(f"no such file: {first}")
    if shutil.which(first) is None:
        raise ScriptError(f"no such command: {first}; is it installed and on PATH?")
    name = os.path.basename(first)
    if name.startswith(("python", "pypy")):
        _check_script(command)
    return tuple(command)


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
        raise ScriptError(f"no such script: {script}")
    if os.path.isdir(script) and not os.path.exists(os.path.join(script, "__main__.py")):
        raise ScriptError(f"{script} is a directory without a __main__.py: name a script in it")


def default_python() -> str:
    """The name of the interpreter that starts when a user types `python`. Raises ScriptError if there is none."""
    for name in ("python", "python3"):
        if shutil.which(name):
            return name
    raise ScriptError("no python on PATH")


def default_name(command: Sequence[str]) -> str:
    """The name of an experiment without --name: the script's name without its ending."""
    words = list(command)
    for k, word in enumerate(words):
        if word == "-m" and k + 1 < len(words):
            return _clean(words[k + 1].rpartition(".")[2])
        if word == "-c":
            return "command"
        if word.endswith(".py"):
            return _clean(Path(word).stem)
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
    if not name or len(name) > 100 or any(not (c.isalnum() or c in "._-") for c in name) or name[0] in ".-":
        raise UsageError(
            f"--name takes letters, digits, '.', '_' and '-', and starts with a letter or digit; got {name!r}"
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
