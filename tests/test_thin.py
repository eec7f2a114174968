from __future__ import annotations

from itertools import pairwise

import numpy as np
import pytest

from geno_hpo.splits import thinned

TRAIN = np.arange(100, 300)


def test_a_smaller_share_is_part_of_a_larger_one() -> None:
    parts = [thinned(TRAIN, share, seed=1) for share in (0.2, 0.4, 0.6, 0.8, 1.0)]
    assert [len(part) for part in parts] == [40, 80, 120, 160, 200]
    for small, large in pairwise(parts):
        assert set(small) < set(large)
        assert (np.diff(large) > 0).all()
    np.testing.assert_array_equal(parts[-1], TRAIN)
    assert not np.array_equal(parts[0], thinned(TRAIN, 0.2, seed=2))


def test_each_class_keeps_its_share_and_never_vanishes() -> None:
    classes = np.repeat([0.0, 1.0, np.nan], [150, 47, 3])
    part = thinned(TRAIN, 0.2, strata=classes, seed=1)
    assert np.unique(classes[part - 100], return_counts=True)[1].tolist() == [30, 9, 1]


def test_groups_are_taken_whole() -> None:
    groups = np.arange(200) // 7
    part = thinned(TRAIN, 0.4, groups=groups, seed=1)
    taken = np.unique(groups[part - 100])
    assert np.isin(groups, taken).sum() == len(part)
    assert 80 <= len(part) < 87
    np.testing.assert_array_equal(thinned(TRAIN, 1.0, groups=groups, seed=1), TRAIN)


@pytest.mark.parametrize("share", [0.0, 1.2])
def test_a_share_lies_between_0_and_1(share: float) -> None:
    with pytest.raises(ValueError, match=rf"share must lie in \(0, 1\], got {share}"):
        thinned(TRAIN, share, seed=1)
