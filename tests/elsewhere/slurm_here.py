"""A real Slurm on this machine: munged, slurmctld and slurmd, with ports and folders of their own."""

import os
import shutil
import socket
import subprocess
import time
from collections.abc import Sequence
from pathlib import Path

PROGRAMS = ("munged", "slurmctld", "slurmd", "sbatch", "squeue", "scancel", "scontrol", "srun")
_PATIENCE = 60.0


def missing() -> list[str]:
    """The programs of Slurm that are not installed here."""
    path = f"{os.environ.get('PATH', '')}:/usr/sbin:/sbin"
    return [name for name in PROGRAMS if shutil.which(name, path=path) is None]


def free_port() -> int:
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        return int(one.getsockname()[1])


class SlurmHere:
    """Starts the daemons, and ends them."""

    def __init__(self, folder: Path, cpus: int = 4, cgroups: bool = False) -> None:
        self.folder = folder
        self.conf = folder / "slurm.conf"
        self._processes: dict[str, subprocess.Popen[bytes]] = {}
        self.node = socket.gethostname().partition(".")[0]
        for part in ("state", "spool", "munge", "log"):
            (folder / part).mkdir(parents=True)
        key = folder / "munge" / "key"
        key.write_bytes(os.urandom(1024))
        key.chmod(0o400)
        os.chmod(folder / "munge", 0o755)
        self._start(
            "munged", "--foreground", "--force", f"--key-file={key}", f"--socket={folder}/munge/socket",
            f"--pid-file={folder}/munge/pid", f"--log-file={folder}/munge/log", f"--seed-file={folder}/munge/seed",
        )  # fmt: skip
        ports = [free_port(), free_port()]
        self.conf.write_text(
            f"""ClusterName=seedwise
SlurmctldHost={self.node}(127.0.0.1)
SlurmUser=root
SlurmdUser=root
AuthType=auth/munge
AuthInfo=socket={folder}/munge/socket,cred_expire=3
SlurmctldPort={ports[0]}
SlurmdPort={ports[1]}
StateSaveLocation={folder}/state
SlurmdSpoolDir={folder}/spool
SlurmctldPidFile={folder}/slurmctld.pid
SlurmdPidFile={folder}/slurmd.pid
SlurmctldLogFile={folder}/log/slurmctld
SlurmdLogFile={folder}/log/slurmd
MpiDefault=none
ProctrackType=proctrack/linuxproc
TaskPlugin={"task/cgroup" if cgroups else "task/none"}
SlurmdParameters=config_overrides
SelectType=select/cons_tres
SelectTypeParameters=CR_CPU_Memory
PreemptType=preempt/partition_prio
PreemptMode=REQUEUE
ReturnToService=2
SchedulerParameters=sched_min_interval=200000,batch_sched_delay=0,bf_interval=1,sched_interval=1
KillWait=15
MinJobAge=300
SlurmdTimeout=10
MaxArraySize=8
InactiveLimit=0
NodeName={self.node} NodeAddr=127.0.0.1 CPUs={cpus} RealMemory=8000 State=UNKNOWN
PartitionName=main Nodes={self.node} Default=YES MaxTime=INFINITE State=UP PriorityTier=1 PreemptMode=REQUEUE DefMemPerCPU=1000
PartitionName=urgent Nodes={self.node} MaxTime=INFINITE State=UP PriorityTier=10 DefMemPerCPU=1000
"""
        )
        (folder / "cgroup.conf").write_text(
            "CgroupAutomount=no\nCgroupMountpoint=/sys/fs/cgroup\nConstrainRAMSpace=yes\nConstrainCores=no\n"
            "AllowedRAMSpace=100\nMaxSwapPercent=0\nConstrainSwapSpace=no\nMinRAMSpace=10\n"
        )
        self.environment = {"SLURM_CONF": str(self.conf)}
        try:
            self._wait_for((folder / "munge" / "socket").exists, "munged")
            self.start_controller()
            self.start_node()
        except BaseException:
            self.close()
            raise

    def start_controller(self) -> None:
        """Start slurmctld."""
        self._start("slurmctld", "-D", "-i")

    def start_node(self, *before: str) -> None:
        """Start slurmd, behind the words `before` if there are any, and wait until its node can take jobs."""
        self._start("slurmd", "-D", before=before)
        self._wait_for(lambda: "idle" in self.ask("sinfo", "-h", "-o", "%T"), "slurmd")

    def _start(self, name: str, *options: str, before: Sequence[str] = ()) -> None:
        program = shutil.which(name, path=f"{os.environ.get('PATH', '')}:/usr/sbin:/sbin") or name
        log = open(self.folder / "log" / f"{name}.out", "ab")  # noqa: SIM115 (the daemon's)
        environment = {**os.environ, "SLURM_CONF": str(self.conf)}
        self._processes[name] = subprocess.Popen(
            [*before, program, *options], stdout=log, stderr=log, env=environment, start_new_session=True
        )
        log.close()

    def _wait_for(self, there: object, what: str) -> None:
        assert callable(there)
        until = time.monotonic() + _PATIENCE
        while not there():
            if time.monotonic() > until or (what in self._processes and self._processes[what].poll() is not None):
                said = [path.read_text(errors="replace")[-2000:] for path in sorted((self.folder / "log").iterdir())]
                raise AssertionError(f"{what} did not start: {said}")
            time.sleep(0.2)

    def ask(self, *words: str) -> str:
        """What one of Slurm's commands prints."""
        done = subprocess.run(
            words, capture_output=True, text=True, check=False, env={**os.environ, "SLURM_CONF": str(self.conf)}
        )
        return done.stdout

    def end(self, name: str) -> None:
        """End one daemon at once."""
        process = self._processes.pop(name)
        process.kill()
        process.wait()

    def close(self) -> None:
        """Cancel all jobs, and end every daemon."""
        if "slurmctld" in self._processes:
            self.ask("scancel", "--user=root")
            until = time.monotonic() + 20
            while self.ask("squeue", "-h") and time.monotonic() < until:
                time.sleep(0.3)
        for name in list(self._processes):
            self._processes[name].terminate()
        for process in self._processes.values():
            try:
                process.wait(10)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()
