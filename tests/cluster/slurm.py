"""A Slurm of two nodes on this host, without systemd or control groups."""

from __future__ import annotations

import os
import pwd
import shutil
import socket
import subprocess
import tempfile
import time
from pathlib import Path

from tests.cluster.servers import RUNUSER, free_port

NEEDED = ("munged", "slurmctld", "slurmd", "sbatch", "scontrol", "squeue")


def missing() -> str:
    """What is not installed, or why Slurm cannot be started here; empty where all is well."""
    if os.geteuid() != 0:
        return "Slurm's daemons are started as root"
    absent = [name for name in NEEDED if shutil.which(name) is None]
    return f"{', '.join(absent)} not installed" if absent else ""


class Slurm:
    """slurmctld and two slurmd with two cores each; `environment` lets commands find them."""

    def __init__(self) -> None:
        self.folder = Path(tempfile.mkdtemp(prefix="geno-slurm-", dir="/tmp"))
        self.folder.chmod(0o755)
        self._daemons: list[subprocess.Popen[bytes]] = []
        munge = self.folder / "munge"
        munge.mkdir(mode=0o755)
        key = munge / "key"
        key.write_bytes(os.urandom(128))
        key.chmod(0o400)
        owner = pwd.getpwnam("munge")
        for path in (munge, key):
            os.chown(path, owner.pw_uid, owner.pw_gid)
        socket_path = munge / "socket"
        self._start(
            *(RUNUSER, "-u", "munge", "--", "munged", "-F", f"--key-file={key}"),
            *(f"--socket={socket_path}", f"--pid-file={munge / 'pid'}"),
            *(f"--log-file={munge / 'log'}", f"--seed-file={munge / 'seed'}"),
        )
        conf = self.folder / "slurm.conf"
        host, ports = socket.gethostname(), [free_port() for _ in range(3)]
        conf.write_text(
            f"""\
ClusterName=test
SlurmctldHost={host}(127.0.0.1)
SlurmctldPort={ports[0]}
SlurmUser=root
AuthType=auth/munge
AuthInfo=socket={socket_path}
CredType=cred/munge
StateSaveLocation={self.folder}/state
SlurmdSpoolDir={self.folder}/spool.%n
SlurmctldPidFile={self.folder}/ctld.pid
SlurmdPidFile={self.folder}/slurmd.%n.pid
ProctrackType=proctrack/linuxproc
TaskPlugin=task/none
ReturnToService=2
KillWait=60
SelectType=select/cons_tres
SelectTypeParameters=CR_Core
SchedulerParameters=requeue_delay=1
NodeName=n1 NodeHostname={host} NodeAddr=127.0.0.1 Port={ports[1]} CPUs=2
NodeName=n2 NodeHostname={host} NodeAddr=127.0.0.1 Port={ports[2]} CPUs=2
PartitionName=lab Nodes=n1,n2 Default=YES MaxTime=INFINITE State=UP
"""
        )
        (self.folder / "state").mkdir()
        self.environment = {"SLURM_CONF": str(conf)}
        while not socket_path.exists():
            time.sleep(0.05)
        self._start("slurmctld", "-D", "-f", str(conf))
        for node in ("n1", "n2"):
            (self.folder / f"spool.{node}").mkdir()
            self._start("slurmd", "-D", "-N", node, "-f", str(conf))
        deadline = time.monotonic() + 60
        while "idle" not in self.say("sinfo", "-h", "-o", "%t %D"):
            assert time.monotonic() < deadline, (self.folder / "log").read_text()[-3000:]
            time.sleep(0.3)

    def _start(self, *command: str) -> None:
        with (self.folder / "log").open("ab") as log:
            daemon = subprocess.Popen(
                command, stdout=log, stderr=log, env=os.environ | getattr(self, "environment", {})
            )
        self._daemons.append(daemon)

    def say(self, *command: str) -> str:
        """Run a command of Slurm's and give its words."""
        told = subprocess.run(
            command, capture_output=True, text=True, env=os.environ | self.environment, check=False
        )
        return told.stdout + told.stderr

    def close(self) -> None:
        for daemon in reversed(self._daemons):
            daemon.terminate()
            daemon.wait(30)
        shutil.rmtree(self.folder, ignore_errors=True)
