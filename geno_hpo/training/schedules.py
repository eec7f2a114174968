"""The learning rate of every step, computed on the host and fed to the compiled epoch.

Cosine and exponential decay, and the warm-up, are those of Keras's schedules of the same names, so
many steps long as the trial's whole budget of epochs; a trial that ends early has seen their
beginning. ``reduce_on_plateau`` looks at the trial's mean validation score after each epoch, one
rate for all replicas; a fit without validation samples looks at its training loss.
"""

from __future__ import annotations

import math
from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

from geno_hpo.models.parameter import Value
from geno_hpo.training.protocol import EpochReport

__all__ = ["Rates"]


class Rates:
    """The learning rates of one trial.

    Parameters
    ----------
    params
        Complete parameters.
    epochs
        Epochs the schedule spans.
    maximise
        Whether a higher score is better.

    References
    ----------
    Loshchilov & Hutter, SGDR: Stochastic gradient descent with warm restarts, ICLR 2017 (cosine).
    """

    def __init__(self, params: Mapping[str, Value], epochs: int, maximise: bool) -> None:
        self._kind = str(params["schedule"])
        self._rate = float(params["learning_rate"])
        self._warmup = float(params.get("warmup", 0.0))
        self._final = float(params.get("final_fraction", 0.0))
        self._patience = int(params.get("plateau_patience", 1))
        self._factor = float(params.get("plateau_factor", 1.0))
        self._epochs, self._maximise = epochs, maximise
        self._share, self._best, self._waited = 1.0, math.nan, 0

    def of_epoch(self, epoch: int, steps: int) -> NDArray[np.float32]:
        """Rates ``(steps,)`` of epoch `epoch` (from 1) of a replica with so many steps an epoch."""
        total, warm = self._epochs * steps, round(self._warmup * steps)
        step = np.arange((epoch - 1) * steps, epoch * steps, dtype=np.float64)
        done = np.clip((step - warm) / max(total - warm, 1), 0.0, 1.0)
        if self._kind == "cosine":
            share = (1.0 - self._final) * 0.5 * (1.0 + np.cos(np.pi * done)) + self._final
        elif self._kind == "exponential":
            share = self._final**done
        else:
            share = np.full(steps, self._share)
        rising = step < warm
        share[rising] *= step[rising] / warm
        return (self._rate * share).astype(np.float32)

    def after(self, report: EpochReport) -> None:
        """Hear how the epoch went."""
        if self._kind != "reduce_on_plateau":
            return
        judged = bool(np.isfinite(report.valid_loss).any())
        value = report.score if judged else -float(np.mean(report.train_loss))
        if judged and not self._maximise:
            value = -value
        if math.isnan(self._best) or value > self._best:
            self._best, self._waited = value, 0
            return
        self._waited += 1
        if self._waited >= self._patience:
            self._share, self._waited = self._share * self._factor, 0
