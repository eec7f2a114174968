from __future__ import annotations

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from scipy import stats
from sklearn import metrics as reference

from geno_hpo.metrics import METRICS, accuracy_of, default_metric, loss_of

# Few distinct values, so that ties are the rule.
probabilities = st.integers(1, 9).map(lambda i: i / 10)
binary = st.lists(st.tuples(st.integers(0, 1), probabilities), min_size=2, max_size=60)
traits = st.lists(
    st.tuples(st.floats(-100, 100, width=32), st.floats(-100, 100, width=32)),
    min_size=3,
    max_size=40,
)


def column(values: object) -> np.ndarray:
    return np.asarray(values, np.float32)[:, None]


def multiclass(seed: int, n: int = 60, k: int = 3) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(seed)
    truth = np.concatenate([np.arange(k), rng.integers(0, k, n - k)])
    raw = np.round(rng.random((n, k)), 1) + 0.05
    return column(truth), raw / raw.sum(axis=1, keepdims=True)


BINARY_REFERENCES = {
    "auc": reference.roc_auc_score,
    "average_precision": reference.average_precision_score,
    "accuracy": lambda t, p: reference.accuracy_score(t, p >= 0.5),
    "balanced_accuracy": lambda t, p: reference.balanced_accuracy_score(t, p >= 0.5),
    "mcc": lambda t, p: reference.matthews_corrcoef(t, p >= 0.5),
    "log_loss": reference.log_loss,
}


@pytest.mark.parametrize("name", BINARY_REFERENCES)
@settings(deadline=None, max_examples=60)
@given(pairs=binary)
def test_binary_scores_agree_with_scikit_learn(name: str, pairs: list[tuple[int, float]]) -> None:
    truth, score = (np.array(side) for side in zip(*pairs, strict=True))
    assume(len(np.unique(truth)) == 2)
    ours = METRICS[name].score(column(truth), score[:, None])
    assert ours == pytest.approx(BINARY_REFERENCES[name](truth, score), abs=1e-6)


MULTICLASS_REFERENCES = {
    "auc": lambda t, p: reference.roc_auc_score(t, p, multi_class="ovr", average="macro"),
    "accuracy": lambda t, p: reference.accuracy_score(t, p.argmax(axis=1)),
    "balanced_accuracy": lambda t, p: reference.balanced_accuracy_score(t, p.argmax(axis=1)),
    "mcc": lambda t, p: reference.matthews_corrcoef(t, p.argmax(axis=1)),
    "log_loss": reference.log_loss,
}


@pytest.mark.parametrize("name", MULTICLASS_REFERENCES)
@pytest.mark.parametrize("seed", range(4))
def test_multiclass_scores_agree_with_scikit_learn(name: str, seed: int) -> None:
    truth, prediction = multiclass(seed)
    expected = MULTICLASS_REFERENCES[name](truth[:, 0].astype(int), prediction)
    assert METRICS[name].score(truth, prediction) == pytest.approx(expected, abs=1e-6)


@settings(deadline=None, max_examples=80)
@given(pairs=traits)
def test_trait_scores_agree_with_scikit_learn_and_scipy(pairs: list[tuple[float, float]]) -> None:
    truth, guess = (np.array(side, np.float64) for side in zip(*pairs, strict=True))
    assume(truth.std() > 1e-3 and guess.std() > 1e-3)
    expected = {
        "r2": reference.r2_score(truth, guess),
        "rmse": reference.root_mean_squared_error(truth, guess),
        "pearson": stats.pearsonr(truth, guess).statistic,
    }
    for name, value in expected.items():
        ours = METRICS[name].score(column(truth), guess[:, None])
        assert ours == pytest.approx(value, rel=1e-6, abs=1e-6)


counted = st.lists(st.tuples(st.integers(0, 30), st.floats(0.01, 50)), min_size=3, max_size=40)


@settings(deadline=None, max_examples=80)
@given(pairs=counted)
def test_explained_deviance_agrees_with_scikit_learn(pairs: list[tuple[int, float]]) -> None:
    truth, guess = (np.array(side, np.float64) for side in zip(*pairs, strict=True))
    assume(truth.std() > 0)
    expected = reference.d2_tweedie_score(truth, guess, power=1)
    ours = METRICS["d2"].score(column(truth), guess[:, None])
    assert ours == pytest.approx(expected, rel=1e-6, abs=1e-6)


def test_explained_deviance_at_its_edges() -> None:
    d2 = METRICS["d2"]
    counts = column([0, 2, 4])
    assert d2.score(counts, column([2, 2, 2])) == pytest.approx(0, abs=1e-12)
    assert d2.score(counts, column([0, 2, 4])) == pytest.approx(1, abs=1e-6)
    assert -100 < d2.score(counts, column([0, 0, 0])) < -10, "counts that were held impossible"
    assert np.isnan(d2.score(column([-1, 2, 4]), column([1, 2, 3])))
    assert np.isnan(d2.score(column([0, 0, 0]), column([1, 2, 3])))


@pytest.mark.parametrize("name", METRICS)
def test_resampled_scores_equal_scores_of_repeated_samples(name: str) -> None:
    rng = np.random.default_rng(3)
    metric = METRICS[name]
    n = 40
    if metric.tasks == ("regression",):
        truth, prediction = rng.normal(size=(n, 2)).astype(np.float32), rng.normal(size=(n, 2))
        truth[::5, 1] = np.nan
        if name == "d2":
            truth, prediction = np.round(2 * np.abs(truth)), np.abs(prediction)
    else:
        truth = rng.integers(0, 2, (n, 2)).astype(np.float32)
        truth[::7, 0] = np.nan
        prediction = np.round(rng.random((n, 2)), 1)
    counts = rng.multinomial(n, np.full(n, 1 / n), size=25)
    expected = [
        metric.score(truth[rows], prediction[rows])
        for rows in (np.repeat(np.arange(n), count) for count in counts)
    ]
    np.testing.assert_allclose(metric.resampled(truth, prediction, counts), expected, atol=1e-10)


