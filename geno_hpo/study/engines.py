"""What the trials of one worker share: the data, the engines, and where checkpoints are kept."""

from __future__ import annotations

from collections.abc import Callable
from functools import cached_property
from pathlib import Path
from typing import Any

from geno_hpo.evaluation.baseline import BaselineEvaluation
from geno_hpo.evaluation.fits import Fits
from geno_hpo.evaluation.network import NetworkEvaluation
from geno_hpo.space import SearchSpace
from geno_hpo.study.checkpoints import CHECKPOINT_SECONDS, Interrupted, Pace, TrialCheckpoint
from geno_hpo.study.files import save_arrays
from geno_hpo.study.plan import StudyPlan
from geno_hpo.study.prepared import Prepared
from geno_hpo.study.reports import Reporter

__all__ = ["Engines"]


class Engines:
    """The data of a study, and what trains on them.

    Parameters
    ----------
    plan, prepared
        The study, its data and folds.
    reporter
        Writes what trials report.
    threads
        Threads that this worker may use.
    stop
        True once the worker was told to stop.
    tick
        Called whenever a training got on; raises where the trial is no longer this worker's.
    checkpoint_seconds
        Time between two checkpoints of a trial.
    """

    def __init__(
        self,
        plan: StudyPlan,
        prepared: Prepared,
        *,
        reporter: Reporter,
        threads: int,
        stop: Callable[[], bool],
        tick: Callable[[], None] = lambda: None,
        checkpoint_seconds: float = CHECKPOINT_SECONDS,
    ) -> None:
        self.plan = plan
        self.prepared = prepared
        self.reporter = reporter
        self.threads = threads
        self._stop = stop
        self.tick = tick
        self._checkpoint_seconds = checkpoint_seconds
        self._fits = Fits(plan.fits, prepared.fingerprint)
        self._pace = Pace()
        self._control: tuple[int, NetworkEvaluation] | None = None

    @cached_property
    def networks(self) -> NetworkEvaluation:
        """Networks on the real labels."""
        return self._networks(None)

    def control(self, permutation: int) -> NetworkEvaluation:
        """Networks on permuted labels; those of the latest permutation are kept."""
        if self._control is None or self._control[0] != permutation:
            self._control = None
            evaluation = self._networks(self.plan.control_seed(permutation))
            self._control = permutation, evaluation
        return self._control[1]

    def halt(self, *_report: object) -> bool:
        """Hear a report: raise `Interrupted` once the worker was told to stop, else go on."""
        if self._stop():
            raise Interrupted
        return False

    def _networks(self, permutation: int | None) -> NetworkEvaluation:
        return NetworkEvaluation(
            self.prepared.dataset,
            self.prepared.split,
            self.plan.settings,
            self.plan.metric,
            permutation=permutation,
            fits=self._fits,
            most=self.plan.most_selected,
            windows=self.plan.config.windows,
            precision=self.plan.config.precision,
        )

    @cached_property
    def baselines(self) -> BaselineEvaluation:
        """Baselines on the same folds."""
        return BaselineEvaluation(
            self.prepared.dataset,
            self.prepared.split,
            self.plan.settings,
            self.plan.metric,
            threads=self.threads,
            fits=self._fits,
            most=self.plan.most_selected,
        )

    def most_epochs(self, part: str) -> int:
        """Epochs that a trial of a part may have."""
        config = self.plan.config
        if part == "control" and config.control is not None and config.control.epochs:
            return config.control.epochs
        return config.budget.epochs

    def search_space(self, part: str) -> SearchSpace:
        """The space that trials of `part` are drawn from."""
        return self.plan.baselines.get(part, self.plan.space)

    def checkpoint(self, part: str, number: int, meaning: Any) -> TrialCheckpoint:
        """Where the course of a trial is kept."""
        return TrialCheckpoint(
            self.plan.work,
            f"{part}-{number:05d}",
            [self.plan.definition, self.prepared.fingerprint, part, number, meaning],
            seconds=self._checkpoint_seconds,
            stop=self._stop,
            tick=self.tick,
            pace=self._pace,
        )

    def save(self, path: Path, arrays: dict[str, Any]) -> None:
        """Write a file; a disk that is full is waited for."""
        self.reporter.storage.patience(lambda: save_arrays(path, arrays))
