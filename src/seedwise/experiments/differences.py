"""What differs between two versions of an experiment's name, in words for a list."""

import os
from collections.abc import Mapping, Sequence
from difflib import SequenceMatcher
from typing import Any

from .store import Experiment

Inputs = Mapping[tuple[str, str], str]
_PLAIN = ("mode", "seed site", "threads", "PYTHONHASHSEED", "files", "network")


def differences(old: Experiment, new: Experiment, before: Inputs, now: Inputs) -> list[str]:
    """What `new` has otherwise than `old`: words of the command, settings, files of code, packages; [] if nothing is known.

    Parameters
    ----------
    before, now
        What the runs of each read: (kind, name) → digest or version.
    """
    a, b = dict(old.manifest), dict(new.manifest)
    found = _words(a.get("command", ()), b.get("command", ()))
    plain = [
        name for name in _PLAIN if name != "mode" or not found
    ]  # another command says already how the seed gets in
    found += [
        f"{name} {a.get(name) or 'none'} → {b.get(name) or 'none'}" for name in plain if a.get(name) != b.get(name)
    ]
    found += _python(str(a.get("python", "")), str(b.get("python", "")))
    if a.get("keep") != b.get("keep"):
        found.append(f"--keep {', '.join(b.get('keep') or ['nothing'])}")
    if a.get("folder") != b.get("folder"):
        found.append(f"in {b.get('folder')}")
    found += _changed(a.get("function", {}), b.get("function", {}))
    folder = str(b.get("folder", ""))
    code = _changed({**a.get("code", {}), **_of("code", before)}, {**b.get("code", {}), **_of("code", now)})
    found += [_short(path, folder) for path in code if not folder or path.startswith(folder + os.sep)]
    found += [_short(path, folder) for path in _changed(_of("config", before), _of("config", now), both=True)]
    packages, present = _of("package", before), _of("package", now)
    found += [f"{name} {packages[name]} → {present[name]}" for name in _changed(packages, present, both=True)]
    if not found and old.plan.get("live") != new.plan.get("live"):
        found.append("where the seed goes")
    return list(dict.fromkeys(found))


def _words(old: Sequence[str], new: Sequence[str]) -> list[str]:
    """What is otherwise in the command: `--lr 0.1 → --lr 0.2`, `--seed {seed}`, `without -n 5`."""
    before, now = _options(old), _options(new)
    found = []
    for kind, i, j, k, m in SequenceMatcher(None, before, now, autojunk=False).get_opcodes():
        gone, come = " ".join(before[i:j]), " ".join(now[k:m])
        if kind == "replace":
            found.append(f"{gone} → {come}")
        elif kind != "equal":
            found.append(come or f"without {gone}")
    return found


def _options(words: Sequence[str]) -> list[str]:
    """The words of a command, each option together with its value."""
    found: list[str] = []
    for word in words:
        last = found[-1] if found else ""
        if last.startswith("-") and " " not in last and "=" not in last and not word.startswith("-"):
            found[-1] = f"{last} {word}"
        else:
            found.append(word)
    return found


def _python(old: str, new: str) -> list[str]:
    a, b = old.split(" ", maxsplit=1)[0], new.split(" ", maxsplit=1)[0]
    return [] if old == new else [f"python {a} → {b}" if a != b else "another build of python"]


def _of(kind: str, inputs: Inputs) -> dict[str, str]:
    return {name: value for (k, name), value in inputs.items() if k == kind}


def _changed(old: Mapping[str, Any], new: Mapping[str, Any], *, both: bool = False) -> list[str]:
    """Names whose values differ; with `both`, only names that are on both sides."""
    names = sorted(set(old) & set(new) if both else {*old, *new})
    return [name for name in names if old.get(name) != new.get(name)]


def _short(path: str, folder: str) -> str:
    return os.path.relpath(path, folder) if folder and path.startswith(folder + os.sep) else path
