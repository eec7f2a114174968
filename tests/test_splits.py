from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from geno_hpo.data.dataset import Dataset, Origin, Target
from geno_hpo.errors import InputError
from geno_hpo.splits import Fold, Split, make_split


def dataset(task: str, values: np.ndarray, groups: dict[str, np.ndarray] | None = None) -> Dataset:
    values = np.asarray(values, np.float32)
    values = values[:, None] if values.ndim == 1 else values
    classes = {"binary": ("S", "R"), "multiclass": ("a", "b", "c")}.get(task, ())
    names = tuple(f"y{i}" for i in range(values.shape[1]))
    n = len(values)
    return Dataset(
        "toy",
        "sequence",
        tuple(map(str, range(n))),
        np.zeros((n, 3), np.int8),
        ("a", "b", "c"),
        Target(task, values, names, classes),  # type: ignore[arg-type]
        Origin("test"),
        groups or {},
    )


def example(task: str, n: int = 200, seed: int = 0) -> Dataset:
    rng = np.random.default_rng(seed)
    values = {
        "binary": rng.random(n) < 0.2,
        "multiclass": rng.choice(3, n, p=[0.6, 0.3, 0.1]),
        "multilabel": rng.random((n, 4)) < [0.5, 0.3, 0.15, 0.2],
        "regression": rng.exponential(size=(n, 2)),
    }[task].astype(np.float32)
    if values.ndim == 2:
        values[::9, 1] = np.nan
    lineage = rng.choice([f"L{i}" for i in range(12)], n)
    return dataset(task, values, {"lineage": lineage, "family": np.array(["f"] * n)})


TASKS = ["binary", "multiclass", "multilabel", "regression"]


@pytest.mark.parametrize("task", TASKS)
@pytest.mark.parametrize("kind", ["stratified", "grouped", "random"])
def test_parts_divide_the_samples_in_the_shares_asked_for(task: str, kind: str) -> None:
    data = example(task)
    group = "lineage" if kind == "grouped" else None
    split = make_split(data, kind=kind, folds=4, test=0.25, group=group, seed=3)
    parts = [split.test, *(fold.valid for fold in split.folds)]
    np.testing.assert_array_equal(np.sort(np.concatenate(parts)), np.arange(200))
    slack = 20 if kind == "grouped" else 1
    assert abs(len(split.test) - 50) <= slack
    assert all(abs(len(part) - 37.5) <= slack for part in parts[1:])


def test_stratified_parts_hold_every_class_in_its_share() -> None:
    for task in ("binary", "multiclass"):
        data = example(task)
        values = data.target.values[:, 0]
        split = make_split(data, folds=5, test=0.2)
        for label in np.unique(values):
            total = (values == label).sum()
            assert abs((values[split.test] == label).sum() - 0.2 * total) < 2
            held = [(values[fold.valid] == label).sum() for fold in split.folds]
            assert max(held) - min(held) <= 1


def test_stratified_folds_share_a_traits_range() -> None:
    data = example("regression")
    split = make_split(data, folds=5)
    trait = data.target.values[:, 0]
    medians = [np.median(trait[fold.valid]) for fold in split.folds]
    assert np.ptp(medians) < 0.5 * trait.std()


def test_multilabel_folds_share_the_labels_of_every_output() -> None:
    data = example("multilabel", n=300)
    values = data.target.values
    split = make_split(data, folds=5, test=0.2)
    for column in range(4):
        for label in (0, 1):
            total = (values[:, column] == label).sum()
            for part, share in [(split.test, 0.2), *((fold.valid, 0.16) for fold in split.folds)]:
                assert abs((values[part, column] == label).sum() - share * total) <= 4


@settings(deadline=None, max_examples=30)
@given(
    sizes=st.lists(st.integers(1, 40), min_size=6, max_size=30),
    folds=st.integers(2, 5),
    test=st.floats(0.05, 0.5),
    seed=st.integers(0, 99),
)
def test_groups_never_straddle(sizes: list[int], folds: int, test: float, seed: int) -> None:
    group = np.repeat([f"g{i}" for i in range(len(sizes))], sizes)
    trait = np.random.default_rng(seed).normal(size=len(group))
    data = dataset("regression", trait, {"family": group})
    if data.samples < 2 * (folds + 1):
        return
    split = make_split(data, kind="grouped", folds=folds, test=test, group="family", seed=seed)
    homes = [set(group[split.test]), *(set(group[fold.valid]) for fold in split.folds)]
    assert sum(map(len, homes)) == len(set(group))
    assert all(homes)


