"""Statistics on results: intervals, paired differences, chance, calibration, a verdict in words."""

from geno_hpo.compare.bootstrap import (
    Interval,
    difference_interval,
    mean_score,
    score_interval,
    statistic_interval,
)
from geno_hpo.compare.calibration import (
    Calibration,
    ReliabilityBin,
    calibrate,
)
from geno_hpo.compare.chance import ChanceInterval, chance_interval
from geno_hpo.compare.delong import AreaTest, area_covariance, delong_test
from geno_hpo.compare.detectable import smallest_detectable
from geno_hpo.compare.folds import FoldTest, corrected_t_test
from geno_hpo.compare.growth import Growth, growth
from geno_hpo.compare.holm import holm
from geno_hpo.compare.nested import OuterComparison, compare_outer, mean_and_spread
from geno_hpo.compare.outputs import OutputScore, output_scores
from geno_hpo.compare.restarts import Restarted, Restarts, compare_restarts
from geno_hpo.compare.rivals import FoldScores, Rival, compare_all, shortfall_made_good
from geno_hpo.compare.selection import SelectionGap, selection_gap
from geno_hpo.compare.strata import Stratum, strata
from geno_hpo.compare.threshold import OperatingPoint, best_threshold, operating_point
from geno_hpo.compare.verdict import Comparison, Verdict, compare_models
from geno_hpo.compare.wilson import wilson

__all__ = [
    "AreaTest",
    "Calibration",
    "ChanceInterval",
    "Comparison",
    "FoldScores",
    "FoldTest",
    "Growth",
    "Interval",
    "OperatingPoint",
    "OuterComparison",
    "OutputScore",
    "ReliabilityBin",
    "Restarted",
    "Restarts",
    "Rival",
    "SelectionGap",
    "Stratum",
    "Verdict",
    "area_covariance",
    "best_threshold",
    "calibrate",
    "chance_interval",
    "compare_all",
    "compare_models",
    "compare_outer",
    "compare_restarts",
    "corrected_t_test",
    "delong_test",
    "difference_interval",
    "growth",
    "holm",
    "mean_and_spread",
    "mean_score",
    "operating_point",
    "output_scores",
    "score_interval",
    "selection_gap",
    "shortfall_made_good",
    "smallest_detectable",
    "statistic_interval",
    "strata",
    "wilson",
]