def test_resampled_scores_do_not_depend_on_the_block(monkeypatch: pytest.MonkeyPatch) -> None:
    truth, prediction = multiclass(1)
    counts = np.random.default_rng(0).integers(0, 3, (11, len(truth)))
    whole = METRICS["auc"].resampled(truth, prediction, counts)
    monkeypatch.setattr("geno_hpo.metrics.metric.BLOCK", 3 * len(truth))
    np.testing.assert_array_equal(METRICS["auc"].resampled(truth, prediction, counts), whole)


@pytest.mark.parametrize(
    "name", ["auc", "average_precision", "balanced_accuracy", "mcc", "r2", "pearson", "d2"]
)
def test_constant_labels_have_no_score(name: str) -> None:
    score = METRICS[name].score(column([1, 1, 1]), column([0.2, 0.6, 0.4]))
    assert np.isnan(score)


def test_multilabel_is_the_mean_over_outputs_that_have_a_score() -> None:
    truth = np.array([[0, 1, np.nan], [1, 1, 0], [1, np.nan, 1], [0, 1, 0]], np.float32)
    prediction = np.array([[0.1, 0.3, 0.9], [0.8, 0.1, 0.2], [0.3, 0.5, 0.1], [0.4, 0.5, 0.3]])
    first = reference.roc_auc_score([0, 1, 1, 0], prediction[:, 0])
    last = reference.roc_auc_score([0, 1, 0], prediction[1:, 2])
    assert METRICS["auc"].score(truth, prediction) == pytest.approx((first + last) / 2)


@pytest.mark.parametrize("name", METRICS)
@pytest.mark.parametrize("bad", [np.nan, np.inf])
def test_predictions_that_are_not_finite_have_no_score(name: str, bad: float) -> None:
    assert np.isnan(METRICS[name].score(column([0, 1, 0]), column([0.1, bad, 0.3])))


@pytest.mark.parametrize("name", METRICS)
def test_no_labels_no_score(name: str) -> None:
    assert np.isnan(METRICS[name].score(column([np.nan] * 3), column([0.1, 0.2, 0.3])))


@pytest.mark.parametrize(("name", "score"), [("mcc", 0.0), ("pearson", 0.0), ("auc", 0.5)])
def test_constant_predictions_score_chance(name: str, score: float) -> None:
    assert METRICS[name].score(column([0, 1, 1, 0]), column([0.7] * 4)) == score
    assert METRICS[name].chance == score


def test_log_loss_of_a_certain_mistake_is_finite() -> None:
    assert METRICS["log_loss"].score(column([1]), column([0.0])) == pytest.approx(16.118, abs=1e-3)


@pytest.mark.parametrize(
    ("name", "a", "b", "wins"),
    [
        ("auc", 0.9, 0.8, True),
        ("auc", 0.8, 0.8, False),
        ("rmse", 0.8, 0.9, True),
        ("rmse", 0.9, 0.8, False),
        ("auc", float("nan"), 0.1, False),
        ("auc", 0.1, float("nan"), True),
        ("rmse", 1e9, METRICS["rmse"].worst, True),
        ("auc", 0.0, METRICS["auc"].worst, True),
    ],
)
def test_better_knows_the_direction(name: str, a: float, b: float, wins: bool) -> None:
    assert METRICS[name].better(a, b) is wins


@pytest.mark.parametrize("task", ["binary", "multiclass", "multilabel", "regression"])
def test_the_default_metric_fits_its_task(task: str) -> None:
    assert task in default_metric(task).tasks


def test_curves_have_accuracy_and_loss() -> None:
    truth, guess = column([0, 1, 1, 0]), column([0.2, 0.7, 0.4, 0.1])
    assert accuracy_of(truth, guess, "binary") == 0.75
    assert np.isnan(accuracy_of(truth, guess, "regression"))
    assert loss_of(truth, guess, "binary") == pytest.approx(reference.log_loss(truth[:, 0], guess))
    expected = reference.mean_squared_error(truth, guess)
    assert loss_of(truth, guess, "regression") == pytest.approx(expected)


def test_shapes_that_do_not_belong_together_are_refused() -> None:
    with pytest.raises(ValueError, match="auc cannot score 3 units against 2 outputs"):
        METRICS["auc"].score(np.zeros((4, 2)), np.zeros((4, 3)))
    with pytest.raises(ValueError, match=r"got \(4,\) and \(4, 1\)"):
        METRICS["auc"].score(np.zeros(4), np.zeros((4, 1)))
    with pytest.raises(ValueError, match=r"counts must be \(resamples, 4\), got \(2, 3\)"):
        METRICS["auc"].resampled(np.zeros((4, 1)), np.zeros((4, 1)), np.ones((2, 3)))


def test_every_metric_a_study_may_name_fits_the_task_it_may_be_named_for() -> None:
    from geno_hpo.config.rules import DEFAULT_METRIC, METRIC_TASKS

    assert set(METRIC_TASKS) == set(METRICS)
    for name, tasks in METRIC_TASKS.items():
        assert set(tasks) <= set(METRICS[name].tasks)
    for task, name in DEFAULT_METRIC.items():
        assert default_metric(task).name == name
