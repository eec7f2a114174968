"""What a worker does with one claimed trial: search a network, search a baseline, or a final fit.

A job trains through `evaluation`, reports after each epoch to the storage and to MLflow, and gives
back an `Ending`. It raises `Interrupted` when the worker was told to stop; the worker then gives
the trial back.
"""

from __future__ import annotations

import time
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import optuna
from numpy.typing import NDArray
from optuna.trial import Trial

from geno_hpo.errors import TrialFailed
from geno_hpo.metrics import METRICS
from geno_hpo.space import Parameters
from geno_hpo.study.engines import Engines
from geno_hpo.study.files import curves_of, curves_path, final_path, unseen_path, why_path
from geno_hpo.study.further import FURTHER
from geno_hpo.study.pruners import decides_at
from geno_hpo.study.reports import TrialReports
from geno_hpo.tracking import RunLog
from geno_hpo.training.protocol import EpochReport, FitResult, Weights
from geno_hpo.training.turns import Course

__all__ = ["Bench", "Ending", "epoch_metrics"]


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


class Bench(Engines):
    """The engines of a worker, and the three kinds of work done on them."""

    _best = float("nan")
    """Score of the best network that this worker has trained."""

    def search_network(
        self, part: str, trial: Trial, params: Parameters, log: RunLog
    ) -> Course[Ending]:
        """Train one configuration over all folds, reporting each epoch; other trials may join."""
        config = self.plan.config
        permutation = self.plan.permutation(trial.number)
        evaluation = self.control(permutation) if part == "control" else self.networks
        epochs = self.most_epochs(part)
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
        self.save(curves_path(self.plan.work, part, trial.number), curves_of(result))
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

    def _keep_unseen(self, number: int, result: FitResult) -> None:
        """Keep predictions of the validation folds while no trial of this worker was better.

        With several objectives each trial's: one that scores worse may win.
        """
        if not self.plan.costs and METRICS[self.plan.metric].better(self._best, result.best_score):
            return
        self._best = result.best_score
        folds = self.prepared.split.folds
        self.save(
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
            self.tick()
            self.halt()
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

    def final_fit(self, name: str, task: dict[str, Any], number: int) -> Ending:
        """Refit a winner and predict the sealed test set, or do what else `FURTHER` knows."""
        started, explained = time.monotonic(), 0.0
        kind, measure = task["kind"], "test_score"
        if kind in FURTHER:
            measure = "cv_score"
            score, arrays = FURTHER[kind](self, task)
        elif kind == "baseline":
            score, arrays = self._refit_baseline(task)
        else:
            score, arrays, weights = self._refit_network(name, task, number)
            if kind == "network":
                asked = time.monotonic()
                arrays["attribution"] = self._explain(name, task["params"], weights)
                explained = time.monotonic() - asked
        self.save(final_path(self.plan.work, name), arrays)
        seconds = {"train": round(time.monotonic() - started - explained, 3)}
        if explained:
            seconds["explain"] = round(explained, 3)
        return Ending(score=score, name=measure, attributes={"seconds": seconds})

    def _refit_baseline(self, task: dict[str, Any]) -> tuple[float, dict[str, Any]]:
        """Test score of a baseline that learns from the whole development part, and its arrays."""
        test = self.prepared.split.test
        predictions, notes = self.baselines.refit(
            task["model"], task["params"], rounds=task["epochs"], seed=task["seed"]
        )
        arrays = {"predictions": predictions, "notes": np.asarray(notes, dtype=np.str_)}
        return self.baselines.score(test, predictions), arrays

    def _refit_network(
        self, name: str, task: dict[str, Any], number: int
    ) -> tuple[float, dict[str, Any], Weights]:
        """The same of a network or of the control, and its weights; a winner's model is kept."""
        kind, params, test = task["kind"], task["params"], self.prepared.split.test
        evaluation = self.control(task.get("step", 0)) if kind == "control" else self.networks
        weights = evaluation.refit(
            params,
            epochs=task["epochs"],
            seed=task["seed"],
            horizon=self.most_epochs(kind),
            checkpoint=self.checkpoint("final", number, [name, task]),
        )
        predictions = evaluation.predict(params, weights, test)
        if kind == "network":
            path = final_path(self.plan.work, name).with_suffix(".keras")
            path.parent.mkdir(parents=True, exist_ok=True)
            evaluation.export(params, weights).save(path)
        return evaluation.score(test, predictions), {"predictions": predictions}, weights

    def _explain(self, name: str, params: Parameters, weights: Weights) -> NDArray[np.float64]:
        """How much each column moves the network, ``(features,)``; what else is asked is kept."""
        from geno_hpo.interpret import explain, saliency_track

        development, seed = self.prepared.split.development, self.plan.seed
        track = saliency_track(self.networks, params, weights, development, seed=seed)
        found = explain(self.networks, params, weights, seed=seed)
        self.save(why_path(self.plan.work, name), found.arrays)
        return track


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
