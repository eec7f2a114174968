"""Real servers for the tests: a PostgreSQL and an MLflow server in a temporary folder."""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
import sys
import tempfile
import time
import urllib.request
from pathlib import Path

PASSWORD = "not-to-be-seen"
RUNUSER = shutil.which("runuser") or "/usr/sbin/runuser"
"""It may lie where only a login shell of root looks."""


def postgres_folder() -> Path | None:
    """Folder of PostgreSQL's programs; None where they are not installed."""
    found = shutil.which("pg_ctl")
    folders = [Path(found).parent] if found else []
    folders += sorted(Path("/usr/lib/postgresql").glob("*/bin"), reverse=True)
    return next((folder for folder in folders if (folder / "initdb").exists()), None)


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


class Postgres:
    """A PostgreSQL server with one database and one user that has a password."""

    def __init__(self, programs: Path) -> None:
        self._programs = programs
        self.folder = Path(tempfile.mkdtemp(prefix="geno-pg-", dir="/tmp"))
        self.port = free_port()
        self._addresses = "127.0.0.1"
        self._databases = 0
        if os.geteuid() == 0:
            shutil.chown(self.folder, "postgres", "postgres")
        word = self.folder / "word"
        self._run("bash", "-c", f"echo {PASSWORD} > {word}")
        self._run(
            str(programs / "initdb"),
            *("-D", str(self.folder / "data"), "-U", "lab", "-A", "scram-sha-256"),
            *("--pwfile", str(word), "--no-sync"),
        )
        self.start()

    def database(self) -> str:
        """Address of a fresh database."""
        self._databases += 1
        name = f"lab{self._databases}"
        self._run("psql", self._plain("postgres"), "-qc", f"CREATE DATABASE {name}")
        return self._plain(name).replace("postgresql", "postgresql+psycopg")

    def _plain(self, database: str) -> str:
        return f"postgresql://lab:{PASSWORD}@127.0.0.1:{self.port}/{database}"

    def _run(self, *command: str) -> None:
        wrapped = [RUNUSER, "-u", "postgres", "--", *command] if os.geteuid() == 0 else command
        subprocess.run(wrapped, check=True, stdout=subprocess.DEVNULL, cwd="/tmp")

    def start(self) -> None:
        settings = f"-p {self.port} -k {self.folder} -c fsync=off"
        settings += f" -c listen_addresses={self._addresses}"
        self._run(
            str(self._programs / "pg_ctl"),
            *("-D", str(self.folder / "data"), "-w", "-o", settings),
            *("-l", str(self.folder / "log"), "start"),
        )

    def listen(self, addresses: list[str], network: str) -> None:
        """Begin anew, reached at other addresses of this machine too, from one network."""
        self.stop()
        rule = self.folder / "data" / "pg_hba.conf"
        rule.write_text(rule.read_text() + f"host all all {network} scram-sha-256\n")
        self._addresses = ",".join(["127.0.0.1", *addresses])
        self.start()

    def clients(self) -> set[str]:
        """Addresses of those who are connected."""
        command = ["psql", self._plain("postgres"), "-Atqc"]
        asked = "SELECT host(client_addr) FROM pg_stat_activity WHERE client_addr IS NOT NULL"
        told = subprocess.run([*command, asked], capture_output=True, text=True, check=True)
        return set(told.stdout.split())

    def stop(self) -> None:
        self._run(
            str(self._programs / "pg_ctl"),
            *("-D", str(self.folder / "data"), "-m", "immediate", "-w", "stop"),
        )

    def close(self) -> None:
        self.stop()
        shutil.rmtree(self.folder, ignore_errors=True)


class MLflow:
    """An MLflow server over an SQLite file."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self.port = free_port()
        self.url = f"http://127.0.0.1:{self.port}"
        self._process: subprocess.Popen[bytes] | None = None
        self.start()

    def start(self) -> None:
        self._folder.mkdir(parents=True, exist_ok=True)
        with (self._folder / "log").open("ab") as log:
            self._process = subprocess.Popen(
                [
                    *(sys.executable, "-m", "mlflow", "server", "--host", "127.0.0.1"),
                    *("--port", str(self.port), "--workers", "1"),
                    *("--backend-store-uri", f"sqlite:///{self._folder / 'mlflow.db'}"),
                    *("--artifacts-destination", str(self._folder / "artifacts")),
                ],
                stdout=log,
                stderr=log,
                start_new_session=True,
                env=os.environ | {"MLFLOW_SERVER_ENABLE_JOB_EXECUTION": "false"},
            )
        deadline = time.monotonic() + 1500
        while time.monotonic() < deadline:
            try:
                with urllib.request.urlopen(f"{self.url}/health", timeout=2):
                    return
            except OSError:
                time.sleep(0.5)
        raise AssertionError((self._folder / "log").read_text())

    def stop(self) -> None:
        if self._process is not None:
            os.killpg(self._process.pid, 15)
            self._process.wait(60)
            self._process = None
