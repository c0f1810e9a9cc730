"""The oracle is a text editor: cases with their seed sites marked, and what becomes of them.

`«42»` is a site that receives s; `«k|7»` is one with another number, which receives a number of its own. Taking the marks
away gives the script that is run under Seedwise; replacing them gives the edited copy that plain Python runs.
"""

import re
import shutil
from pathlib import Path

from seedwise_guest.randomness.streams import derive

CASES = Path(__file__).parent / "cases"
MARK = re.compile(r"«(k\|)?(\"?)(-?\d+)(\"?)»")


def names() -> list[str]:
    """Every case: a file, or a folder with a main.py."""
    return sorted(path.stem for path in CASES.iterdir() if path.suffix == ".py" or (path / "main.py").exists())


def sources(name: str) -> dict[str, str]:
    """The marked texts of a case, by relative path; the script is `main.py`."""
    folder = CASES / name
    if folder.is_dir():
        return {str(p.relative_to(folder)): p.read_text(encoding="utf-8") for p in sorted(folder.rglob("*.py"))}
    return {"main.py": (CASES / f"{name}.py").read_text(encoding="utf-8")}


def plain(text: str) -> str:
    """The script as its author wrote it."""
    return MARK.sub(lambda m: f"{m[2]}{m[3]}{m[4]}", text)


def edited(text: str, seed: int) -> str:
    """The copy in which a text editor replaced the seeds."""

    def value(m: re.Match[str]) -> str:
        number = derive(seed, "site", int(m[3]), bits=31) if m[1] else seed
        return f"{m[2]}{number}{m[4]}"

    return MARK.sub(value, text)


def sites(text: str) -> list[tuple[int, int, str]]:
    """Line, column in UTF-8 bytes, and text of each marked site."""
    found = []
    for number, line in enumerate(text.split("\n"), start=1):
        for match in MARK.finditer(line):
            start = len(plain(line[: match.start()]).encode())
            found.append((number, start, f"{match[2]}{match[3]}{match[4]}"))
    return found


def write(folder: Path, texts: dict[str, str]) -> None:
    """Put the texts into an empty folder; a file that declares latin-1 is written so."""
    shutil.rmtree(folder, ignore_errors=True)
    for name, text in texts.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        encoding = "latin-1" if "coding: latin-1" in text[:60] else "utf-8"
        path.write_bytes(text.encode(encoding))
