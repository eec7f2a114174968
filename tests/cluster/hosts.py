"""Hosts of a small network on this machine: a network namespace, a name and a clock each."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

HERE = Path(__file__).parents[2]
NETWORK = "10.213.0.0/16"
CLOCK = Path(__file__).with_name("clock.c")


def missing() -> str:
    """What is not installed or not allowed; empty where all is well."""
    absent = [name for name in ("ip", "unshare", "cc") if shutil.which(name) is None]
    if absent:
        return f"{', '.join(absent)} not installed"
    tried = subprocess.run(["unshare", "-n", "true"], capture_output=True, check=False)
    return "network namespaces may not be made here" if tried.returncode else ""


class Host:
    """A host whose cable to this machine can be pulled.

    Parameters
    ----------
    number
        From 1; tells addresses apart.
    clock
        Seconds by which its clock differs from this machine's.
    """

    def __init__(self, number: int, clock: int = 0) -> None:
        self.name = f"geno-host-{number}"
        self.gateway, self.address = f"10.213.{number}.1", f"10.213.{number}.2"
        self._clock = clock
        self._near, self._far = f"geno{number}n", f"geno{number}f"
        self._processes: list[subprocess.Popen[bytes]] = []
        _ip("netns", "add", self.name)
        _ip("link", "add", self._near, "type", "veth", "peer", "name", self._far)
        _ip("link", "set", self._far, "netns", self.name)
        _ip("addr", "add", f"{self.gateway}/24", "dev", self._near)
        _ip("link", "set", self._near, "up")
        inside = ("netns", "exec", self.name, "ip")
        _ip(*inside, "link", "set", "lo", "up")
        _ip(*inside, "addr", "add", f"{self.address}/24", "dev", self._far)
        _ip(*inside, "link", "set", self._far, "up")
        _ip(*inside, "route", "add", "default", "via", self.gateway)

    def start(self, log: Path, variables: dict[str, str], *arguments: str) -> None:
        """Start a double there."""
        double = f"exec {sys.executable} -m tests.cluster.double {' '.join(arguments)}"
        library = log.with_suffix(".so")
        subprocess.run(["cc", "-shared", "-fPIC", "-o", library, CLOCK, "-ldl"], check=True)
        clock = {"LD_PRELOAD": str(library), "GENO_CLOCK": str(self._clock)}
        with log.open("wb") as stream:
            process = subprocess.Popen(
                [
                    *("ip", "netns", "exec", self.name, "unshare", "--uts"),
                    *("bash", "-c", f"hostname {self.name} && {double}"),
                ],
                cwd=HERE,
                stdout=stream,
                stderr=stream,
                env=os.environ | variables | clock | {"PYTHONPATH": str(HERE)},
            )
        self._processes.append(process)

    def pull_cable(self) -> None:
        """Cut it off."""
        _ip("link", "set", self._near, "down")

    def plug_in(self) -> None:
        """Join it again."""
        _ip("link", "set", self._near, "up")

    def await_end(self, seconds: float) -> list[int]:
        """Exit codes of its processes."""
        return [process.wait(seconds) for process in self._processes]

    def close(self) -> None:
        """End what runs there and take the host away."""
        for process in self._processes:
            process.kill()
            process.wait()
        subprocess.run(["ip", "link", "del", self._near], check=False)
        subprocess.run(["ip", "netns", "del", self.name], check=False)


def _ip(*words: str) -> None:
    subprocess.run(["ip", *words], check=True)
