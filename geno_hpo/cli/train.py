"""``geno-hpo train``: one configuration, epoch by epoch, with its curves."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import typer

if TYPE_CHECKING:
    from geno_hpo.training.protocol import EpochReport

__all__ = ["train_one"]


def train_one(
    root: Path,
    name: str,
    values: Sequence[str],
    *,
    family: str | None,
    epochs: int | None,
    threads: int | None,
) -> None:
    """Train, print every epoch, draw, and say how well it fits."""
    from geno_hpo.study.layout import cores
    from geno_hpo.study.paths import Project
    from geno_hpo.study.single import Single, given_values
    from geno_hpo.training.setup import configure

    given = given_values(values)
    project = Project(root)
    typer.echo("reading the data and loading Keras …")
    configure(threads or cores())
    single = Single(project, name, family, given)
    prepared = single.prepared
    for note in prepared.dataset.origin.notes:
        typer.echo(note)
    shown = ", ".join(f"{key} {value}" for key, value in single.params.items() if key != "family")
    typer.echo(f"{single.params['family']}: {shown}")
    typer.echo(
        f"{len(prepared.split.folds)} folds, {len(prepared.split.development)} samples; "
        f"the {len(prepared.split.test)} test samples stay sealed"
    )
    metric = single.plan.metric
    trained = single.train(epochs=epochs, watch=lambda epoch: typer.echo(_line(epoch, metric)))

    from geno_hpo.report.single import next_folder, said, write_single
    from geno_hpo.report.words import metric_label, number

    folder = next_folder(project.report(single.plan.key), str(trained.params["family"]))
    page = write_single(trained, folder)
    single.keep(trained, folder)
    kind, sentence = said(trained, folder)
    typer.echo(
        f"validation {metric_label(metric)} {number(trained.score)} at epoch "
        f"{trained.curves.best_epoch} of {trained.epochs}"
    )
    typer.echo(f"{kind}: {sentence}")
    if prepared.dataset.origin.simulated:
        typer.echo(
            "These data are simulated: the numbers show that the pipeline works, no biology."
        )
    typer.echo(f"curves   {folder / 'ACC.png'}, {folder / 'LOSS.png'}, {page}")


def _line(epoch: EpochReport, metric: str) -> str:
    """One line an epoch: means over the folds, training / validation."""
    text = (
        f"epoch {epoch.epoch:3d}   loss {epoch.train_loss.mean():.4f} / "
        f"{epoch.valid_loss.mean():.4f}"
    )
    if (accuracy := epoch.train_accuracy.mean()) == accuracy:
        text += f"   accuracy {accuracy:.3f} / {epoch.valid_accuracy.mean():.3f}"
    return f"{text}   {metric} {epoch.score:.4f}   {epoch.seconds:.2f} s"
