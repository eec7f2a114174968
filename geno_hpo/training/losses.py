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
    task: str, logits: Any, targets: Any, smoothing: Any | None = None
) -> tuple[Any, Any, Any]:
    """Sum of the loss over known labels, their number, and how many are predicted right.

    Parameters
    ----------
    task
        ``binary``, ``multilabel``: sigmoid cross-entropy. ``multiclass``: softmax cross-entropy.
        ``regression``: squared error; nothing is counted as right.
    logits, targets
        See the module's text.
    smoothing
        Label smoothing as in Keras: towards ½, or towards the uniform distribution.

    Returns
    -------
    tuple
        Three float32 scalars: sum, known, right.
    """
    known = ops.logical_not(ops.isnan(targets))
    targets = ops.where(known, targets, ops.zeros_like(targets))
    mask = ops.cast(known, "float32")
    if task == "regression":
        each = ops.square(targets - logits)
        right = ops.zeros_like(mask)
    elif task == "multiclass":
        classes = ops.cast(targets[:, 0], "int32")
        truth = ops.one_hot(classes, logits.shape[-1])
        chosen = ops.cast(ops.argmax(logits, axis=-1), "int32")
        right = ops.expand_dims(ops.cast(ops.equal(chosen, classes), "float32"), -1)
        if smoothing is not None:
            truth = truth * (1.0 - smoothing) + smoothing / logits.shape[-1]
        each = ops.expand_dims(ops.categorical_crossentropy(truth, logits, from_logits=True), -1)
    else:
        right = ops.cast(ops.equal(logits > 0.0, targets > 0.5), "float32")
        if smoothing is not None:
            targets = targets * (1.0 - smoothing) + 0.5 * smoothing
        each = ops.binary_crossentropy(targets, logits, from_logits=True)
    return ops.sum(each * mask), ops.sum(mask), ops.sum(right * mask)
