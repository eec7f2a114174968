"""A family, a baseline, a metric and a reader of one's own, for geno_hpo."""

import json
from dataclasses import dataclass
from typing import Any

import numpy as np

from geno_hpo import encoding
from geno_hpo.baselines import fit_by_output, fit_folds_once
from geno_hpo.data.dataset import Dataset, Origin
from geno_hpo.data.labels import Labels, build_target
from geno_hpo.data.own_reader import Reading
from geno_hpo.errors import DataError
from geno_hpo.metrics import plain_metric
from geno_hpo.models import Family, ModelShape, Parameter, Parameters

# --- a model family: products of two linear maps, so that pairs of positions can interact ---


def check(params: Parameters, shape: ModelShape) -> None:
    """Nothing to refuse: it fits every shape."""


def body(inputs: Any, params: Parameters, blocks: Any) -> Any:
    """From the inputs to the tensor before the output layer; layers with weights have names."""
    from keras import layers

    flat = blocks.head(inputs, "flat") if len(inputs.shape) == 3 else inputs
    left = layers.Dense(int(params["rank"]), name="left")(flat)
    right = layers.Dense(int(params["rank"]), name="right")(flat)
    pairs = layers.Multiply(name="pairs")([left, right])
    both = layers.Concatenate(name="both")([left, pairs])
    return blocks.drop(both, name="logits")


PAIRS = Family(
    name="pairs",
    description="Products of two linear maps of all positions.",
    kinds=("sequence", "variants"),
    parameters=(
        Parameter("rank", "int", 8, "Products, and linear terms.", low=1),
        Parameter(
            "dropout", "float", None, "Share left out.", low=0, high=1, open_high=True, runtime=True
        ),
    ),
    check=check,
    body=body,
)


# --- a baseline: nearest neighbours ---


@dataclass(frozen=True)
class Fitted:
    """A fitted model of one output."""

    model: Any
    notes: tuple[str, ...] = ()

    def predict(self, x: np.ndarray) -> np.ndarray:
        """Probability of 1, ``(samples, 1)``."""
        return self.model.predict_proba(x)[:, 1:].astype(np.float32)


@dataclass(frozen=True)
class Nearest:
    """The labels of the nearest samples of the training part, for binary and multilabel tasks."""

    name: str = "nearest"
    label: str = "nearest neighbours"

    def fit_folds(self, params, problem, report):
        """Judge a configuration on all folds: fit each, report once."""
        return fit_folds_once(self, params, problem, report)

    def refit(self, params, x, y, setting, rounds):  # noqa: ARG002 - read by boosted models
        """Fit on all of `x`; labels that are missing do not count."""
        from sklearn.neighbors import KNeighborsClassifier

        def fit_one(rows, labels):
            model = KNeighborsClassifier(min(int(params["neighbours"]), len(rows)))
            return Fitted(model.fit(rows, labels.astype(int)))

        return fit_by_output(fit_one, x, y, setting)


# --- a metric ---


def f1(truth: np.ndarray, prediction: np.ndarray) -> float:
    """Harmonic mean of precision and recall at one half."""
    found = prediction >= 0.5
    return 2 * float((found * truth).sum()) / float(found.sum() + truth.sum())


F1 = plain_metric("f1", "F1", f1, maximise=True, tasks=("binary", "multilabel"))


# --- a reader: a line a sample, {"id": …, "sequence": …, and labels and groups} ---


def read_json_lines(reading: Reading) -> Dataset:
    """Read aligned sequences and what is said of them from lines of JSON."""
    lines = [json.loads(line) for line in reading.path.read_text().splitlines() if line.strip()]
    for name in ("id", "sequence", *reading.target, *reading.groups):
        if lacking := [number for number, line in enumerate(lines, 1) if name not in line]:
            raise DataError(f"{reading.path}: line {lacking[0]} has no {name!r}")
    ids = tuple(str(line["id"]) for line in lines)
    texts = [line["sequence"] for line in lines]
    found = encoding.encode_alignment(texts, ids, ambiguous=True)

    def column(name: str) -> list[str]:
        return ["" if line[name] is None else str(line[name]) for line in lines]

    labels = Labels(
        path=reading.path,
        ids=ids,
        lines=tuple(range(1, len(lines) + 1)),
        targets={name: column(name) for name in reading.target},
        groups={name: column(name) for name in reading.groups},
    )
    target, notes = build_target(labels, task=reading.task, positive=reading.positive)
    return Dataset(
        name=reading.path.stem,
        kind="sequence",
        ids=ids,
        codes=found.codes,
        axis=tuple(str(place) for place in range(1, found.codes.shape[1] + 1)),
        target=target,
        groups=labels.group_arrays(),
        origin=Origin(reading.path.name, notes=tuple(notes)),
    )
