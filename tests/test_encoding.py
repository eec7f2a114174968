from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from geno_hpo import encoding
from geno_hpo.errors import DataError

dna = st.text("ACGT-", max_size=60)


@given(dna)
def test_decode_inverts_encode(text: str) -> None:
    assert encoding.decode(encoding.encode(text)) == text


@given(dna)
def test_lower_case_is_upper_case(text: str) -> None:
    np.testing.assert_array_equal(encoding.encode(text.lower()), encoding.encode(text))


@given(st.text("ACGTN-", max_size=60))
def test_reverse_complement_is_its_own_inverse(text: str) -> None:
    codes = encoding.encode(text, ambiguous=True)
    np.testing.assert_array_equal(
        encoding.reverse_complement(encoding.reverse_complement(codes)), codes
    )


@given(st.text("ACGTN-", max_size=60), st.sampled_from([4, 5]))
def test_one_hot_keeps_what_it_can_show(text: str, symbols: int) -> None:
    codes = encoding.encode(text, ambiguous=True)
    hot = encoding.one_hot(codes, symbols)
    assert hot.shape == (len(text), symbols)
    assert hot.dtype == np.float32
    shown = (codes >= 0) & (codes < symbols)
    np.testing.assert_array_equal(hot.sum(axis=1), shown.astype(np.float32))
    np.testing.assert_array_equal(hot.argmax(axis=1)[shown], codes[shown])


def test_codes_are_the_documented_table() -> None:
    assert encoding.encode("ACGT-N", ambiguous=True).tolist() == [0, 1, 2, 3, 4, -1]
    assert encoding.decode(encoding.reverse_complement(encoding.encode("AACG-"))) == "-CGTT"


def test_one_hot_works_on_alignments() -> None:
    codes = np.array([[0, 4, -1], [3, 2, 1]], dtype=np.int8)
    assert encoding.one_hot(codes).shape == (2, 3, 4)
    np.testing.assert_array_equal(encoding.one_hot(codes)[0, 1:], np.zeros((2, 4)))
    np.testing.assert_array_equal(encoding.one_hot(codes, 5)[0, 1], [0, 0, 0, 0, 1])


def test_ambiguous_letters_are_counted() -> None:
    encoded = encoding.encode_alignment(["ANRT", "acgn"], ["a", "b"], ambiguous=True)
    assert encoded.ambiguous == 3
    assert encoded.codes.tolist() == [[0, -1, -1, 3], [0, 1, 2, -1]]


@pytest.mark.parametrize(
    ("texts", "options", "match"),
    [
        (["ACGT", "ACXT"], {}, r"letter 'X' in sequence 'two' at position 3 .*A C G T -\)"),
        (["ACGT", "NCGT"], {}, r"letter 'N' in sequence 'two' at position 1"),
        (["ACéT", "ACGT"], {"ambiguous": True}, r"letter 'é' in sequence 'one' at position 3"),
        (["AC-T", "ACGT"], {"gaps": False}, r"letter '-' in sequence 'one' at position 3"),
        (["ACUU", "AUGT"], {}, r"3 such letters in 2 sequences"),
        (["ACG", "ACGT"], {}, r"'one' has 3 letters, 'two' has 4"),
    ],
)
def test_refused_letters_name_sample_and_position(
    texts: list[str], options: dict[str, bool], match: str
) -> None:
    with pytest.raises(DataError, match=match):
        encoding.encode_alignment(texts, ["one", "two"], **options)


@pytest.mark.parametrize(
    ("dna_text", "protein"),
    [
        ("ATGAGCACCTAA", "MST*"),
        ("GTGTTGCTGATA", "VLLI"),
        ("TGGTGATAGTGC", "W**C"),
        ("ANG---A-G", "X-X"),
        ("", ""),
    ],
)
def test_translation(dna_text: str, protein: str) -> None:
    assert encoding.translate(encoding.encode(dna_text, ambiguous=True)) == protein


def test_translation_has_each_amino_acid_as_often_as_the_code() -> None:
    codons = "".join(a + b + c for a in "ACGT" for b in "ACGT" for c in "ACGT")
    protein = encoding.translate(encoding.encode(codons))
    counts = {letter: protein.count(letter) for letter in "LSRAGPTVIFYHQNKDEC*MW"}
    assert list(counts.values()) == [6] * 3 + [4] * 5 + [3] + [2] * 9 + [3, 1, 1]


def test_change_name() -> None:
    assert encoding.change_name(encoding.encode("AGC"), encoding.encode("ACC"), 315) == "S315T"


def test_shapes_are_checked() -> None:
    with pytest.raises(DataError, match=r"3 positions a codon, got shape \(4,\)"):
        encoding.translate(encoding.encode("ACGT"))
    with pytest.raises(DataError, match=r"4 symbols .* or 5 .*got 6"):
        encoding.one_hot(encoding.encode("A"), 6)


IUPAC = "RYSWKMBDHV"


@given(st.text("ACGTN-" + IUPAC, max_size=60))
def test_kept_ambiguity_is_read_back_and_turned_round(text: str) -> None:
    kept = encoding.encode_alignment([text], ["s"], ambiguous=True, keep=True)
    codes = kept.codes.reshape(-1)
    assert encoding.decode(codes) == text
    assert kept.kept == sum(letter in IUPAC for letter in text)
    assert kept.ambiguous == text.count("N")
    turned = encoding.reverse_complement(codes)
    np.testing.assert_array_equal(encoding.reverse_complement(turned), codes)
    for symbols in (4, 5):
        forward, backward = encoding.one_hot(codes, symbols), encoding.one_hot(turned, symbols)
        np.testing.assert_array_equal(backward[::-1, [3, 2, 1, 0]], forward[:, :4])


@pytest.mark.parametrize(
    ("letter", "shares"),
    [("R", [0.5, 0, 0.5, 0]), ("M", [0.5, 0.5, 0, 0]), ("B", [0, 1 / 3, 1 / 3, 1 / 3])],
)
def test_bases_share_the_one(letter: str, shares: list[float]) -> None:
    codes = encoding.encode_alignment([letter], ["s"], ambiguous=True, keep=True).codes[0]
    np.testing.assert_allclose(encoding.one_hot(codes)[0], shares)
