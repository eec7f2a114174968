"""Realistic outcomes for the report's tests, drawn from a seed; nothing is trained.

``python -m report.example FOLDER`` (from tests/) writes the three reports, to be looked at.
"""

from __future__ import annotations

import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from geno_hpo.compare import FoldScores
from geno_hpo.metrics import METRICS
from geno_hpo.outcome import (
    Attribution,
    Codon,
    Curves,
    StudyOutcome,
    TestPredictions,
    TrialRecord,
)
from geno_hpo.study.evidence import Evidence, evidence

FOLDS = 5
PLACES = (0.5, 0.3, 0.17, 0.03)
SEEDS = 5
CODONS = 741
CHANGES = {315: "S315T, S315N, S315I", 328: "W328L", 138: "N138S", 155: "Y155C", 463: "R463L"}
CAUSAL = (315, 328, 138, 155, 191, 275, 380)
STUDY_YAML = """\
question: Which katG changes make an isolate resistant to isoniazid?
data:
  catalogue: inh_simulated
target: isoniazid
task: binary
spaces: [cnn, mlp]   # <both> & compared
budget: {trials: 40, epochs: 30}
"""
SPACE_YAML = {
    "cnn": "family: cnn\nparameters:\n  filters: {choice: [16, 32, 64]}\n",
    "mlp": "family: mlp\nparameters:\n  layers: {int: [1, 3]}\n",
}


def binary(seed: int = 0, samples: int = 1800, trials: int = 40) -> StudyOutcome:
    """Resistance on a simulated katG: a CNN that ties with LightGBM."""
    rng = np.random.default_rng(seed)
    labels = (rng.random((samples, 1)) < 0.38).astype(np.float32)
    labels[7] = np.nan
    skill = {"cnn": 2.42, "lightgbm": 2.36, "random_forest": 2.12, "ridge": 2.2}

    def predict(truth: np.ndarray, strength: float) -> np.ndarray:
        noise = np.random.default_rng(11).normal(size=truth.shape)  # what no model can know
        signal = strength * np.nan_to_num(truth) + noise + 0.25 * rng.normal(size=truth.shape)
        return 1 / (1 + np.exp(-2 * (signal - strength / 2)))

    outcome = _outcome(rng, "auc", "binary", labels, skill, predict, trials, (0.80, 0.955))
    return replace(
        outcome,
        question="Which changes of katG make an isolate resistant to isoniazid?",
        target=("isoniazid",),
        classes=("susceptible", "resistant"),
        attribution=katg(rng),
    )


def multiclass(seed: int = 1, samples: int = 900) -> StudyOutcome:
    """Lineage from 400 variants: four classes, no baselines beaten, not simulated."""
    rng = np.random.default_rng(seed)
    labels = rng.choice(4, size=(samples, 1), p=[0.42, 0.3, 0.18, 0.1]).astype(np.float32)

    def predict(truth: np.ndarray, strength: float) -> np.ndarray:
        logits = strength * np.eye(4)[truth[:, 0].astype(int)] + rng.normal(size=(len(truth), 4))
        powers = np.exp(1.4 * logits)
        return powers / powers.sum(axis=1, keepdims=True)

    skill = {"mlp": 2.1, "ridge": 2.9, "random_forest": 2.5}
    outcome = _outcome(rng, "accuracy", "multiclass", labels, skill, predict, 25, (0.5, 0.84))
    names = tuple(f"rs{1000 + 37 * i}" for i in range(400))
    scores = rng.gamma(0.3, 0.02, 400)
    summary = outcome.summary | {"study": "lineage", "target": ["lineage"]}
    summary["data"] = summary["data"] | {
        "name": "lineages",
        "simulated": False,
        "features": 400,
        "oracle": None,
        "loci": [],
    }
    summary["control"] = None
    return replace(
        outcome,
        summary=summary,
        question="Can the lineage be read from 400 common variants?",
        target=("lineage",),
        classes=("lineage 1", "lineage 2", "lineage 3", "lineage 4"),
        attribution=Attribution(names, scores, scores * 0.1, restarts=SEEDS),
        notes=("12 samples without a label left out.",),
    )


