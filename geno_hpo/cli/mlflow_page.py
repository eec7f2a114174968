"""``geno-hpo ui``: MLflow's page over the project's runs."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import typer

__all__ = ["serve"]


def serve(root: Path, port: int) -> None:
    """Serve the MLflow page on this machine only, until Ctrl-C.

    One server worker and no job runner: with MLflow's defaults the page takes twice the time and
    four times the memory to start.
    """
    from geno_hpo.errors import InputError
    from geno_hpo.study.paths import Project, masked

    project = Project(root)
    if project.tracking_uri.startswith("http"):
        typer.echo(f"the runs are on a server: open {masked(project.tracking_uri)}")
        return
    if not (project.mlruns / "mlflow.db").exists():
        raise InputError("there are no runs yet; start a study first: geno-hpo run inh")
    typer.echo(
        f"MLflow is starting (some 15 s); then open http://127.0.0.1:{port}   Ctrl-C ends it"
    )
    command = [sys.executable, "-m", "mlflow", "server"]
    command += ["--default-artifact-root", (project.mlruns / "artifacts").resolve().as_uri()]
    command += ["--host", "127.0.0.1", "--port", str(port), "--workers", "1"]
    environment = os.environ | {
        "MLFLOW_SERVER_ENABLE_JOB_EXECUTION": "false",
        "MLFLOW_DISABLE_TELEMETRY": "true",
        "MLFLOW_BACKEND_STORE_URI": project.tracking_uri,  # not in the list of processes
    }
    code = subprocess.run(command, env=environment, check=False).returncode
    raise typer.Exit(code)
