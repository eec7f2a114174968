"""Every table of the report in full, for CSV: head and rows of plain values."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable
from typing import Any

import numpy as np

from geno_hpo.explanation import Association, Explanation
from geno_hpo.outcome import StudyOutcome

__all__ = ["as_csv", "tables"]

Content = tuple[tuple[str, ...], list[tuple[Any, ...]]]


def as_csv(content: Content) -> str:
    """Text of a CSV file (comma, RFC 4180 quotes); an empty cell where there is no value."""
    head, rows = content
    stream = io.StringIO()
    writer = csv.writer(stream, lineterminator="\n")
    writer.writerow(head)
    writer.writerows(rows)
    return stream.getvalue()


def tables(outcome: StudyOutcome) -> dict[str, Content]:
    """All tables by name; the file is ``NAME.csv``."""
    found = {
        "leaderboard": _leaderboard(outcome),
        "trials": _trials(outcome),
        "curves": _curves(outcome),
        "test_predictions": _predictions(outcome),
    }
    for name in ("comparisons", "trivial", "calibration", "threshold", "strata"):
        if outcome.summary.get(name):
            found["thresholds" if name == "threshold" else name] = _entries(outcome.summary[name])
    if outcome.summary.get("front"):
        found["front"] = _front(outcome.summary["front"]["rows"])
    if outcome.summary.get("restarts"):
        found["restarts"] = _restarts(outcome.summary["restarts"]["rows"])
    if outcome.summary.get("learning_curve"):
        found["learning_curve"] = _curve(outcome.summary["learning_curve"])
    if outcome.attribution is not None:
        found["positions"] = _positions(outcome)
        if outcome.attribution.codons:
            found["codons"] = (
                ("rank", "locus", "codon", "score", "spread", "change", "causal"),
                [
                    (rank, c.locus, c.number, _round(c.score), _round(c.spread), c.change, c.causal)
                    for rank, c in enumerate(outcome.attribution.codons, start=1)
                ],
            )
    if outcome.importance is not None and outcome.importance.shares:
        found["importance"] = (("hyperparameter", "share"), list(outcome.importance.shares.items()))
    if outcome.explanation is not None and outcome.explanation.codons:
        found["codon_places"] = _codon_places(outcome.explanation)
    if outcome.explanation is not None and outcome.explanation.association is not None:
        found["variants"] = _variants(outcome, outcome.explanation.association)
    return found


def _codon_places(found: Explanation) -> Content:
    """Place of every kept codon by each method; empty where a method gives it nothing."""
    methods = [track.method for track in found.tracks]
    return ("locus", "codon", "change", "causal", *methods), [
        (c.locus, c.number, c.change, c.causal, *(c.places.get(method) for method in methods))
        for c in found.codons
    ]


def _variants(outcome: StudyOutcome, found: Association) -> Content:
    """Every variant that was shuffled, the largest loss first."""
    axis = outcome.attribution
    assert axis is not None
    causal = set(axis.truth)
    rows = [
        (
            axis.names[column],
            _round(found.loss[place]),
            _round(found.spread[place]),
            _round(found.log_p[column]),
            int(column) in causal,
        )
        for place, column in sorted(enumerate(found.columns), key=lambda one: -found.loss[one[0]])
    ]
    return ("name", "loss", "spread", "minus_log10_p", "causal"), rows


def _leaderboard(outcome: StudyOutcome) -> Content:
    head = ("model", "kind", "cv_mean", "cv_std", "test", "test_low", "test_high", "trials")
    rows = [
        (
            entry["model"],
            entry["kind"],
            entry["cv_mean"],
            entry["cv_std"],
            entry["test"],
            *(entry["test_ci"] or (None, None)),
            entry["trials"],
            " ".join(map(str, entry["test_seeds"])),
        )
        for entry in outcome.summary["leaderboard"]
    ]
    return (*head, "test_seeds"), rows


def _entries(entries: list[dict[str, Any]]) -> Content:
    """Entries of the summary, a row each; those that hold a list have a row a part of it."""
    rows: list[dict[str, Any]] = []
    for entry in entries:
        inner = next((key for key in ("bins", "rows") if key in entry), None)
        outer = {key: value for key, value in entry.items() if key != inner}
        parts = entry[inner] if inner else [{}]
        rows += [
            outer | {f"{inner[:-1]}_{key}": x for key, x in p.items()} if inner else outer
            for p in parts
        ]
    flat = [{k: x for key, value in row.items() for k, x in _spread(key, value)} for row in rows]
    head = tuple(flat[0]) if flat else ()
    return head, [tuple(row[name] for name in head) for row in flat]


def _front(rows: list[dict[str, Any]]) -> Content:
    """A row a trial of the front."""
    names = tuple(rows[0]["costs"])
    return ("trial", "model", "score", *names), [
        (row["trial"], row["model"], row["score"], *(row["costs"][name] for name in names))
        for row in rows
    ]


def _restarts(rows: list[dict[str, Any]]) -> Content:
    """A row a configuration, its seeds' scores in one cell."""
    head = ("place", "trial", "model", "searched", "mean", "spread", "wins")
    return (*head, "scores"), [
        (*(row[key] for key in head), " ".join(map(str, row["scores"]))) for row in rows
    ]