def regression(seed: int = 2, samples: int = 700) -> StudyOutcome:
    """Two traits from variants, without attribution; the network is worse than ridge."""
    rng = np.random.default_rng(seed)
    labels = rng.normal((60, 4), (12, 0.8), size=(samples, 2)).astype(np.float32)
    labels[rng.random(samples) < 0.1, 1] = np.nan

    def predict(truth: np.ndarray, strength: float) -> np.ndarray:
        noise = rng.normal(size=truth.shape) * np.array([12, 0.8])
        middle = np.array([60, 4])
        return middle + 0.5 * (np.nan_to_num(truth - middle) + noise / strength)

    skill = {"mlp": 0.75, "ridge": 0.95, "lightgbm": 0.8}
    outcome = _outcome(rng, "pearson", "regression", labels, skill, predict, 30, (0.2, 0.61))
    summary = outcome.summary | {"study": "yield", "target": ["height", "grain"]}
    summary["data"] = summary["data"] | {"name": "wheat", "simulated": False}
    summary["data"] |= {"oracle": None, "loci": []}
    return replace(
        outcome,
        summary=summary,
        question="How much of height and grain weight do the markers explain?",
        target=("height", "grain"),
        notes=(),
        attribution=None,
        curves=replace(outcome.curves, train_accuracy=None, valid_accuracy=None),
    )


def katg(rng: np.random.Generator) -> Attribution:
    """Stems on a few hundred varying positions of 741 codons, the causal ones higher."""
    names = tuple(f"katG:{c}.{b}" for c in range(1, CODONS + 1) for b in (1, 2, 3))
    scores = np.where(rng.random(len(names)) < 0.2, rng.gamma(0.5, 0.004, len(names)), 0)
    heights = {315: 0.31, 328: 0.07, 138: 0.05, 155: 0.042, 463: 0.03, 191: 0.028, 275: 0.006}
    for codon, height in heights.items():
        scores[3 * (codon - 1) + 1] = height
    causal = tuple(3 * (codon - 1) + 1 for codon in CAUSAL)
    codons = [
        Codon(
            "katG",
            number,
            float(scores[3 * number - 3 : 3 * number].sum()),
            CHANGES.get(number, ""),
            3 * number - 3,
            number in CAUSAL,
        )
        for number in range(1, CODONS + 1)
    ]
    ranking = tuple(sorted(codons, key=lambda codon: -codon.score))
    return Attribution(
        names, scores, scores * 0.12, ranking, causal, (("katG", 0, len(names)),), SEEDS
    )


def search(
    rng: np.random.Generator, trials: int, low: float, high: float, families: tuple[str, ...]
) -> list[TrialRecord]:
    """Trials that get better as the sampler learns; about half are pruned, one fails."""
    records = []
    for number in range(trials):
        family = families[int(rng.random() < 0.3 and number < trials / 2) % len(families)]
        optimizer = str(rng.choice(["adam", "adamw", "sgd"], p=[0.6, 0.25, 0.15]))
        rate = float(10 ** rng.normal(-3, 0.5))
        params: dict[str, Any] = {
            "family": family,
            "filters": int(rng.choice([16, 32, 64])),
            "kernel": int(rng.integers(1, 6)) * 4,
            "conv_layers": int(rng.integers(1, 4)),
            "dropout": float(rng.integers(0, 7)) / 10,
            "learning_rate": rate,
            "batch_size": int(rng.choice([32, 64, 128])),
            "batch_norm": bool(rng.random() < 0.5),
            "activation": "relu",
            "optimizer": optimizer,
        }
        if optimizer == "adamw":
            params["weight_decay"] = float(10 ** rng.uniform(-6, -2))
        if family == "mlp":
            for name in ("filters", "kernel", "conv_layers"):
                params.pop(name)
            params["units"] = int(rng.choice([32, 64, 128]))
        quality = high - (high - low) * min(1.0, abs(np.log10(rate) + 3) ** 1.5 * 0.6)
        quality -= 0.25 * (high - low) * rng.random() * (1 - 0.6 * number / trials)
        if number == 6:
            records.append(
                TrialRecord(
                    number, "search", family, "failed", "non-finite loss at epoch 3", params=params
                )
            )
            continue
        pruned = quality < high - 0.3 * (high - low) and rng.random() < 0.8 and number > 4
        epochs = int(rng.choice([3, 9])) if pruned else int(rng.integers(18, 31))
        steps = np.arange(1, epochs + 1)
        curve = quality - (high - low) * np.exp(-steps / 4) + rng.normal(0, 0.004, epochs)
        best = int(curve.argmax())
        folds = tuple(float(x) for x in curve[best] + rng.normal(0, 0.009, FOLDS))
        records.append(
            TrialRecord(
                number,
                "search",
                family,
                "pruned" if pruned else "complete",
                f"behind at epoch {epochs}" if pruned else "",
                float(curve[best]),
                folds,
                tuple(float(x) for x in curve),
                epochs,
                best + 1,
                epochs * 0.4,
                params,
            )
        )
    return records


