"""What was asked of one trained network, as plain arrays."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

__all__ = ["Explained"]

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class Explained:
    """One restart's attributions; positions are all columns of the data set.

    Parameters
    ----------
    samples
        ``(samples,)`` indices of the samples looked at.
    plain, integrated
        ``(positions,)`` mean absolute contribution over samples and outputs; 0 where the network
        does not look.
    mutated
        ``(positions,)`` mean absolute change of the outputs over substitutions and samples; NaN
        where none was tried. All NaN for variants.
    gap
        What integrated gradients miss of completeness, a share.
    pairs, untrained
        Contributions at a fixed draw of samples × positions, of this network and of one with the
        same configuration and random weights; where the sample has what most have, there is
        nothing to agree on, so only other places are drawn.
    single
        ``(outputs, samples, positions)`` float32 integrated gradients of single samples, where
        sequences are not aligned; else of no sample.
    filters, filter_sites, filter_tie
        ``(filters, width, 4)`` what each filter of the first layer sees, at how many sites, and the
        rank correlation of its largest activation with the first output.
    permuted
        ``(positions, repeats)`` loss of score on the test samples when a variant is shuffled; NaN
        where it was not.
    permuted_samples
        Test samples that this was asked of.
    """

    samples: NDArray[np.intp]
    plain: Floats
    integrated: Floats
    mutated: Floats
    gap: float
    pairs: Floats
    untrained: Floats
    single: NDArray[np.float32]
    filters: Floats
    filter_sites: NDArray[np.intp]
    filter_tie: Floats
    permuted: Floats
    permuted_samples: int

    @property
    def arrays(self) -> dict[str, NDArray[Any]]:
        """What to keep in a file."""
        return {name: np.asarray(value) for name, value in vars(self).items()}

    @classmethod
    def of(cls, arrays: dict[str, Any]) -> Explained:
        """What `arrays` gave."""
        samples = int(arrays["permuted_samples"])
        return cls(**{**arrays, "gap": float(arrays["gap"]), "permuted_samples": samples})
