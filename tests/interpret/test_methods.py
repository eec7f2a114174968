"""Integrated gradients, mutagenesis, permutation and agreement on functions known by heart."""

import numpy as np
import pytest

from geno_hpo.encoding import encode, one_hot
from geno_hpo.interpret import (
    average_precision,
    completeness_gap,
    integrated_gradients,
    peaks_on_copies,
    permutation_importance,
    rank_correlation,
    substitutions,
)
from geno_hpo.interpret.explain import _steps
from geno_hpo.interpret.mutagenesis import seen_symbols

WEIGHTS = np.random.default_rng(0).normal(size=(6, 4))


def square(inputs):
    """(Σ w x)²: a function whose gradient changes along the way."""
    return (inputs * WEIGHTS).sum(axis=(1, 2)) ** 2


def slope(inputs):
    return (2 * (inputs * WEIGHTS).sum(axis=(1, 2))[:, None, None] * WEIGHTS).astype(np.float32)


def test_integrated_gradients_add_up_to_the_output():
    rng = np.random.default_rng(1)
    inputs = one_hot(rng.integers(0, 4, (20, 6)).astype(np.int8))
    reference = np.full((6, 4), 0.25, np.float32)
    found = integrated_gradients(slope, inputs, reference, steps=8)
    wanted = square(inputs) - square(reference[None])[0]
    np.testing.assert_allclose(found.sum(axis=1), wanted, atol=1e-5)
    assert completeness_gap(found, square(inputs), float(square(reference[None])[0])) < 1e-5


def test_gradient_times_input_misses_completeness():
    inputs = one_hot(np.random.default_rng(2).integers(0, 4, (20, 6)).astype(np.int8))
    plain = (slope(inputs) * inputs).sum(axis=2)
    assert completeness_gap(plain, square(inputs), 0.0) > 0.5


def test_a_linear_function_needs_one_step_and_keeps_variants_apart():
    weights = np.array([1.0, -2.0, 0.0], np.float32)
    inputs = np.array([[1, 1, 1], [2, 0, 5]], np.float32)
    found = integrated_gradients(
        lambda x: np.tile(weights, (len(x), 1)), inputs, np.zeros(3, np.float32), steps=1
    )
    np.testing.assert_allclose(found, inputs * weights)


@pytest.mark.parametrize(
    ("reference", "steps", "match"),
    [(np.zeros((6, 4)), 0, "at least 1 step, got 0"), (np.zeros((5, 4)), 3, r"shape \(6, 4\)")],
)
def test_a_wrong_way_is_refused(reference, steps, match):
    with pytest.raises(ValueError, match=match):
        integrated_gradients(slope, np.zeros((2, 6, 4), np.float32), reference, steps)


def outputs(rows):
    """Two outputs: how many A there are, and whether position 2 is T."""
    return np.stack([(rows == 0).sum(axis=1), rows[:, 2] == 3], axis=1).astype(float)


def test_every_substitution_moves_the_output_as_it_should(monkeypatch):
    monkeypatch.setattr("geno_hpo.interpret.mutagenesis.AT_ONCE", 50)  # several batches
    codes = np.stack([encode("AACG"), encode("CATN", ambiguous=True)])
    found = substitutions(outputs, codes, np.ones((4, 4), dtype=bool))
    assert found.shape == (2, 2, 4, 4)
    np.testing.assert_array_equal(found[0, 0, 0], [0, -1, -1, -1])
    np.testing.assert_array_equal(found[0, 0, 2], [1, 0, 0, 0])
    np.testing.assert_array_equal(found[1, 0, 2], [0, 0, 0, 1])
    np.testing.assert_array_equal(found[1, 1, 2], [-1, -1, -1, 0])
    assert np.isnan(found[:, 1, 3]).all()  # an unknown base is left alone


