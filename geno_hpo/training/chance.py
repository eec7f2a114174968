"""Random numbers inside a compiled function, from a seed of two integers, on either backend.

The same seed gives the same numbers on one backend, and others on the other.
"""

from __future__ import annotations

from typing import Any

import keras

__all__ = ["gamma", "normal", "uniform"]

Shape = tuple[Any, ...]


def uniform(shape: Shape, seed: Any, least: float = 0.0) -> Any:
    """Draw from [least, 1); `seed` is ``(2,)`` int32, on JAX uint32."""
    if keras.backend.backend() == "jax":
        import jax

        return jax.random.uniform(seed, shape, minval=least)
    import tensorflow as tf

    return tf.random.stateless_uniform(shape, seed, minval=least)


def normal(shape: Shape, seed: Any) -> Any:
    """Draw from the standard normal distribution."""
    if keras.backend.backend() == "jax":
        import jax

        return jax.random.normal(seed, shape)
    import tensorflow as tf

    return tf.random.stateless_normal(shape, seed)


def gamma(shape: Shape, seed: Any, alpha: Any) -> Any:
    """Draw from the Gamma distribution of this form and scale 1."""
    if keras.backend.backend() == "jax":
        import jax

        return jax.random.gamma(seed, alpha, shape)
    import tensorflow as tf

    return tf.random.stateless_gamma(shape, seed, alpha=alpha)
