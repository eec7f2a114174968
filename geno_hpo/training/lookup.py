"""The dictionary of distinct windows on the device, and what a batch needs of it.

Ids are those of `geno_hpo.windows.dictionary`. A batch needs the windows that its samples hold at
the tower's end and, level by level downwards, the rows that these hold; they are numbered anew, so
that a step computes no more than that.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
import tensorflow as tf

from geno_hpo.training.one_hot import OneHotCoding
from geno_hpo.windows import Dictionary

__all__ = ["Carried", "Level", "Lookup", "Need"]


class Carried(NamedTuple):
    """The differing windows of a batch's samples at one level, ``(found,)`` each.

    `sample`: number in the batch; `row`: ordinal of the window; `place`: its position.
    """

    sample: Any
    row: Any
    place: Any


class Level(NamedTuple):
    """What a batch needs of a level.

    `tables`: for each source ``(rows, taps)`` ids of its rows, numbered anew; `counts`: how often
    the batch has each of the reference's windows and of the needed ones, float32, where asked for.
    """

    tables: dict[int, Any]
    counts: tuple[Any, Any] | None


class Need(NamedTuple):
    """What a batch needs.

    `letters`: ordinals of the needed rows of level 0; `levels`: from 0 upwards; `end`: the
    samples' differing windows at the tower's end, their rows numbered anew; `places`: position of
    each of these rows; `size`: samples.
    """

    letters: Any
    levels: tuple[Level, ...]
    end: Carried
    places: Any
    size: Any


class Lookup:
    """A dictionary's arrays on the device.

    Parameters
    ----------
    dictionary
        The data set's distinct windows.
    coding
        How codes become inputs.
    """

    def __init__(self, dictionary: Dictionary, coding: OneHotCoding) -> None:
        self._coding = coding
        self._reach = (None, *dictionary.geometry)
        self._rows = dictionary.levels
        self._reference = tf.constant(dictionary.reference)
        self._letters = tf.constant(dictionary.levels[0].table[:, 0].astype(np.int8))
        self._places = tf.constant(np.asarray(dictionary.levels[0].place))
        self._tables = [
            {
                source: tf.constant(
                    rows.table[:, [own == source for own, _ in reach.taps]], tf.int32
                )
                for source in reach.sources
            }
            for reach, rows in zip(dictionary.geometry, dictionary.levels[1:], strict=True)
        ]
        self._found: dict[int, tuple[Any, Any, Any]] = {}

    @property
    def end(self) -> int:
        """Number of the highest level."""
        return len(self._rows) - 1

    def base(self, constants: list[Any]) -> list[Any]:
        """Inputs of the reference ``(length, symbols)`` and of all differing letters."""
        own = [tf.gather(array, self._places) for array in constants]
        return [
            self._coding.inputs(self._reference[None], *constants)[0],
            self._coding.inputs(self._letters[None], *own)[0],
        ]

    def need(self, samples: Any, counted: frozenset[int], end: int) -> Need:
        """Find what a batch needs.

        Parameters
        ----------
        samples
            ``(batch,)`` int32.
        counted
            Levels whose windows are counted.
        end
            Level of the tower's end.
        """
        carried = {level: self._carried(level, samples) for level in counted | {end}}
        masks = {level: _marked(own.row, self._rows[level].size) for level, own in carried.items()}
        chosen: dict[int, Any] = {}
        numbers: dict[int, Any] = {}
        tables: dict[int, dict[int, Any]] = {0: {}}
        for level in range(end, -1, -1):
            chosen[level] = tf.where(masks[level])[:, 0]
            numbers[level] = tf.cumsum(tf.cast(masks[level], tf.int32))
            if not level:
                break
            tables[level] = {
                source: tf.gather(table, chosen[level])
                for source, table in self._tables[level - 1].items()
            }
            for source, ids in tables[level].items():
                if source in carried:
                    continue  # its samples' windows are marked, these among them
                rows = self._rows[source]
                held = _marked(tf.maximum(ids - rows.length, 0), rows.size + 1)[1:]
                masks[source] = tf.logical_or(masks[source], held) if source in masks else held
        levels = tuple(
            Level(
                {
                    source: tf.gather(self._ids(source, numbers[source]), table)
                    for source, table in tables[level].items()
                },
                self._counts(level, carried[level], chosen[level], tf.size(samples))
                if level in counted
                else None,
            )
            for level in range(end + 1)
        )
        last = carried[end]
        return Need(
            chosen[0],
            levels,
            last._replace(row=tf.gather(numbers[end], last.row) - 1),
            tf.gather(self._arrays(end)[2], chosen[end]),
            tf.size(samples),
        )

    def _ids(self, level: int, numbers: Any) -> Any:
        """New id of each old one: padding and the reference keep theirs."""
        length = self._rows[level].length
        return tf.concat([tf.range(length + 1), length + numbers], 0)

    def _counts(self, level: int, own: Carried, chosen: Any, size: Any) -> tuple[Any, Any]:
        rows = self._rows[level]
        away = tf.math.bincount(own.place, minlength=rows.length, maxlength=rows.length)
        held = tf.math.bincount(own.row, minlength=rows.size, maxlength=rows.size)
        return tf.cast(size - away, tf.float32), tf.cast(tf.gather(held, chosen), tf.float32)

    def _carried(self, level: int, samples: Any) -> Carried:
        starts, found, place = self._arrays(level)
        begin = tf.gather(starts, samples)
        count = tf.gather(starts, samples + 1) - begin
        number = tf.repeat(tf.range(tf.size(samples)), count)
        shift = begin - tf.cumsum(count, exclusive=True)
        row = tf.gather(found, tf.range(tf.size(number)) + tf.gather(shift, number))
        return Carried(number, row, tf.gather(place, row))

    def _arrays(self, level: int) -> tuple[Any, Any, Any]:
        """Starts, ordinals and positions of a level, put on the device when first asked for."""
        if level not in self._found:
            rows = self._rows[level]
            with tf.init_scope():
                self._found[level] = (
                    tf.constant(np.asarray(rows.starts), tf.int32),
                    tf.constant(np.asarray(rows.found)),
                    tf.constant(np.asarray(rows.place)),
                )
        return self._found[level]


def _marked(numbers: Any, size: int) -> Any:
    """Which numbers below `size` occur, ``(size,)`` bool."""
    flat = tf.reshape(numbers, [-1])
    return tf.math.bincount(flat, minlength=size, maxlength=size, binary_output=True) > 0