def test_only_allowed_symbols_are_tried():
    codes = np.stack([encode("AAAA"), encode("ACAA")])
    allowed = seen_symbols(codes, 4)
    allowed[0] = False
    found = substitutions(outputs, codes, allowed)
    assert np.isnan(found[0, :, 0]).all()
    assert np.isfinite(found[0, 0, 1]).tolist() == [True, True, False, False]
    with pytest.raises(ValueError, match="must have 4 positions, got 3"):
        substitutions(outputs, codes, allowed[:3])


@pytest.mark.parametrize(("maximise", "sign"), [(True, 1), (False, -1)])
def test_shuffling_costs_what_the_score_uses(maximise, sign):
    rng = np.random.default_rng(3)
    inputs = rng.normal(size=(300, 4)).astype(np.float32)
    labels = inputs[:, 1] + 0.1 * inputs[:, 2]

    def score(rows):
        return sign * float(np.corrcoef(rows[:, 1] + 0.1 * rows[:, 2], labels)[0, 1])

    before = inputs.copy()
    found = permutation_importance(
        score, inputs, np.array([0, 1, 2]), repeats=4, seed=1, maximise=maximise
    )
    assert (found[0] == 0).all()
    assert found[1].mean() > 0.8
    assert 0 < found[2].mean() < 0.05
    np.testing.assert_array_equal(inputs, before)


@pytest.mark.parametrize(
    ("columns", "repeats", "match"),
    [([0], 0, "at least 1 repeat"), ([4], 1, r"lie in \[0, 4\), got 4"), ([-1], 1, "got -1")],
)
def test_impossible_shuffles_are_refused(columns, repeats, match):
    with pytest.raises(ValueError, match=match):
        permutation_importance(
            lambda _: 0.0,
            np.zeros((3, 4), np.float32),
            np.array(columns),
            repeats=repeats,
            seed=1,
            maximise=True,
        )


@pytest.mark.parametrize(
    ("first", "second", "wanted"),
    [
        ([1, 2, 3, 4], [10, 20, 30, 99], 1.0),
        ([1, 2, 3, 4], [4, 3, 2, 1], -1.0),
        ([1, 2, 3, np.nan, 4], [1, 2, 3, 0, 4], 1.0),
        ([1, 1, 1, 1], [1, 2, 3, 4], np.nan),
        ([1, 2], [1, 2], np.nan),
    ],
)
def test_rank_correlation(first, second, wanted):
    found = rank_correlation(np.array(first, float), np.array(second, float))
    np.testing.assert_allclose(found, wanted, equal_nan=True)


def test_rank_correlation_of_other_lengths_is_refused():
    with pytest.raises(ValueError, match="one shape"):
        rank_correlation(np.zeros(3), np.zeros(4))


def test_average_precision():
    scores = np.array([0.9, 0.1, 0.8, np.nan, 0.2])
    assert average_precision(scores, np.array([1, 0, 1, 0, 0], bool)) == 1.0
    assert average_precision(scores, np.array([1, 0, 0, 1, 0], bool)) == pytest.approx(0.7)
    assert np.isnan(average_precision(scores, np.ones(5, bool)))
    assert np.isnan(average_precision(scores, np.zeros(5, bool)))


def test_peaks_on_copies():
    contributions = np.zeros((3, 40))
    contributions[0, 10:16] = 1
    contributions[1, 30] = 5
    contributions[2, 0] = 9  # no copy was planted here
    copies = [(0, 9, 17), (1, 3, 11), (1, 20, 28)]
    assert peaks_on_copies(contributions, copies) == (1, 2)


@pytest.mark.parametrize(
    ("samples", "size", "steps"),
    [(77, 21_600, 24), (16, 104_166, 24), (16, 229_695, 10), (16, 10_000_000, 8)],
    ids=["small", "as many as the bound allows", "18 loci", "never too few to add up"],
)
def test_wide_inputs_are_integrated_in_fewer_steps(samples, size, steps):
    assert _steps(samples, size) == steps