def curves(rng: np.random.Generator, epochs: int = 26, best: int = 17) -> Curves:
    """A sound fit that begins to memorise a little at the end."""
    e = np.arange(1, epochs + 1)
    wave = rng.normal(0, 0.012, (2, FOLDS, epochs))
    shift = rng.normal(0, 0.015, (FOLDS, 1))
    train = 0.22 + 0.45 * np.exp(-e / 4) - 0.003 * e + wave[0] + 0.3 * shift
    late = 0.006 * np.maximum(e - best, 0)
    valid = 0.27 + 0.42 * np.exp(-e / 4) - 0.002 * np.minimum(e, best) + late + wave[1] + shift
    score = 0.955 - 0.2 * np.exp(-e / 4) + wave[1] / 3
    return Curves(train, valid, score, 0.97 - 0.35 * train, 0.965 - 0.37 * valid, best)


AUDIT = {
    "findings": [
        {
            "check": "identical samples",
            "severity": "serious",
            "what": "12 of 96 test samples are copies of training samples",
            "count": 12,
            "examples": ["isolate3 = isolate40"],
            "advice": "keep copies together: split: {groups: {by: clones}}",
        },
        {
            "check": "constant columns",
            "severity": "note",
            "what": "40 of 900 positions are the same in all samples",
            "count": 40,
            "examples": [],
            "advice": "",
        },
    ],
    "sampled": [],
}


