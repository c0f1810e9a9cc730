"""Whether the machines that will run the seeds see the shared folder: asked before anything is queued."""

import contextlib
import os
import secrets
import socket
from pathlib import Path

from ...errors import StoreError
from . import Executor

TOKEN = "token"


def check_shared(folder: Path, executor: Executor) -> str:
    """Put a file into the folder and have the engine look for it elsewhere.

    Returns what should be said; "" for nothing. Raises UsageError if the folder is not shared.
    """
    token = secrets.token_hex(16)
    try:
        (folder / TOKEN).write_text(token)
    except OSError as error:
        raise StoreError(f"cannot write {folder}: {error.strerror}") from None
    return executor.find_out(folder, token)


def look_from_here(folder: str, token: str) -> str:
    """Look for the file from the machine where this is called. Returns what is wrong; "" if all is well."""
    host, path = socket.gethostname(), os.path.join(folder, TOKEN)
    try:
        os.listdir(folder)  # has a network folder ask the server again
        with open(path, encoding="utf-8") as file:
            if file.read() != token:
                return f"{host} sees another {folder}"
    except OSError as error:
        return f"{host} does not see {folder} ({error.strerror})"
    mine = os.path.join(folder, f".seen-by-{host}-{os.getpid()}")
    try:
        with open(mine, "w", encoding="utf-8") as file:
            file.write(token)
    except OSError as error:
        return f"{host} cannot write to {folder} ({error.strerror})"
    with contextlib.suppress(OSError):
        os.unlink(mine)
    return ""


def not_shared(what: str) -> str:
    """What to say of a folder that is not shared."""
    return (
        f"{what}: seeds that are run elsewhere need a folder that all machines share. Name one for the store: "
        "seedwise run --store /shared/me/.seedwise …, or SEEDWISE_STORE"
    )
