"""Hands chunks of seeds to Slurm, as job arrays. It uses sbatch, squeue, scancel and scontrol, and no database of Slurm's.

Sources: the manuals of sbatch, squeue, scontrol and srun (Slurm 22.05).
"""

import os
import re
import shlex
import shutil
import subprocess
import sys
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from ...errors import UsageError
from . import Engine, Executor, Fate, Round, Standing
from .sharing import TOKEN, not_shared
from .slurm_settings import OURS, seconds_of
from .starting import worker_words

_LONG = 120.0
"""Seconds that a command of Slurm's may take."""
_STATES = {
    "PENDING": Fate.WAITING,
    "CONFIGURING": Fate.WAITING,
    "REQUEUED": Fate.WAITING,
    "REQUEUE_HOLD": Fate.WAITING,
    "REQUEUE_FED": Fate.WAITING,
    "SPECIAL_EXIT": Fate.WAITING,
    "RESV_DEL_HOLD": Fate.WAITING,
    "RUNNING": Fate.RUNNING,
    "COMPLETING": Fate.RUNNING,
    "SUSPENDED": Fate.RUNNING,
    "STOPPED": Fate.RUNNING,
    "RESIZING": Fate.RUNNING,
    "SIGNALING": Fate.RUNNING,
    "STAGE_OUT": Fate.RUNNING,
    "COMPLETED": Fate.DONE,
    "CANCELLED": Fate.CANCELLED,
    "PREEMPTED": Fate.PREEMPTED,
    "NODE_FAIL": Fate.NODE_FAILED,
    "BOOT_FAIL": Fate.NODE_FAILED,
    "OUT_OF_MEMORY": Fate.OUT_OF_MEMORY,
    "TIMEOUT": Fate.TIMED_OUT,
    "DEADLINE": Fate.TIMED_OUT,
    "FAILED": Fate.FAILED,
    "REVOKED": Fate.CANCELLED,
}
_LEAST_LEAD, _MOST_LEAD = 30.0, 120.0
_UNKNOWN_JOB = "nvalid job id"
"""What squeue says if it is asked only about jobs that Slurm has forgotten."""
_UNKNOWN_SO_OFTEN = 2
"""A job that Slurm no longer knows so many times is over."""


