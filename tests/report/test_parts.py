from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn.metrics import roc_auc_score

from geno_hpo.outcome import Curves, TrialRecord
from geno_hpo.report import words
from geno_hpo.report.figures.drawn import nice_ticks
from geno_hpo.report.figures.predictions import confusion, roc_points, seeds
from geno_hpo.report.figures.search import explained, history
from geno_hpo.report.fit import Standing, fold_mean, fold_spread, judge
from geno_hpo.report.forest import leaderboard_forest, ranked
from geno_hpo.report.mosaic import split_mosaic
from geno_hpo.report.style import resolve

from . import example


def curves(train, valid, best):
    train, valid = (np.array([x, x], dtype=float) for x in (train, valid))
    return Curves(train, valid, -valid, None, None, best)


@pytest.mark.parametrize(
    ("train", "valid", "best", "kind"),
    [
        ([0.70, 0.69, 0.68, 0.67], [0.70, 0.69, 0.70, 0.71], 2, "underfitting"),
        ([0.7, 0.5, 0.4, 0.3], [0.7, 0.5, 0.42, 0.33], 4, "still improving"),
        ([0.7, 0.3, 0.2, 0.1], [0.7, 0.6, 0.7, 0.8], 2, "overfitting"),
        ([0.7, 0.4, 0.3, 0.1], [0.7, 0.42, 0.5, 0.7], 2, "memorising later"),
        ([0.7, 0.4, 0.39, 0.38], [0.7, 0.42, 0.43, 0.43], 2, "good fit"),
        ([0.5], [0.52], 1, "good fit"),
        ([0.7, 0.4, 0.4], [0.6, 0.3, 0.31], 2, "good fit"),  # dropout: training loss above
    ],
)
def test_fit_is_judged_by_the_rule(train, valid, best, kind):
    found = judge(curves(train, valid, best))
    assert found.kind == kind
    assert f"epoch {best}" in found.sentence


GOOD = ([0.7, 0.4, 0.39, 0.38], [0.7, 0.42, 0.43, 0.43], 2)
LATER = ([0.7, 0.4, 0.3, 0.1], [0.7, 0.42, 0.5, 0.7], 2)
OVER = ([0.7, 0.3, 0.2, 0.1], [0.7, 0.6, 0.7, 0.8], 2)
FLAT = ([0.70, 0.69, 0.68, 0.67], [0.70, 0.69, 0.70, 0.71], 2)
JUMPY = ([0.7, 0.5, 0.5, 0.5, 0.5], [0.7, 0.5, 0.7, 0.5, 0.6], 2)


@pytest.mark.parametrize(
    ("losses", "standing", "kind", "text"),
    [
        (GOOD, {"score": 0.8, "best": 0.96}, "underfitting", "65 % of the way from chance (0.500)"),
        (GOOD, {"score": 0.8, "best": 0.96}, "underfitting", "Another learning rate"),
        (JUMPY, {"score": 0.8, "best": 0.96}, "underfitting", "a lower learning rate may help"),
        (GOOD, {"score": 0.95, "best": 0.96}, "good fit", "98 % of the way"),
        (GOOD, {"score": 0.97, "best": 0.96}, "good fit", "AUC 0.970; ridge has 0.960, on the"),
        (GOOD, {"score": 0.8, "best": 0.96, "error": 0.1}, "good fit", "65 % of the way"),
        (GOOD, {"score": 0.8, "best": None}, "good fit", "only another model on the same folds"),
        (GOOD, {"score": 0.52, "best": None, "error": 0.02}, "nothing learnt", "than chance"),
        (FLAT, {"score": 0.52, "best": 0.9, "error": 0.02}, "nothing learnt", "than chance"),
        (FLAT, {"score": 0.8, "best": 0.81, "error": 0.02}, "underfitting", "97 % of the way"),
        (LATER, {"score": 0.8, "best": 0.96}, "underfitting", "too high"),
        (LATER, {"score": 0.96, "best": 0.96}, "memorising later", "ridge has 0.960"),
        (OVER, {"score": 0.8, "best": 0.96}, "overfitting", "65 % of the way"),
        (GOOD, {"score": 0.5, "best": 0.3, "chance": 0.7, "maximise": False}, "underfitting", "50"),
        (GOOD, {"score": 0.31, "best": 0.3, "chance": 0.7, "maximise": False}, "good fit", "98"),
        (GOOD, {"score": 0.5, "best": 0.9, "chance": None}, "good fit", "ridge has 0.900"),
    ],
)
def test_close_curves_are_good_only_with_a_good_score(losses, standing, kind, text):
    told = {"error": 0.01, "chance": 0.5, "holder": "ridge", "label": "AUC"} | standing
    found = judge(curves(*losses), Standing(**told))
    assert found.kind == kind
    assert text in found.sentence


