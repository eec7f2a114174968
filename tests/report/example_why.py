"""Explanations drawn from a seed for the report's tests; nothing is trained."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from geno_hpo.encoding import encode
from geno_hpo.explanation import (
    Association,
    CodonPlaces,
    Example,
    Explanation,
    Importance,
    Motif,
    Track,
)
from geno_hpo.interpret import consensus_motif
from geno_hpo.outcome import StudyOutcome

MOTIF = "CGACCGAACTCC"


def importance() -> Importance:
    """Of the parameters that the example's trials have."""
    shares = {"learning_rate": 0.46, "filters": 0.25, "dropout": 0.14, "weight_decay": 0.13}
    return Importance({**shares, "layers": 0.02}, trials=28, best=5)


METHODS = ("saliency", "folds", "integrated", "plain", "mutated")


def tracks(positions: int, causal: bool = True) -> tuple[Track, ...]:
    rng = np.random.default_rng(1)
    found = []
    for method, label in (
        ("saliency", "gradient × deviation"),
        ("folds", "gradient × deviation, networks of the folds"),
        ("integrated", "integrated gradients"),
        ("plain", "gradient × input"),
        ("mutated", "in-silico mutagenesis"),
    ):
        scores = rng.gamma(0.3, 1.0, positions)
        if method == "mutated":
            scores[::7] = np.nan
        found.append(Track(method, label, scores, scores * 0.1, 0.91 if causal else None))
    return tuple(found)


def aligned(outcome: StudyOutcome) -> StudyOutcome:
    """With importance, all trials' curves, and tracks of aligned sequences."""
    assert outcome.attribution is not None
    explanation = Explanation(
        tracks(len(outcome.attribution.names)),
        samples=187,
        restarts=5,
        gap=0.0001,
        untrained=-0.03,
        between=0.81,
        folds=5,
        over_folds=0.86,
        codons=(
            CodonPlaces("katG", 315, "S315T, S315N", True, dict.fromkeys(METHODS, 1)),
            CodonPlaces("katG", 328, "W328L", True, {"saliency": 3, "plain": 2}),
        ),
        notes=("In-silico mutagenesis changed 206 of 2,223 positions.",),
    )
    curves = {t.number: outcome.curves for t in outcome.trials if t.stage == "search"}
    return replace(outcome, explanation=explanation, importance=importance(), trial_curves=curves)


def unaligned(outcome: StudyOutcome) -> StudyOutcome:
    """With motifs, filters and single sequences."""
    assert outcome.attribution is not None
    known = consensus_motif("planted motif", MOTIF)
    found = 0.85 * known.matrix + 0.15 / 4
    motifs = (
        Motif("attributions", "Motif 1", found, 181, known.name, 0.99, 0.002, 0, False),
        Motif("attributions", "Motif 2", found[2:9], 30, known.name, 0.7, 0.3, -2, True),
        Motif("filter", "Filter 1", found[:8], 90, known.name, 0.8, 0.01, 0, False, tie=0.9),
    )
    rng = np.random.default_rng(2)
    example = Example(
        "sim00001", "motif: present", encode(MOTIF * 8), rng.normal(size=96), planted=((12, 24),)
    )
    explanation = Explanation(
        tracks(len(outcome.attribution.names), causal=False),
        samples=500,
        restarts=3,
        gap=0.02,
        untrained=0.05,
        between=None,
        motifs=motifs,
        known=(Motif("known", known.name, known.matrix),),
        examples=(example,),
        on_copies=(220, 231),
    )
    return replace(outcome, explanation=explanation, importance=Importance({}, 7, 5))


def variants(outcome: StudyOutcome) -> StudyOutcome:
    """With permutation importance beside univariate tests."""
    assert outcome.attribution is not None
    rng = np.random.default_rng(3)
    positions = len(outcome.attribution.names)
    columns = np.sort(rng.choice(positions, 60, replace=False))
    loss = rng.gamma(0.5, 0.01, 60)
    spread = np.where(np.arange(60) % 9 == 0, np.nan, 0.1 * loss)
    association = Association(columns, loss, spread, rng.gamma(1, 2, positions), "ROC AUC")
    explanation = Explanation(
        tracks(positions, causal=False)[:3],
        samples=500,
        restarts=2,
        gap=0.3,
        untrained=0.7,
        between=0.8,
        association=association,
    )
    return replace(outcome, explanation=explanation)