class SlurmExecutor:
    """Submits a round as one array, or as several if the site allows no longer ones.

    Parameters
    ----------
    settings
        Options of sbatch, and `OURS`.
    jobs
        How many runs one worker does at a time. None: as many as the job has cores for.

    Raises
    ------
    UsageError
        There is no Slurm here.
    """

    engine = Engine.SLURM

    def __init__(self, settings: Mapping[str, str], jobs: int | None = None) -> None:
        if shutil.which("sbatch") is None:
            raise UsageError("there is no Slurm here: no sbatch on PATH; submit from a login node of the cluster")
        self._settings = dict(settings)
        self.jobs = jobs
        self.pause = float(settings.get("poll", "30"))
        self._unknown: dict[str, int] = {}

    @property
    def settings(self) -> Mapping[str, Any]:
        return self._settings

    # --- what is submitted -----------------------------------------------------------------------------------------

    def shown(self, chunks: Round) -> str:
        return self.script(chunks, 0, len(chunks.numbers))

    def script(self, chunks: Round, first: int, count: int) -> str:
        """The script for `count` chunks from `first` on."""
        lead, setup = self._lead(), self._settings.get("setup", "")
        options = {
            "job-name": chunks.title,
            "array": f"0-{count - 1}",
            "output": f"{chunks.logs}/slurm-%A_%a.out",
            "open-mode": "append",
            "requeue": "",
            "ntasks": "1",
            "signal": f"B:TERM@{lead:g}",
            **{name: value for name, value in self._settings.items() if name not in OURS},
        }
        lines = [f"#SBATCH --{name}={value}" if value else f"#SBATCH --{name}" for name, value in options.items()]
        words = worker_words(chunks.file, "$K", python=self._settings.get("python") or sys.executable)
        python, file = shlex.quote(words[0]), shlex.quote(str(chunks.file))
        return "\n".join(
            [
                "#!/bin/bash",
                *lines,
                *(["BEFORE=$(mktemp)", 'env -0 > "$BEFORE"', setup] if setup else []),
                f"K=$(({first} + SLURM_ARRAY_TASK_ID))",
                f'exec {python} -m seedwise.worker {file} --chunk "$K" \\',
                f'  --job "${{SLURM_ARRAY_JOB_ID}}_${{SLURM_ARRAY_TASK_ID}}" --jobs "${{SLURM_CPUS_PER_TASK:-1}}" --lead {lead:g} --slurm'
                + (' --before "$BEFORE"' if setup else ""),
                "",
            ]
        )

    def _lead(self) -> float:
        """Seconds before the time limit at which Slurm asks a worker to end."""
        limit = seconds_of(self._settings.get("time", ""))
        return _MOST_LEAD / 2 if limit is None else min(_MOST_LEAD, max(_LEAST_LEAD, limit // 20))

    def submit(self, chunks: Round) -> None:
        chunks.handle.update({"jobs": [], "left": [0, len(chunks.numbers)], "size": self._longest_array()})
        self._submit_more(chunks, must=True)

    def _longest_array(self) -> int:
        """How many tasks an array may have here."""
        found = re.search(r"^MaxArraySize\s*=\s*(\d+)", _slurm("scontrol", "show", "config"), re.MULTILINE)
        return max(1, int(found[1])) if found else 1000

    def _submit_more(self, chunks: Round, must: bool) -> None:
        """Submit what is left of a round, as far as the site takes it.

        A site that limits how many jobs may be queued refuses a long array and takes a shorter one. What it does not take now
        is submitted when others have ended. With `must`, UsageError is raised if it takes none at all.
        """
        handle = chunks.handle
        while handle["left"][0] < handle["left"][1]:
            first, end = handle["left"]
            count = min(end - first, handle["size"])
            while True:
                done = _run("sbatch", "--parsable", text=self.script(chunks, first, count))
                if done.returncode == 0 or count == 1:
                    break
                count = (count + 1) // 2
            if done.returncode != 0:
                if must and not handle["jobs"]:
                    raise UsageError(f"sbatch: {_said(done)}")
                return
            handle["jobs"].append({"job": int(done.stdout.strip().split(";")[0]), "first": first, "count": count})
            handle["left"] = [first + count, end]
            if count < handle["size"] and handle["left"][0] < end:
                return  # the site takes no more now

    # --- how it stands ---------------------------------------------------------------------------------------------

    def poll(self, rounds: Sequence[Round]) -> list[dict[int, Standing]]:
        jobs = [str(job["job"]) for one in rounds for job in one.handle.get("jobs", [])]
        tasks = self._queue(jobs)
        if tasks is None:
            return [_as_before(one) for one in rounds]
        found = []
        for one in rounds:
            standing = {}
            for number, job, task in _tasks(one):
                how = tasks.get((job, task))
                standing[number] = (
                    how if how is not None else self._unknown_to_slurm(f"{job}_{task}", bool(tasks) or not jobs)
                )
            for number in range(*one.handle.get("left", [0, 0])):
                standing[number] = Standing(Fate.WAITING)
            found.append(standing)
            over = all(how.fate.is_over for number, how in standing.items() if number < one.handle["left"][0])
            waiting = sum(how.fate is Fate.WAITING for how in standing.values())
            if one.handle["left"][0] < one.handle["left"][1] and (over or waiting <= one.handle["size"] // 2 + 1):
                self._submit_more(one, must=False)
        return found

    def _queue(self, jobs: Sequence[str]) -> dict[tuple[str, int], Standing] | None:
        """What squeue says of every task of these jobs, in one question. None if there was no answer: Slurm is down."""
        if not jobs:
            return {}
        done = _run(
            "squeue", "--noheader", "--array", "--states=all", "--format=%F|%K|%T|%N|%r", f"--jobs={','.join(jobs)}"
        )
        if done.returncode != 0 and _UNKNOWN_JOB not in done.stderr:
            return None
        found = {}
        for line in done.stdout.splitlines():
            job, task, state, node, reason = (line.strip().split("|") + [""] * 5)[:5]
            if task.isdigit():
                fate = _STATES.get(state, Fate.RUNNING)
                name = f"{job}_{task}"
                self._unknown.pop(name, None)
                detail = reason if fate is Fate.WAITING and reason not in ("None", "Priority", "Resources") else ""
                found[job, int(task)] = Standing(fate, name, node, None, detail)
        return found

    def _unknown_to_slurm(self, name: str, answered: bool) -> Standing:
        """A job that Slurm has forgotten (after MinJobAge): it is over. An answer about no job at all is believed the third time."""
        self._unknown[name] = self._unknown.get(name, 0) + 1
        if answered or self._unknown[name] > _UNKNOWN_SO_OFTEN:
            return Standing(Fate.LOST, name)
        return Standing(Fate.RUNNING, name)

    def collect(self, chunks: Round, number: int, standing: Standing) -> Standing:
        job, task = next(((j, t) for k, j, t in _tasks(chunks) if k == number), ("", 0))
        chunks.handle["log"] = f"slurm-{job}_{task}.out"
        if standing.fate is Fate.CANCELLED:
            return Standing(Fate.CANCELLED, standing.job, standing.node, None, "with scancel, or by an administrator")
        if standing.fate is Fate.LOST:
            standing = self._from_accounting(standing)
        if standing.fate is not Fate.FAILED:
            return standing
        shown = _run("scontrol", "show", "job", standing.job).stdout
        code = re.search(r"ExitCode=(\d+):(\d+)", shown)
        node = re.search(r"\bBatchHost=(\S+)", shown)
        where = node[1] if node else standing.node
        if code is None:
            return Standing(Fate.FAILED, standing.job, where)
        status, signal = int(code[1]), int(code[2])
        if signal == _NO_OUTPUT:
            return Standing(Fate.FAILED, standing.job, where, 93, f"its node cannot write {chunks.logs}")
        return Standing(
            Fate.FAILED,
            standing.job,
            where,
            status or -signal,
            f"exit status {status}" if status else f"signal {signal}",
        )

    def _from_accounting(self, standing: Standing) -> Standing:
        """What Slurm's accounting says of a job that the controller has forgotten; the same where there is no accounting."""
        if shutil.which("sacct") is None or not standing.job:
            return standing
        done = _run(
            "sacct", "--noheader", "--parsable2", "--allocations", "--format=State,NodeList", f"--jobs={standing.job}"
        )
        words = done.stdout.strip().splitlines()[:1]
        if done.returncode != 0 or not words:
            return standing
        state, _, node = words[0].partition("|")
        fate = _STATES.get(state.split(" ")[0], standing.fate)
        return Standing(fate if fate.is_over else standing.fate, standing.job, node)

    # --- ending and asking -----------------------------------------------------------------------------------------

    def cancel(self, rounds: Sequence[Round]) -> None:
        jobs = [str(job["job"]) for one in rounds for job in one.handle.get("jobs", [])]
        for one in rounds:
            one.handle["left"] = [0, 0]
        if jobs:
            _run("scancel", *jobs)

    def find_out(self, folder: Path, token: str) -> str:
        """Have a node look for the file, if one is free within half a minute."""
        names = ("partition", "account", "qos", "constraint", "reservation", "nodelist", "clusters")
        options = [f"--{name}={self._settings[name]}" for name in names if self._settings.get(name)]
        look = f'hostname; cat "{folder}/{TOKEN}" && echo {token} > "{folder}/.seen-$SLURM_JOB_ID" && echo written'
        done = _run(
            "srun", "--immediate=20", "--quiet", "--ntasks=1", "--time=2", "--chdir=/", "--job-name=seedwise-probe", *options,
            "/bin/sh", "-c", look,
        )  # fmt: skip
        lines = done.stdout.splitlines()
        host = lines[0].strip() if lines else ""
        if not host:
            said = _said(done)
            if any(word in said for word in ("nvalid", "ermission", "ccess", "pecified")):
                raise UsageError(f"srun: {said}")
            return f"no node was free to look whether it sees {folder}; each looks before it begins"
        if token not in done.stdout:
            raise UsageError(not_shared(f"{host} does not see {folder} as this machine does"))
        if "written" not in done.stdout:
            raise UsageError(not_shared(f"{host} cannot write to {folder}"))
        for path in folder.glob(".seen-*"):
            path.unlink()
        return ""

    def forget(self, chunks: Round) -> None:
        pass

    def close(self) -> None:
        pass


_NO_OUTPUT = 53
"""The signal that Slurm tells of a job whose output file could not be opened on its node."""


def _tasks(chunks: Round) -> Iterator[tuple[int, str, int]]:
    """Of each submitted chunk: its number, job and task."""
    for job in chunks.handle.get("jobs", []):
        for task in range(job["count"]):
            yield job["first"] + task, str(job["job"]), task


def _as_before(chunks: Round) -> dict[int, Standing]:
    """How the chunks stand as far as is known without an answer: what is queued goes on."""
    waiting = {number: Standing(Fate.WAITING) for number in range(*chunks.handle.get("left", [0, 0]))}
    return {number: Standing(Fate.RUNNING, f"{job}_{task}") for number, job, task in _tasks(chunks)} | waiting


def _run(*words: str, text: str | None = None) -> "subprocess.CompletedProcess[str]":
    try:
        return subprocess.run(
            words, input=text, capture_output=True, text=True, timeout=_LONG, check=False, env=_environment()
        )
    except subprocess.TimeoutExpired:
        return subprocess.CompletedProcess(words, 1, "", f"{words[0]} has not answered for {_LONG:g} s")
    except OSError as error:
        raise UsageError(f"cannot start {words[0]}: {error.strerror}") from None


def _environment() -> dict[str, str]:
    """The environment without options of squeue's and sbatch's that would change what they print and do."""
    return {k: v for k, v in os.environ.items() if not k.startswith(("SQUEUE_", "SBATCH_ARRAY", "SACCT_"))}


def _slurm(*words: str) -> str:
    done = _run(*words)
    if done.returncode != 0:
        raise UsageError(f"{words[0]}: {_said(done)}")
    return done.stdout


def _said(done: "subprocess.CompletedProcess[str]") -> str:
    lines = [line.strip() for line in done.stderr.splitlines() if line.strip()]
    return "; ".join(lines[:3]) or f"exit status {done.returncode}"


_check: type[Executor] = SlurmExecutor
