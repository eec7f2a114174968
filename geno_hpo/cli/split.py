"""``geno-hpo split``: the parts of a study's samples as tables."""

from __future__ import annotations

from pathlib import Path

import typer

__all__ = ["write_study_split"]


def write_study_split(root: Path, name: str, output: Path, outer: int | None) -> None:
    """Write the study's split to `output`; one file for each outer fold where there are some."""
    from geno_hpo.splits import nested_splits, write_split
    from geno_hpo.study.paths import Project
    from geno_hpo.study.plan import load_plan
    from geno_hpo.study.prepared import prepare

    plan = load_plan(Project(root), name)
    prepared = prepare(plan)
    dataset = prepared.dataset
    outer = outer or plan.config.split.outer
    if outer is None:
        paths = {output: prepared.split}
    else:
        config = plan.config
        splits = nested_splits(dataset, config.split, outer=outer, seed=config.split_seed)
        paths = {output / f"outer_{i}.csv": split for i, split in enumerate(splits, start=1)}
    for path, split in paths.items():
        write_split(path, split, dataset.ids)
        typer.echo(
            f"{path}: {len(split.test)} sealed, {len(split.folds)} folds over "
            f"{len(split.development)} samples, fingerprint {split.fingerprint}"
        )
        if split.note:
            typer.echo(split.note)
