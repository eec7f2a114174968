"""What a worker does with one claimed trial: search a network, search a baseline, or a final fit.

A job trains through `evaluation`, reports after each epoch to the storage and to MLflow, and gives
back an `Ending`. It raises `Interrupted` when the worker was told to stop; the worker then gives
the trial back.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
import optuna
from numpy.typing import NDArray
from optuna.trial import Trial

from geno_hpo.errors import TrialFailed
from geno_hpo.evaluation.baseline import BaselineEvaluation
from geno_hpo.evaluation.fits import Fits
from geno_hpo.evaluation.inputs import permuted
from geno_hpo.evaluation.network import NetworkEvaluation
from geno_hpo.metrics import METRICS
from geno_hpo.space import Parameters, SearchSpace
from geno_hpo.study.checkpoints import CHECKPOINT_SECONDS, Interrupted, Pace, TrialCheckpoint
from geno_hpo.study.further import FURTHER
from geno_hpo.study.plan import Prepared, StudyPlan
from geno_hpo.study.pruners import decides_at
from geno_hpo.study.reports import Reporter, TrialReports
from geno_hpo.tracking import RunLog
from geno_hpo.training.protocol import EpochReport, FitResult
from geno_hpo.training.turns import Course

__all__ = [
    "Bench",
    "Ending",
    "Interrupted",
    "control_labels",
    "curves_path",
    "epoch_metrics",
    "final_path",
    "unseen_path",
    "why_path",
]

CONTROL_SEED = 7919


@dataclass(frozen=True)
class Ending:
    """How a trial ended: its score and what is kept of it in the storage.

    `name` is the score's name in MLflow: ``cv_score`` is the mean over the folds at the best
    epoch, ``test_score`` that of the sealed test set. `costs` are the search's other objectives.
    """

    score: float
    name: str = "cv_score"
    costs: dict[str, float] = field(default_factory=dict)
    pruned: bool = False
    attributes: dict[str, Any] = field(default_factory=dict)
    log: dict[str, str] = field(default_factory=dict)


def curves_path(work: Path, part: str, number: int) -> Path:
    """File with a network trial's learning curves."""
    return work / "curves" / f"{part}-{number:05d}.npz"


def final_path(work: Path, name: str) -> Path:
    """File with a final fit's test predictions and attribution."""
    return work / "final" / f"{name}.npz"


def why_path(work: Path, name: str) -> Path:
    """File with what was asked of a restart of the winner: `geno_hpo.interpret.Explained`."""
    return work / "final" / f"{name}.why.npz"


def unseen_path(work: Path, number: int) -> Path:
    """File with a network trial's predictions of its validation folds.

    Kept of trials that were their worker's best so far, and so of the winner; with several
    objectives of all.
    """
    return work / "unseen" / f"{number:05d}.npz"


def control_labels(
    plan: StudyPlan, prepared: Prepared, permutation: int = 0
) -> NDArray[np.float32]:
    """The labels of the control, ``(samples, outputs)``: permuted within each part."""
    seed = control_seed(plan, permutation)
    return permuted(prepared.dataset.target.values, prepared.split, seed)


def control_seed(plan: StudyPlan, permutation: int) -> int:
    """Seed of one of the control's permutations."""
    return plan.seed + CONTROL_SEED + permutation


