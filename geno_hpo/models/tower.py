"""Convolution towers as plain data: what stands on what, and how far an output sees.

A tower turns ``(batch, length, channels)`` into ``(batch, features)``, or stays with positions
where it has no head. Families describe theirs here, `geno_hpo.models.blocks.Blocks.stack` makes the
Keras layers, and whoever wants to compute a tower in another way reads the same description.
Importing this module imports no Keras.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

__all__ = [
    "Activate",
    "Conv",
    "Head",
    "Norm",
    "Padding",
    "Part",
    "Pool",
    "Skip",
    "Spatial",
    "Tower",
    "positions",
    "receptive_field",
]

Padding = Literal["same", "valid"]


@dataclass(frozen=True)
class Conv:
    """A 1-d convolution; ``same`` padding keeps the length (divided by the stride, rounded up)."""

    name: str
    filters: int
    kernel: int
    stride: int = 1
    dilation: int = 1
    padding: Padding = "same"
    bias: bool = True

    @property
    def reach(self) -> int:
        """Positions from the first tap to the last, both counted."""
        return (self.kernel - 1) * self.dilation + 1


@dataclass(frozen=True)
class Norm:
    """Batch normalisation over samples and positions."""

    name: str


@dataclass(frozen=True)
class Activate:
    """An activation by its Keras name."""

    name: str
    kind: str


@dataclass(frozen=True)
class Spatial:
    """Dropout of whole channels, at the rate ``spatial_dropout``."""

    name: str


@dataclass(frozen=True)
class Pool:
    """Maximum over windows of `width`; ``same`` rounds the length up, ``valid`` down."""

    name: str
    width: int
    padding: Padding = "same"


@dataclass(frozen=True)
class Skip:
    """Parts around which the input is led and added; they keep length and channels.

    `depth` is this block's share of the rate ``stochastic_depth``, in (0, 1].
    """

    name: str
    parts: Tower
    depth: float = 1.0


@dataclass(frozen=True)
class Head:
    """Positions become features: ``flat``, or a global ``max`` or ``average``."""

    kind: str


Part = Conv | Norm | Activate | Spatial | Pool | Skip | Head
Tower = tuple[Part, ...]


def positions(tower: Tower, length: int) -> int:
    """Positions left of `length` before the head; 0 or less where the tower does not fit."""
    for part in tower:
        if isinstance(part, Conv):
            shorter = part.reach - 1 if part.padding == "valid" else 0
            length = -(-(length - shorter) // part.stride)
        elif isinstance(part, Pool):
            length = -(-length // part.width) if part.padding == "same" else length // part.width
        if length < 1:
            return length
    return length


def receptive_field(tower: Tower) -> int:
    """Positions of the input that one position before the head depends on, padding apart."""
    seen, jump = 1, 1
    for part in _walk(tower):
        if isinstance(part, Conv):
            seen += (part.reach - 1) * jump
            jump *= part.stride
        elif isinstance(part, Pool):
            seen += (part.width - 1) * jump
            jump *= part.width
    return seen


def _walk(tower: Tower) -> Tower:
    """Parts in order, those inside skips in their place."""
    return tuple(
        inner
        for part in tower
        for inner in (_walk(part.parts) if isinstance(part, Skip) else (part,))
    )
