"""The interpreter of the kernel that a notebook asks for."""

import json
import os
import shutil
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from seedwise_guest.protocol import NotebookError, kernel_of

from ..errors import ScriptError
from .interpreters import default_python


@dataclass(frozen=True)
class Kernel:
    """An interpreter, and why it is this one."""

    python: str
    sentence: str


def kernel_python(notebook: str) -> Kernel:
    """The interpreter of the kernel that a notebook names, if it is installed here; else the one that `python` starts.

    A kernel whose command begins with plain `python` is that of the environment in which it was installed: Jupyter
    too starts the `python` beside itself then.

    Raises
    ------
    ScriptError
        There is no such notebook, it cannot be read, or there is no interpreter.
    """
    try:
        name = kernel_of(notebook, Path(notebook).read_bytes())
    except OSError as error:
        raise ScriptError(
            f"no such notebook: {notebook}" if not os.path.exists(notebook) else f"{notebook}: {error}"
        ) from None
    except NotebookError as error:
        raise ScriptError(str(error)) from None
    shown = os.path.basename(notebook)
    why = f"no kernel {name} is installed here" if name else "it names no kernel"
    for folder in _kernel_folders():
        program = _program(folder / name / "kernel.json") if name else None
        if program is None:
            continue
        if os.path.isabs(program) and os.access(program, os.X_OK):
            return Kernel(program, f"{shown} runs with {program}, the Python of its kernel {name}")
        beside = folder.parents[2] / "bin" / program
        if beside.exists():
            return Kernel(str(beside), f"{shown} runs with {beside}, the Python of its kernel {name}")
        why = f"its kernel {name} starts {program}, which is not there"
        break
    python = default_python()
    where = shutil.which(python)
    return Kernel(python, f"{shown} runs with {where}: {why}")


def sentence_about(command: Sequence[str]) -> str:
    """With which interpreter a notebook runs, where the command names none; else ""."""
    return kernel_python(command[0]).sentence if command and command[0].endswith(".ipynb") else ""


def _program(file: Path) -> str | None:
    """The program of a kernel's command; None if there is no such kernel."""
    try:
        command = json.loads(file.read_text(encoding="utf-8"))["argv"]
        return str(command[0])
    except (OSError, ValueError, KeyError, IndexError, TypeError):
        return None


def _kernel_folders() -> Iterator[Path]:
    """Where Jupyter looks for kernels, in its order (jupyter_core.paths.jupyter_path)."""
    named = [Path(part) for part in os.environ.get("JUPYTER_PATH", "").split(os.pathsep) if part]
    home = Path.home()
    own = home / "Library" / "Jupyter" if sys.platform == "darwin" else home / ".local" / "share" / "jupyter"
    mine = Path(os.environ["JUPYTER_DATA_DIR"]) if os.environ.get("JUPYTER_DATA_DIR") else own
    python = shutil.which("python") or shutil.which("python3")
    environment = [Path(python).absolute().parents[1] / "share" / "jupyter"] if python else []
    for folder in (*named, *environment, mine, Path("/usr/local/share/jupyter"), Path("/usr/share/jupyter")):
        yield folder / "kernels"
