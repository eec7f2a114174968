"""One configuration on a study's folds, without a search; the test set stays sealed.

What is not set takes the family's default. Nothing goes into the trial storage: the configuration
was not drawn by the search, and must not teach it. MLflow keeps it as a run of its own, with the
tag ``stage: train``.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

from ruamel.yaml import YAML
from ruamel.yaml.error import YAMLError

from geno_hpo.errors import InputError
from geno_hpo.evaluation.fits import Fits
from geno_hpo.evaluation.network import NetworkEvaluation
from geno_hpo.evaluation.shape import chosen, model_shape, shaped
from geno_hpo.metrics import METRICS
from geno_hpo.models import Parameters, complete
from geno_hpo.outcome import Curves
from geno_hpo.study.identity import code_version
from geno_hpo.study.jobs import epoch_metrics
from geno_hpo.study.known import best_known, chance_level
from geno_hpo.study.nested import fold_plans
from geno_hpo.study.paths import Project
from geno_hpo.study.plan import StudyPlan, load_plan
from geno_hpo.study.prepared import Prepared, prepare
from geno_hpo.study.record import find_key
from geno_hpo.study.storage import open_storage
from geno_hpo.tracking import RunLog, Tracking, Writer
from geno_hpo.training.protocol import EpochReport, FitResult

__all__ = ["Single", "Trained", "given_values"]


@dataclass(frozen=True)
class Trained:
    """What came of it.

    Parameters
    ----------
    name
        The study.
    params
        The whole configuration, defaults filled in.
    metric
        Name of the study's score.
    score, fold_scores
        At the best epoch: mean over the folds, and each fold's.
    epochs
        Epochs trained.
    curves
        Loss, accuracy and score of every fold after every epoch.
    run
        Id of the MLflow run.
    chance
        Score of a model that knows the labels' shares alone; None where that is not defined.
    best_known
        The best score of the study's own trials on these folds, and whose; None without any.
    folds
        Fingerprints of data and split: scores of equal ones can be compared.
    """

    name: str
    params: Parameters
    metric: str
    score: float
    fold_scores: tuple[float, ...]
    epochs: int
    curves: Curves
    run: str | None
    chance: float | None = None
    best_known: tuple[float, str] | None = None
    folds: str = ""


def given_values(pairs: Sequence[str]) -> dict[str, Any]:
    """Read ``key=value`` pairs; values are written as in YAML.

    Raises
    ------
    InputError
        A pair without ``=``, a key given twice, a value that is no number, word or truth value.
    """
    found: dict[str, Any] = {}
    for pair in pairs:
        key, sign, text = pair.partition("=")
        key = key.strip()
        if not sign or not key:
            raise InputError(f"--set takes key=value, got {pair!r}")
        if key in found:
            raise InputError(f"--set {key} was given twice: {found[key]} and {text}")
        try:
            value = YAML(typ="safe").load(text)
        except YAMLError as error:
            raise InputError(f"--set {key}: {text!r} is no value") from error
        if not isinstance(value, bool | int | float | str):
            raise InputError(f"--set {key} takes a number, a word, true or false, got {text!r}")
        found[key] = value
    return found


class Single:
    """A study's data and folds, ready for one configuration.

    Parameters
    ----------
    project, name
        The study; of nested folds the first.
    family
        Model family; None takes that of the study's first search space.
    values
        Hyperparameters by their short names.

    Raises
    ------
    InputError
        Study, data, or a hyperparameter that cannot be used; an unknown one is told with the
        nearest known name.
    """

    def __init__(
        self, project: Project, name: str, family: str | None, values: Mapping[str, Any]
    ) -> None:
        self.plan = fold_plans(_plan(project, name))[0]
        model = family or self.plan.space.spaces[0].family
        if "family" in values:
            raise InputError("the family is told by --family, not by --set")
        self._params: dict[str, Any] = {"family": model, **values}
        self.prepared: Prepared = prepare(self.plan)
        dataset, settings = self.prepared.dataset, self.plan.settings
        shape = shaped(
            model_shape(dataset, settings), chosen(settings, self._params, dataset), dataset
        )
        self.params: Parameters = complete(self._params, shape)

    def train(
        self,
        *,
        epochs: int | None,
        watch: Callable[[EpochReport], None] = lambda _: None,
    ) -> Trained:
        """Train on all folds to the last epoch, and log each epoch to MLflow.

        Parameters
        ----------
        epochs
            Passes over the data; None takes the study's.
        watch
            Told after each epoch.

        Raises
        ------
        TrialFailed
            The loss left the numbers, or memory ran out.
        """
        plan, prepared = self.plan, self.prepared
        evaluation = NetworkEvaluation(
            prepared.dataset,
            prepared.split,
            plan.settings,
            plan.metric,
            fits=Fits(plan.fits, prepared.fingerprint),
            most=plan.most_selected,
            precision=plan.config.precision,
        )
        writer, log = self._run()
        ended = "FAILED"
        tags: dict[str, str] = {"state": "failed"}

        def report(epoch: EpochReport) -> bool:
            log.log(epoch.epoch, epoch_metrics(epoch))
            watch(epoch)
            return False

        try:
            result = evaluation.trial(
                self._params,
                epochs=epochs or plan.config.budget.epochs,
                patience=None,
                seed=plan.seed,
                report=report,
            )
            ended = "FINISHED"
            tags = {"state": "complete", "best_epoch": str(result.best_epoch)}
            log.log(result.epochs, {"cv_score": result.best_score})
        finally:
            log.end(ended, tags)
            writer.close()
        return self._trained(result, log.run_id)

    def keep(self, trained: Trained, folder: Path) -> None:
        """Keep the drawn files with the MLflow run."""
        if trained.run is not None:
            self._tracking.keep_files(trained.run, folder, "train")

    @cached_property
    def _tracking(self) -> Tracking:
        project = self.plan.project
        project.make_writable()
        local = project.tracking_uri.startswith("sqlite")
        artifacts = project.mlruns / "artifacts" if local else None
        return Tracking(project.tracking_uri, artifacts, self.plan.config.name)

    def _trained(self, result: FitResult, run: str | None) -> Trained:
        plan, dataset, split = self.plan, self.prepared.dataset, self.prepared.split
        accuracy = plan.config.task != "regression"
        return Trained(
            name=str(plan.key),
            params=self.params,
            metric=plan.metric,
            score=result.best_score,
            fold_scores=result.fold_scores,
            epochs=result.epochs,
            curves=Curves(
                train_loss=result.train_loss,
                valid_loss=result.valid_loss,
                valid_score=result.scores,
                train_accuracy=result.train_accuracy if accuracy else None,
                valid_accuracy=result.valid_accuracy if accuracy else None,
                best_epoch=result.best_epoch,
            ),
            run=run,
            chance=chance_level(METRICS[plan.metric], dataset.target, split.development),
            best_known=best_known(plan),
            folds=f"{dataset.fingerprint}-{split.fingerprint}",
        )

    def _run(self) -> tuple[Writer, RunLog]:
        plan = self.plan
        writer = Writer(self._tracking.client)
        log = RunLog(
            self._tracking,
            writer,
            f"train {self.params['family']}",
            parent=None,
            params=self.params,
            tags={
                "stage": "train",
                "model": str(self.params["family"]),
                "metric": plan.metric,
                "data_fingerprint": self.prepared.dataset.fingerprint,
                "split_fingerprint": self.prepared.split.fingerprint,
                "simulated": str(self.prepared.dataset.origin.simulated).lower(),
                "code_version": code_version(plan.project.root),
            },
        )
        return writer, log


def _plan(project: Project, name: str) -> StudyPlan:
    """The study as it was run last, else as it stands."""
    load_plan(project, name)
    if not project.has_trials:
        return load_plan(project, name)
    return load_plan(project, str(find_key(open_storage(project.storage_url), name)))
