"""Bundles: a study's winner in one folder, and predictions for samples without labels.

`manifest` is what ``bundle.json`` says, `write` makes a bundle, `folder` opens one and refuses a
damaged one, `network` applies its Keras models. `sequences`, `alignments` and `variants` turn an
input of any format into codes ``(samples, width)`` in the bundle's order; `predict` goes from
there to probabilities and calls, `table` writes them. Nothing here imports Optuna, MLflow or
LightGBM, and Keras is imported where models are loaded.
"""

from geno_hpo.bundle.folder import Bundle, open_bundle
from geno_hpo.bundle.manifest import FORMAT, BundleLocus, Limits, Manifest, ModelFile, Threshold
from geno_hpo.bundle.predict import Predicted, predict
from geno_hpo.bundle.samples import Batch, Samples
from geno_hpo.bundle.sources import InputOptions, open_samples
from geno_hpo.bundle.table import write_predictions
from geno_hpo.bundle.write import Contents, write_bundle

__all__ = [
    "FORMAT",
    "Batch",
    "Bundle",
    "BundleLocus",
    "Contents",
    "InputOptions",
    "Limits",
    "Manifest",
    "ModelFile",
    "Predicted",
    "Samples",
    "Threshold",
    "open_bundle",
    "open_samples",
    "predict",
    "write_bundle",
    "write_predictions",
]