def _curve(entries: list[dict[str, Any]]) -> Content:
    """A row a model and size; the last of a model is what is foretold for twice the samples."""
    rows: list[tuple[Any, ...]] = []
    for entry in entries:
        points = zip(entry["samples"], entry["scores"], entry["spread"], strict=True)
        rows += [(entry["model"], *point, False) for point in points]
        rows.append((entry["model"], 2 * entry["samples"][-1], entry["twice"], None, True))
    return ("model", "samples", "score", "spread", "foretold"), rows


def _spread(key: str, value: Any) -> list[tuple[str, Any]]:
    """An interval as two columns."""
    if not key.endswith("ci"):
        return [(key, value)]
    low, high = value or (None, None)
    return [(f"{key}_low", low), (f"{key}_high", high)]


def _trials(outcome: StudyOutcome) -> Content:
    names = _in_order(name for trial in outcome.trials for name in trial.params)
    names = [name for name in names if name != "family"]
    costs = _in_order(x for t in outcome.trials for x in t.costs if x != "parameters")
    folds = max((len(trial.fold_scores) for trial in outcome.trials), default=0)
    head = ("stage", "model", "number", "state", "reason", "score", "epochs", "best_epoch")
    rows = [
        (
            trial.stage,
            trial.model,
            trial.number,
            trial.state,
            trial.reason,
            trial.score,
            trial.epochs,
            trial.best_epoch,
            trial.seconds,
            trial.parameters,
            *(trial.costs.get(name) for name in costs),
            *(trial.fold_scores + (None,) * (folds - len(trial.fold_scores))),
            *(trial.params.get(name) for name in names),
        )
        for trial in outcome.trials
    ]
    scores = tuple(f"fold_{i}" for i in range(1, folds + 1))
    more = ("seconds", "parameters", *(f"cost_{name}" for name in costs))
    return (*head, *more, *scores, *(f"param_{name}" for name in names)), rows


def _curves(outcome: StudyOutcome) -> Content:
    curves = outcome.curves
    columns = {
        "train_loss": curves.train_loss,
        "valid_loss": curves.valid_loss,
        "valid_score": curves.valid_score,
        "train_accuracy": curves.train_accuracy,
        "valid_accuracy": curves.valid_accuracy,
    }
    known = {name: values for name, values in columns.items() if values is not None}
    folds, epochs = curves.train_loss.shape
    rows = [
        (fold + 1, epoch + 1, *(_round(values[fold, epoch]) for values in known.values()))
        for fold in range(folds)
        for epoch in range(epochs)
    ]
    return ("fold", "epoch", *known), rows


def _predictions(outcome: StudyOutcome) -> Content:
    test = outcome.test
    outputs = test.truth.shape[1]
    columns: dict[str, Any] = {
        f"truth_{name}" if outputs > 1 else "truth": test.truth[:, i]
        for i, name in enumerate(outcome.target[:outputs])
    }
    for model, predictions in test.models.items():
        seeds, _, units = predictions.shape
        for seed in range(seeds):
            for unit in range(units):
                name = f"{model}_seed{seed + 1}" + (f"_unit{unit + 1}" if units > 1 else "")
                columns[name] = predictions[seed, :, unit]
    rows = [
        (sample, *(_round(values[i]) for values in columns.values()))
        for i, sample in enumerate(test.ids)
    ]
    return ("id", *columns), rows


def _positions(outcome: StudyOutcome) -> Content:
    found = outcome.attribution
    assert found is not None
    causal = set(found.truth)
    explained = outcome.explanation
    tracks = [t for t in explained.tracks if t.method != "saliency"] if explained else []
    rows = [
        (
            i,
            name,
            _round(found.scores[i]),
            _round(found.spread[i]),
            i in causal,
            *(_round(values[i]) for track in tracks for values in (track.scores, track.spread)),
        )
        for i, name in enumerate(found.names)
    ]
    more = (name for track in tracks for name in (track.method, f"{track.method}_spread"))
    return ("column", "name", "score", "spread", "causal", *more), rows


def _round(x: Any) -> float | None:
    number = float(x)
    return float(f"{number:.6g}") if np.isfinite(number) else None


def _in_order(names: Iterable[str]) -> list[str]:
    return list(dict.fromkeys(names))
