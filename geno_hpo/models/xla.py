"""Layers in the form that XLA computes well, used where Keras runs on JAX.

Function and variables are those of Keras's own layers. Two things are written otherwise. A
convolution is a matrix product over windows: under ``vmap`` over replicas that is one batched
product, where Keras's would be a grouped convolution, and in a loop on a CPU XLA computes a
convolution some forty times slower than outside it. And the gradient of what is added to, or
multiplied with, every position is a matrix product with ones: XLA's own sum over positions
computes what it sums anew for every channel, which made a training step eight times slower.
"""

from __future__ import annotations

from functools import partial
from typing import Any

import jax
import jax.numpy as jnp
from keras import layers

__all__ = ["WindowedConv1D", "scaled", "shifted"]


@jax.custom_vjp  # type: ignore[untyped-decorator]
def shifted(values: Any, shift: Any) -> Any:
    """``values (…, channels) + shift (channels,)``."""
    return values + shift


def _shift_backward(_: None, given: Any) -> tuple[Any, Any]:
    return given, _summed(given)


shifted.defvjp(lambda values, shift: (values + shift, None), _shift_backward)


@jax.custom_vjp  # type: ignore[untyped-decorator]
def scaled(values: Any, scale: Any) -> Any:
    """``values (…, channels) × scale (channels,)``."""
    return values * scale


def _scale_backward(kept: tuple[Any, Any], given: Any) -> tuple[Any, Any]:
    values, scale = kept
    return given * scale, _summed(given * values)


scaled.defvjp(lambda values, scale: (values * scale, (values, scale)), _scale_backward)


def _summed(values: Any) -> Any:
    """Sum over all axes but the last, as a matrix product."""
    rows = values.reshape(-1, values.shape[-1])
    return jnp.ones(rows.shape[0], rows.dtype) @ rows


class WindowedConv1D(layers.Conv1D):  # type: ignore[misc]
    """``keras.layers.Conv1D`` as one matrix product over the windows of all positions."""

    def call(self, inputs: Any) -> Any:
        """``(batch, length, channels)`` → ``(batch, positions, filters)``."""
        kernel = jnp.asarray(self.kernel.value)
        windows = _windows(
            inputs,
            self.kernel_size[0],
            self.strides[0],
            self.dilation_rate[0],
            same=self.padding == "same",
        )
        output = windows @ kernel.reshape(-1, kernel.shape[-1])
        if self.use_bias:
            output = shifted(output, jnp.asarray(self.bias.value))
        return output


def _windows(inputs: Any, width: int, stride: int, dilation: int, *, same: bool) -> Any:
    """Windows of each position side by side, ``(batch, positions, width × channels)``."""
    reach, length = (width - 1) * dilation + 1, inputs.shape[1]
    if same:
        positions = -(-length // stride)
        missing = max((positions - 1) * stride + reach - length, 0)
        inputs = jnp.pad(inputs, ((0, 0), (missing // 2, missing - missing // 2), (0, 0)))
    else:
        positions = (length - reach) // stride + 1
    last = (positions - 1) * stride + 1
    cut = partial(jax.lax.slice_in_dim, inputs, stride=stride, axis=1)
    taps = [cut(tap * dilation, tap * dilation + last) for tap in range(width)]
    return jnp.concatenate(taps, axis=-1)
