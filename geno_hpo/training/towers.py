"""Read a convolution tower off a Keras model: what depends on its window of the sequence alone.

The tower is the largest first part of a model that is made of one-dimensional convolutions, batch
normalisation, activations, maximum pooling, sums (residual connections), and what cuts a sequence
into loci and stacks them as channels. It hands one tensor ``(batch, positions, channels)`` to the
rest. Reading it off the model that trains leaves no second
description that could disagree; a family needs to say nothing.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from keras import layers, tree

from geno_hpo.models import ModelShape
from geno_hpo.windows import Geometry, Reach, causal, join, same, valid

__all__ = ["Step", "Tower", "flat_dense", "read_tower"]


@dataclass(frozen=True)
class Step:
    """One layer of a tower.

    Parameters
    ----------
    kind
        ``conv``, ``pool``, ``norm``, ``activation``, ``shift`` (cropped or filled up with zeros),
        ``sum`` or ``stack`` (of channels).
    layer
        The Keras layer.
    sources
        Numbers of the tensors that it takes; 0 is the tower's input, *n* what step *n* gives.
    level
        Level of windows of what it gives; several steps may share one.
    channels
        Of what it gives.
    products
        Multiplications of one window.
    """

    kind: str
    layer: Any
    sources: tuple[int, ...]
    level: int
    channels: int
    products: int


@dataclass(frozen=True)
class Tower:
    """The tower of a model.

    Parameters
    ----------
    geometry
        Levels of windows, from 1 upwards.
    steps
        In the order of computation; the last one gives the tower's end.
    end
        The Keras tensor at its end, which the rest of the model takes.
    """

    geometry: Geometry
    steps: tuple[Step, ...]
    end: Any

    @property
    def work(self) -> tuple[tuple[int, int, int], ...]:
        """Level, multiplications and numbers given of each step, for one window."""
        return tuple((step.level, step.products, step.channels) for step in self.steps)


class _Reader:
    """Follows a model's operations as far as they belong to a tower."""

    def __init__(self, shape: ModelShape) -> None:
        self.levels: list[Reach] = []
        self.steps: list[Step] = []
        self._lengths = [shape.length]
        self._channels = [shape.symbols]
        self._level_of = [0]

    def follow(self, operation: Any, sources: tuple[int, ...]) -> bool:
        """Take an operation into the tower, if it may be part of one."""
        level, channels, products = self._level_of[sources[0]], self._channels[sources[0]], 0
        length = self._lengths[level]
        kind = _kind(operation)
        if kind == "conv":
            kernel, stride, dilation = (
                int(value[0])
                for value in (operation.kernel_size, operation.strides, operation.dilation_rate)
            )
            make = {"same": same, "valid": valid, "causal": causal}[operation.padding]
            level = self._level(make(level, length, kernel, stride, dilation))
            products, channels = kernel * channels * operation.filters, operation.filters
        elif kind == "pool":
            width, stride = int(operation.pool_size[0]), int(operation.strides[0])
            make = {"same": same, "valid": valid}[operation.padding]
            level = self._level(make(level, length, width, stride))
            products = width * channels
        elif kind == "shift":
            left, right = _shift(operation)
            level = self._level(Reach(((level, -left),), 1, length + left + right))
        elif kind in ("sum", "stack"):
            own = tuple(sorted({self._level_of[source] for source in sources}))
            widths = [self._channels[source] for source in sources]
            if kind == "sum" and len(set(widths)) > 1:
                return False
            if len({self._lengths[each] for each in own}) > 1:
                return False
            level = own[0] if len(own) == 1 else self._level(join(own, length))
            channels = sum(widths) if kind == "stack" else channels
        elif kind is None:
            return False
        self.steps.append(Step(kind, operation, sources, level, channels, products))
        self._level_of.append(level)
        self._channels.append(channels)
        return True

    def _level(self, reach: Reach) -> int:
        if reach not in self.levels:
            self.levels.append(reach)
            self._lengths.append(reach.length)
        return self.levels.index(reach) + 1


