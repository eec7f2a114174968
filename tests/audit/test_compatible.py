"""Haplotypes among which gaps and unknown bases are no difference."""

from __future__ import annotations

import numpy as np
import pytest

from geno_hpo.audit import compatible
from geno_hpo.audit.compatible import compatible_rows
from geno_hpo.encoding import encode


@pytest.mark.parametrize(
    ("texts", "count"),
    [
        (["ACGT"], 1),
        (["ACGT", "ACGA"], 2),
        (["ACGT", "ACGN"], 1),
        (["ACGT", "AC-T"], 1),
        (["AC-T", "ACNT"], 1),
        (["ACGT", "ACGA", "ACGN"], 2),
        (["NNNN", "ACGT", "TCGT"], 2),
        (["ANGT", "ACGN", "TCGN"], 2),
        (["ACNN", "NNGT", "TTTT"], 2),
    ],
)
def test_what_was_not_called_differs_from_nothing(texts: list[str], count: int) -> None:
    rows = np.stack([encode(text, ambiguous=True) for text in texts])
    for order in (rows, rows[::-1]):
        assert compatible_rows(order, "sequence") == count


def test_a_missing_call_differs_from_nothing_and_a_dosage_does() -> None:
    rows = np.array([[0, 1, 2], [0, -1, 2], [0, 1, 1]], np.int8)
    assert compatible_rows(rows, "variants") == 2


def test_what_takes_too_long_is_not_counted(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(compatible, "COMPARISONS", 10)
    rows = np.array([[0, 1, 2], [0, -1, 2], [0, 1, 1]], np.int8)
    assert compatible_rows(rows, "variants") is None
