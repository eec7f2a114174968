"""Batch scripts for Slurm: one small job that leads a study, and an array of its workers.

The workers are stateless. One that Slurm preempts, or that comes to its time limit, writes a
checkpoint within the grace time, gives its trial back and is queued again; one that is cancelled
does the same but is not queued again.
"""

from __future__ import annotations

import re
import shlex
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

from geno_hpo.errors import GenoHpoError, InputError
from geno_hpo.study.paths import Project, StudyKey

__all__ = ["SlurmJob", "check_shared", "submit"]

GRACE_SECONDS = 90
TIME = re.compile(r"\d+|\d+:\d\d|\d+:\d\d:\d\d|\d+-\d+(:\d\d){0,2}")
WORD = re.compile(r"[A-Za-z0-9_.,-]+")


@dataclass(frozen=True)
class SlurmJob:
    """What is asked of Slurm.

    Parameters
    ----------
    root, key
        The project's folder, which all machines see, and the study.
    workers
        Workers, each a task of the array.
    threads
        Cores of each.
    gpus
        GPUs of each; 0 for none.
    partition, time
        As Slurm has them; empty leaves them to Slurm.

    Raises
    ------
    InputError
        Numbers out of range, or words that Slurm does not take.
    """

    root: Path
    key: StudyKey
    workers: int
    threads: int = 1
    gpus: int = 0
    partition: str = ""
    time: str = ""

    def __post_init__(self) -> None:
        for name, least in (("workers", 1), ("threads", 1), ("gpus", 0)):
            if getattr(self, name) < least:
                raise InputError(f"{name} must be at least {least}, got {getattr(self, name)}")
        if self.partition and not WORD.fullmatch(self.partition):
            raise InputError(f"partition must be letters, digits, _ . , -, got {self.partition!r}")
        if self.time and not TIME.fullmatch(self.time):
            raise InputError(f"time must be like 90, 12:00:00 or 2-0, got {self.time!r}")

    @property
    def leader(self) -> str:
        """Script of the job that prepares the study and sees it to its report."""
        options = {"job-name": f"geno-hpo-{self.key.name}-leader", "cpus-per-task": "1"}
        command = f"run {shlex.quote(str(self.key))} --workers 0 --plain"
        return self._script(options, command, "leader-%j")

    @property
    def crew(self) -> str:
        """Script of the array of workers."""
        options = {
            "job-name": f"geno-hpo-{self.key.name}",
            "array": f"0-{self.workers - 1}",
            "cpus-per-task": str(self.threads),
        }
        if self.gpus:
            options["gres"] = f"gpu:{self.gpus}"
        command = f"worker {shlex.quote(str(self.key))} --stay --threads {self.threads}"
        return self._script(options, command, "worker-%A_%a")

    def _script(self, options: dict[str, str], command: str, log: str) -> str:
        logs = Project(self.root.resolve()).work(self.key) / "logs"
        asked = {
            **options,
            "signal": f"B:USR1@{GRACE_SECONDS}",
            "open-mode": "append",
            "output": str(logs / f"slurm-{log}.log"),
        }
        asked |= {"partition": self.partition} if self.partition else {}
        asked |= {"time": self.time} if self.time else {}
        lines = [f"#SBATCH --{name}={value}" for name, value in asked.items()]
        python, root = shlex.quote(sys.executable), shlex.quote(str(self.root.resolve()))
        return "\n".join(
            [
                "#!/bin/bash",
                *lines,
                "#SBATCH --requeue",
                "# Passwords come by the environment (GENO_HPO_STORAGE, MLFLOW_TRACKING_URI).",
                f"{python} -m geno_hpo {command} --root {root} &",
                "child=$!",
                "again=no",
                "# The time limit is near: keep what was done and queue again.",
                "trap 'again=yes; kill -TERM $child' USR1",
                "# Preempted (Slurm queues again by itself) or cancelled: keep what was done.",
                "trap 'kill -TERM $child' TERM",
                "wait $child; code=$?",
                "while kill -0 $child 2>/dev/null; do wait $child; code=$?; done",
                'if [ "$again" = yes ]; then scontrol requeue "$SLURM_JOB_ID"; fi',
                "exit $code",
                "",
            ]
        )


def check_shared(project: Project) -> None:
    """See that storage and tracking can be reached from many machines.

    Raises
    ------
    InputError
        One of them is a file on this machine.
    """
    for variable, address in (
        ("GENO_HPO_STORAGE", project.storage_url),
        ("MLFLOW_TRACKING_URI", project.tracking_uri),
    ):
        if address.startswith("sqlite"):
            raise InputError(
                f"workers on several machines need servers between them, and {variable} names "
                "none; docs/cluster.md starts both with a few commands"
            )


def submit(script: str) -> str:
    """Give a script to sbatch; its answer is the job's number.

    Raises
    ------
    GenoHpoError
        There is no sbatch here, or it refused; its words are told.
    """
    try:
        told = subprocess.run(
            ["sbatch", "--parsable"], input=script, capture_output=True, text=True, check=False
        )
    except FileNotFoundError as error:
        raise GenoHpoError(
            "there is no sbatch on this machine; say --dry-run to see the scripts, and submit them "
            "where Slurm is"
        ) from error
    if told.returncode:
        raise GenoHpoError(f"sbatch refused the job: {told.stderr.strip()}")
    return told.stdout.strip().partition(";")[0]