def _kind(operation: Any) -> str | None:
    """Which kind of step an operation is; None where it is none."""
    if isinstance(operation, layers.Conv1D):
        plain = operation.groups == 1 and operation.data_format == "channels_last"
        return "conv" if plain and operation.padding in ("same", "valid", "causal") else None
    if isinstance(operation, layers.MaxPooling1D):
        return "pool" if operation.data_format == "channels_last" else None
    if isinstance(operation, layers.BatchNormalization):
        return (
            "norm" if operation.axis in (-1, 2) and operation.scale and operation.center else None
        )
    if isinstance(operation, layers.Activation):
        return "activation"
    if isinstance(operation, layers.Concatenate):
        return "stack" if operation.axis in (-1, 2) else None
    if isinstance(operation, layers.Cropping1D | layers.ZeroPadding1D):
        return "shift"
    return "sum" if isinstance(operation, layers.Add) else None


def _shift(operation: Any) -> tuple[int, int]:
    """Positions that are added on the left and on the right; below 0 where they are cut."""
    if isinstance(operation, layers.Cropping1D):
        left, right = operation.cropping
        return -int(left), -int(right)
    left, right = operation.padding
    return int(left), int(right)


def read_tower(model: Any, shape: ModelShape) -> Tower | None:
    """Find the tower of a model over sequences; None where it has none.

    Parameters
    ----------
    model
        A functional Keras model whose layers are each called once.
    shape
        The model's form.
    """
    reader = _Reader(shape)
    numbers = {id(model.inputs[0]): 0}
    tensors = [model.inputs[0]]
    readers: dict[int, list[Any]] = {}
    for operation in model.operations:
        if isinstance(operation, layers.InputLayer):
            continue
        taken = tree.flatten(operation.input)
        for tensor in taken:
            readers.setdefault(id(tensor), []).append(operation)
        known = all(id(tensor) in numbers for tensor in taken)
        if known and reader.follow(operation, tuple(numbers[id(tensor)] for tensor in taken)):
            numbers[id(operation.output)] = len(tensors)
            tensors.append(operation.output)
    for end in range(len(reader.steps), 0, -1):
        inside = _ancestors(reader.steps, end)
        own = {id(reader.steps[number - 1].layer) for number in inside}
        alone = all(
            id(operation) in own
            for number in (0, *inside)
            if number != end
            for operation in readers.get(id(tensors[number]), [])
        )
        if alone and any(reader.steps[number - 1].kind == "conv" for number in inside):
            return _cut(reader, inside, tensors[end])
    return None


def _ancestors(steps: list[Step], end: int) -> list[int]:
    """Tensors that the tensor `end` is made of, itself included, the input left out; ascending."""
    found, waiting = set(), [end]
    while waiting:
        number = waiting.pop()
        if number and number not in found:
            found.add(number)
            waiting.extend(steps[number - 1].sources)
    return sorted(found)


def _cut(reader: _Reader, inside: list[int], end: Any) -> Tower:
    """The tower of some of the steps, tensors and levels numbered anew."""
    tensors = {0: 0, **{number: place for place, number in enumerate(inside, 1)}}
    wanted: set[int] = set()
    waiting = [reader.steps[number - 1].level for number in inside]
    while waiting:
        level = waiting.pop()
        if level and level not in wanted:
            wanted.add(level)
            waiting.extend(reader.levels[level - 1].sources)
    levels = {0: 0, **{level: place for place, level in enumerate(sorted(wanted), 1)}}
    geometry = tuple(
        Reach(
            tuple((levels[source], shift) for source, shift in reader.levels[level - 1].taps),
            reader.levels[level - 1].stride,
            reader.levels[level - 1].length,
        )
        for level in sorted(wanted)
    )
    steps = tuple(
        Step(
            step.kind,
            step.layer,
            tuple(tensors[source] for source in step.sources),
            levels[step.level],
            step.channels,
            step.products,
        )
        for step in (reader.steps[number - 1] for number in inside)
    )
    return Tower(geometry, steps, end)


def flat_dense(model: Any, tower: Tower) -> Any | None:
    """The dense layer that takes the tower's flattened end and nothing else does, if there is one.

    With dropout in between there is none: a sample's own mask leaves no window alike.
    """
    kinds = (layers.Flatten, layers.Dense)
    tensor, found = tower.end, None
    for kind in kinds:
        readers = [
            operation
            for operation in model.operations
            if not isinstance(operation, layers.InputLayer)
            and any(taken is tensor for taken in tree.flatten(operation.input))
        ]
        if len(readers) != 1 or not isinstance(readers[0], kind):
            return None
        found, tensor = readers[0], readers[0].output
    return None if tensor is model.output else found
