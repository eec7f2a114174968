"""What is learned from the training part before a model sees the samples.

Nothing here looks at a sample outside the training indices it is given.

- `FittedVariants`: dosages ``(samples, variants)`` int8, −1 not called → float32 inputs.
- `SiteFeatures`: sequence codes ``(samples, positions)`` → binary ``(samples, features)`` uint8,
  for the baselines; networks read the codes themselves, less the `sequence_mean`.
- `TargetScale`: traits ``(samples, outputs)`` ↔ zero mean, unit variance.
"""

from geno_hpo.preprocess.association import association_tests
from geno_hpo.preprocess.sites import SiteFeatures, sequence_features, sequence_mean
from geno_hpo.preprocess.target import TargetScale, fit_target
from geno_hpo.preprocess.variants import FittedVariants, VariantSettings, fit_variants, input_width

__all__ = [
    "FittedVariants",
    "SiteFeatures",
    "TargetScale",
    "VariantSettings",
    "association_tests",
    "fit_target",
    "fit_variants",
    "input_width",
    "sequence_features",
    "sequence_mean",
]
