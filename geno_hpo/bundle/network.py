"""The restarts' Keras models, applied together batch by batch.

Models are loaded in Keras's safe mode, which refuses Python code inside a file. A smaller
batch is filled up to the size of the first one, so that each model is traced once.
"""

from __future__ import annotations

import logging
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from geno_hpo import encoding
from geno_hpo.bundle.folder import Bundle
from geno_hpo.errors import BundleError
from geno_hpo.models import FAMILIES
from geno_hpo.preprocess import FittedVariants, Neighbours

__all__ = ["Ensemble"]

BATCH_BYTES = 64 * 2**20
MOST_SAMPLES = 256


class Ensemble:
    """A bundle's models.

    Parameters
    ----------
    bundle
        An opened bundle.
    """

    def __init__(self, bundle: Bundle) -> None:
        self.bundle = bundle
        self._size = 0

    @property
    def batch(self) -> int:
        """Samples at once: inputs of at most 64 MiB."""
        manifest = self.bundle.manifest
        return max(1, min(MOST_SAMPLES, BATCH_BYTES // (4 * manifest.width * manifest.symbols)))

    @cached_property
    def models(self) -> list[Any]:
        """The loaded models.

        Raises
        ------
        BundleError
            A file that Keras cannot load, or a model of another shape.
        """
        import keras

        import geno_hpo.models.predicted  # noqa: F401 - registers the layer that models may hold

        wanted = self.input_shape
        family = self.bundle.manifest.family
        if (plugin := FAMILIES.plugin(family)) is not None:
            plugin.load()  # it may register layers of its own
        found = []
        for path in self.bundle.model_files:
            try:
                model = keras.models.load_model(path, compile=False, safe_mode=True)
            except (OSError, ValueError, TypeError, KeyError) as error:
                reason = str(error).splitlines()[0] if str(error) else type(error).__name__
                package = self.bundle.manifest.versions.get(f"families.{family}")
                where = f"; its family {family!r} is of package {package}" if package else ""
                raise BundleError(f"{path} cannot be loaded: {reason}{where}") from error
            if tuple(model.input_shape[1:]) != wanted:
                raise BundleError(
                    f"{path} takes inputs {tuple(model.input_shape[1:])}, the bundle says {wanted}"
                )
            found.append(model)
        # TensorFlow takes several models for one that is traced again and again, and warns of it.
        logging.getLogger("tensorflow").setLevel(logging.ERROR)
        return found

    @property
    def input_shape(self) -> tuple[int, ...]:
        """Shape of one sample at the models' input."""
        manifest = self.bundle.manifest
        sequence = manifest.kind == "sequence"
        return (manifest.width, manifest.symbols) if sequence else (manifest.width,)

    @cached_property
    def _variants(self) -> FittedVariants:
        arrays = self.bundle.preprocess
        columns = np.arange(self.bundle.manifest.width, dtype=np.int32)
        neighbours = None
        if "donors" in arrays:
            count, weights = int(arrays["neighbour_count"]), str(arrays["neighbour_weights"])
            neighbours = Neighbours(arrays["donors"], arrays["fill"], count, weights)
        return FittedVariants(
            columns,
            arrays["fill"],
            arrays["mean"],
            arrays["scale"],
            neighbours=neighbours,
        )

    def inputs(self, codes: NDArray[np.int8]) -> NDArray[np.float32]:
        """What the models take, of codes ``(samples, width)``."""
        if self.bundle.manifest.kind == "sequence":
            return encoding.one_hot(codes, self.bundle.manifest.symbols)
        return self._variants.scaled(codes)

    def __call__(self, codes: NDArray[np.int8]) -> NDArray[np.float32]:
        """Predictions ``(restarts, samples, units)`` of one batch, at most `batch` samples.

        Probabilities, or a trait in its own units.
        """
        samples = len(codes)
        self._size = max(self._size, samples)
        filled = np.zeros((self._size - samples, codes.shape[1]), dtype=np.int8)
        inputs = self.inputs(np.concatenate([codes, filled]))
        found = np.stack(
            [np.asarray(model.predict_on_batch(inputs))[:samples] for model in self.models]
        )
        if self.bundle.manifest.task == "regression":
            arrays = self.bundle.preprocess
            found = found * arrays["target_scale"] + arrays["target_mean"]
        return found.astype(np.float32)
