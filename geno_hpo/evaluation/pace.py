"""How fast this process trains: replica-epochs a second of a study's middling configurations."""

from __future__ import annotations

import time
from collections.abc import Sequence

import numpy as np

from geno_hpo.evaluation.form import replica
from geno_hpo.evaluation.network import NetworkEvaluation
from geno_hpo.models import Parameters
from geno_hpo.training.protocol import EpochReport, FitPlan

__all__ = ["Pace"]

BATCHES = 16
"""Batches that stand for an epoch, so that data of any size take little time."""
BATCH = 64
ENDLESS = 10**9


class Pace:
    """Times training on a part of the first fold.

    Parameters
    ----------
    evaluation
        Data, folds and engine of the study.
    configurations
        What is trained, one after the other, for the same time each.
    """

    def __init__(self, evaluation: NetworkEvaluation, configurations: Sequence[Parameters]) -> None:
        self._evaluation = evaluation
        self._plans = [self._plan(params) for params in configurations]

    def warm(self) -> None:
        """Trace and train each configuration once, so that nothing is timed for the first time."""
        for plan, _ in self._plans:
            self._train(plan, 0.0)

    def rate(self, seconds: float) -> float:
        """Replica-epochs a second when every configuration is trained as often.

        Parameters
        ----------
        seconds
            How long to time in all.

        Raises
        ------
        TrialFailed
            Training failed.
        """
        each = seconds / len(self._plans)
        return 1.0 / float(
            np.mean([1.0 / (self._train(p, each) * part) for p, part in self._plans])
        )

    def _plan(self, params: Parameters) -> tuple[FitPlan, float]:
        """A trial of one replica, and which part of a whole epoch one of its epochs is.

        The learning rate is next to nothing: the loss stays where it is, whatever is drawn.
        """
        fold = self._evaluation.split.folds[0]
        batch = params.get("batch_size", BATCH)
        wanted = BATCHES * int(batch)
        part = min(1.0, wanted / len(fold.train))
        rng = np.random.default_rng(0)
        train, valid = (
            np.sort(rng.choice(samples, max(1, round(part * len(samples))), replace=False))
            for samples in (fold.train, fold.valid)
        )
        form = self._evaluation.form(params)
        one = replica(train, valid, 0, form.folds[0], form.learned(params)[0])
        params = {**params, "learning_rate": 1e-8}
        return FitPlan(params=params, replicas=(one,), epochs=ENDLESS), part

    def _train(self, plan: FitPlan, seconds: float) -> float:
        """Epochs a second over at least `seconds`; the first epoch is not timed."""
        epochs, begun, ended = 0, 0.0, 0.0

        def report(_: EpochReport) -> bool:
            nonlocal epochs, begun, ended
            ended = time.perf_counter()
            begun = begun or ended
            epochs += 1
            return epochs > 1 and ended - begun >= seconds

        self._evaluation.form(plan.params).engine.fit(plan, report)
        return (epochs - 1) / max(ended - begun, 1e-9)
