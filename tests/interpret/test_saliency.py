import numpy as np
import pytest

from geno_hpo.data.dataset import Dataset, Locus, Origin, Target, Truth
from geno_hpo.encoding import encode_alignment, one_hot
from geno_hpo.interpret import attribute, contributions, position_scores, rank_codons, summarise


def dataset(texts, *, loci=(), truth=()):
    codes = encode_alignment(texts, [f"s{i}" for i in range(len(texts))], ambiguous=True).codes
    labels = np.arange(len(texts), dtype=np.float32)[:, None] % 2
    return Dataset(
        name="toy",
        kind="sequence",
        ids=tuple(f"s{i}" for i in range(len(texts))),
        codes=codes,
        axis=tuple(f"g:{i // 3 + 1}.{i % 3 + 1}" for i in range(codes.shape[1])),
        target=Target("binary", labels, ("r",), ("no", "yes")),
        origin=Origin("test", simulated=True),
        loci=loci,
        truth=Truth(truth, {"auc": 1.0}) if truth else None,
    )


GENE = (Locus("g", 0, 9, coding=0),)
#        M  S  K
TEXTS = ["ATGAGCAAA", "ATGACCAAA", "ATGAGCAAG", "ATGAGCAAA"]


def test_conserved_position_contributes_nothing_whatever_its_gradient():
    data = dataset(TEXTS, loci=GENE)
    gradient = np.full((4, 9, 4), 0.01)
    gradient[:, 0] = 1e6
    gradient[:, 4, 2] = 1.0
    result = attribute([gradient], data.codes, data)
    assert result.scores[0] == 0
    assert result.scores.argmax() == 4


def test_scores_equal_the_formula_and_average_over_restarts():
    rng = np.random.default_rng(0)
    data = dataset(TEXTS, loci=GENE)
    gradients = [rng.normal(size=(4, 9, 4)) for _ in range(3)]
    x = one_hot(data.codes, 4)
    tracks = [np.abs((g * (x - x.mean(0))).sum(2)).mean(0) for g in gradients]
    result = attribute(iter(gradients), data.codes, data)
    np.testing.assert_allclose(result.scores, np.mean(tracks, 0))
    np.testing.assert_allclose(result.spread, np.std(tracks, 0))
    assert result.restarts == 3
    assert result.names == data.axis


def test_chunks_do_not_change_the_result(monkeypatch):
    rng = np.random.default_rng(1)
    codes = rng.integers(-1, 4, (50, 6)).astype(np.int8)
    data = dataset(["ACGTAC"] * 50)
    gradient = rng.normal(size=(50, 6, 4))
    whole = attribute([gradient], codes, data)
    monkeypatch.setattr("geno_hpo.interpret.saliency.CHUNK", 7)
    np.testing.assert_allclose(attribute([gradient], codes, data).scores, whole.scores)


def test_uncalled_position_says_nothing():
    data = dataset(["ATG", "ATG", "ANG", "ATG"])
    result = attribute([np.full((4, 3, 4), 5.0)], data.codes, data)
    assert (result.scores == 0).all()
    assert contributions(np.ones((1, 1)), np.ones((1, 1)), np.zeros(1), np.array([[False]]))[0] == 0


def test_codons_are_ranked_named_and_marked():
    data = dataset(TEXTS, loci=GENE, truth=(4,))
    gradient = np.zeros((4, 9, 4))
    gradient[:, 4] = [0, 1, 0, 0]
    gradient[:, 8] = [0, 0, 0.1, 0]
    result = attribute([gradient], data.codes, data)
    assert [(c.locus, c.number) for c in result.codons[:2]] == [("g", 2), ("g", 3)]
    assert result.codons[0].change == "S2T"
    assert result.codons[1].change == ""  # AAA and AAG both code for lysine
    assert result.codons[0].causal
    assert not result.codons[1].causal
    assert result.codons[0].column == 3
    assert result.truth == (4,)
    assert result.loci == (("g", 0, 9),)
    np.testing.assert_allclose(result.codons[0].score, result.scores[3:6].sum())


