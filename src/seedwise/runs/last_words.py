"""What a run that is going on has last said: logged, or printed."""

import json
import re
from pathlib import Path

_TAIL = 4096
_CODES = re.compile(r"\x1b\[[0-9;?]*[A-Za-z]|\x1b\][^\x07]*\x07")


def last_words(folder: Path, spool: Path) -> str:
    """The last metrics that a run logged, or else the last line that it printed; "" if there is nothing yet.

    Parameters
    ----------
    folder
        Where its standard output and standard error go.
    spool
        Where it logs to.
    """
    logged = _newest([*spool.glob("*.jsonl")])
    printed = _newest([folder / "stdout", folder / "stderr"])
    if logged is not None:
        for line in reversed(_tail(logged).splitlines()):
            said = _said(line)
            if said:
                return said
    if printed is None:
        return ""
    lines = [line.strip() for line in re.split(r"[\r\n]", _CODES.sub("", _tail(printed)))]
    return next((line for line in reversed(lines) if line), "")


def _newest(paths: list[Path]) -> Path | None:
    """The file that was written last; None if all are empty or gone."""
    found = []
    for path in paths:
        try:
            info = path.stat()
        except OSError:
            continue
        if info.st_size:
            found.append((info.st_mtime_ns, str(path), path))
    return max(found)[2] if found else None


def _tail(path: Path) -> str:
    try:
        with open(path, "rb") as file:
            size = file.seek(0, 2)
            file.seek(max(0, size - _TAIL))
            return file.read().decode("utf-8", errors="replace")
    except OSError:
        return ""


def _said(line: str) -> str:
    """A logged message as words; "" for any other line."""
    try:
        message = json.loads(line)
        if message.get("type") != "log":
            return ""
        step, values = message.get("step"), message["values"]
        text = " ".join(f"{name}={value:.4g}" for name, value in list(values.items())[:6])
    except (ValueError, TypeError, KeyError, AttributeError, RecursionError):
        return ""
    return f"step {step} {text}" if step is not None else text
