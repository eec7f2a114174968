"""``geno-hpo sync``: MLflow's runs written again, with report and model where the study is done."""

from __future__ import annotations

from pathlib import Path

import typer

__all__ = ["restore"]


def restore(root: Path, name: str) -> None:
    """Write the runs that MLflow has lost; of a nested study those of every outer fold."""
    from geno_hpo.cli.run import report_study
    from geno_hpo.study.nested import fold_plans
    from geno_hpo.study.paths import Project
    from geno_hpo.study.plan import load_plan
    from geno_hpo.study.sync import sync_runs

    project = Project(root)
    plan = load_plan(project, name)
    names = [str(fold.key) for fold in fold_plans(plan)] if plan.nested else [name]
    found = [sync_runs(project, each) for each in names]
    written, present = sum(one.written for one in found), sum(one.present for one in found)
    typer.echo(f"{written} runs written, {present} trials had theirs")
    if written and all(one.done for one in found):
        report_study(root, name)
