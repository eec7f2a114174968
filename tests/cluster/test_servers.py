"""The servers that `make servers` starts: reached as it says, closed to others, ended with it."""

from __future__ import annotations

import os
import re
import shutil
import signal
import socket
import subprocess
import sys
import time
import urllib.request
from pathlib import Path

import pytest
from sqlalchemy.engine import make_url

from geno_hpo.study.storage import open_storage, study_names
from tests.cluster.crowd import PATIENCE, tell
from tests.cluster.servers import free_port, postgres_folder

pytestmark = pytest.mark.cluster
SCRIPT = Path(__file__).parents[2] / "docs" / "cluster" / "servers"


def is_open(address: str, port: int) -> bool:
    with socket.socket() as probe:
        probe.settimeout(2)
        return probe.connect_ex((address, port)) == 0


def answers(url: str) -> bool:
    try:
        with urllib.request.urlopen(url, timeout=2):
            return True
    except OSError:
        return False


def test_the_servers_are_reached_as_told_and_end_with_ctrl_c(tmp_path: Path) -> None:
    if postgres_folder() is None:
        pytest.skip("PostgreSQL is not installed (initdb was not found)")
    ports = free_port(), free_port()
    variables = {"PYTHON": sys.executable, "PGPORT": str(ports[0]), "MLPORT": str(ports[1])}
    log = tmp_path / "log"
    with log.open("wb") as stream:
        servers = subprocess.Popen(
            [str(SCRIPT), str(tmp_path / "servers")],
            env=os.environ | variables,
            stdout=stream,
            stderr=stream,
            start_new_session=True,
            preexec_fn=lambda: signal.signal(signal.SIGINT, signal.default_int_handler),
        )
    try:
        deadline = time.monotonic() + PATIENCE
        while not answers(f"http://127.0.0.1:{ports[1]}/health"):
            assert servers.poll() is None, log.read_text()
            assert time.monotonic() < deadline, log.read_text()
            time.sleep(0.5)
        told = dict(re.findall(r"^  export (\w+)=(.*)$", log.read_text(), re.M))
        url = subprocess.run(
            ["bash", "-c", f"printf %s {told['GENO_HPO_STORAGE']}"],
            capture_output=True,
            text=True,
            check=True,
        ).stdout
        storage = open_storage(url)
        assert study_names(storage) == []
        storage.remove_session()
        storage.engine.dispose()
        assert told["MLFLOW_TRACKING_URI"] == f"http://127.0.0.1:{ports[1]}"
        password = str(make_url(url).password)
        assert len(password) == 32
        assert (tmp_path / "servers" / "password").stat().st_mode & 0o077 == 0
        lines = [path.read_bytes() for path in Path("/proc").glob("[0-9]*/cmdline")]
        assert not any(password.encode() in line for line in lines), "in a list of processes"
        mine = socket.gethostbyname(socket.gethostname())
        if not mine.startswith("127."):
            assert not any(is_open(mine, port) for port in ports), "closed to other machines"
    finally:
        os.killpg(servers.pid, signal.SIGINT)
        servers.wait(120)
    deadline = time.monotonic() + 60
    while any(is_open("127.0.0.1", port) for port in ports):
        assert time.monotonic() < deadline, "a server was left behind"
        time.sleep(0.2)
    tell("servers | reached by the two variables as printed, closed to others, ended by Ctrl-C")
    for line in log.read_text().splitlines():
        assert password not in line
    for folder in Path("/var/tmp").glob("geno-hpo-postgres-*"):
        if (folder / "log").exists() and str(ports[0]) in (folder / "log").read_text():
            shutil.rmtree(folder)
