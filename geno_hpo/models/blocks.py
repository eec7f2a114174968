"""The parts that families are made of, as Keras layers.

Tensors are ``(batch, length, channels)`` before the head and ``(batch, features)`` after it. A name
that is used again means the same layer again, with the same weights: so a tower is shared between
loci by laying it on each of them.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

import keras
from keras import layers

from geno_hpo.models.parameter import Parameters
from geno_hpo.models.runtime import FusedNorm, RuntimeDropout
from geno_hpo.models.shape import ModelShape
from geno_hpo.models.tower import Activate, Conv, Norm, Part, Pool, Skip, Spatial, Tower

__all__ = ["Blocks"]

NORM_MOMENTUM = 0.9
"""How much of the moving moments a step of batch normalisation keeps. Keras's 0.99 needs several
hundred steps to forget its start; genomic data sets give a few dozen an epoch, and until then a
network's probabilities are far off although it ranks samples well."""

RATES = ("dropout", "spatial_dropout", "stochastic_depth")


@dataclass(frozen=True)
class Blocks:
    """Makes layers; `plain` makes ordinary Keras layers only, for export.

    Parameters
    ----------
    plain
        Use Keras's own dropout layers and ``BatchNormalization`` in place of `RuntimeDropout` and
        `FusedNorm`.
    shape
        Form of the data and task.
    activation
        Keras name of the hidden layers' activation.
    batch_norm
        Normalise between a layer and its activation; the layer then has no bias of its own, which
        normalisation would take away again.
    rates
        Rates of the kinds of dropout in use, by hyperparameter; the others have no layers at all.
    made
        Layers made so far, by name.
    """

    plain: bool
    shape: ModelShape
    activation: str
    batch_norm: bool
    rates: Mapping[str, float]
    made: dict[str, Any] = field(default_factory=dict)

    @classmethod
    def of(cls, params: Parameters, shape: ModelShape, plain: bool) -> Blocks:
        """Blocks of a complete configuration."""
        return cls(
            plain=plain,
            shape=shape,
            activation=str(params.get("activation", "relu")),
            batch_norm=bool(params.get("batch_norm", False)),
            rates={name: float(params[name]) for name in RATES if name in params},
        )

    # --- single layers -----------------------------------------------------------------------

    def layer(self, kind: Callable[..., Any], *given: Any, name: str, **options: Any) -> Any:
        """Give the layer of this name, made if there is none yet."""
        if name not in self.made:
            self.made[name] = kind(*given, name=name, **options)
        return self.made[name]

    def activate(self, tensor: Any, name: str) -> Any:
        """Batch normalisation, if any, then the activation."""
        if self.batch_norm:
            tensor = self._norm(f"{name}_norm")(tensor)
        kind = self.activation
        return self.layer(layers.Activation, kind, name=f"{name}_{kind}")(tensor)

    def drop(self, tensor: Any, name: str) -> Any:
        """Dropout in front of the dense layer called `name`."""
        return self._drop(tensor, f"{name}_dropout", "dropout")

    def depth(self, tensor: Any, name: str, share: float) -> Any:
        """Leave the branch `name` out for some samples, with a share of the rate."""
        return self._drop(tensor, f"{name}_depth", "stochastic_depth", share)

    def dense(self, tensor: Any, neurons: int, name: str) -> Any:
        """Fully connected layer, activated."""
        bias = not self.batch_norm
        tensor = self.layer(layers.Dense, neurons, use_bias=bias, name=name)(tensor)
        return self.activate(tensor, name)

    def decide(self, tensor: Any, params: Parameters) -> Any:
        """Dense layers at the end: dropout before each of them, the output layer included."""
        for level in range(1, int(params["dense_layers"]) + 1):
            tensor = self.drop(tensor, name=f"dense_{level}")
            tensor = self.dense(tensor, int(params["neurons"]), name=f"dense_{level}")
        return self.drop(tensor, name="logits")

    # --- towers ------------------------------------------------------------------------------

    def channels(self, inputs: Any) -> Any:
        """From ``(batch, variants)`` to one channel; sequences stay as they are."""
        if len(inputs.shape) == 3:
            return inputs
        return layers.Reshape((inputs.shape[1], 1), name="channel")(inputs)

    def stack(self, tensor: Any, tower: Tower, prefix: str = "") -> Any:
        """Lay the parts of a tower on ``(batch, length, channels)``."""
        for part in tower:
            tensor = self._part(tensor, part, prefix)
        return tensor

    def _part(self, tensor: Any, part: Part, prefix: str) -> Any:
        if isinstance(part, Conv):
            layer = self.layer(
                self._conv(),
                part.filters,
                part.kernel,
                strides=part.stride,
                dilation_rate=part.dilation,
                padding=part.padding,
                use_bias=part.bias,
                name=prefix + part.name,
            )
            return layer(tensor)
        if isinstance(part, Norm):
            return self._norm(prefix + part.name)(tensor)
        if isinstance(part, Activate):
            return self.layer(layers.Activation, part.kind, name=prefix + part.name)(tensor)
        if isinstance(part, Spatial):
            return self._drop(tensor, prefix + part.name, "spatial_dropout")
        if isinstance(part, Pool):
            kind, name = layers.MaxPooling1D, prefix + part.name
            return self.layer(kind, part.width, padding=part.padding, name=name)(tensor)
        if isinstance(part, Skip):
            name = prefix + part.name
            branch = self.depth(self.stack(tensor, part.parts, prefix), name, part.depth)
            return self.layer(layers.Add, name=name)([tensor, branch])
        return self.head(tensor, part.kind, prefix)

    def head(self, tensor: Any, kind: str, prefix: str = "") -> Any:
        """From ``(batch, length, channels)`` to ``(batch, features)``."""
        if kind == "max":
            return self.layer(layers.GlobalMaxPooling1D, name=f"{prefix}head_max")(tensor)
        if kind == "average":
            return self.layer(layers.GlobalAveragePooling1D, name=f"{prefix}head_average")(tensor)
        return self.layer(layers.Flatten, name=f"{prefix}head_flat")(tensor)

    def _conv(self) -> Any:
        """Keras's own convolution, on JAX one that XLA computes well."""
        if self.plain or keras.backend.backend() != "jax":
            return layers.Conv1D
        from geno_hpo.models.xla import WindowedConv1D

        return WindowedConv1D

    def _norm(self, name: str) -> Any:
        kind = layers.BatchNormalization if self.plain else FusedNorm
        return self.layer(kind, momentum=NORM_MOMENTUM, name=name)

    def _drop(self, tensor: Any, name: str, parameter: str, share: float = 1.0) -> Any:
        """Dropout of values, channels or samples; nothing where the rate is not in use."""
        if parameter not in self.rates:
            return tensor
        over = {"dropout": "values", "spatial_dropout": "channels"}.get(parameter, "samples")
        if not self.plain:
            kind = RuntimeDropout
            made = self.layer(kind, parameter=parameter, over=over, share=share, name=name)
            return made(tensor)
        rate, rank = self.rates[parameter] * share, len(tensor.shape)
        mask = {"channels": (None, 1, None), "samples": (None, *[1] * (rank - 1))}.get(over)
        return self.layer(layers.Dropout, rate, noise_shape=mask, name=name)(tensor)
