"""What a model's shapes depend on beside its hyperparameters: the data set's form and the task."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from geno_hpo.errors import InputError

__all__ = ["ModelShape", "Policy"]

Policy = Literal["float32", "mixed_bfloat16"]
"""Keras's dtype policies that models are built with."""


@dataclass(frozen=True)
class ModelShape:
    """Input and output of a model.

    Parameters
    ----------
    kind
        ``sequence``: input ``(length, symbols)``; ``variants``: input ``(length,)``.
    length
        Positions of a sequence, or number of variants that enter.
    symbols
        4 (A C G T) or 5 (with gaps) for sequences, 1 for variants.
    units
        Width of the output layer.
    task
        ``binary``, ``multiclass``, ``multilabel`` or ``regression``.
    loci
        Lengths of the genes or regions that a sequence consists of, in order; empty for one.
    counts
        Whether the values of a regression are counts: outputs are logarithms of expected ones.
    policy
        Keras's dtype policy of hidden layers; weights and outputs are float32 by either.

    Raises
    ------
    InputError
        Values that break the rules above.
    """

    kind: Literal["sequence", "variants"]
    length: int
    symbols: int
    units: int
    task: Literal["binary", "multiclass", "multilabel", "regression"]
    loci: tuple[int, ...] = ()
    counts: bool = False
    policy: Policy = "float32"

    def __post_init__(self) -> None:
        allowed = (4, 5) if self.kind == "sequence" else (1,)
        if self.symbols not in allowed:
            raise InputError(f"symbols of {self.kind} must be in {allowed}, got {self.symbols}")
        if self.length < 1:
            raise InputError(f"length must be at least 1, got {self.length}")
        if self.loci and (min(self.loci) < 1 or sum(self.loci) != self.length):
            raise InputError(f"loci must fill the length {self.length}, got {self.loci}")
        if self.counts and self.task != "regression":
            raise InputError(f"counts belong to a regression, got them with a {self.task} model")
        least = 2 if self.task == "multiclass" else 1
        if self.units < least or (self.task == "binary" and self.units != 1):
            rule = "1" if self.task == "binary" else f"at least {least}"
            raise InputError(f"units of a {self.task} model must be {rule}, got {self.units}")

    @property
    def input_shape(self) -> tuple[int, ...]:
        """Shape of one sample at the model's input."""
        return (self.length, self.symbols) if self.kind == "sequence" else (self.length,)

    @property
    def label_groups(self) -> int:
        """Groups of samples by label: classes of all outputs, or thirds of each trait."""
        if self.task == "multiclass":
            return self.units
        return (3 if self.task == "regression" else 2) * self.units

    @property
    def activation(self) -> str:
        """Keras name of the activation that turns logits into predictions."""
        if self.task == "regression":
            return "exponential" if self.counts else "linear"
        return "softmax" if self.task == "multiclass" else "sigmoid"
