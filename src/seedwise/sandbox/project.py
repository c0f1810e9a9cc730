"""The folder that belongs together."""

from pathlib import Path


def project_root(start: Path) -> Path:
    """The folder that belongs together: the nearest with .git or pyproject.toml, here or above; else here. Never home."""
    home = Path.home()
    for folder in (start, *start.parents):
        if folder in (home, folder.parent):
            break
        if (folder / ".git").exists() or (folder / "pyproject.toml").exists():
            return folder
    return start
