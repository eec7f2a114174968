"""Scores of predictions against labels: exact with ties, blind to missing labels, fast.

Shapes: ``truth`` is ``(samples, outputs)`` with NaN for a missing label; ``prediction`` is
``(samples, units)``. Equal widths are scored output by output (binary, multilabel, regression)
and averaged; one column of class indices against several units is multiclass. ``counts`` is
``(resamples, samples)``: how often a bootstrap resample holds each sample.

Rules that hold for every metric:

- a sample without a label does not count for that output;
- a prediction that is not finite makes the score NaN;
- an output whose labels are constant has no score, and the mean is taken over the outputs that
  have one; without any the score is NaN. (Accuracy, log loss and RMSE need no variation.)
- a constant prediction carries no information: MCC and Pearson are then 0.
- a probability of at least 0.5 predicts the positive class; multiclass takes the largest one.
"""

from geno_hpo.metrics.metric import Metric, plain_metric
from geno_hpo.metrics.registry import METRICS, accuracy_of, default_metric, loss_of

__all__ = ["METRICS", "Metric", "accuracy_of", "default_metric", "loss_of", "plain_metric"]