def test_grouped_folds_balance_classes_like_scikit_learn() -> None:
    from sklearn.model_selection import StratifiedGroupKFold

    rng = np.random.default_rng(5)
    group = np.sort(rng.choice([f"f{i:02}" for i in range(60)], 600))
    rate = dict(zip(np.unique(group), rng.beta(1, 2, 60), strict=True))
    label = (rng.random(600) < [rate[g] for g in group]).astype(np.float32)
    split = make_split(
        dataset("binary", label, {"family": group}), kind="grouped", group="family", folds=5
    )
    ours = [label[fold.valid].mean() for fold in split.folds]
    theirs = [
        label[split.development][valid].mean()
        for _, valid in StratifiedGroupKFold(5).split(
            split.development, label[split.development], group[split.development]
        )
    ]
    assert np.std(ours) < np.std(theirs) + 0.02


@pytest.mark.parametrize("task", TASKS)
@pytest.mark.parametrize("kind", ["stratified", "grouped", "random"])
def test_same_seed_same_split(task: str, kind: str) -> None:
    data, group = example(task), "lineage" if kind == "grouped" else None
    first, again, other = (
        make_split(data, kind=kind, folds=3, group=group, seed=seed) for seed in (1, 1, 2)
    )
    assert first.fingerprint == again.fingerprint
    # Groups are dealt by size: another seed only reorders groups of one size.
    assert kind == "grouped" or first.fingerprint != other.fingerprint
    assert len(first.fingerprint) == 16


def test_a_split_is_read_back_as_written(tmp_path: Path) -> None:
    split = make_split(example("binary"), seed=7)
    split.save(tmp_path / "deep" / "split.npz")
    again = Split.load(tmp_path / "deep" / "split.npz")
    assert (again.fingerprint, again.seed) == (split.fingerprint, 7)
    for fold, same in zip(split.folds, again.folds, strict=True):
        np.testing.assert_array_equal(fold.train, same.train)


def index(*values: int) -> np.ndarray:
    return np.array(values, np.intp)


@pytest.mark.parametrize(
    ("development", "test", "folds", "message"),
    [
        (index(0, 1), index(2), [], "at least 1 fold, got 0"),
        (
            index(0, 1),
            index(1),
            [(index(1), index(0)), (index(0), index(1))],
            "nor share samples with the rest",
        ),
        (
            index(0, 1),
            index(),
            [(index(1), index(0)), (index(0), index(1))],
            "must not be empty",
        ),
        (
            index(0, 1, 2),
            index(3),
            [(index(1, 2), index(0)), (index(0), index(1))],
            "fold 2: training and validation part must divide",
        ),
        (
            index(0, 1),
            index(2),
            [(index(0, 1), index(0)), (index(0), index(1))],
            "fold 1: training and validation part must divide",
        ),
    ],
)
def test_an_invalid_split_cannot_exist(
    development: np.ndarray,
    test: np.ndarray,
    folds: list[tuple[np.ndarray, np.ndarray]],
    message: str,
) -> None:
    with pytest.raises(InputError, match=message):
        Split(development, test, tuple(Fold(*fold) for fold in folds), 1)


def rare(n: int, members: int) -> Dataset:
    return dataset("binary", np.arange(n) < members)


@pytest.mark.parametrize(
    ("data", "options", "message"),
    [
        (rare(40, 10), {"kind": "stratifed"}, "one of stratified, grouped, .*, got 'stratifed'"),
        (rare(40, 10), {"folds": 1}, "at least 2 folds, got 1"),
        (rare(40, 10), {"test": 0.6}, r"must lie in \(0, 0.5\], got 0.6"),
        (rare(10, 5), {}, "need 12 samples, got 10"),
        (rare(40, 4), {}, r"class 'R' has \d outside the test set \(of 4\)"),
        (
            rare(40, 2),
            {"kind": "random"},
            "holds no sample of class 'R': take fewer folds, or a str",
        ),
        (rare(40, 10), {"group": "lineage"}, "'lineage' is for split kind 'grouped'"),
        (rare(40, 10), {"kind": "grouped"}, "names no group; data set 'toy' has: none"),
        (
            example("binary"),
            {"kind": "grouped", "group": "linage"},
            "names group 'linage'; data set 'toy' has: lineage, family",
        ),
        (
            example("binary"),
            {"kind": "grouped", "group": "family"},
            "5 folds and a test set need 6 groups, there are 1: f",
        ),
        (
            dataset("regression", np.arange(20), {"g": np.array([""] + ["x"] * 19)}),
            {"kind": "grouped", "group": "g"},
            "1 samples have no 'g'",
        ),
        (
            dataset(
                "binary", np.arange(60) < 10, {"g": np.repeat([f"g{i}" for i in range(6)], 10)}
            ),
            {"kind": "grouped", "group": "g"},
            "holds no sample of class 'R': take fewer folds, or a finer grouping",
        ),
        (
            dataset("multilabel", np.stack([np.arange(40) < 3, np.arange(40) % 2], axis=1)),
            {},
            "value 1 of 'y0' has",
        ),
    ],
)
def test_what_cannot_be_split_is_told(data: Dataset, options: dict, message: str) -> None:
    with pytest.raises(InputError, match=message):
        make_split(data, **options)
