"""What is learned from the training part before a model sees the samples.

Nothing here looks at a sample outside the training indices it is given.

- `RankedVariants`: what a training part says of every variant, and the best ones first.
- `FittedVariants`: dosages ``(samples, variants)`` int8, −1 not called → float32 inputs;
  `preprocess.neighbours` tells dosages not called by the nearest training samples.
- `SiteFeatures`: sequence codes ``(samples, positions)`` → binary ``(samples, features)`` uint8,
  for the baselines; networks read the codes themselves, less the `sequence_mean`.
- `genotype_histograms`: what a diet network knows of each variant.
- `kmer_counts`: the same for sequences that are not aligned; learns nothing.
- `class_weights`, `balanced`: weights that make up for rare classes.
- `TargetScale`: traits ``(samples, outputs)`` ↔ zero mean, unit variance.
"""

from geno_hpo.preprocess.balance import balanced, class_weights
from geno_hpo.preprocess.histograms import genotype_histograms
from geno_hpo.preprocess.kmers import kmer_counts
from geno_hpo.preprocess.neighbours import Neighbours
from geno_hpo.preprocess.ranking import RankedVariants, fit_variants, rank_variants
from geno_hpo.preprocess.sites import SiteFeatures, sequence_features, sequence_mean
from geno_hpo.preprocess.target import TargetScale, fit_target
from geno_hpo.preprocess.variants import FittedVariants, VariantSettings, input_width

__all__ = [
    "FittedVariants",
    "Neighbours",
    "RankedVariants",
    "SiteFeatures",
    "TargetScale",
    "VariantSettings",
    "balanced",
    "class_weights",
    "fit_target",
    "fit_variants",
    "genotype_histograms",
    "input_width",
    "kmer_counts",
    "rank_variants",
    "sequence_features",
    "sequence_mean",
]
