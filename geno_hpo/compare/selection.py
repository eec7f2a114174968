"""How much of a winner's cross-validated score was luck: against its score on the sealed test set.

The best of many noisy scores is too good on average (the winner's curse). The gap between both
scores is set against its standard error: the corrected one of the folds' mean (folds share their
training samples, see `folds`) and the bootstrap's of the test score.

References
----------
Cawley, Talbot (2010). On over-fitting in model selection and subsequent selection bias in
performance evaluation. JMLR 11, 2079-2107.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np

from geno_hpo.metrics import Metric

__all__ = ["SelectionGap", "selection_gap"]

Finding = Literal["no more than chance", "fell", "rose", "unknown"]
REACH = 1.96


@dataclass(frozen=True)
class SelectionGap:
    """A winner's two scores.

    Parameters
    ----------
    chosen, test
        Mean score over the folds, where it was chosen, and on the sealed test set.
    loss
        By how much the test score is worse, in units of the metric.
    error
        Standard error of `loss`; NaN with a single fold.
    finding
        Whether `loss` exceeds 1.96 of its errors.
    """

    chosen: float
    test: float
    loss: float
    error: float
    finding: Finding


def selection_gap(
    fold_scores: Sequence[float],
    test: float,
    test_error: float,
    metric: Metric,
    *,
    train: float,
    valid: float,
) -> SelectionGap:
    """Set a winner's cross-validated score against its test score.

    Parameters
    ----------
    fold_scores
        Its validation score on each fold.
    test, test_error
        Its test score, and that score's standard error.
    metric
        What is scored.
    train, valid
        Mean number of training and validation samples of a fold.

    Raises
    ------
    ValueError
        No fold, or empty parts.
    """
    scores = np.asarray(fold_scores, np.float64)
    if len(scores) == 0 or train <= 0 or valid <= 0:
        raise ValueError(
            f"needs folds and samples in them, got {len(scores)} folds, train {train}, "
            f"valid {valid}"
        )
    chosen = float(scores.mean())
    loss = chosen - test if metric.maximise else test - chosen
    spread = float(scores.var(ddof=1)) if len(scores) > 1 else float("nan")
    error = float(np.sqrt((1 / len(scores) + valid / train) * spread + test_error**2))
    finding: Finding = "no more than chance"
    if np.isnan(error) or np.isnan(loss):
        finding = "unknown"
    elif abs(loss) > REACH * error:
        finding = "fell" if loss > 0 else "rose"
    return SelectionGap(chosen, test, loss, error, finding)
