"""What chance does to a training batch before the model sees it, in a compiled function.

Each change has a runtime value (its rate) and a seed for the step. Some act on the int8 codes
``(batch, positions)``, others on the model's inputs ``(batch, length, symbols)`` or ``(batch,
variants)``.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from keras import ops

from geno_hpo.training.chance import gamma, normal, uniform

__all__ = [
    "CHANCES",
    "ON_CODES",
    "Turn",
    "changed_codes",
    "changed_inputs",
    "mutated",
    "reverse_complement",
    "turned",
]

BASES = 4


ON_CODES = ("mutation_rate", "strand_flip")
"""Changes of the codes; inputs cannot be made once for all epochs with them."""
CHANCES = (*ON_CODES, "cutout", "mixup", "noise")
"""All of them, in the order in which they act."""

Seeds = Mapping[str, Any]
Value = Callable[[str], Any]
Turn = Callable[[Any], Any]


def turned(batch: Any) -> Any:
    """The batch backwards."""
    return ops.flip(batch, axis=0)


def changed_codes(rows: Any, seeds: Seeds, value: Value) -> Any:
    """Mutate bases, then turn some sequences to their reverse complement.

    Parameters
    ----------
    rows
        ``(batch, positions)`` int8.
    seeds
        Seeds ``(2,)`` by name; a change without one does not happen.
    value
        Gives the present value of a runtime parameter.
    """
    if "mutation_rate" in seeds:
        noise = uniform(ops.shape(rows), seeds["mutation_rate"])
        rows = mutated(rows, value("mutation_rate"), noise)
    if "strand_flip" in seeds:
        noise = uniform((ops.shape(rows)[0], 1), seeds["strand_flip"])
        rows = ops.where(noise < value("strand_flip"), reverse_complement(rows), rows)
    return rows


def changed_inputs(inputs: Any, seeds: Seeds, value: Value, turn: Turn = turned) -> tuple[Any, Any]:
    """Cut a stretch out, mix samples, add noise; parameters as in `changed_codes`.

    `turn` gives each sample its partner's row: the batch backwards.

    Returns
    -------
    tuple
        The inputs, and the share of each sample itself where it was mixed with its partner (the
        batch backwards), a scalar; None where nothing was mixed.

    References
    ----------
    DeVries & Taylor, Improved regularization of convolutional neural networks with cutout, 2017.
    Zhang et al., mixup: beyond empirical risk minimization, ICLR 2018.
    """
    share = None
    if "cutout" in seeds:
        inputs = inputs * _kept(inputs, value("cutout"), seeds["cutout"])
    if "mixup" in seeds:
        share = _beta(value("mixup"), seeds["mixup"])
        inputs = share * inputs + (1.0 - share) * turn(inputs)
    if "noise" in seeds:
        noise = normal(ops.shape(inputs), seeds["noise"])
        inputs += value("noise") * noise
    return inputs, share


def _beta(alpha: Any, seed: Any) -> Any:
    """Draw a scalar from Beta(alpha, alpha).

    Two gamma draws *g* give the share g₁ / (g₁ + g₂). They are taken as logarithms, by
    Gamma(α) = Gamma(α + 1) · U^(1/α): for a small alpha the draws themselves underflow.
    """
    draws = gamma((2,), seed, alpha + 1.0)
    even = uniform((2,), seed + 1, least=1e-7)
    logs = ops.log(draws) + ops.log(even) / alpha
    return ops.sigmoid(logs[0] - logs[1])


def _kept(inputs: Any, rate: Any, seed: Any) -> Any:
    """Zeros on one stretch of each sample, else ones; as many axes as the inputs have."""
    length = inputs.shape[1]
    width = ops.round(rate * length)
    places = uniform((ops.shape(inputs)[0], 1), seed)
    start = ops.floor(places * (length - width + 1.0))
    where = ops.arange(length, dtype="float32")[None, :]
    kept = ops.cast(ops.logical_or(where < start, where >= start + width), "float32")
    return kept if len(inputs.shape) == 2 else kept[:, :, None]


def mutated(rows: Any, rate: Any, noise: Any) -> Any:
    """Replace known bases at random, each by one of the other three with equal chance.

    Parameters
    ----------
    rows
        ``(batch, length)`` int8 codes; below 0 (unknown) and from 4 (a gap) they stay.
    rate
        Chance of a base to be replaced, a scalar in [0, 1).
    noise
        ``(batch, length)`` uniform in [0, 1).
    """
    third = ops.minimum(noise * (3.0 / ops.maximum(rate, 1e-30)), 2.0)
    base = ops.logical_and(rows >= 0, rows < BASES)
    struck = ops.logical_and(base, noise < rate)
    other = ops.mod(rows + 1 + ops.cast(third, "int8"), BASES)
    return ops.where(struck, ops.cast(other, "int8"), rows)


def reverse_complement(rows: Any) -> Any:
    """The other strand of codes ``(batch, length)``; gaps and unknown bases stay what they are."""
    turned = ops.flip(rows, axis=1)
    base = ops.logical_and(turned >= 0, turned < BASES)
    return ops.where(base, ops.cast(BASES - 1 - turned, "int8"), turned)
