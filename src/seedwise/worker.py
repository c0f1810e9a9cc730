"""What an engine starts on a node: `python -m seedwise.worker ROUND --chunk 17`. It is of no use to a person."""

import argparse
import os
import sys
from pathlib import Path


def _end_with(parent: int) -> None:
    """Get SIGTERM when the process that started this one has ended."""
    import signal
    import threading
    import time

    def look() -> None:
        while os.getppid() == parent:
            time.sleep(1)
        os.kill(os.getpid(), signal.SIGTERM)

    threading.Thread(target=look, daemon=True).start()


def main(words: list[str] | None = None) -> int:
    """Run the seeds of one chunk. Returns the exit status."""
    parser = argparse.ArgumentParser(prog="python -m seedwise.worker", description=__doc__)
    parser.add_argument("round", type=Path, help="the file of the round, on the shared folder")
    parser.add_argument("--chunk", type=int, required=True, help="which of its chunks")
    parser.add_argument("--job", default="", help="the engine's name for this job")
    parser.add_argument("--jobs", type=int, help="cores that the engine gave to this worker")
    parser.add_argument(
        "--lead", type=float, default=0.0, help="seconds before the time limit at which it is asked to end"
    )
    parser.add_argument("--before", type=Path, help="a file with the environment before the user's own lines of shell")
    parser.add_argument("--slurm", action="store_true", help="have Slurm queue this job again when its time is up")
    parser.add_argument("--with-parent", type=int, help="end when this process, which started the worker, has ended")
    given = parser.parse_args(words)
    if given.with_parent is not None:
        _end_with(given.with_parent)

    from .runs.away.folder import wait_until_seen
    from .runs.away.journal import NOT_SEEN
    from .runs.away.working import Here, work

    if not wait_until_seen(given.round, float(os.environ.get("SEEDWISE_PATIENCE", "60"))):
        print(f"seedwise: this node does not see {given.round}", file=sys.stderr)
        return NOT_SEEN
    before = None if given.before is None else _environment(given.before)
    return work(given.round.absolute(), given.chunk, Here(given.job, given.jobs, given.lead, before, given.slurm))


def _environment(file: Path) -> dict[str, str]:
    """The environment that `env -0` has written. The file is not needed any more."""
    parts = file.read_bytes().split(b"\0")
    file.unlink()
    return {
        os.fsdecode(name): os.fsdecode(value) for name, _, value in (part.partition(b"=") for part in parts) if name
    }


if __name__ == "__main__":
    sys.exit(main())
