"""From distinct rows to samples and back: each with a gradient of its own, summed in a fixed order.

Rows are those of `geno_hpo.training.lookup`: the reference's ``(positions, channels)`` and the
differing ones that a batch needs, ``(rows, channels)``.
"""

from __future__ import annotations

from typing import Any

import tensorflow as tf

from geno_hpo.training.lookup import Need

__all__ = ["gathered", "projected", "spread"]


@tf.custom_gradient  # type: ignore[untyped-decorator]
def gathered(rows: Any, ids: Any) -> Any:
    """Rows by their ids, ``(*ids, channels)``."""
    count = tf.shape(rows)[0]

    def gradient(given: Any) -> tuple[Any, None]:
        flat = tf.reshape(given, [-1, rows.shape[1]])
        return tf.math.unsorted_segment_sum(flat, tf.reshape(ids, [-1]), count), None

    return tf.gather(rows, ids), gradient


def spread(reference: Any, others: Any, need: Need) -> Any:
    """Each sample's windows at the tower's end, ``(batch, positions, channels)``."""
    where = tf.stack([need.end.sample, need.end.place], axis=1)

    @tf.custom_gradient  # type: ignore[untyped-decorator]
    def compute(reference: Any, others: Any) -> Any:
        length, count = reference.shape[0], tf.shape(others)[0]
        alike = tf.tile(reference[None], [need.size, 1, 1])

        def gradient(given: Any) -> tuple[Any, Any]:
            differing = tf.gather_nd(given, where)
            away = tf.math.unsorted_segment_sum(differing, need.end.place, length)
            own = tf.math.unsorted_segment_sum(differing, need.end.row, count)
            return tf.reduce_sum(given, 0) - away, own

        return tf.tensor_scatter_nd_update(alike, where, tf.gather(others, need.end.row)), gradient

    return compute(reference, others)


def projected(reference: Any, others: Any, kernel: Any, need: Need) -> Any:
    """Product of each sample's flattened windows and a kernel, ``(batch, units)``.

    A sample is the reference's product, and what each of its differing windows changes of it; a
    window that several samples have is multiplied once.

    Parameters
    ----------
    reference, others
        Values at the tower's end.
    kernel
        ``(positions * channels, units)``.
    need
        Of the batch.
    """

    @tf.custom_gradient  # type: ignore[untyped-decorator]
    def compute(reference: Any, others: Any, kernel: Any) -> Any:
        length, channels = reference.shape
        units = kernel.shape[1]
        blocks = tf.gather(tf.reshape(kernel, [length, channels, units]), need.places)
        apart = others - tf.gather(reference, need.places)
        changes = tf.matmul(apart[:, None], blocks)[:, 0]
        found = tf.gather(changes, need.end.row)
        own = tf.math.unsorted_segment_sum(found, need.end.sample, need.size)

        def gradient(given: Any) -> tuple[Any, Any, Any]:
            whole = tf.reduce_sum(given, 0)
            found = tf.gather(given, need.end.sample)
            parts = tf.math.unsorted_segment_sum(found, need.end.row, tf.shape(others)[0])
            moved = tf.matmul(blocks, parts[:, :, None])[:, :, 0]
            alike = tf.reshape(tf.linalg.matvec(kernel, whole), [length, channels])
            away = tf.math.unsorted_segment_sum(moved, need.places, length)
            outer = tf.tensor_scatter_nd_add(
                reference[:, :, None] * whole,
                need.places[:, None],
                apart[:, :, None] * parts[:, None],
            )
            return alike - away, moved, tf.reshape(outer, [-1, units])

        return tf.matmul(tf.reshape(reference, [1, -1]), kernel) + own, gradient

    return compute(reference, others, kernel)
