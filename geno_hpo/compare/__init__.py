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
from geno_hpo.compare.nested import OuterComparison, compare_outer, mean_and_spread
from geno_hpo.compare.verdict import Comparison, Verdict, compare_models

__all__ = [
    "ChanceInterval",
    "Comparison",
    "FoldTest",
    "Interval",
    "OuterComparison",
    "Verdict",
    "chance_interval",
    "compare_models",
    "compare_outer",
    "corrected_t_test",
    "difference_interval",
    "mean_and_spread",
    "mean_score",
    "score_interval",
    "statistic_interval",
]