class Bench:
    """A worker's bench: the data, and the engines that its trials share.

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
        self._tick = tick
        self._checkpoint_seconds = checkpoint_seconds
        self._fits = Fits(plan.fits, prepared.fingerprint)
        self._pace = Pace()
        self._best = float("nan")
        self._control: tuple[int, NetworkEvaluation] | None = None

    @cached_property
    def networks(self) -> NetworkEvaluation:
        """Networks on the real labels."""
        return self._networks(None)

    def control(self, permutation: int) -> NetworkEvaluation:
        """Networks on permuted labels; those of the latest permutation are kept."""
        if self._control is None or self._control[0] != permutation:
            self._control = None
            evaluation = self._networks(control_seed(self.plan, permutation))
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
            tick=self._tick,
            pace=self._pace,
        )

    def search_network(
        self, part: str, trial: Trial, params: Parameters, log: RunLog
    ) -> Course[Ending]:
        """Train one configuration over all folds, reporting each epoch; other trials may join."""
        config = self.plan.config
        permutation = self.plan.permutation(trial.number)
        evaluation = self.control(permutation) if part == "control" else self.networks
        epochs = self._most_epochs(part)
        pruned_at: list[int] = []
        undecided = False
        blocked = 0.0
        seed = _trial_seed(self.plan.seed, part, trial.number)
        checkpoint = self.checkpoint(part, trial.number, [params, seed, epochs])

        def decides(epoch: int) -> bool:
            return epoch < epochs and decides_at(config.pruner, epoch)

        reports = TrialReports(trial, self.reporter, decides)
        earlier = checkpoint.load()
        for epoch in earlier.history if earlier is not None else ():
            log.log(epoch.epoch, epoch_metrics(epoch))
            if np.isfinite(epoch.score):
                reports.add(epoch.epoch, epoch.score)
        if earlier is not None:
            reports.look_ahead(len(earlier.history))

        def report(epoch: EpochReport) -> bool:
            nonlocal undecided, blocked
            begun = time.perf_counter()
            finite = bool(np.isfinite(epoch.score))
            undecided = undecided or decides(epoch.epoch)
            log.log(epoch.epoch, epoch_metrics(epoch))
            if finite:
                reports.add(epoch.epoch, epoch.score)
            if undecided and finite and epoch.epoch < epochs:
                undecided = False
                if reports.should_prune():
                    pruned_at.append(epoch.epoch)
            reports.look_ahead(epoch.epoch)
            blocked += time.perf_counter() - begun
            return bool(pruned_at)

        result = yield from evaluation.course(
            params,
            epochs=epochs,
            patience=config.budget.patience,
            seed=seed,
            report=report,
            checkpoint=checkpoint,
        )
        if not np.isfinite(result.best_score):
            raise TrialFailed(
                "non-finite", f"the {self.plan.metric} of a fold is not defined for this trial"
            )
        self._save(curves_path(self.plan.work, part, trial.number), _curves(result))
        costs: dict[str, float] = {}
        if part == "network" and not pruned_at:
            self._keep_unseen(trial.number, result)
            known = {"parameters": float(result.parameters), "seconds": result.training_seconds}
            costs = {name: known[name] for name in self.plan.costs}
        reason = f"pruned after epoch {pruned_at[0]}" if pruned_at else result.ended
        spent = {**result.seconds, "log": blocked}
        spent["report"] -= blocked
        seconds = {name: round(value, 4) for name, value in spent.items()}
        notes = [*checkpoint.notes, *result.notes]
        return Ending(
            score=result.best_score,
            pruned=bool(pruned_at),
            costs=costs,
            attributes={
                "reason": reason,
                "parameters": result.parameters,
                "fold_scores": [round(x, 6) for x in result.fold_scores],
                "epochs": result.epochs,
                "best_epoch": result.best_epoch,
                "reused": result.reused,
                "batch_size": result.batch_size,
                "notes": notes,
                "way": result.way,
                "seconds": seconds,
            },
            log={
                "compiled_function": "reused" if result.reused else "traced",
                **({"computed": result.way} if result.way else {}),
                **({"notes": "; ".join(notes)} if notes else {}),
            },
        )

    def _save(self, path: Path, arrays: dict[str, Any]) -> None:
        """Write a file; a disk that is full is waited for."""
        self.reporter.storage.patience(lambda: save_arrays(path, arrays))

    def _keep_unseen(self, number: int, result: FitResult) -> None:
        """Keep predictions of the validation folds while no trial of this worker was better.

        With several objectives each trial's: one that scores worse may win.
        """
        if not self.plan.costs and METRICS[self.plan.metric].better(self._best, result.best_score):
            return
        self._best = result.best_score
        folds = self.prepared.split.folds
        self._save(
            unseen_path(self.plan.work, number),
            {
                "samples": np.concatenate([fold.valid for fold in folds]),
                "predictions": np.concatenate(result.valid_predictions),
            },
        )

    def search_baseline(self, part: str, trial: Trial, params: Parameters, log: RunLog) -> Ending:
        """Fit one baseline configuration on the same folds."""
        prunes = not isinstance(trial.study.pruner, optuna.pruners.NopPruner)
        reports = TrialReports(trial, self.reporter, lambda _: prunes)
        pruned_at: list[int] = []

        def report(step: int, score: float, folds: list[float]) -> bool:
            metrics = {"score": score, **{f"score.fold{i}": x for i, x in enumerate(folds, 1)}}
            log.log(step, metrics)
            if np.isfinite(score):
                reports.add(step, score)
            self._tick()
            if self._stop():
                raise Interrupted
            if prunes and reports.should_prune():
                pruned_at.append(step)
            reports.look_ahead(step)
            return bool(pruned_at)

        result = self.baselines.trial(
            part,
            params,
            seed=_trial_seed(self.plan.seed, part, trial.number),
            report=report,
        )
        return Ending(
            score=result.score,
            pruned=bool(pruned_at),
            attributes={
                "reason": f"pruned after round {pruned_at[0]}" if pruned_at else "complete",
                "fold_scores": [round(x, 6) for x in result.fold_scores],
                "epochs": result.rounds[-1],
                "best_epoch": result.best_round,
                "notes": list(result.notes),
            },
        )

    def _most_epochs(self, part: str) -> int:
        """Epochs that a trial of a part may have."""
        config = self.plan.config
        if part == "control" and config.control is not None and config.control.epochs:
            return config.control.epochs
        return config.budget.epochs

    def final_fit(self, name: str, task: dict[str, Any], number: int) -> Ending:
        """Refit a winner on the whole development part and predict the sealed test set."""
        started = time.monotonic()
        if task["kind"] in FURTHER:
            found, kept = FURTHER[task["kind"]](self, task)
            self._save(final_path(self.plan.work, name), kept)
            seconds = {"train": round(time.monotonic() - started, 3)}
            return Ending(score=found, attributes={"seconds": seconds})
        test = self.prepared.split.test
        arrays: dict[str, Any] = {}
        explained = 0.0
        if task["kind"] == "baseline":
            predictions, notes = self.baselines.refit(
                task["model"], task["params"], rounds=task["epochs"], seed=task["seed"]
            )
            score = self.baselines.score(test, predictions)
            arrays["notes"] = np.asarray(notes, dtype=np.str_)
        else:
            control = task["kind"] == "control"
            evaluation = self.control(task.get("step", 0)) if control else self.networks
            params = task["params"]
            checkpoint = self.checkpoint("final", number, [name, task])
            weights = evaluation.refit(
                params,
                epochs=task["epochs"],
                seed=task["seed"],
                horizon=self._most_epochs(task["kind"]),
                checkpoint=checkpoint,
            )
            predictions = evaluation.predict(params, weights, test)
            score = evaluation.score(test, predictions)
            if task["kind"] == "network":
                trained = time.monotonic()
                arrays["attribution"] = self._attribution(params, weights)
                self._explain(name, params, weights)
                explained = time.monotonic() - trained
                model = evaluation.export(params, weights)
                path = final_path(self.plan.work, name).with_suffix(".keras")
                path.parent.mkdir(parents=True, exist_ok=True)
                model.save(path)
        self._save(final_path(self.plan.work, name), {"predictions": predictions, **arrays})
        seconds = {"train": round(time.monotonic() - started - explained, 3)}
        if explained:
            seconds["explain"] = round(explained, 3)
        return Ending(score=score, name="test_score", attributes={"seconds": seconds})

    def _attribution(self, params: Parameters, weights: Any) -> NDArray[np.float64]:
        """How much each column moves the outputs of a refitted network, ``(features,)``."""
        from geno_hpo.interpret import saliency_track

        development = self.prepared.split.development
        return saliency_track(self.networks, params, weights, development, seed=self.plan.seed)

    def _explain(self, name: str, params: Parameters, weights: Any) -> None:
        """Keep what further methods say of the network."""
        from geno_hpo.interpret import explain

        found = explain(self.networks, params, weights, seed=self.plan.seed)
        self._save(why_path(self.plan.work, name), found.arrays)


def epoch_metrics(epoch: EpochReport) -> dict[str, float]:
    """What MLflow keeps of an epoch: means over the folds, and each fold's score."""
    metrics = {
        "score": epoch.score,
        "train_loss": float(np.mean(epoch.train_loss)),
        "valid_loss": float(np.mean(epoch.valid_loss)),
        "train_accuracy": float(np.mean(epoch.train_accuracy)),
        "valid_accuracy": float(np.mean(epoch.valid_accuracy)),
        "epoch_seconds": epoch.seconds,
    }
    return metrics | {f"score.fold{i}": x for i, x in enumerate(epoch.fold_scores, start=1)}


def _trial_seed(seed: int, part: str, number: int) -> int:
    salt = [ord(letter) for letter in part]
    return int(np.random.default_rng([seed, number, *salt]).integers(2**31))


def _curves(result: FitResult) -> dict[str, Any]:
    return {
        "train_loss": result.train_loss,
        "valid_loss": result.valid_loss,
        "valid_score": result.scores,
        "train_accuracy": result.train_accuracy,
        "valid_accuracy": result.valid_accuracy,
        "best_epoch": np.asarray(result.best_epoch),
    }


def save_arrays(path: Path, arrays: dict[str, Any]) -> None:
    """Write atomically: a killed worker leaves the old file or the new one, never half of it."""
    path.parent.mkdir(parents=True, exist_ok=True)
    draft = path.with_suffix(f".{time.monotonic_ns()}.tmp")
    try:
        with draft.open("wb") as stream:
            np.savez_compressed(stream, **arrays)
        draft.replace(path)
    finally:
        draft.unlink(missing_ok=True)
