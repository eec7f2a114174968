"""With how many digits networks compute; weights, losses and optimizers are float32 always.

``float32`` is what it says, on GPUs too. ``tf32`` lets NVIDIA's tensor cores round the factors of
float32 products to 10 bits of mantissa (a CPU has no such products: there it is float32).
``mixed_bfloat16`` computes hidden layers in bfloat16, 7 bits of mantissa with float32's range; the
last layer gives float32. float16 is not offered: its small gradients need a scaled loss.
"""

from __future__ import annotations

from geno_hpo.config import Precision
from geno_hpo.models.shape import Policy
from geno_hpo.training.setup import chosen_backend

__all__ = ["layer_policy", "set_products"]


def layer_policy(precision: Precision) -> Policy:
    """Keras's dtype policy of hidden layers."""
    return "mixed_bfloat16" if precision == "mixed_bfloat16" else "float32"


def set_products(precision: Precision) -> None:
    """Say how this process computes float32 products from now on, on a GPU."""
    allowed = precision == "tf32"
    if chosen_backend() == "jax":
        import jax

        jax.config.update("jax_default_matmul_precision", "tensorfloat32" if allowed else "highest")
        return
    import tensorflow as tf

    tf.config.experimental.enable_tensor_float_32_execution(allowed)
