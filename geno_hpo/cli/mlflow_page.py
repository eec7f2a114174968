"""``geno-hpo ui``: MLflow's page over the project's runs."""

from __future__ import annotations

import json
import os
import socket
import subprocess
import sys
import threading
import time
import urllib.request
from pathlib import Path

import typer

from geno_hpo.cli.child import serve_child
from geno_hpo.errors import InputError

__all__ = ["see_free", "serve"]

READY_SECONDS = 300.0
POLL_SECONDS = 0.5
MOST_EXPERIMENTS = 200


def serve(root: Path, port: int) -> None:
    """Serve the MLflow page on this machine only, until Ctrl-C or SIGTERM.

    One server worker and no job runner: with MLflow's defaults the page takes twice the time and
    four times the memory to start.
    """
    from geno_hpo.study.paths import Project, masked
    from geno_hpo.tracking.quick import quicken

    project = Project(root)
    if project.tracking_uri.startswith("http"):
        typer.echo(f"the runs are on a server: open {masked(project.tracking_uri)}")
        return
    local = project.tracking_uri.startswith("sqlite")
    if local and not (project.mlruns / "mlflow.db").exists():
        raise InputError("there are no runs yet; start a study first: geno-hpo run inh")
    see_free(port)
    quicken(project.tracking_uri)
    address = f"http://127.0.0.1:{port}"
    typer.echo(f"MLflow is starting (some 15 s), then open {address}   Ctrl-C ends it")
    command = [sys.executable, "-m", "mlflow", "server"]
    command += ["--default-artifact-root", (project.mlruns / "artifacts").resolve().as_uri()]
    command += ["--host", "127.0.0.1", "--port", str(port), "--workers", "1"]
    command += ["--uvicorn-opts", "--log-level warning"]
    environment = os.environ | {
        "MLFLOW_SERVER_ENABLE_JOB_EXECUTION": "false",
        "MLFLOW_DISABLE_TELEMETRY": "true",
        "PYTHONWARNINGS": "ignore",  # of MLflow's own libraries
        "MLFLOW_BACKEND_STORE_URI": project.tracking_uri,  # not in the list of processes
    }

    def told(process: subprocess.Popen[bytes]) -> None:
        threading.Thread(target=_welcome, args=(address, process), daemon=True).start()

    raise typer.Exit(serve_child(command, environment, told))


def see_free(port: int) -> None:
    """See that nothing listens at a port of this machine.

    Raises
    ------
    InputError
        Something does.
    """
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except OSError as error:
            raise InputError(
                f"port {port} of this machine is in use; name another one: --port {port + 1}"
            ) from error


def _welcome(address: str, process: subprocess.Popen[bytes]) -> None:
    """Once the server answers, name each study's table of trials."""
    deadline = time.monotonic() + READY_SECONDS
    while time.monotonic() < deadline and process.poll() is None:
        try:
            found = _experiments(address)
        except OSError:
            time.sleep(POLL_SECONDS)
            continue
        typer.echo(f"ready: {address}")
        for name, page in found:
            typer.echo(f"  {name:20} {address}/{page}")
        return


def _experiments(address: str) -> list[tuple[str, str]]:
    """Name and trials' page of each experiment that a server has."""
    from geno_hpo.tracking.views import TRIALS, page_of

    body = json.dumps({"max_results": MOST_EXPERIMENTS}).encode()
    request = urllib.request.Request(
        f"{address}/api/2.0/mlflow/experiments/search",
        body,
        {"Content-Type": "application/json"},
    )
    with urllib.request.urlopen(request, timeout=30) as answer:
        found = json.load(answer).get("experiments", [])
    return sorted(
        (each["name"], page_of(each["experiment_id"], TRIALS))
        for each in found
        if any(tag["key"].endswith(TRIALS) for tag in each.get("tags", ()))
    )
