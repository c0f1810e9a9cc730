"""How a worker is started, and, where a library runs our tasks (Dask, Ray), what such a task does."""

import contextlib
import os
import subprocess
import sys
import time
from pathlib import Path

_LOOK = 1.0
_GRACE = 25.0
_NO_FOLDER = 93


def worker_words(file: Path | str, number: int | str, *more: str, python: str = sys.executable) -> list[str]:
    """The words that start the worker of one chunk."""
    return [python, "-m", "seedwise.worker", str(file), "--chunk", str(number), *more]


def work_in_a_task(file: str, number: int, jobs: int | None, job: str) -> int:
    """Start the worker of one chunk, and wait for it. Returns its exit status.

    Libraries cannot end a task that is running: it looks for the file `cancelled` in the submission's folder itself.
    """
    cores = [] if jobs is None else ["--jobs", str(jobs)]
    log = os.path.join(os.path.dirname(os.path.dirname(file)), "logs", f"{Path(file).stem}-{number}.out")
    cancelled = os.path.join(os.path.dirname(os.path.dirname(file)), "cancelled")
    if not os.path.isfile(file):
        time.sleep(_LOOK)
    if not os.path.isdir(os.path.dirname(log)):
        return _NO_FOLDER
    with open(log, "ab") as out:
        process = subprocess.Popen(
            worker_words(file, number, "--job", job, "--with-parent", str(os.getpid()), *cores),
            stdin=subprocess.DEVNULL,
            stdout=out,
            stderr=out,
        )
    try:
        while True:
            with contextlib.suppress(subprocess.TimeoutExpired):
                return process.wait(_LOOK)
            if os.path.exists(cancelled):
                return _end(process)
    except BaseException:
        _end(process)
        raise


def _end(process: "subprocess.Popen[bytes]") -> int:
    process.terminate()
    try:
        return process.wait(_GRACE)
    except subprocess.TimeoutExpired:
        process.kill()
        return process.wait()
