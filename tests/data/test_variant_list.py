"""A toy genome: ten bases ACGTACGTAC at positions 100 to 109."""

from __future__ import annotations

import numpy as np
import pytest

from geno_hpo import encoding
from geno_hpo.data.tb_regions import Stretch
from geno_hpo.data.variant_list import AlignedStretch, align_stretch, overlaps
from geno_hpo.data.variant_names import Variant
from geno_hpo.errors import DataError

REFERENCE = encoding.encode("ACGTACGTAC")
FORWARD = Stretch("toy", "toy", 100, 110, "+", 103, 6)
REVERSE = Stretch("toy", "toy", 100, 110, "-", 106, 6)

SNP = Variant("snp", "snp", 102, "G", "T")
OTHER = Variant("other", "snp", 102, "G", "A")
PAIR = Variant("pair", "snp", 101, "CGT", "TGA")
GONE = Variant("gone", "del", 104, "AC", "")
PUT = Variant("put", "ins", 105, "", "GG")
LONG = Variant("long", "ins", 105, "", "TTTTT")


def align(
    variants: list[Variant], calls: list[list[int]], stretch: Stretch = FORWARD, longest: int = 3
) -> AlignedStretch:
    return align_stretch(
        stretch, REFERENCE, variants, np.array(calls, dtype=np.int8), longest_insertion=longest
    )


def texts(aligned: AlignedStretch) -> list[str]:
    return [encoding.decode(row) for row in aligned.codes]


@pytest.mark.parametrize(
    ("variants", "calls", "expected"),
    [
        pytest.param([SNP], [[1], [0]], ["ACTTACGTAC", "ACGTACGTAC"], id="snp"),
        pytest.param([PAIR], [[1]], ["ATGAACGTAC"], id="several bases"),
        pytest.param([GONE], [[1], [0]], ["ACGT--GTAC", "ACGTACGTAC"], id="deletion"),
        pytest.param([PUT], [[1], [0]], ["ACGTAGGCGTAC", "ACGTA--CGTAC"], id="insertion"),
        pytest.param(
            [PUT, LONG],
            [[1, 0], [0, 1]],
            ["ACGTAGG-CGTAC", "ACGTATTTCGTAC"],
            id="long insertion cut to three",
        ),
        pytest.param([SNP], [[-1]], ["ACNTACGTAC"], id="snp not called"),
        pytest.param([GONE], [[-1]], ["ACGTNNGTAC"], id="deletion not called"),
        pytest.param([PUT], [[-1]], ["ACGTANNCGTAC"], id="insertion not called"),
        pytest.param([SNP, OTHER], [[1, -1]], ["ACTTACGTAC"], id="a call beats no call"),
        pytest.param([SNP, OTHER], [[1, 1]], ["ACNTACGTAC"], id="variants disagree"),
        pytest.param([SNP, PAIR], [[1, 1]], ["ATTAACGTAC"], id="an unchanged base says nothing"),
        pytest.param([SNP, SNP], [[1, 1]], ["ACTTACGTAC"], id="variants agree"),
    ],
)
def test_rules(variants: list[Variant], calls: list[list[int]], expected: list[str]) -> None:
    assert texts(align(variants, calls)) == expected


def test_the_reverse_strand_is_read_on_it() -> None:
    forward, reverse = (align([SNP, PUT], [[1, 1], [0, 0]], s) for s in (FORWARD, REVERSE))
    np.testing.assert_array_equal(reverse.codes, encoding.reverse_complement(forward.codes))
    assert reverse.genome == forward.genome[::-1]
    assert texts(reverse) == ["GTACGCCTAAGT", "GTACG--TACGT"]
    assert reverse.axis == (
        *("toy:-3", "toy:-2", "toy:-1", "toy:1.1", "toy:1.2", "toy:1.2+1", "toy:1.2+2"),
        *("toy:1.3", "toy:2.1", "toy:2.2", "toy:2.3", "toy:*1"),
    )
    assert reverse.coding == 3


def test_columns_are_named_by_position_without_a_gene() -> None:
    aligned = align([PUT], [[1]], Stretch("toy", "toy", 100, 110, "+"))
    assert aligned.axis[3:8] == ("toy:104", "toy:105", "toy:105+1", "toy:105+2", "toy:106")
    assert aligned.genome[3:8] == (103, 104, -1, -1, 105)
    assert aligned.coding == -1


def test_a_deletion_over_the_end_is_clipped() -> None:
    first = Variant("first", "del", 98, "TTAC", "")
    last = Variant("last", "del", 109, "CGG", "")
    aligned = align([first, last], [[1, 1]])
    assert texts(aligned) == ["--GTACGTA-"]
    assert aligned.counts == {"variants clipped to the window": 2}


def test_a_deleted_letter_written_twice_is_one() -> None:
    aligned = align([Variant("twice", "del", 103, "TT", "")], [[1]])
    assert texts(aligned) == ["ACG-ACGTAC"]
    assert aligned.counts == {"deletions of one letter written twice": 1}


def test_what_the_rules_did_is_counted() -> None:
    aligned = align([SNP, OTHER, LONG, GONE], [[1, 1, 0, -1], [0, -1, 1, 0]])
    assert aligned.counts == {
        "insertions cut to 3 letters": 1,
        "letters unknown because a variant was not called": 3,
        "letters unknown because variants disagree": 1,
        "inserted columns": 3,
    }


@pytest.mark.parametrize(
    "variant", [Variant("wrong", "snp", 102, "A", "T"), Variant("wrong", "del", 102, "GA", "")]
)
def test_another_reference_is_refused(variant: Variant) -> None:
    with pytest.raises(
        DataError, match=r"'wrong' names reference letters .* position 103.*another"
    ):
        align([variant], [[1]])


@pytest.mark.parametrize(
    ("variant", "inside"),
    [
        (SNP, True),
        (Variant("x", "snp", 99, "A", "C"), False),
        (Variant("x", "snp", 110, "A", "C"), False),
        (Variant("x", "del", 98, "AAA", ""), True),
        (Variant("x", "ins", 100, "", "A"), False),
        (Variant("x", "ins", 101, "", "A"), True),
        (Variant("x", "ins", 110, "", "A"), False),
    ],
)
def test_overlaps(variant: Variant, inside: bool) -> None:
    assert overlaps(variant, FORWARD) is inside
