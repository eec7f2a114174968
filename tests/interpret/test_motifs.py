import numpy as np
import pytest

from geno_hpo.encoding import decode, encode
from geno_hpo.errors import InputError
from geno_hpo.explanation import consensus
from geno_hpo.interpret import compare_motifs, consensus_motif, find_motifs, read_motifs
from geno_hpo.interpret.motifs import filter_motif, information

MOTIF = "CGACCGAACTCC"
MEME = """\
MEME version 4

ALPHABET= ACGT

MOTIF M1 first
letter-probability matrix: alength= 4 w= 2 nsites= 20 E= 0
 0.1 0.2 0.3 0.4
 1.0 0.0 0.0 0.0

MOTIF M2
letter-probability matrix: alength= 4 w= 1
0 0 1 0
"""
JASPAR = """\
>MA0001.1 ONE
A [ 1 0 ]
C [ 1 2 ]
G [ 2 0 ]
T [ 0 2 ]
>MA0002.1 TWO
A 4
C 0
G 0
T 0
"""


def planted(samples=200, length=60, seed=0, noise=0.05):
    """Sequences with one or two motifs, contributions on their bases, and noise elsewhere."""
    rng = np.random.default_rng(seed)
    codes = rng.integers(0, 4, (samples, length)).astype(np.int8)
    contributions = noise * rng.normal(size=codes.shape)
    for row in range(samples):
        motif = encode(MOTIF if row % 3 else "TTTGGCAT")
        start = rng.integers(0, length - len(motif) + 1)
        codes[row, start : start + len(motif)] = motif
        contributions[row, start : start + len(motif)] += rng.uniform(0.5, 1.5, len(motif))
    return contributions, codes


def test_planted_motifs_are_found_the_frequent_one_first():
    found = find_motifs(*planted(), seed=1)
    assert consensus(found[0].matrix) == MOTIF
    assert "TTGGCA" in consensus(found[1].matrix).upper()
    assert found[0].sites >= 125
    assert found[1].sites >= 60
    assert found[0].heights.shape == found[0].matrix.shape


def test_noise_holds_no_motif():
    rng = np.random.default_rng(4)
    contributions = rng.normal(size=(200, 60))
    found = find_motifs(contributions, rng.integers(0, 4, (200, 60)).astype(np.int8), seed=1)
    assert all(information(one.matrix).max() < 1.0 for one in found)


def test_shapes_must_agree():
    with pytest.raises(ValueError, match=r"contributions must be \(3, 20\), got \(3, 19\)"):
        find_motifs(np.zeros((3, 19)), np.zeros((3, 20), np.int8), seed=1)


@pytest.mark.parametrize(
    ("letters", "offset", "back"),
    [
        (MOTIF, 0, False),
        (MOTIF[2:], 2, False),
        ("GGAGTTCGGTCG", 0, True),
        ("AA" + MOTIF, -2, False),
    ],
    ids=["equal", "begins later", "other strand", "begins before"],
)
def test_the_right_known_motif_is_named_with_its_place(letters, offset, back):
    found = consensus_motif("found", MOTIF).matrix
    known = [consensus_motif("other", "TTTTGCATTT"), consensus_motif("right", letters)]
    match = compare_motifs(found, known, seed=1)
    assert match is not None
    assert (match.name, match.offset, match.reversed_strand) == ("right", offset, back)
    assert match.similarity > 0.85
    assert match.p_value < 0.02


def test_an_unlike_motif_is_no_match():
    match = compare_motifs(
        consensus_motif("x", "ATATATATAT").matrix, [consensus_motif("y", "GCCGGCGCGG")], seed=1
    )
    assert match is not None
    assert match.p_value > 0.1
    assert compare_motifs(np.full((4, 4), 0.25), [], seed=1) is None


def test_a_filter_shows_what_it_sees():
    _, codes = planted()
    motif = encode("CGAACTCC")
    windows = np.lib.stride_tricks.sliding_window_view(codes, 8, axis=1)
    hits = np.zeros(codes.shape)
    hits[:, 3 : 3 + windows.shape[1]] = (windows == motif).sum(axis=2) == 8  # padded as "same"
    found = filter_motif(hits, codes, 8)
    assert found is not None
    assert consensus(found.matrix) == decode(motif)
    assert filter_motif(np.zeros(codes.shape), codes, 8) is None


@pytest.mark.parametrize(
    ("text", "names", "first"),
    [
        (MEME, ["M1 first", "M2"], [[0.1, 0.2, 0.3, 0.4], [1, 0, 0, 0]]),
        (JASPAR, ["MA0001.1 ONE", "MA0002.1 TWO"], [[0.25, 0.25, 0.5, 0], [0, 0.5, 0, 0.5]]),
    ],
    ids=["meme", "jaspar"],
)
def test_files_of_known_motifs(tmp_path, text, names, first):
    path = tmp_path / "motifs.txt"
    path.write_text(text)
    found = read_motifs(path)
    assert [one.name for one in found] == names
    np.testing.assert_allclose(found[0].matrix, first)


@pytest.mark.parametrize(
    ("text", "match"),
    [
        ("", "holds no motif"),
        (">x\nA 1 2\nC 1\nG 1\nT 1\n", "A, C, G and T of one length"),
        (">x\nA 1\nA 1\n", "line 3: expected a row"),
        (">x\nA -1\nC 1\nG 1\nT 1\n", "numbers from 0"),
        ("hello\n", "line 1: expected a row"),
    ],
)
def test_broken_files_are_told(tmp_path, text, match):
    path = tmp_path / "motifs.txt"
    path.write_text(text)
    with pytest.raises(InputError, match=match):
        read_motifs(path)


def test_a_missing_file_is_told(tmp_path):
    with pytest.raises(InputError, match="cannot be read"):
        read_motifs(tmp_path / "none.meme")


def test_a_consensus_takes_iupac_letters_only():
    np.testing.assert_allclose(consensus_motif("r", "rN").matrix, [[0.5, 0, 0.5, 0], [0.25] * 4])
    with pytest.raises(InputError, match="IUPAC"):
        consensus_motif("bad", "ACX")