def test_fit_without_a_loss_says_nothing():
    assert judge(curves([np.nan, np.nan], [np.nan, np.nan], 1)) is None


def test_fold_mean_and_spread_leave_missing_folds_out():
    values = np.array([[1.0, np.nan, np.nan], [3.0, 2.0, np.nan]])
    np.testing.assert_array_equal(fold_mean(values), [2, 2, np.nan])
    np.testing.assert_array_equal(fold_spread(values), [1, 0, np.nan])


@given(
    st.lists(st.tuples(st.booleans(), st.integers(0, 6)), min_size=2, max_size=60).filter(
        lambda pairs: len({label for label, _ in pairs}) == 2
    )
)
def test_area_under_roc_points_is_the_auc(pairs):
    truth = np.array([float(label) for label, _ in pairs])
    score = np.array([float(value) for _, value in pairs])
    false, true = roc_points(truth, score)
    assert (false[0], true[0], false[-1], true[-1]) == (0, 0, 1, 1)
    assert np.trapezoid(true, false) == pytest.approx(roc_auc_score(truth, score))


def test_roc_needs_both_classes():
    with pytest.raises(ValueError, match="needs both classes"):
        roc_points(np.ones(3), np.arange(3))


@given(st.floats(-1e6, 1e6), st.floats(1e-3, 1e6))
def test_ticks_are_few_and_inside(low, width):
    ticks = nice_ticks(low, low + width)
    slack = 1e-6 * width + 1e-9 * abs(low)
    assert 1 <= len(ticks) <= 6
    assert all(low - slack <= x <= low + width + slack for x in ticks)


@pytest.mark.parametrize("bounds", [(1, 1), (2, 1), (0, float("inf")), (float("nan"), 1)])
def test_ticks_of_no_range_are_refused(bounds):
    with pytest.raises(ValueError, match="finite range"):
        nice_ticks(*bounds)


def trial(number, score, **params):
    return TrialRecord(number, "search", "cnn", "complete", score=score, params=params)


def test_explained_finds_the_parameter_that_matters():
    rng = np.random.default_rng(0)
    trials = []
    for i in range(60):
        rate, noise, kind = rng.random(), rng.random(), str(rng.choice(["a", "b"]))
        score = float(rate + 0.1 * (kind == "a") + 0.02 * rng.normal())
        trials.append(trial(i, score, rate=rate, noise=noise, kind=kind, fixed=3))
    assert explained(trials, "rate") > 0.7
    assert explained(trials, "noise") < 0.2
    assert explained(trials, "fixed") == 0
    assert explained(trials, "unknown") == 0


def test_explained_of_two_lone_trials_is_nothing():
    assert explained([trial(0, 0.1, x=1), trial(1, 0.9, x=2)], "x") == 0


@pytest.mark.parametrize(("maximise", "best"), [(True, [0.5, 0.8, 0.8]), (False, [0.5, 0.3, 0.3])])
def test_history_follows_the_best(maximise, best):
    trials = [trial(0, 0.5), trial(1, 0.8 if maximise else 0.3), trial(2, 0.6)]
    (panel,) = history(trials, "score", maximise).panels
    assert panel.traces[0]["y"] == best


def test_leaderboard_is_ranked_in_the_metric_s_direction():
    summary = example.binary().summary
    scores = [entry["test"] for entry in ranked(summary)]
    assert scores == sorted(scores, reverse=True)
    scores = [entry["test"] for entry in ranked(summary | {"metric": "log_loss"})]
    assert scores == sorted(scores)


def test_forest_places_lie_on_the_axis():
    forest = leaderboard_forest(example.binary().summary)
    for row in forest.rows:
        places = [row.cv, row.test, *row.cv_band, *row.test_band, *row.seeds]
        assert all(0 <= place <= 100 for place in places)
        assert row.test_band[0] <= row.test <= row.test_band[1]
    assert [line.style for line in forest.lines] == ["beyond-left", "oracle"]


def test_near_chance_is_drawn_as_a_line():
    summary = example.binary().summary
    board = [entry | {"cv_mean": 0.52, "cv_std": 0.05} for entry in summary["leaderboard"]]
    forest = leaderboard_forest(summary | {"leaderboard": board})
    assert "chance" in [line.style for line in forest.lines]


