"""Statistics on results: intervals, paired differences, chance, and a verdict in words."""

from geno_hpo.compare.bootstrap import (
    Interval,
    difference_interval,
    mean_score,
    score_interval,
    statistic_interval,
)
from geno_hpo.compare.chance import ChanceInterval, chance_interval
from geno_hpo.compare.folds import FoldTest, corrected_t_test
from geno_hpo.compare.verdict import Comparison, Verdict, compare_models

__all__ = [
    "ChanceInterval",
    "Comparison",
    "FoldTest",
    "Interval",
    "Verdict",
    "chance_interval",
    "compare_models",
    "corrected_t_test",
    "difference_interval",
    "mean_score",
    "score_interval",
    "statistic_interval",
]
