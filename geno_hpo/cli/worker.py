"""``geno-hpo worker``: one process that helps a study along until nothing waits."""

from __future__ import annotations

import contextlib
import os
import signal
from pathlib import Path
from types import FrameType

import typer

__all__ = ["run_worker"]


def run_worker(
    root: Path,
    name: str,
    *,
    threads: int,
    memory_limit: int | None,
    session: str | None,
    stay: bool,
    at_once: int | None,
    lease_seconds: float,
    checkpoint_seconds: float,
) -> None:
    """Run a worker in this process; SIGTERM and Ctrl-C give its trials back and end it."""
    asked_to_stop: list[int] = []

    def stop(number: int, _frame: FrameType | None) -> None:
        asked_to_stop.append(number)

    signal.signal(signal.SIGTERM, stop)
    signal.signal(signal.SIGINT, stop)
    parent = os.getppid() if session is not None else None

    def stopped() -> bool:
        return bool(asked_to_stop) or (parent is not None and os.getppid() != parent)

    from geno_hpo.training.setup import configure, trials_at_once

    configure(threads)
    most = trials_at_once(at_once)
    from geno_hpo.metrics import METRICS
    from geno_hpo.study.nested import fold_plans, has_met_plan
    from geno_hpo.study.paths import Project
    from geno_hpo.study.patience import Patience
    from geno_hpo.study.plan import load_plan
    from geno_hpo.study.record import find_key
    from geno_hpo.study.storage import open_storage
    from geno_hpo.study.worker import RETIRED, Worker

    project = Project(root)
    storage = open_storage(project.storage_url, Patience())
    whole = load_plan(project, str(find_key(storage, name)))
    done = 0
    for plan in fold_plans(whole):
        if stopped() or (whole.nested and has_met_plan(plan, storage)):
            continue
        worker = Worker(
            plan,
            maximise=METRICS[plan.metric].maximise,
            threads=threads,
            session=session,
            memory_limit=memory_limit,
            stop=stopped,
            tell=_tell,
            stays=stay,
            at_once=most,
            lease_seconds=lease_seconds,
            checkpoint_seconds=checkpoint_seconds,
        )
        done += worker.run()
        if worker.retired:
            typer.echo("the memory limit is reached; another worker must take over")
            raise typer.Exit(RETIRED)
    typer.echo(f"worker ends: {done} trials finished")
    if signal.SIGINT in asked_to_stop:
        raise typer.Exit(130)


def _tell(sentence: str) -> None:
    """Say a sentence; on a disk that is full the log goes without it, the work goes on."""
    with contextlib.suppress(OSError):
        typer.echo(sentence)
