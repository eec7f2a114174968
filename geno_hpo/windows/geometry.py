"""Which positions of the levels below each position of a level reads.

Level 0 is the aligned sequence. A level above it is a convolution or a pooling over one level, or
the join of several (a residual connection). Position *p* reads position ``p * stride + shift`` of a
source for every tap ``(source, shift)``; what lies outside the source is padding.
"""

from __future__ import annotations

from dataclasses import dataclass

from geno_hpo.errors import InputError

__all__ = ["Geometry", "Reach", "causal", "join", "same", "valid"]


@dataclass(frozen=True)
class Reach:
    """How one level reads the levels below it.

    Parameters
    ----------
    taps
        For each place of the window its source's number and its shift.
    stride
        Positions of the source from one window to the next.
    length
        Number of windows.

    Raises
    ------
    InputError
        No tap, or a stride or length below 1.
    """

    taps: tuple[tuple[int, int], ...]
    stride: int
    length: int

    def __post_init__(self) -> None:
        if not self.taps or min(self.stride, self.length) < 1:
            raise InputError(
                f"a level needs taps, a stride and a length of at least 1, got {len(self.taps)} "
                f"taps, stride {self.stride}, length {self.length}"
            )

    @property
    def sources(self) -> tuple[int, ...]:
        """Numbers of the levels that are read, each once."""
        return tuple(sorted({source for source, _ in self.taps}))


Geometry = tuple[Reach, ...]
"""Levels from 1 upwards; the last one is the tower's end."""


def _window(source: int, kernel: int, dilation: int, left: int) -> tuple[tuple[int, int], ...]:
    return tuple((source, place * dilation - left) for place in range(kernel))


def same(source: int, length: int, kernel: int, stride: int = 1, dilation: int = 1) -> Reach:
    """Padded on both sides, the right one first, so that ``ceil(length / stride)`` windows fit."""
    windows = -(-length // stride)
    wide = (kernel - 1) * dilation + 1
    left = max((windows - 1) * stride + wide - length, 0) // 2
    return Reach(_window(source, kernel, dilation, left), stride, windows)


def valid(source: int, length: int, kernel: int, stride: int = 1, dilation: int = 1) -> Reach:
    """Not padded: windows lie inside the source."""
    windows = (length - (kernel - 1) * dilation - 1) // stride + 1
    return Reach(_window(source, kernel, dilation, 0), stride, windows)


def causal(source: int, length: int, kernel: int, stride: int = 1, dilation: int = 1) -> Reach:
    """Padded on the left alone: a window ends at its own position."""
    left = (kernel - 1) * dilation
    return Reach(_window(source, kernel, dilation, left), stride, (length - 1) // stride + 1)


def join(sources: tuple[int, ...], length: int) -> Reach:
    """Several levels of one length, position by position."""
    return Reach(tuple((source, 0) for source in sources), 1, length)