def _outcome(
    rng: np.random.Generator,
    metric_name: str,
    task: str,
    labels: np.ndarray,
    skill: dict[str, float],
    predict: Any,
    trials: int,
    span: tuple[float, float],
) -> StudyOutcome:
    metric = METRICS[metric_name]
    samples = len(labels)
    parts = rng.choice([-1, 0, 1, 2, 3, 4], size=samples, p=[0.2, *[0.16] * 5]).astype(np.int8)
    truth = labels[parts == -1]
    network = next(iter(skill))
    models = {
        name: np.stack([predict(truth, s) for _ in range(1 if name == "ridge" else SEEDS)])
        for name, s in skill.items()
    }
    records = search(rng, trials, *span, (network, "mlp") if network == "cnn" else (network,))
    done = [t for t in records if t.state == "complete"]
    best = max((t for t in done if t.model == network), key=lambda t: t.score or 0)
    board, mean = [], {}
    for name, predictions in models.items():
        scores = [metric.score(truth, p) for p in predictions]
        mean[name] = float(np.mean(scores))
        half = 0.55 / len(truth) ** 0.5
        cv = float(best.score or 0) if name == network else mean[name] + rng.normal(0.004, 0.004)
        board.append(
            {
                "model": name,
                "kind": "network" if name == network else "baseline",
                "cv_mean": cv,
                "cv_std": float(rng.uniform(0.006, 0.012)),
                "test": mean[name],
                "test_ci": [mean[name] - half, mean[name] + 0.8 * half],
                "test_seeds": scores,
                "trials": trials if name == network else 20,
                "seconds": 162.0 if name == network else 20.0,
            }
        )
        records += [
            TrialRecord(i, "baseline", name, "complete", score=cv - 0.01 * rng.random(), seconds=1)
            for i in range(20 if name != network else 0)
        ]
    baseline = max((n for n in skill if n != network), key=lambda n: mean[n])
    difference = mean[network] - mean[baseline]
    verdict = "no difference shown"
    sentence = (
        "No difference was shown between the network and the best of the tuned baselines on "
        "samples neither had seen."
    )
    if difference < -0.012:
        verdict = "worse"
        sentence = f"The network is worse than {baseline} on samples neither had seen."
    summary: dict[str, Any] = {
        "study": "inh",
        "generation": 1,
        "data": {
            "name": "katG cohort",
            "simulated": True,
            "samples": samples,
            "features": 3 * CODONS,
            "fingerprint": "9f2c41d07be3a865",
            "loci": ["katG"],
            "oracle": {metric_name: 0.968},
        },
        "task": task,
        "target": ["isoniazid"],
        "metric": metric_name,
        "trials": {
            "asked": trials,
            "complete": len(done),
            "pruned": sum(t.state == "pruned" for t in records),
            "failed": sum(t.state == "failed" for t in records),
        },
        "best": {
            "model": network,
            "params": best.params,
            "cv_mean": best.score,
            "cv_std": float(np.std(best.fold_scores)),
        },
        "leaderboard": board,
        "comparison": {
            "best_baseline": baseline,
            "difference": difference,
            "ci": [difference - 0.012, difference + 0.011],
            "p_value": 0.41 if abs(difference) < 0.012 else 0.0003,
            "verdict": verdict,
            "sentence": sentence,
        },
        "control": {
            "cv_mean": 0.512,
            "test": 0.487,
            "chance": [0.44, 0.56],
            "sentence": "On permuted labels the pipeline finds nothing, as it should.",
        },
        "audit": AUDIT,
        "seal": {
            "opened_at": "2026-03-14T09:26:53+00:00",
            "trials_before": trials,
            "trials_after": 0,
            "code_version": "0.1.0+g1a2b3c4",
        },
        "seconds": {"total": 271.4, "search": 162.0, "baselines": 64.1, "final": 45.3},
        "versions": {
            "geno_hpo": "0.1.0",
            "python": "3.12.4",
            "keras": "3.15.0",
            "tensorflow": "2.21.0",
            "optuna": "5.0.1",
            "mlflow": "3.17.0",
            "scikit-learn": "1.9.1",
            "lightgbm": "4.6.0",
        },
        "split": {
            "kind": "stratified",
            "folds": FOLDS,
            "test_samples": int((parts == -1).sum()),
            "development_samples": int((parts >= 0).sum()),
            "fingerprint": "51ab07c2e9d4f836",
        },
        "seed": 1,
        "published": [],
    }
    test = TestPredictions(
        tuple(f"isolate{i}" for i in np.flatnonzero(parts == -1)),
        truth.astype(np.float32),
        {name: p.astype(np.float32) for name, p in models.items()},
    )
    scores = {e["model"]: e["cv_mean"] + rng.normal(0, 0.01, FOLDS) for e in board}
    unseen = labels[parts >= 0]
    found = evidence(
        Evidence(
            test,
            task,
            ("isoniazid", "grain")[: truth.shape[1]],
            metric,
            network,
            baseline,
            FoldScores(scores, 0.8 * samples, 0.2 * samples),
            {name: 0.3 / len(truth) ** 0.5 for name in models},
            trials,
            1,
            named={"lineage": rng.choice(["L1", "L2", "L3", "L4"], len(truth), p=PLACES)},
            unseen=(unseen, predict(unseen, skill[network])) if task == "binary" else None,
        )
    )
    summary |= {key: value for key, value in found.items() if key != "comparison"}
    more = ("error", "detectable", "margin", "grouped")
    summary["comparison"] |= {key: found["comparison"][key] for key in more}
    return StudyOutcome(
        summary=summary,
        question="",
        task=task,
        target=("isoniazid",),
        notes=("Simulated: made by a program that knows the causes; no isolate is real.",),
        trials=tuple(records),
        curves=curves(rng),
        test=test,
        attribution=None,
        study_yaml=STUDY_YAML,
        space_yaml=SPACE_YAML,
        labels=labels,
        parts=parts,
        source="geno_hpo.data.simulate, seed 1",
        licence="Apache-2.0",
    )


if __name__ == "__main__":
    from geno_hpo.report import write

    for make in (binary, multiclass, regression):
        sys.stdout.write(f"{write(make(), Path(sys.argv[1]) / make.__name__)}\n")