@pytest.mark.parametrize(
    ("locus", "numbers", "columns"),
    [
        (Locus("g", 0, 9, coding=-1), [], []),
        (Locus("g", 1, 9, coding=1), [1, 2], [2, 5]),  # one position left over
        (Locus("g", 0, 8, genome=(5, 6, 7, -1, -1, 8, 9, 10), coding=0), [1, 2], [0, 5]),
    ],
    ids=["not coding", "frame starts later", "insertion between codons"],
)
def test_reading_frames(locus, numbers, columns):
    codons = rank_codons(np.ones(9), np.zeros((2, 9), np.int8), [locus])
    assert [c.number for c in codons] == numbers
    assert [c.column for c in codons] == columns


def test_a_codon_s_spread_is_that_of_its_sum():
    tracks = [np.array([1.0, 0, 0]), np.array([0, 0, 3.0])]
    (codon,) = rank_codons(
        np.mean(tracks, axis=0), np.zeros((2, 3), np.int8), [Locus("g", 0, 3, coding=0)], (), tracks
    )
    assert (codon.score, codon.spread) == (2.0, 1.0)


def test_many_changes_are_counted():
    texts = ["AAA"] * 9 + ["CAA", "GAA", "ACA", "ATA", "AAC", "TAA"]
    codes = encode_alignment(texts, texts).codes
    (codon,) = rank_codons(np.ones(3), codes, [Locus("g", 0, 3, coding=0)])
    assert codon.change.endswith("and 2 more")


def test_variants_with_selected_columns_and_given_inputs():
    rng = np.random.default_rng(2)
    codes = rng.integers(0, 3, (30, 10)).astype(np.int8)
    data = Dataset(
        name="v",
        kind="variants",
        ids=tuple(map(str, range(30))),
        codes=codes,
        axis=tuple(f"rs{i}" for i in range(10)),
        target=Target("regression", rng.normal(size=(30, 1)).astype(np.float32), ("y",)),
        origin=Origin("test"),
        truth=Truth((7,), {}),
    )
    columns = np.array([7, 2])
    part = codes[:, columns]
    weights = np.array([3.0, 0.5])
    z = (part - part.mean(0)) / part.std(0)
    result = attribute(
        [np.tile(weights, (30, 1))], part, data, inputs=z, columns=columns.astype(np.intp)
    )
    assert result.names == ("rs7", "rs2")
    assert result.truth == (0,)
    assert result.scores[0] > result.scores[1]
    np.testing.assert_allclose(result.scores, weights * np.abs(z).mean(0))
    plain = attribute([np.tile(weights, (30, 1))], part, data, columns=columns.astype(np.intp))
    np.testing.assert_allclose(plain.scores, weights * np.abs(part - part.mean(0)).mean(0))


@pytest.mark.parametrize(
    ("gradients", "rows", "inputs", "match"),
    [
        ([], 4, None, "at least one restart"),
        ([np.zeros((4, 8, 4))], 4, None, r"must be \(4, 9\)"),
        ([np.zeros((4, 9, 4)), np.full((4, 9, 4), np.nan)], 4, None, "144 of 144 are not"),
        ([np.zeros((4, 9, 4))], 4, np.zeros((4, 9)), "inputs must be shaped"),
        ([np.zeros((0, 9, 4))], 0, None, r"codes must be \(samples, positions\)"),
        ([np.zeros((4, 9, 4))], 3, None, r"must be \(3, 9\)"),
    ],
)
def test_what_does_not_fit_is_refused(gradients, rows, inputs, match):
    data = dataset(TEXTS)
    with pytest.raises(ValueError, match=match):
        attribute(gradients, data.codes[:rows], data, inputs=inputs)


def test_tracks_of_another_length_are_refused():
    data = dataset(TEXTS)
    with pytest.raises(ValueError, match="a track must have 9 positions, got 8"):
        summarise([np.zeros(8)], data.codes, data)


def test_tracks_of_restarts_run_apart_give_the_same():
    rng = np.random.default_rng(4)
    data = dataset(TEXTS, loci=GENE)
    gradients = [rng.normal(size=(4, 9, 5)) for _ in range(2)]
    apart = summarise([position_scores(g, data.codes) for g in gradients], data.codes, data)
    together = attribute(gradients, data.codes, data)
    np.testing.assert_array_equal(apart.scores, together.scores)
    assert apart.codons == together.codons


def test_causes_that_may_lie_anywhere_mark_no_position():
    data = dataset(TEXTS, truth=tuple(range(9)))
    assert summarise([np.ones(9)], data.codes, data).truth == ()
