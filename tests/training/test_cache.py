from __future__ import annotations

import pytest

from geno_hpo.errors import InputError
from geno_hpo.training.cache import BoundedCache


def test_least_recently_used_leaves_first():
    cache = BoundedCache[int](2)
    found = [cache.get(key, lambda key=key: int(key)) for key in "12132"]
    assert found == [(1, False), (2, False), (1, True), (3, False), (2, False)]
    assert ("1" in cache, "3" in cache, len(cache)) == (False, True, 2)


def test_what_leaves_is_closed():
    closed = []
    cache = BoundedCache[int](1, closed.append)
    for key in "aab":
        cache.get(key, lambda key=key: ord(key))
    assert closed == [ord("a")]


def test_a_failed_make_is_not_kept():
    cache = BoundedCache[int](1)
    with pytest.raises(ZeroDivisionError):
        cache.get("a", lambda: 1 // 0)
    assert len(cache) == 0


def test_drop():
    cache = BoundedCache[int](1)
    cache.get("a", lambda: 1)
    cache.drop("a")
    cache.drop("a")
    assert len(cache) == 0


def test_size_rule():
    with pytest.raises(InputError, match="cache size must be at least 1, got 0"):
        BoundedCache(0)
