"""A bounded cache that forgets what was not used for longest."""

from __future__ import annotations

import gc
from collections import OrderedDict
from collections.abc import Callable, Hashable
from typing import Generic, TypeVar

from geno_hpo.errors import InputError

__all__ = ["BoundedCache"]

Kept = TypeVar("Kept")


class BoundedCache(Generic[Kept]):
    """At most `size` values, least recently used out first.

    Parameters
    ----------
    size
        At least 1.
    close
        Called on a value that leaves.
    """

    def __init__(self, size: int, close: Callable[[Kept], None] | None = None) -> None:
        if size < 1:
            raise InputError(f"cache size must be at least 1, got {size}")
        self.size = size
        self._close = close
        self._kept: OrderedDict[Hashable, Kept] = OrderedDict()

    def __len__(self) -> int:
        return len(self._kept)

    def __contains__(self, key: Hashable) -> bool:
        return key in self._kept

    def get(self, key: Hashable, make: Callable[[], Kept]) -> tuple[Kept, bool]:
        """Give the value of `key`, made if need be, and whether it was there already.

        Room is made before `make` runs, so that there are never more than `size`; what leaves is
        collected at once (compiled functions hold reference cycles and much memory).
        """
        if key in self._kept:
            self._kept.move_to_end(key)
            return self._kept[key], True
        if len(self._kept) >= self.size:
            self.drop(next(iter(self._kept)))
        self._kept[key] = make()
        return self._kept[key], False

    def drop(self, key: Hashable) -> None:
        """Forget `key` if it is there."""
        if key not in self._kept:
            return
        value = self._kept.pop(key)
        if self._close is not None:
            self._close(value)
        del value
        gc.collect()
