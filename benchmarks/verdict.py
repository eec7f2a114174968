"""How often the verdict errs between equal models, and what it sees, over many made-up studies.

Each study has a truth and the predictions of two models of stated skill, which err alike to
a degree, as real ones do; with kin, samples of a family share half of their noise and are resampled
together. Beside the verdict's rule (Student's t on the bootstrap's standard error) stand the same
resamples read by BCa, which it was before.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy import stats

from benchmarks.outcome import Outcome, Size, Table
from geno_hpo.compare import compare_models, mean_score, statistic_interval
from geno_hpo.metrics import METRICS, Metric

__all__ = ["CASES", "Case", "claims", "made_up"]

Array = NDArray[Any]
Made = tuple[Array, list[Array], Array | None]
CLAIMS = ("better", "worse")


@dataclass(frozen=True)
class Case:
    """A kind of study: metric, test samples, samples a family, skill, and share of positives."""

    metric: str
    samples: int
    kin: int = 1
    skill: float = 1.0
    share: float = 0.5

    @property
    def title(self) -> str:
        """The case in words."""
        kin = f", families of {self.kin}" if self.kin > 1 else ""
        near = ", nearly perfect" if self.skill > 2 else ""
        rare = f", {self.share:.0%} positive" if self.share != 0.5 else ""
        return f"{METRICS[self.metric].label}, {self.samples} samples{kin}{rare}{near}"


CASES = tuple(
    Case(metric, samples, kin, skill, share)
    for metric in ("auc", "accuracy", "pearson")
    for kin in (1, 4)
    for samples, skill, share in ((60, 1.0, 0.5), (160, 1.0, 0.5), (160, 3.0, 0.2))
    if metric != "pearson" or share == 0.5
)
RUNS: dict[Size, tuple[int, int]] = {"full": (1000, 500), "quick": (200, 300), "smallest": (20, 50)}
SKILLS = (1.0, 1.15, 1.3, 1.5, 1.7, 2.0)


def made_up(seed: int, case: Case, skills: tuple[float, ...] = ()) -> Made:
    """Truth ``(samples, 1)``, ``(1, samples, 1)`` predictions a skill, and groups with kin.

    Without `skills` there are two models of the case's own.
    """
    rng = np.random.default_rng([seed, case.samples, case.kin])
    family = np.arange(case.samples) // case.kin

    def noise() -> Array:
        own, common = rng.normal(size=case.samples), rng.normal(size=family.max() + 1)[family]
        return (own + common) / np.sqrt(2) if case.kin > 1 else own

    latent = noise()
    trait = "regression" in METRICS[case.metric].tasks
    truth = latent if trait else (latent > stats.norm.ppf(1 - case.share)).astype(float)
    shared = noise()
    scores = [
        skill * latent + 0.7 * shared + 0.7 * noise() for skill in skills or (case.skill,) * 2
    ]
    if not trait:
        scores = [stats.norm.cdf(score) for score in scores]
    return truth[:, None], [s[None, :, None] for s in scores], family if case.kin > 1 else None


def claims(case: Case, runs: int, resamples: int, skills: tuple[float, ...] = ()) -> int:
    """How many of `runs` studies claim that the models differ."""
    claimed = 0
    for seed in range(runs):
        truth, (first, second), groups = made_up(seed, case, skills)
        found = compare_models(
            truth,
            first,
            second,
            METRICS[case.metric],
            resamples=resamples,
            seed=seed,
            groups=groups,
        )
        claimed += found.verdict in CLAIMS
    return claimed


def by_bca(case: Case, runs: int, resamples: int) -> int:
    """How many of `runs` studies the BCa interval would claim a difference in."""
    metric, claimed = METRICS[case.metric], 0
    for seed in range(runs):
        truth, pair, groups = made_up(seed, case)
        found = statistic_interval(
            lambda counts, truth=truth, pair=pair: _gap(metric, truth, pair, counts),
            len(truth),
            resamples=resamples,
            seed=seed,
            groups=groups,
        )
        claimed += found.p_value < 0.05
    return claimed


def _gap(metric: Metric, truth: Array, pair: list[Array], counts: Array) -> Array:
    first, second = (metric.resampled(truth, one[0], counts) for one in pair)
    return first - second


def run(size: Size) -> Outcome:
    """Count wrong claims in every case, then right ones as one model grows better."""
    runs, resamples = RUNS[size]
    cases = CASES[:1] if size == "smallest" else CASES
    wrong = [
        (
            case.title,
            claims(case, runs, resamples) / runs,
            by_bca(case, runs, resamples) / runs,
        )
        for case in cases
    ]
    pooled = ("all cases", *(float(np.mean([row[i] for row in wrong])) for i in (1, 2)))
    power = []
    for skill in SKILLS[: 1 if size == "smallest" else None]:
        case = Case("auc", 300)
        truth, pair, _ = made_up(0, Case("auc", 200_000), (skill, 1.0))
        gap = [mean_score(METRICS["auc"], truth, one) for one in pair]
        share = claims(case, runs // 4, resamples, (skill, 1.0)) / (runs // 4)
        power.append((skill, gap[0] - gap[1], share))
    return Outcome(
        (
            Table(
                "Claims of a difference between equal models (nominal 0.05)",
                ("studies", "verdict", "by BCa"),
                (*wrong, pooled),
            ),
            Table(
                "Claims where one model is better (ROC AUC, 300 samples)",
                ("skill against 1", "true difference", "claimed"),
                power,
            ),
        ),
        (
            f"{runs} studies a case ({runs // 4} in the second table), {resamples} resamples each",
            "of classes with fewer than 10 samples the verdict says too little data, BCa may claim",
        ),
        {"runs": runs, "resamples": resamples},
    )
