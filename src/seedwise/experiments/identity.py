"""Experiment identity: which runs belong to an experiment.

Code, configuration, packages and settings of a run must be those of the experiment.
"""

import hashlib
import json
import os
import shutil
from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

from seedwise_guest.protocol import CONFIGURATION, Placement, code_digest

from ..sandbox.workdir import Workdir
from .options import Mode, Options
from .site_reading import Reading

CONFIG_LARGEST = 2 * 2**20


def digest(path: str | Path) -> str:
    """SHA-256 of a file, of a notebook that of its code; "" if it cannot be read."""
    try:
        data = Path(path).read_bytes()
        return code_digest(str(path), data) if str(path).endswith(".ipynb") else hashlib.sha256(data).hexdigest()
    except OSError:
        return ""


def make_manifest(
    command: Sequence[str], mode: Mode, options: Options, reading: Reading, environment: Mapping[str, str]
) -> dict[str, object]:
    """Everything by which an experiment is recognised before its first run."""
    network = {"network": "own"} if options.isolate_network else {}
    vary = {
        "sources": sorted(options.vary),
        "at": {source: list(row) for source, row in options.at},
        "corrections": sorted(options.corrections),
    }
    return {
        **network,
        **({"vary": vary} if options.vary else {}),
        "command": list(command),
        "folder": os.getcwd(),
        "mode": mode.value,
        "keep": sorted(options.keep),
        "seed site": options.number_at or options.config_site or "",
        "threads": options.threads,
        "PYTHONHASHSEED": environment["PYTHONHASHSEED"],
        "python": reading.python.get("version", ""),
        "files": "shared" if options.workdir is Workdir.SHARED else "private",
        "code": {**_named_files(command, reading.script), **dict(sorted(reading.placement.files.items()))},
    }


def _named_files(command: Sequence[str], script: str | None) -> dict[str, str]:
    """Small files that the command names apart from the script: a shell script, a configuration file."""
    paths = {os.path.abspath(word) for word in command if os.path.isfile(word)}
    first = shutil.which(command[0])
    found = sorted(path for path in paths if path not in (script, first and os.path.abspath(first)))
    return {path: digest(path) for path in found if os.path.getsize(path) <= CONFIG_LARGEST}


def key_of(manifest: Mapping[str, object]) -> str:
    """A short name for the manifest: 12 hexadecimal digits of its digest."""
    text = json.dumps(manifest, sort_keys=True)
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()[:12]


INTENT = ("command", "folder", "mode", "keep", "seed site", "network", "vary")
"""What a user sets up. A difference in anything else is a change that happened later."""


def same_intent(old: Mapping[str, object], new: Mapping[str, object]) -> bool:
    """Whether both are the same command with the same setup.

    If so, every other difference is a change that must be named.
    """
    return all(old.get(name) == new.get(name) for name in INTENT)


def changes(
    old: Mapping[str, object],
    new: Mapping[str, object],
    inputs: Mapping[tuple[str, str], str],
    packages: Mapping[str, str],
) -> list[str]:
    """What changed since an experiment was made, each change in words: `train.py`, `numpy 2.3.0 → 2.4.6`."""
    old, new = dict[str, Any](old), dict[str, Any](new)
    found: list[str] = []
    for name in ("threads", "PYTHONHASHSEED", "python", "files"):
        if old.get(name) != new.get(name):
            found.append(f"{name} {_short(old.get(name))} → {_short(new.get(name))}")
    said, says = old.get("function", {}), new.get("function", {})
    found += [name for name in sorted({*said, *says}) if said.get(name) != says.get(name)]
    before, now = old.get("code", {}), new.get("code", {})
    for path in sorted({*before, *now}):
        if before.get(path) != now.get(path):
            found.append(_shown(path) if path in before and path in now else f"{_shown(path)} ({_which(path, now)})")
    for (kind, name), value in sorted(inputs.items()):
        if kind in ("code", "config") and name not in now and digest(name) != value:
            found.append(_shown(name))
        elif kind == "package" and packages.get(name) != value:
            found.append(f"{name} {value} → {packages.get(name, 'not installed')}")
    return found


def placed_otherwise(old: Placement, new: Placement) -> list[str]:
    """Where seeds go otherwise than when an experiment was made, as after an update of Seedwise; in words for a person."""
    before, now = old.given(), new.given()
    places = sorted(place for place in {*before, *now} if before.get(place) != now.get(place))
    if not places:
        return []
    shown = ", ".join(f"{_shown(path)}:{line}" for path, line, _ in places[:4])
    return [f"where the seed goes ({shown}{' …' if len(places) > 4 else ''})"]


def changed_data(inputs: Mapping[tuple[str, str], str]) -> list[str]:
    """Data files whose size or time has changed."""
    return [_shown(name) for (kind, name), value in sorted(inputs.items()) if kind == "data" and stamp(name) != value]


def stamp(path: str) -> str:
    """Size and time of a file."""
    try:
        info = os.stat(path)
    except OSError:
        return "gone"
    return f"{info.st_size} bytes, {info.st_mtime_ns}"


def read_inputs(
    loaded: Mapping[str, str],
    read: Iterable[str],
    libraries: Iterable[str],
    packages: Mapping[str, str],
    planned: Iterable[str],
    seen: Callable[[str], str] = str,
) -> dict[tuple[str, str], str]:
    """What a run loaded and read, as inputs of its experiment.

    Files that no longer exist were the run's own; they are left out. `seen` gives the file that a run sees under a path.
    """
    inputs: dict[tuple[str, str], str] = {}
    known = set(planned)
    for path, value in loaded.items():
        if path not in known and os.path.isfile(seen(path)):
            inputs["code", path] = value
    for path in read:
        there = seen(path)
        if not os.path.isfile(there):
            continue
        if path.endswith((".py", ".ipynb")):
            if path not in known and path not in loaded:  # exec(open("model.py").read())
                inputs["code", path] = digest(there)
        elif path.lower().endswith(CONFIGURATION) and os.path.getsize(there) <= CONFIG_LARGEST:
            inputs["config", path] = digest(there)
        else:
            inputs["data", path] = stamp(path)
    for name in libraries:
        package = _ALIASES.get(name, name.lower().replace("_", "-"))
        if package in packages:
            inputs["package", package] = packages[package]
    return inputs


_ALIASES = {
    "sklearn": "scikit-learn",
    "cv2": "opencv-python",
    "PIL": "pillow",
    "yaml": "pyyaml",
    "skimage": "scikit-image",
    "pytorch_lightning": "pytorch-lightning",
    "dateutil": "python-dateutil",
    "hydra": "hydra-core",
    "bs4": "beautifulsoup4",
    "attr": "attrs",
    "google": "protobuf",
    "git": "gitpython",
    "tensorboard": "tensorboard",
}
"""Imported name → name of the distribution, where the two differ."""


def _short(value: object) -> str:
    return "the script's own" if value is None else str(value).split(" ", 1)[0]


def _shown(path: str) -> str:
    try:
        relative = os.path.relpath(path)
    except ValueError:
        return path
    return path if relative.startswith("..") else relative


def _which(path: str, now: Mapping[str, str]) -> str:
    return "new" if path in now else "no longer imported"
