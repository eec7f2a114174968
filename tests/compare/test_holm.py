from __future__ import annotations

import itertools
import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from geno_hpo.compare import holm


def test_a_worked_example() -> None:
    # 4 × 0.005, 3 × 0.01, 2 × 0.03, and 1 × 0.04 raised to the one before it.
    assert holm([0.01, 0.04, 0.03, 0.005]) == pytest.approx([0.03, 0.06, 0.06, 0.02])


@given(st.lists(st.floats(0, 1), min_size=1, max_size=6))
def test_it_is_the_closed_test_of_bonferroni(p_values: list[float]) -> None:
    """Marcus, Peritz and Gabriel (1976): reject i only if every set that holds i is rejected."""
    found = holm(p_values)
    for i, adjusted in enumerate(found):
        sets = (
            chosen
            for size in range(1, len(p_values) + 1)
            for chosen in itertools.combinations(range(len(p_values)), size)
            if i in chosen
        )
        wanted = max(min(1.0, len(s) * min(p_values[j] for j in s)) for s in sets)
        assert adjusted == pytest.approx(wanted)


def test_what_is_no_number_does_not_count() -> None:
    found = holm([math.nan, 0.02, 0.5])
    assert math.isnan(found[0])
    assert found[1:] == pytest.approx([0.04, 0.5])
    assert holm([]) == []


def test_no_p_value_above_one() -> None:
    with pytest.raises(ValueError, match=r"must lie in \[0, 1\], got \[0.2, 1.1\]"):
        holm([0.2, 1.1])
