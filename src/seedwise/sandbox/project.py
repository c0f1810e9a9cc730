"""Finds the folder of the project."""

from pathlib import Path


def project_root(start: Path) -> Path:
    """The folder of the project: the nearest folder with .git or pyproject.toml, here or above; else `start`.

    Never the home folder.
    """
    home = Path.home()
    for folder in (start, *start.parents):
        if folder in (home, folder.parent):
            break
        if (folder / ".git").exists() or (folder / "pyproject.toml").exists():
            return folder
    return start
