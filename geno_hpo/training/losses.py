"""Losses from logits, with missing labels masked.

Shapes: logits ``(batch, units)``, targets ``(batch, outputs)`` float32 with NaN for a missing
label; a multiclass target holds the class index in its one column. A loss is the mean over known
labels: over samples and outputs alike, as Keras does when none is missing.
"""

from __future__ import annotations

from typing import Any

from keras import ops

__all__ = ["batch_loss"]


def batch_loss(
    task: str,
    logits: Any,
    targets: Any,
    smoothing: Any | None = None,
    *,
    gamma: Any | None = None,
    delta: Any | None = None,
    counts: bool = False,
    weights: Any | None = None,
    gaps: bool = True,
) -> tuple[Any, Any, Any]:
    """Sum of the loss over known labels, their number, and how many are predicted right.

    Parameters
    ----------
    task
        ``binary``, ``multilabel``: sigmoid cross-entropy. ``multiclass``: softmax cross-entropy.
        ``regression``: squared error, with `delta` Huber's, with `counts` Poisson's; nothing is
        counted as right.
    logits, targets
        See the module's text.
    smoothing
        Label smoothing as in Keras: towards ½, or towards the uniform distribution.
    gamma
        Exponent of the focal loss; None for plain cross-entropy, which 0 gives as well.
    delta
        Error from which Huber's loss grows linearly, on the scale of the targets; None for the
        squared error.
    counts
        Whether logits are logarithms of expected counts: the loss is then the negative Poisson log
        likelihood without what no model changes, as Keras's Poisson of their exponential.
    weights
        ``(outputs, classes)`` by which the loss of a label of each class is multiplied; None: by
        nothing. Known labels are counted without weights, as Keras divides by their number.
    gaps
        Whether a label may be missing; False spares the masks.

    Returns
    -------
    tuple
        Three float32 scalars: sum, known, right.

    References
    ----------
    Huber, Robust estimation of a location parameter, Annals of Mathematical Statistics 1964.
    Lin et al., Focal loss for dense object detection, ICCV 2017.
    """
    mask = None
    if gaps:
        known = ops.logical_not(ops.isnan(targets))
        targets = ops.where(known, targets, ops.zeros_like(targets))
        mask = ops.cast(known, "float32")
    weight = None if weights is None else _weight(task, targets, weights)
    if task == "regression":
        error = targets - logits
        if counts:
            each = ops.exp(logits) - targets * logits
        else:
            each = ops.square(error) if delta is None else _huber(ops.abs(error), delta)
        right = None
    elif task == "multiclass":
        classes = ops.cast(targets[:, 0], "int32")
        truth = ops.one_hot(classes, logits.shape[-1])
        chosen = ops.cast(ops.argmax(logits, axis=-1), "int32")
        right = ops.expand_dims(ops.cast(ops.equal(chosen, classes), "float32"), -1)
        if smoothing is not None:
            truth = truth * (1.0 - smoothing) + smoothing / logits.shape[-1]
        if gamma is None:
            each = ops.categorical_crossentropy(truth, logits, from_logits=True)
        else:
            logs = ops.log_softmax(logits, axis=-1)
            each = -ops.sum(_focus(ops.exp(logs), gamma) * truth * logs, axis=-1)
        each = ops.expand_dims(each, -1)
    else:
        right = ops.cast(ops.equal(logits > 0.0, targets > 0.5), "float32")
        if smoothing is not None:
            targets = targets * (1.0 - smoothing) + 0.5 * smoothing
        each = ops.softplus(logits) - targets * logits
        if gamma is not None:
            chance = ops.sigmoid(logits)
            each = each * _focus(targets * chance + (1.0 - targets) * (1.0 - chance), gamma)
    if weight is not None:
        each = each * weight
    if mask is None:
        count = ops.cast(ops.size(each), "float32")
        return ops.sum(each), count, 0.0 * count if right is None else ops.sum(right)
    hits = ops.zeros_like(mask) if right is None else right * mask
    return ops.sum(each * mask), ops.sum(mask), ops.sum(hits)


def _weight(task: str, targets: Any, weights: Any) -> Any:
    """Weight of each label by its class, ``(batch, outputs)``; `targets` without NaN."""
    if task == "multiclass":
        return ops.take(weights[0], ops.cast(targets, "int32"))
    return weights[:, 0] + targets * (weights[:, 1] - weights[:, 0])


def _huber(error: Any, delta: Any) -> Any:
    """Half the square up to `delta`, from there on linear; as Keras's."""
    near = ops.minimum(error, delta)
    return near * (error - 0.5 * near)


def _focus(chance: Any, gamma: Any) -> Any:
    """Weigh what is judged right less; kept off 0, where a power below 1 has no derivative."""
    return ops.power(ops.maximum(1.0 - chance, 1e-7), gamma)
