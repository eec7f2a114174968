"""A server in a child process: signals reach all its processes, and none is left."""

from __future__ import annotations

import signal
import socket
import subprocess
import sys
import time
from pathlib import Path

import pytest

from geno_hpo.cli.child import serve_child
from geno_hpo.cli.mlflow_page import see_free
from geno_hpo.errors import InputError

SERVER = """
import subprocess, sys, time
inner = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(600)"])
print(inner.pid, flush=True)
time.sleep(600)
"""
OUTER = f"""
import sys
from geno_hpo.cli.child import serve_child
sys.exit(serve_child([sys.executable, "-c", {SERVER!r}], {{}}))
"""


def lives(process: int) -> bool:
    """Whether a process runs; one that waits to be reaped does not."""
    try:
        told = Path(f"/proc/{process}/stat").read_text()
    except FileNotFoundError:
        return False
    return told.rpartition(")")[2].split()[0] != "Z"


@pytest.mark.parametrize(
    ("number", "code"), [(signal.SIGTERM, 143), (signal.SIGINT, 0), (signal.SIGHUP, 129)]
)
def test_a_signal_ends_the_server_and_what_it_started(number: signal.Signals, code: int) -> None:
    command = [sys.executable, "-c", OUTER]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        inner = int(process.stdout.readline())
        assert lives(inner)
        process.send_signal(number)
        assert process.wait(60) == code
    deadline = time.monotonic() + 30
    while lives(inner) and time.monotonic() < deadline:
        time.sleep(0.05)
    assert not lives(inner)


def test_a_port_that_is_taken_is_told() -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        with pytest.raises(InputError, match=f"port {port} of this machine is in use"):
            see_free(port)


def test_a_server_that_ends_by_itself_gives_its_code() -> None:
    assert serve_child([sys.executable, "-c", "raise SystemExit(3)"], {}) == 3
