"""What is known of a study's folds already: the level of chance, and the best score so far."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from geno_hpo.data.dataset import Target
from geno_hpo.metrics import METRICS, Metric
from geno_hpo.study.front import score_of
from geno_hpo.study.parts import open_pools
from geno_hpo.study.plan import StudyPlan
from geno_hpo.study.storage import open_storage, study_names

__all__ = ["best_known", "chance_level"]


def best_known(plan: StudyPlan) -> tuple[float, str] | None:
    """The best cross-validated score of a study's trials, and whose it is; None without any.

    Parameters
    ----------
    plan
        The study. Only what the storage holds of its own generation counts.
    """
    if not plan.project.has_trials:
        return None
    storage = open_storage(plan.project.storage_url)
    if not {str(plan.key), *plan.parts.values()} <= set(study_names(storage)):
        return None
    maximise = METRICS[plan.metric].maximise
    pools = open_pools(plan, storage, maximise=maximise, create=False)
    found = []
    for part in ("network", *plan.baselines):
        best = pools[part].best()
        if best is not None:
            holder = f"trial {best.number} of the search" if part == "network" else part
            found.append((score_of(best) or 0.0, holder))
    return max(found, key=lambda one: one[0] if maximise else -one[0], default=None)


def chance_level(metric: Metric, target: Target, samples: NDArray[np.intp]) -> float | None:
    """Score of a model that knows the labels' shares, or the trait's mean, of these samples.

    Parameters
    ----------
    metric
        The score.
    target
        Labels of all samples.
    samples
        Of which the shares are taken and which are predicted.
    """
    if metric.chance is not None:
        return metric.chance
    truth: NDArray[Any] = target.take(samples)
    shares = np.nanmean(truth, axis=0)
    if target.task == "multiclass":
        known = truth[~np.isnan(truth[:, 0]), 0].astype(np.intp)
        shares = np.bincount(known, minlength=target.units) / max(len(known), 1)
    told = np.broadcast_to(shares, (len(samples), target.units)).astype(np.float32)
    score = float(metric.score(truth, told))
    return score if np.isfinite(score) else None
