"""From codes to answers: probabilities, their spread over restarts, calls, and when not to tell."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from geno_hpo.bundle.folder import Bundle
from geno_hpo.bundle.network import Ensemble
from geno_hpo.bundle.samples import Batch, Samples
from geno_hpo.errors import BundleError

__all__ = ["CANNOT_TELL", "Predicted", "predict"]

CANNOT_TELL = -1
"""The call of a sample of which too much is unknown."""


@dataclass(frozen=True)
class Predicted:
    """Answers for some samples.

    Parameters
    ----------
    ids
        The samples.
    mean
        ``(samples, units)``: mean over the restarts: probabilities, or a trait's value.
    spread
        ``(samples, units)``: standard deviation over the restarts; NaN with a single one.
    calls
        ``(samples, outputs)``: 0 or 1, the class for several classes, `CANNOT_TELL`; for a trait
        0 throughout, or `CANNOT_TELL`.
    unknown
        ``(samples, loci)``: share of each locus that is unknown; one column without loci.
    mismatch
        ``(samples,)``: share of known bases that are not the reference's; NaN for variants.
    """

    ids: tuple[str, ...]
    mean: NDArray[np.float32]
    spread: NDArray[np.float32]
    calls: NDArray[np.int64]
    unknown: NDArray[np.float64]
    mismatch: NDArray[np.float64]


def predict(
    bundle: Bundle,
    samples: Samples,
    *,
    ensemble: Ensemble | None = None,
    leave_out: bool = False,
    seen: Callable[[int], None] = lambda _: None,
    left_out: Callable[[str], None] = lambda _: None,
) -> Iterator[Predicted]:
    """Predict batch by batch; memory holds one batch.

    Parameters
    ----------
    bundle, samples
        The models, and what they look at.
    ensemble
        Loaded models; None loads the bundle's.
    leave_out
        Samples of another species are left out instead of refused.
    seen
        Told after each batch how many samples were looked at.
    left_out
        Told the reason of each sample that is left out.

    Raises
    ------
    BundleError
        A sample of another species, or models that cannot be loaded.
    """
    ensemble = ensemble or Ensemble(bundle)
    for batch in samples.batches(ensemble.batch):
        unknown, mismatch = _unknown(bundle, batch), _mismatch(bundle, batch)
        foreign = _foreign(bundle, batch, mismatch)
        if foreign and not leave_out:
            more = f" (and {len(foreign) - 1} more)" if len(foreign) > 1 else ""
            raise BundleError(f"{foreign[0][1]}{more}; --leave-out goes on without such samples")
        for _, reason in foreign:
            left_out(reason)
        keep = np.setdiff1d(np.arange(len(batch.ids)), [row for row, _ in foreign])
        seen(len(batch.ids))
        if not len(keep):
            continue
        restarts = ensemble(batch.codes[keep]).astype(np.float64)
        mean = restarts.mean(axis=0)
        spread = restarts.std(axis=0, ddof=1) if len(restarts) > 1 else np.full_like(mean, np.nan)
        yield Predicted(
            tuple(batch.ids[row] for row in keep),
            mean.astype(np.float32),
            spread.astype(np.float32),
            _calls(bundle, mean, unknown[keep]),
            unknown[keep],
            mismatch[keep],
        )


def _calls(
    bundle: Bundle, mean: NDArray[np.float64], unknown: NDArray[np.float64]
) -> NDArray[np.int64]:
    manifest = bundle.manifest
    if manifest.task == "multiclass":
        calls = mean.argmax(axis=1)[:, None]
    elif manifest.task == "regression":
        calls = np.zeros(mean.shape, dtype=np.int64)
    else:
        calls = (mean >= [each.value for each in manifest.thresholds]).astype(np.int64)
    widths = [locus.stop - locus.start for locus in manifest.stretches]
    whole = unknown @ np.array(widths) / sum(widths)
    limits = manifest.limits
    calls[(whole > limits.unknown) | (unknown.max(axis=1) > limits.locus)] = CANNOT_TELL
    found: NDArray[np.int64] = calls.astype(np.int64)
    return found


def _unknown(bundle: Bundle, batch: Batch) -> NDArray[np.float64]:
    """Share of each locus that is unknown, ``(samples, loci)``."""
    return np.stack(
        [
            (batch.codes[:, locus.start : locus.stop] < 0).mean(axis=1)
            for locus in bundle.manifest.stretches
        ],
        axis=1,
    )


def _mismatch(bundle: Bundle, batch: Batch) -> NDArray[np.float64]:
    """Share of known bases that are not the reference's; NaN where none is known."""
    if bundle.manifest.kind == "variants":
        return np.full(len(batch.ids), np.nan)
    reference = bundle.encoding["reference"]
    known = (batch.codes >= 0) & (reference >= 0)
    many = known.sum(axis=1)
    differ = (known & (batch.codes != reference)).sum(axis=1)
    share: NDArray[np.float64] = np.where(many > 0, differ / np.maximum(many, 1), np.nan)
    return share


def _foreign(bundle: Bundle, batch: Batch, mismatch: NDArray[np.float64]) -> list[tuple[int, str]]:
    """Row and reason of each sample that differs from the reference beyond the limit."""
    limit = bundle.manifest.limits.mismatch
    if limit is None:
        return []
    rule = f"more than the {limit:.1%} allowed: another species, another strand, or other regions"
    differs = "differs from the study's reference at"
    return [
        (row, f"sample {batch.ids[row]!r} {differs} {share:.1%} of its known bases, {rule}")
        for row, share in enumerate(mismatch.tolist())
        if share > limit
    ]