def test_mosaic_is_to_scale():
    outcome = example.binary()
    mosaic = split_mosaic(outcome)
    assert [part.label for part in mosaic.parts] == ["1", "2", "3", "4", "5", "test"]
    assert mosaic.parts[-1].left + mosaic.parts[-1].width == pytest.approx(100, abs=0.01)
    sizes = [int(part.samples.replace(",", "")) for part in mosaic.parts]
    assert sum(sizes) == len(outcome.labels)
    assert mosaic.parts[0].width / mosaic.parts[1].width == pytest.approx(
        sizes[0] / sizes[1], rel=1e-3
    )
    assert all(sum(part.shares) == pytest.approx(1, abs=1e-3) for part in mosaic.parts)


def test_a_holdout_is_drawn_with_the_part_that_only_trains():
    outcome = example.binary()
    parts = np.where(outcome.parts > 0, -2, outcome.parts)
    split = outcome.summary["split"] | {"kind": "holdout", "folds": 1, "repeats": 1}
    held = replace(outcome, parts=parts, summary=outcome.summary | {"split": split})
    mosaic = split_mosaic(held)
    assert [part.label for part in mosaic.parts] == ["train", "1", "test"]
    assert "The numbered part validates, and the others train" in mosaic.caption
    again = split | {"kind": "stratified", "folds": 10, "repeats": 2}
    twice = replace(outcome, summary=outcome.summary | {"split": again})
    assert "Each of the 5 numbered parts" in split_mosaic(twice).caption
    assert "the first of 2 repeats" in split_mosaic(twice).caption


def test_a_single_fold_has_no_deviation():
    assert (words.spread(0.25), words.spread(None)) == (" ± 0.250", "")


def test_confusion_counts_every_known_sample():
    outcome = example.multiclass()
    figure = confusion(outcome.test, outcome.classes, "mlp")
    counts = np.array(figure.panels[0].traces[0]["text"], dtype=int)
    truth = outcome.test.truth[:, 0].astype(int)
    np.testing.assert_array_equal(counts.sum(axis=1), np.bincount(truth, minlength=4))


@pytest.mark.parametrize("threshold", [0.3, 0.8])
def test_confusion_of_two_classes_is_at_the_threshold(threshold):
    outcome = example.binary()
    figure = confusion(outcome.test, outcome.classes, "cnn", threshold)
    counts = np.array(figure.panels[0].traces[0]["text"], dtype=int)
    known = ~np.isnan(outcome.test.truth[:, 0])
    truth = outcome.test.truth[known, 0] == 1
    called = outcome.test.models["cnn"].mean(axis=0)[known, 0] >= threshold
    assert counts.tolist() == [
        [int((~truth & ~called).sum()), int((~truth & called).sum())],
        [int((truth & ~called).sum()), int((truth & called).sum())],
    ]


def test_seeds_of_single_fits_are_no_figure():
    board = [{"model": "ridge", "kind": "baseline", "test_seeds": [0.9]}]
    assert seeds(board, "AUC") is None


def test_tokens_become_colours():
    palette = {"ink": "#102030"}
    assert resolve({"a": ["@ink", "@ink/50", "plain"]}, palette) == {
        "a": ["#102030", "rgba(16,32,48,0.5)", "plain"]
    }
    with pytest.raises(KeyError, match="nothing"):
        resolve("@nothing", palette)


@pytest.mark.parametrize(
    ("made", "wanted"),
    [
        (words.number(-0.0001), "0.000"),
        (words.number(-0.25, 2), "−0.25"),
        (words.number(float("nan")), "–"),
        (words.signed(0.0123), "+0.012"),
        (words.signed(None), "–"),
        (words.interval([0.1, None]), "–"),
        (words.interval([-0.1, 0.2], 1), "−0.1 to 0.2"),
        (words.p_value(0.0004), "p < 0.001"),
        (words.p_value(None), ""),
        (words.percent(0.0312), "3.1 %"),
        (words.percent(0.667), "67 %"),
        (words.plural(1, "trial"), "1 trial"),
        (words.plural(2000, "trial"), "2,000 trials"),
        (words.join(["a", "b", "c"]), "a, b and c"),
        (words.join([]), ""),
        (words.duration(3.14), "3.1 s"),
        (words.duration(59.7), "60 s"),
        (words.duration(60), "1 min"),
        (words.duration(3599.9), "1 h"),
        (words.duration(7380), "2 h 3 min"),
        (words.duration(None), "–"),
        (words.value(True), "yes"),
        (words.value(1.5e-5), "1.5e−05"),
        (words.metric_label("auc"), "ROC AUC"),
        (words.metric_label("my_score"), "my score"),
        (words.model_label("random_forest"), "Random forest"),
    ],
)
def test_words(made, wanted):
    assert made == wanted
