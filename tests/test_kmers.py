from __future__ import annotations

from collections import Counter

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from geno_hpo.errors import InputError
from geno_hpo.preprocess import kmer_counts

CODE = {base: i for i, base in enumerate("ACGT")} | {"N": -1, "-": 4}


def codes(*sequences: str) -> np.ndarray:
    return np.array([[CODE[base] for base in one] for one in sequences], np.int8)


def test_a_word_is_counted_wherever_it_stands() -> None:
    found = kmer_counts(codes("AACAA", "ANCA-"), 2, both_strands=False)
    assert found.dtype == np.uint16
    assert found.shape == (2, 16)
    assert {i: n for i, n in enumerate(found[0].tolist()) if n} == {0: 2, 1: 1, 4: 1}
    assert {i: n for i, n in enumerate(found[1].tolist()) if n} == {4: 1}


@given(
    st.lists(st.text("ACGT", min_size=12, max_size=12), min_size=1, max_size=5), st.integers(1, 4)
)
def test_counts_are_those_of_a_slow_count(sequences: list[str], k: int) -> None:
    found = kmer_counts(codes(*sequences), k, both_strands=False)
    for row, one in zip(found, sequences, strict=True):
        slow = Counter(one[i : i + k] for i in range(len(one) - k + 1))
        assert sorted(row[row > 0].tolist()) == sorted(slow.values())


@given(st.text("ACGT", min_size=10, max_size=10), st.integers(1, 4))
def test_the_other_strand_has_the_same_counts(sequence: str, k: int) -> None:
    turned = sequence[::-1].translate(str.maketrans("ACGT", "TGCA"))
    both = kmer_counts(codes(sequence, turned), k, both_strands=True)
    np.testing.assert_array_equal(both[0], both[1])
    assert both[0].sum() == len(sequence) - k + 1


@pytest.mark.parametrize("k", [0, 5, 9])
def test_a_length_that_does_not_fit_is_told(k: int) -> None:
    with pytest.raises(InputError, match=rf"k must lie from 1 to 4 \(sequences of 4\), got {k}"):
        kmer_counts(codes("ACGT"), k, both_strands=False)
