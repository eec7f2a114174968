"""What a network looks at: gradient × deviation from the cohort's mean input.

On clonal genomes most positions never change, so the network's gradient there is arbitrary:
training never saw it matter. What a position *contributes* to a sample's output is the gradient
times how far the sample differs from the cohort there:

    contribution[i, p] = Σ_c  gradient[i, p, c] · (input[i, p, c] − mean_i input[i, p, c])

A conserved position contributes exactly nothing. Shapes: gradients and inputs are
``(samples, positions, symbols)`` for sequences or ``(samples, variants)``; contributions are
``(samples, positions)``.

References
----------
Shrikumar A, Greenside P, Kundaje A (2017). Learning important features through propagating
activation differences. ICML 70: 3145-3153. (gradient × input and its reference input)
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from geno_hpo.data.dataset import Dataset, Locus
from geno_hpo.encoding import GAP, UNKNOWN, change_name, one_hot
from geno_hpo.outcome import Attribution, Codon

__all__ = ["attribute", "contributions", "position_scores", "rank_codons", "summarise"]

Floats = NDArray[np.float64]

# Samples handled at once, so that no array as large as all gradients is made a second time.
CHUNK = 64
# Changes named for a codon in the ranking.
NAMED_CHANGES = 4


def contributions(
    gradient: NDArray[Any], inputs: NDArray[Any], mean: NDArray[Any], called: NDArray[np.bool_]
) -> Floats:
    """Signed contribution of every position to every sample's output.

    Parameters
    ----------
    gradient, inputs
        ``(samples, positions, symbols)`` or ``(samples, variants)``.
    mean
        The cohort's mean input, ``(positions, symbols)`` or ``(variants,)``.
    called
        ``(samples, positions)``: where false the position was not called in the sample; such a
        position says nothing and contributes 0.

    Returns
    -------
    NDArray
        ``(samples, positions)`` float64, summed over the symbols.
    """
    product = np.asarray(gradient, dtype=np.float64) * (inputs - mean)
    if product.ndim == 3:
        product = product.sum(axis=2)
    return np.where(called, product, 0.0)


def position_scores(
    gradient: NDArray[Any], codes: NDArray[np.int8], inputs: NDArray[Any] | None = None
) -> Floats:
    """Mean absolute contribution of every position over the samples, of one restart.

    Parameters
    ----------
    gradient
        ``(samples, positions, symbols)`` or ``(samples, variants)``: gradient of one number (a
        class's logit, the trait) with respect to the network's input.
    codes
        ``(samples, positions)`` int8 of the same samples.
    inputs
        What the network was given, shaped as the gradient. Without it sequences are one-hot (as
        many symbols as the gradient has) and variants are plain dosages; a network fed with
        standardised dosages needs them here.

    Returns
    -------
    NDArray
        ``(positions,)`` float64.

    Raises
    ------
    ValueError
        Shapes that do not belong together, no samples, or gradients that are not finite.
    """
    if codes.ndim != 2 or len(codes) == 0:
        raise ValueError(f"codes must be (samples, positions), got {codes.shape}")
    if gradient.ndim not in (2, 3) or gradient.shape[:2] != codes.shape:
        raise ValueError(
            f"the gradient must be {codes.shape} or {(*codes.shape, 'symbols')}, "
            f"got {gradient.shape}"
        )
    if inputs is not None and inputs.shape != gradient.shape:
        raise ValueError(
            f"inputs must be shaped as the gradient {gradient.shape}, got {inputs.shape}"
        )
    if not np.isfinite(gradient).all():
        wrong = int((~np.isfinite(gradient)).sum())
        raise ValueError(f"gradients must be finite, {wrong} of {gradient.size} are not")
    symbols = gradient.shape[2] if gradient.ndim == 3 else 0

    def rows(part: slice) -> NDArray[Any]:
        if inputs is not None:
            return inputs[part]
        return one_hot(codes[part], symbols) if symbols else codes[part].astype(np.float64)

    called = codes != UNKNOWN
    parts = [slice(start, start + CHUNK) for start in range(0, len(codes), CHUNK)]
    counts = np.maximum(called.sum(axis=0), 1)
    mean = np.zeros(gradient.shape[1:])
    for part in parts:
        seen = called[part, :, None] if symbols else called[part]
        mean += np.where(seen, rows(part), 0.0).sum(axis=0)
    mean /= counts[:, None] if symbols else counts
    total = np.zeros(codes.shape[1])
    for part in parts:
        total += np.abs(contributions(gradient[part], rows(part), mean, called[part])).sum(axis=0)
    scores: Floats = total / len(codes)
    return scores


def summarise(
    tracks: Sequence[NDArray[Any]],
    codes: NDArray[np.int8],
    dataset: Dataset,
    *,
    columns: NDArray[np.intp] | None = None,
) -> Attribution:
    """Mean and spread of the restarts' tracks, with codons, genes and truth.

    Parameters
    ----------
    tracks
        One `position_scores` a restart, each ``(positions,)``.
    codes
        ``(samples, positions)`` int8, to name what changes in a codon.
    dataset
        The data they come from: names, loci and truth are taken from here.
    columns
        Dataset column of each position; without it all columns in order.

    Raises
    ------
    ValueError
        No track, or lengths that differ.
    """
    where = np.arange(dataset.features) if columns is None else np.asarray(columns)
    if len(tracks) == 0:
        raise ValueError("attributions need the gradients of at least one restart")
    for what, length in [("codes", codes.shape[1]), *(("a track", len(track)) for track in tracks)]:
        if length != len(where):
            raise ValueError(f"{what} must have {len(where)} positions, got {length}")
    scores: Floats = np.mean(tracks, axis=0)
    truth = list(dataset.truth.positions) if dataset.truth else []
    causal = tuple(int(i) for i in np.flatnonzero(np.isin(where, truth)))
    if len(causal) == len(where):  # causes that may lie anywhere mark no position
        causal = ()
    loci = dataset.loci if columns is None else ()
    return Attribution(
        names=tuple(dataset.axis[i] for i in where),
        scores=scores,
        spread=np.std(tracks, axis=0),
        codons=rank_codons(scores, codes, loci, causal, tracks),
        truth=causal,
        loci=tuple((locus.name, locus.start, locus.stop) for locus in loci),
        restarts=len(tracks),
    )


def attribute(
    gradients: Iterable[NDArray[Any]],
    codes: NDArray[np.int8],
    dataset: Dataset,
    *,
    inputs: NDArray[Any] | None = None,
    columns: NDArray[np.intp] | None = None,
) -> Attribution:
    """`position_scores` of every restart, then `summarise`.

    Parameters
    ----------
    gradients
        One array a restart, taken one after the other: a generator keeps one in memory.
    codes, inputs
        As for `position_scores`.
    dataset, columns
        As for `summarise`.

    Raises
    ------
    ValueError
        As these two.
    """
    codes = np.asarray(codes)
    tracks = [position_scores(gradient, codes, inputs) for gradient in gradients]
    return summarise(tracks, codes, dataset, columns=columns)


def rank_codons(
    scores: Floats,
    codes: NDArray[np.int8],
    loci: Sequence[Locus],
    causal: Sequence[int] = (),
    tracks: Sequence[NDArray[Any]] = (),
) -> tuple[Codon, ...]:
    """Codons of the coding loci by the sum of their three positions' scores, best first.

    Parameters
    ----------
    scores
        ``(positions,)``.
    codes
        ``(samples, positions)``, to name what changes; the commonest codon counts as the reference.
    loci
        Where the genes lie. Columns without a genome position (insertions) belong to no codon, and
        neither do one or two positions left over at a gene's end.
    causal
        Columns a simulation knows to be causal.
    tracks
        Scores of each restart, each ``(positions,)``, for the codons' spread.
    """
    stack = np.stack(tracks) if len(tracks) else np.asarray(scores)[None]
    ranking = []
    for locus in loci:
        if locus.coding < 0:
            continue
        columns = np.arange(locus.start + locus.coding, locus.stop)
        if locus.genome:
            columns = columns[np.array(locus.genome)[columns - locus.start] >= 0]
        frames = columns[: len(columns) // 3 * 3].reshape(-1, 3)
        sums = scores[frames].sum(axis=1)
        spreads = stack[:, frames].sum(axis=2).std(axis=0)
        for number, (frame, score, spread) in enumerate(
            zip(frames, sums, spreads, strict=True), start=1
        ):
            change = _changes(codes[:, frame], number)
            hit = bool(np.isin(frame, causal).any())
            found = Codon(
                locus.name, number, float(score), change, int(frame[0]), hit, float(spread)
            )
            ranking.append(found)
    return tuple(sorted(ranking, key=lambda codon: -codon.score))


def _changes(codons: NDArray[np.int8], number: int) -> str:
    """Name the changes of one codon ``(samples, 3)``, most frequent first."""
    known = codons[((codons >= 0) & (codons < GAP)).all(axis=1)]
    if len(known) == 0 or (known == known[0]).all():
        return ""
    seen, counts = np.unique(known, axis=0, return_counts=True)
    order = np.argsort(-counts, kind="stable")
    names = [change_name(seen[order[0]], seen[i], number) for i in order[1:]]
    names = [name for name in dict.fromkeys(names) if name[0] != name[-1]]
    shown = ", ".join(names[:NAMED_CHANGES])
    more = len(names) - NAMED_CHANGES
    return f"{shown} and {more} more" if more > 0 else shown
