"""Whether an engine computes over distinct windows, for each model and batch size."""

from __future__ import annotations

from collections.abc import Callable
from functools import cached_property
from typing import Any

import numpy as np
import tensorflow as tf

from geno_hpo.config import WindowsSetting
from geno_hpo.models import ModelShape
from geno_hpo.training.augment import CHANCES
from geno_hpo.training.cache import BoundedCache
from geno_hpo.training.lookup import Lookup
from geno_hpo.training.one_hot import OneHotCoding
from geno_hpo.training.towers import Tower, read_tower
from geno_hpo.training.windowed import WindowedWay
from geno_hpo.windows import (
    Dictionary,
    Geometry,
    build_dictionary,
    difference_share,
    differences_pay,
    windows_cost,
)

__all__ = ["Chooser", "Windows"]

CLONAL = 0.2
"""Share of differing positions up to which samples may be clones; of strangers it is two thirds."""
PAYS = 1.5
"""How many times less work distinct windows must be."""
LOOKED = 64
"""Samples that tell whether a dictionary of all samples is worth building."""
KEPT = 4
"""Dictionaries on the device at most."""

Source = Callable[[Geometry, Callable[[], Dictionary]], Dictionary]
"""``source(geometry, build)``: the dictionary, kept from before or built now."""


def _built(_: Geometry, build: Callable[[], Dictionary]) -> Dictionary:
    return build()


class Windows:
    """Chooses between the plain way and distinct windows; both compute the same.

    Parameters
    ----------
    coding
        The data set.
    shape
        Form of the models.
    setting
        ``auto``: where it pays; ``always``: wherever it is exact; ``never``.
    source
        Where dictionaries are kept; by default in this process alone.
    """

    def __init__(
        self,
        coding: OneHotCoding,
        shape: ModelShape,
        setting: WindowsSetting = "auto",
        source: Source = _built,
    ) -> None:
        self._coding, self._shape, self.setting = coding, shape, setting
        self._source = source
        self._lookups: BoundedCache[tuple[Dictionary, Lookup]] = BoundedCache(KEPT)
        self._few: BoundedCache[Dictionary] = BoundedCache(KEPT)

    @cached_property
    def share(self) -> float:
        """Share of positions at which a sample differs from the commonest sequence."""
        return difference_share(self._coding.codes)

    def chooser(self, runtime: tuple[str, ...]) -> Chooser:
        """What chooses for one model; `runtime`: names of the runtime values in use."""
        return Chooser(self, runtime)

    def tower(self, model: Any) -> Tower | None:
        """The model's tower."""
        return read_tower(model, self._shape)

    def worth(self, tower: Tower) -> bool:
        """Whether a few samples have so many windows in common that all are worth a dictionary."""
        codes, geometry = self._coding.codes, tower.geometry
        looked = codes[:: max(1, len(codes) // LOOKED)][:LOOKED]
        few, _ = self._few.get(geometry, lambda: build_dictionary(np.asarray(looked), geometry))
        return windows_cost(few, tower.work, LOOKED).ratio >= PAYS

    def lookup(self, geometry: Geometry) -> tuple[Dictionary, Lookup]:
        """Dictionary of a tower, on the host and on the device."""

        def make() -> tuple[Dictionary, Lookup]:
            codes = self._coding.codes
            dictionary = self._source(geometry, lambda: build_dictionary(codes, geometry))
            return dictionary, Lookup(dictionary, self._coding)

        kept, _ = self._lookups.get(geometry, make)
        return kept


class Chooser:
    """Chooses for one model.

    Parameters
    ----------
    windows
        The engine's.
    runtime
        Names of the runtime values in use.
    """

    def __init__(self, windows: Windows, runtime: tuple[str, ...]) -> None:
        self._windows = windows
        self._changes = [name for name in CHANCES if name in runtime]
        self._found: tuple[Tower, Dictionary, Lookup] | None = None
        self._ways: dict[bool, WindowedWay] = {}

    def way(self, model: Any, batch: int) -> tuple[WindowedWay | None, str]:
        """The way over distinct windows, or None for the plain one; and why, in words."""
        windows = self._windows
        if windows.setting == "never":
            return None, "plain: windows are set to never"
        if self._changes:
            return None, f"plain: {' and '.join(self._changes)} changes the windows of each sample"
        if windows.setting == "auto" and tf.config.list_logical_devices("GPU"):
            return None, "plain: on a GPU nobody measured windows, and sums have no fixed order"
        if windows.setting == "auto" and windows.share > CLONAL:
            return None, f"plain: samples differ in {windows.share:.0%} of their positions"
        if self._found is None:
            tower = windows.tower(model)
            if tower is None:
                return None, "plain: the model does not begin with one tower of convolutions"
            if windows.setting == "auto" and not windows.worth(tower):
                return None, "plain: too few windows are alike"
            self._found = (tower, *windows.lookup(tower.geometry))
        tower, dictionary, lookup = self._found
        ratio = windows_cost(dictionary, tower.work, batch).ratio
        if windows.setting == "auto" and ratio < PAYS:
            return None, f"plain: distinct windows would be {ratio:.1f} times less work"
        differences = differences_pay(dictionary, batch)
        if differences not in self._ways:
            self._ways[differences] = WindowedWay(model, tower, lookup, differences=differences)
        return (
            self._ways[differences],
            f"distinct windows: {ratio:.1f} times less work in the convolutions",
        )
