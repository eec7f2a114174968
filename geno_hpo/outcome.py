"""Plain results: what a study found, without the tools that found it.

The study fills these, the report draws them; both sides know nothing of each other. Arrays are
``(replicas, epochs)`` for curves and ``(seeds, samples, units)`` for test predictions.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, Literal, NamedTuple

import numpy as np
from numpy.typing import NDArray

from geno_hpo.explanation import Explanation, Importance

__all__ = ["Attribution", "Codon", "Curves", "StudyOutcome", "TestPredictions", "TrialRecord"]

Stage = Literal["search", "baseline", "control", "final"]
State = Literal["complete", "pruned", "failed", "running", "waiting"]


@dataclass(frozen=True)
class TrialRecord:
    """One trial as the storage holds it.

    Parameters
    ----------
    number
        Trial number within its stage and model group, from 0.
    stage, model
        What it was for, and the model family or baseline (``cnn``, ``ridge``).
    state, reason
        How it ended, and why when it was pruned or failed.
    score
        Mean validation score over the folds at the best epoch; None without one.
    fold_scores
        The folds' scores at that epoch.
    curve
        Mean validation score after each epoch (or boosting report).
    epochs, best_epoch
        Epochs trained, and the best one counted from 1 (0 when unknown).
    seconds
        Wall time of the trial.
    params
        The active hyperparameters under their short names.
    parameters
        Values that a network's training changes; None where nobody counted.
    costs
        The search's objectives beside the score, by name.
    """

    number: int
    stage: Stage
    model: str
    state: State
    reason: str = ""
    score: float | None = None
    fold_scores: tuple[float, ...] = ()
    curve: tuple[float, ...] = ()
    epochs: int = 0
    best_epoch: int = 0
    seconds: float = 0.0
    params: dict[str, Any] = field(default_factory=dict)
    parameters: int | None = None
    costs: dict[str, float] = field(default_factory=dict)


@dataclass(frozen=True)
class Curves:
    """The winner's learning curves over its folds, each ``(folds, epochs)``.

    `train_accuracy` and `valid_accuracy` are None for regression.
    """

    train_loss: NDArray[np.float64]
    valid_loss: NDArray[np.float64]
    valid_score: NDArray[np.float64]
    train_accuracy: NDArray[np.float64] | None
    valid_accuracy: NDArray[np.float64] | None
    best_epoch: int


@dataclass(frozen=True)
class TestPredictions:
    """Predictions on the sealed test set.

    Parameters
    ----------
    ids
        Test sample ids.
    truth
        ``(samples, outputs)`` labels, NaN where missing.
    models
        Model name to ``(seeds, samples, units)``: probabilities, or values for regression.
    """

    __test__ = False

    ids: tuple[str, ...]
    truth: NDArray[np.float32]
    models: dict[str, NDArray[np.float32]]


class Codon(NamedTuple):
    """A codon's place in the ranking of what moves the winner's output.

    Parameters
    ----------
    locus, number
        Gene, and codon number in it from 1.
    score
        Sum of the attribution of its three positions.
    change
        Changes from the commonest codon, most frequent first: ``S315T, S315N``. Empty when the
        codon does not vary.
    column
        Column of its first position in `Attribution.names`, −1 when unknown.
    causal
        Whether a simulation put a cause here.
    spread
        Standard deviation of the score over restarts.
    """

    locus: str
    number: int
    score: float
    change: str = ""
    column: int = -1
    causal: bool = False
    spread: float = 0.0


@dataclass(frozen=True)
class Attribution:
    """How much each position (or variant) moves the winner's output.

    Parameters
    ----------
    names
        Column names, one a position.
    scores
        ``(positions,)`` mean absolute attribution over samples and restarts.
    spread
        ``(positions,)`` standard deviation over restarts.
    codons
        For coding sequences: every codon, best first; else empty.
    truth
        Causal columns when the data are simulated.
    loci
        ``(name, start, stop)`` of each gene or region: half-open columns of `names`.
    restarts
        How many restarts were averaged.
    """

    names: tuple[str, ...]
    scores: NDArray[np.float64]
    spread: NDArray[np.float64]
    codons: tuple[Codon, ...] = ()
    truth: tuple[int, ...] = ()
    loci: tuple[tuple[str, int, int], ...] = ()
    restarts: int = 1


@dataclass(frozen=True)
class StudyOutcome:
    """Everything the report shows.

    Parameters
    ----------
    summary
        The content of ``summary.json`` (documented in docs/summary.md).
    question, target, task
        From the study file; `target` lists the output names.
    notes
        Sentences about the data that a reader must know (simulated, samples left out, …).
    trials
        Every trial of every stage.
    curves, test, attribution
        Of the winner; `attribution` is None where the family has no input gradient.
    study_yaml, space_yaml
        The files' texts, the latter by name.
    classes
        Names of the classes (binary: the positive one second); empty without classes.
    labels
        ``(samples, outputs)`` labels of all samples, NaN where missing.
    parts
        ``(samples,)`` the validation fold of each sample from 0 (in the first repeat), −1 for the
        sealed test set, −2 where a sample only trains.
    source, licence, citation
        Where the data come from, for the reader.
    explanation
        What further methods say of the winner; None where they were not asked.
    importance
        Of the hyperparameters of the search.
    trial_curves
        Learning curves of the search's trials by number, where they are kept.
    """

    summary: dict[str, Any]
    question: str
    task: str
    target: tuple[str, ...]
    notes: tuple[str, ...]
    trials: tuple[TrialRecord, ...]
    curves: Curves
    test: TestPredictions
    attribution: Attribution | None
    study_yaml: str
    space_yaml: dict[str, str]
    classes: tuple[str, ...] = ()
    labels: NDArray[np.float32] | None = None
    parts: NDArray[np.integer[Any]] | None = None
    source: str = ""
    licence: str = ""
    citation: str = ""
    explanation: Explanation | None = None
    importance: Importance | None = None
    trial_curves: dict[int, Curves] = field(default_factory=dict)
