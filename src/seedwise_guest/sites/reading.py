"""Reads the user's source in their own interpreter and reports its seed sites, before their code runs."""

from __future__ import annotations

import json
import os
import sys
from dataclasses import asdict
from typing import Any

from ..notebooks.cells import NotebookError, is_notebook, place_of
from ..process.launch import Launch, Script, find_script, this_launch
from ..protocol import CALL, PROTOCOL, SITES_FOUND
from .finder import find_sites
from .findings import Findings
from .modules import Module, Source, parse_module, read_module


def read_script(script: Script) -> Findings:
    """The findings for a script and all it imports. Raises SyntaxError, OSError, ValueError as reading the script does."""
    starts = None
    if script.text is not None:
        main = parse_module(script.text.encode("utf-8", "surrogatepass"), script.path, "__main__", "")
    elif is_notebook(script.path):
        from ..notebooks.reading import by_cell, read_notebook

        main, starts = read_notebook(script.path)
    else:
        main = read_module(script.path, script.name, script.package)
    search = [folder for folder in [script.folder, *sys.path] if folder is not None]
    found = find_sites(Source(main, search))
    return found if starts is None else by_cell(found, script.path, starts)


def read_file(path: str, data: bytes) -> Findings:
    """The findings in one file on its own."""
    main: Module = parse_module(data, path, "__main__", "")
    return find_sites(Source(main, []))


def report(spool: str) -> bool:
    """Write what was found into the spool, unless another process of the command has. False: nothing of the user's here."""
    launch = this_launch()
    script = find_script(launch)
    if script is None and launch.kind == "script" and launch.target and not os.path.exists(launch.target):
        return _write(spool, {"error": f"no such script: {launch.target}"})
    if script is None and launch.target == CALL:
        return _write(spool, {"error": "", "launch": asdict(launch)})
    if script is None and launch.kind == "input":
        return _write(spool, {"error": "", "launch": asdict(launch), "remarks": [_stdin_remark()]})
    if script is None:
        return False
    result = _read(script, launch)
    return _write(spool, result)


def _read(script: Script, launch: Launch) -> dict[str, Any]:
    where = script.path
    try:
        found = read_script(script)
    except SyntaxError as error:
        line = (error.text or "").rstrip("\n")
        place = place_of(error.filename or where, error.lineno or 0)
        return {"error": f"{place}: {error.msg}\n    {line.strip()}"}
    except NotebookError as error:
        return {"error": str(error)}
    except (OSError, ValueError, RecursionError) as error:
        return {"error": f"{where}: {error}"}
    return {
        "error": "",
        "launch": asdict(launch),
        "script": where,
        "sites": [asdict(site) for site in found.sites],
        "remarks": [asdict(remark) for remark in found.remarks],
        "split_uses": [asdict(use) for use in found.split_uses],
        "files": found.files,
        "unreadable": found.unreadable,
    }


def _stdin_remark() -> dict[str, Any]:
    text = "code from standard input is not read for seeds, and nothing is substituted in it"
    return {"kind": "elsewhere", "path": "<stdin>", "line": 0, "text": text}


def _write(spool: str, result: dict[str, Any]) -> bool:
    result.update(
        v=PROTOCOL,
        python={
            "version": sys.version,
            "implementation": sys.implementation.name,
            "executable": sys.executable,
            "prefix": sys.prefix,
        },
        packages=installed_packages(),
    )
    draft = os.path.join(spool, f"{SITES_FOUND}.{os.getpid()}")
    with open(draft, "w", encoding="utf-8") as file:
        json.dump(result, file)
    try:
        os.link(draft, os.path.join(spool, SITES_FOUND))  # the first process to report decides
    except OSError:
        pass
    os.unlink(draft)
    return True


def installed_packages() -> dict[str, str]:
    """Name → version of every distribution on `sys.path`, from the names of the metadata folders."""
    found: dict[str, str] = {}
    for folder in sys.path:
        try:
            names = os.listdir(folder)
        except OSError:
            continue
        for name in names:
            if name.endswith((".dist-info", ".egg-info")):
                stem = name.rpartition(".")[0]
                package, _, version = stem.partition("-")
                found.setdefault(package.lower().replace("_", "-"), version)
    return found
