"""Rules of what a study aims at: its loss, and the objectives that its search weighs."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from geno_hpo.config.names import join

if TYPE_CHECKING:
    from geno_hpo.config.study import StudyConfig

__all__ = ["loss_fits", "objectives_fit"]

COUNTING = ("ridge", "random_forest", "lightgbm", "kmer")
"""Baselines that predict expected counts."""


def loss_fits(study: StudyConfig) -> Iterator[tuple[str, str]]:
    """Tell where loss, task, metric and baselines do not go together."""
    poisson = study.loss == "poisson"
    if poisson and study.task != "regression":
        yield "loss", f"poisson is for counts (task regression), got it with task {study.task}"
    if study.metric == "d2" and not poisson:
        yield "metric", "d2 is the deviance of counts that `loss: poisson` explains; say both"
    for name in study.baselines if poisson else ():
        if name not in COUNTING:
            why = f"tells no expected counts; loss: poisson goes with {join(COUNTING)}"
            yield f"baselines.{name}", why


def objectives_fit(study: StudyConfig) -> Iterator[tuple[str, str]]:
    """Tell where objectives, pruner, sampler and final fits do not go together."""
    given = study.objectives
    if given[0] != "score" or len(set(given)) < len(given):
        example = "must begin with score and name each once, such as [score, parameters]"
        yield "objectives", f"{example}, got [{', '.join(given)}]"
    if len(given) == 1:
        return
    if study.pruner.name != "none":
        why = (
            "must be none with several objectives: a small network that scores worse than others "
            "after a few epochs may still be the best of its size"
        )
        yield "pruner.name", f'{why}, got "{study.pruner.name}"'
    if study.sampler.name == "cmaes":
        others = "tpe, genetic, gp, qmc, random and grid"
        yield "sampler.name", f"cmaes has one objective; several go with {others}"
    if study.final.runners_up:
        why = "are ranked by score alone; with several objectives the report shows the front"
        yield "final.runners_up", why
