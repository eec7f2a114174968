"""``geno-hpo dashboard``: Optuna's dashboard over the trial storage."""

from __future__ import annotations

import contextlib
import signal
from importlib.util import find_spec
from pathlib import Path
from types import FrameType
from typing import NoReturn

import typer

from geno_hpo.cli.mlflow_page import see_free
from geno_hpo.errors import InputError

__all__ = ["serve"]


def serve(root: Path, port: int) -> None:
    """Serve the dashboard on this machine only, until Ctrl-C or SIGTERM.

    It runs in this process, so that the storage's password stands in no list of processes.

    Raises
    ------
    InputError
        The dashboard is not installed, there are no trials yet, or the port is in use.
    """
    from geno_hpo.study.paths import Project

    project = Project(root)
    if not project.has_trials:
        raise InputError("there are no trials yet; start a study first: geno-hpo run inh")
    if find_spec("optuna_dashboard") is None:
        raise InputError(
            "Optuna's dashboard is not installed; get it with: pip install 'geno-hpo[dashboard]'"
        )
    see_free(port)
    from optuna_dashboard import run_server

    signal.signal(signal.SIGTERM, _end)
    signal.signal(signal.SIGINT, _end)
    typer.echo(f"open http://127.0.0.1:{port}/dashboard   Ctrl-C ends it")
    with contextlib.suppress(KeyboardInterrupt):
        run_server(project.storage_url, host="127.0.0.1", port=port)


def _end(_signal: int, _frame: FrameType | None) -> NoReturn:
    raise KeyboardInterrupt
