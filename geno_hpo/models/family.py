"""The interface of a model family: its parameters, its own rules, and its Keras body."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from geno_hpo.models.parameter import Parameter, Parameters
from geno_hpo.models.shape import ModelShape
from geno_hpo.models.tower import Tower

__all__ = ["Family"]


@dataclass(frozen=True)
class Family:
    """A model family.

    Parameters
    ----------
    name
        The value of ``family`` in a configuration.
    description
        One sentence.
    kinds
        Kinds of data it takes: ``sequence``, ``variants``.
    parameters
        Its own hyperparameters; those of training come on top.
    check
        ``check(params, shape)`` raises InputError where parameters and shape do not agree; its
        `params` are already checked one by one and complete.
    body
        ``body(inputs, params, blocks)``: from the input tensor to the tensor before the linear
        head. `params` are complete; `blocks` is a `geno_hpo.models.blocks.Blocks`. It may use
        keras.layers and keras.ops only, and must name every layer that has weights.
    tower
        ``tower(params, shape)``: the convolution tower of complete parameters as plain data, from
        the inputs (variants as one channel) to its head; None where what stands first is no plain
        tower. A family without towers has no such function.
    learns
        Names of weights that are no matter of training: each replica brings their values, learned
        from its training part (``histograms``).
    reference
        The publication it follows; empty where there is no single one.
    label
        What reports call it; empty is its name.
    """

    name: str
    description: str
    kinds: tuple[str, ...]
    parameters: tuple[Parameter, ...]
    check: Callable[[Parameters, ModelShape], None]
    body: Callable[[Any, Parameters, Any], Any]
    tower: Callable[[Parameters, ModelShape], Tower | None] | None = None
    learns: tuple[str, ...] = ()
    reference: str = ""
    label: str = ""
