"""Kinds of splits beside plain cross-validation: files, groups found, hold-outs, nested folds."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from geno_hpo.config import SplitConfig
from geno_hpo.data.dataset import Dataset
from geno_hpo.errors import InputError
from geno_hpo.splits import (
    Split,
    find_groups,
    make_split,
    outer_splits,
    read_split,
    split_for,
    write_split,
)
from geno_hpo.splits.related import relationship
from tests.test_splits import dataset, example


def grouped(n: int = 200, groups: int = 8, seed: int = 0) -> Dataset:
    rng = np.random.default_rng(seed)
    names = np.array([f"chr{i}" for i in np.arange(n) % groups + 1])
    return dataset("binary", rng.random(n) < 0.4, {"chromosome": names, "set": names})


def test_repeats_share_the_test_set_and_divide_the_rest_anew() -> None:
    split = make_split(example("binary"), folds=4, repeats=3, seed=2)
    once = make_split(example("binary"), folds=4, seed=2)
    np.testing.assert_array_equal(split.test, once.test)
    assert [len(r) for r in split.rounds] == [4, 4, 4]
    for fold, same in zip(split.folds[:4], once.folds, strict=True):
        np.testing.assert_array_equal(fold.valid, same.valid)
    for numbers in split.rounds:
        parts = np.concatenate([split.folds[i].valid for i in numbers])
        np.testing.assert_array_equal(np.sort(parts), split.development)
    assert not np.array_equal(split.folds[0].valid, split.folds[4].valid)


def test_repeated_grouped_folds_differ_and_cut_no_group() -> None:
    split = make_split(grouped(groups=20), kind="grouped", group="chromosome", folds=3, repeats=3)
    valid = [tuple(fold.valid) for fold in split.folds]
    assert len(set(valid)) > 3  # Split itself refuses a cut group
    assert split.groups is not None


@pytest.mark.parametrize("group", [None, "chromosome"])
def test_a_holdout_has_one_validation_part(group: str | None) -> None:
    split = make_split(grouped(groups=10), kind="holdout", group=group, valid=0.25, test=0.2)
    assert len(split.folds) == 1
    assert abs(len(split.folds[0].valid) - 40) <= (20 if group else 1)
    parts = split.parts(200)
    assert [int((parts == part).sum()) for part in (-1, 0)] == [
        len(split.test),
        len(split.folds[0].valid),
    ]
    assert (parts == -2).sum() == len(split.folds[0].train)


def test_named_chromosomes_are_held_out() -> None:
    data = grouped()
    names = data.groups["chromosome"]
    split = make_split(
        data,
        kind="holdout",
        group="chromosome",
        test_groups=("chr7", "chr8"),
        valid_groups=("chr3",),
    )
    assert set(names[split.test]) == {"chr7", "chr8"}
    assert set(names[split.folds[0].valid]) == {"chr3"}


def test_leave_one_group_out_makes_each_group_a_fold() -> None:
    data = grouped()
    names = data.groups["chromosome"]
    split = make_split(data, kind="leave_one_group_out", group="chromosome", test_groups=("chr2",))
    assert [sorted(set(names[fold.valid])) for fold in split.folds] == [
        [f"chr{i}"] for i in (1, 3, 4, 5, 6, 7, 8)
    ]
    drawn = make_split(data, kind="leave_one_group_out", group="chromosome", test=0.25)
    assert len(drawn.test) == 50


def published(labels: list[str]) -> Dataset:
    rng = np.random.default_rng(1)
    names = np.array(labels * 30)
    return dataset("regression", rng.normal(size=len(names)), {"part": names})


@pytest.mark.parametrize(
    ("labels", "sealed", "folds"),
    [
        (["1", "2", "10", "test"], {"test"}, [["1"], ["2"], ["10"]]),
        (["train", "train", "valid", "test"], {"test"}, [["valid"]]),
        (["train", "a", "b", "test"], {"test"}, [["a"], ["b"]]),
    ],
)
def test_published_parts_are_kept(
    labels: list[str], sealed: set[str], folds: list[list[str]]
) -> None:
    data = published(labels)
    names = data.groups["part"]
    split = make_split(data, kind="published", group="part")
    assert set(names[split.test]) == sealed
    assert [sorted(set(names[fold.valid])) for fold in split.folds] == folds
    assert len(split.development) + len(split.test) == data.samples


def test_published_folds_without_a_test_part_give_whole_folds_to_the_seal() -> None:
    data = published([str(i) for i in range(1, 11)])
    split = make_split(data, kind="published", group="part", test=0.2, seed=3)
    assert len(set(data.groups["part"][split.test])) == 2
    assert len(split.folds) == 8
    named = make_split(data, kind="published", group="part", test_groups=("10",))
    assert set(data.groups["part"][named.test]) == {"10"}


@pytest.mark.parametrize("kind", ["stratified", "random", "grouped", "holdout"])
def test_a_published_test_part_with_folds_of_another_kind(kind: str) -> None:
    rng = np.random.default_rng(2)
    parts = np.array(["train"] * 90 + ["test"] * 30)
    families = np.array([f"f{i // 3}" for i in range(120)])
    data = dataset("regression", rng.normal(size=120), {"part": parts, "family": families})
    group = "family" if kind == "grouped" else None
    split = make_split(data, kind=kind, folds=3, group=group, test_by="part", test_groups=("test",))
    assert set(parts[split.test]) == {"test"}
    assert len(split.test) == 30
    torn = data.groups | {"family": np.array([f"f{i % 7}" for i in range(120)])}
    if kind == "grouped":
        other = dataset("regression", rng.normal(size=120), torn)
        with pytest.raises(InputError, match=r"7 of them have samples inside and outside .* 'f0'"):
            make_split(
                other, kind=kind, folds=3, group=group, test_by="part", test_groups=("test",)
            )


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"test_by": "sets", "test_groups": ("a",)}, "test_by names group 'sets'; data set .* has"),
        ({"kind": "holdout", "valid": 0.7}, r"validation share must lie in \(0, 0.5\], got 0.7"),
        ({"kind": "published", "repeats": 2, "group": "set"}, "can be repeated, got 2 of publ"),
        ({"test_groups": ("chr1",)}, "test_groups chr1 need a group"),
        ({"kind": "holdout", "valid_groups": ("x",)}, "valid_groups x need a group"),
        (
            {"kind": "grouped", "group": "set", "test_groups": ("chr99",)},
            "test_groups names chr99, which no sample belongs to",
        ),
        (
            {"kind": "leave_one_group_out", "group": "id"},
            "at most 50, got 150: take kind grouped",
        ),
        ({"kind": "leave_one_group_out", "group": "one"}, "need 3 groups, there are 1: a"),
    ],
)
def test_what_cannot_be_made_is_told(options: dict, message: str) -> None:
    data = grouped()
    extra = {
        "id": np.array([f"i{max(i - 12, 0)}" for i in range(200)]),
        "one": np.array(["a"] * 200),
    }
    data.groups.update(extra)
    if options.get("group") == "id":
        options = options | {"test_groups": tuple(f"i{i}" for i in range(38))}
    with pytest.raises(InputError, match=message):
        make_split(data, **options)


def test_a_cut_group_cannot_exist() -> None:
    whole = make_split(grouped(), kind="grouped", group="chromosome", folds=3)
    with pytest.raises(InputError, match="test set must not share groups with the rest, shares"):
        Split(whole.development, whole.test, whole.folds, 1, np.array(["a", "b"] * 100))


@settings(deadline=None, max_examples=25)
@given(
    kind=st.sampled_from(
        ["stratified", "grouped", "random", "leave_one_group_out", "holdout", "file"]
    ),
    repeats=st.integers(1, 3),
    seed=st.integers(0, 50),
)
def test_every_split_is_disjoint_stable_and_read_back(
    tmp_path_factory: pytest.TempPathFactory, kind: str, repeats: int, seed: int
) -> None:
    data = grouped(120, 12, seed)
    folder = tmp_path_factory.mktemp("split")
    options = {"seed": seed, "test": 0.25, "kind": "random" if kind == "file" else kind}
    if kind in ("grouped", "leave_one_group_out"):
        options["group"] = "chromosome"
    if kind in ("stratified", "grouped", "random", "holdout"):
        options["repeats"] = repeats
    split, again = make_split(data, **options), make_split(data, **options)
    assert split.fingerprint == again.fingerprint
    for fold in split.folds:
        three = np.concatenate([split.test, fold.train, fold.valid])
        np.testing.assert_array_equal(np.sort(three), np.arange(120))
        if split.groups is not None:
            assert not set(split.groups[fold.train]) & set(split.groups[fold.valid])
    split.save(folder / "split.npz")
    assert Split.load(folder / "split.npz").fingerprint == split.fingerprint
    write_split(folder / "split.csv", split, data.ids)
    back = read_split(folder / "split.csv", data, seed)
    assert back.fingerprint == split.fingerprint
    assert (back.groups is None) == (split.groups is None)


def table(tmp_path: Path, rows: list[str], head: str = "id,part") -> Path:
    path = tmp_path / "split.csv"
    path.write_text("\n".join([head, *rows]) + "\n")
    return path


def test_a_split_file_may_name_its_folds_and_stand_in_any_order(tmp_path: Path) -> None:
    data = grouped(60)
    rows = [f"{i},{['test', 'train', 'outer b', 'a'][i % 4]}" for i in reversed(range(60))]
    config = SplitConfig.model_validate({"file": "split.csv"})
    table(tmp_path, rows)
    split = split_for(data, config, seed=4, root=tmp_path)
    np.testing.assert_array_equal(split.test, np.arange(0, 60, 4))
    np.testing.assert_array_equal(split.folds[0].valid, np.arange(3, 60, 4))
    np.testing.assert_array_equal(split.folds[1].valid, np.arange(2, 60, 4))
    assert (split.parts(60) == -2).sum() == 15


GOOD = [f"{i},{['test', '1', '2'][i % 3]}" for i in range(60)]


@pytest.mark.parametrize(
    ("rows", "head", "message"),
    [
        (GOOD[2:], "id,part", r"2 samples of the data are missing \(0, 1\)"),
        ([*GOOD, "s7,1", "s8,1"], "id,part", r"2 ids are not in the data .*\(s7, s8\)"),
        ([*GOOD, "3,1"], "id,part", r"1 ids are given twice \(3\)"),
        ([*GOOD[6:], "x,1"], "id,part", r"6 samples .*\(0, 1, 2, 3, 4 …\); 1 ids are not"),
        ([f"{i},1" for i in range(60)], "id,part", "part names no test samples"),
        ([f"{i},test" for i in range(60)], "id,part", "part names no validation folds"),
        ([*GOOD[1:], "0,"], "id,part", "1 samples have no part"),
        (
            [f"{row},{row.split(',')[1] if i else '1'}" for i, row in enumerate(GOOD)],
            "id,part,repeat_2",
            "repeat_2 must hold the test samples that part holds",
        ),
        ([f"{row},g" for row in GOOD], "id,part,group", "test set must not share groups"),
        (GOOD, "id,fold", "split column 'part' is not in"),
    ],
)
def test_a_wrong_split_file_is_told(
    tmp_path: Path, rows: list[str], head: str, message: str
) -> None:
    from geno_hpo.errors import GenoHpoError

    with pytest.raises(GenoHpoError, match=message):
        read_split(table(tmp_path, rows, head), grouped(60), 1)


@pytest.mark.parametrize(("kind", "group"), [("stratified", None), ("grouped", "chromosome")])
def test_outer_folds_test_every_sample_once(kind: str, group: str | None) -> None:
    data = grouped(200, 20)
    splits = outer_splits(data, outer=4, folds=3, kind=kind, group=group, seed=5)
    tests = np.concatenate([split.test for split in splits])
    np.testing.assert_array_equal(np.sort(tests), np.arange(200))
    for split in splits:
        assert len(split.folds) == 3
        assert len(split.rounds) == 1
    with pytest.raises(InputError, match="at least 2 outer folds, got 1"):
        outer_splits(data, outer=1)
    with pytest.raises(InputError, match="stratified, grouped or random, got 'holdout'"):
        outer_splits(data, kind="holdout")


def clones(kind: str, seed: int = 0) -> tuple[np.ndarray, np.ndarray]:
    """Thirty families of four near-identical samples, with missing calls."""
    rng = np.random.default_rng(seed)
    top = 2 if kind == "variants" else 4
    family = np.repeat(np.arange(30), 4)
    codes = rng.integers(0, top + 1, (30, 900))[family].astype(np.int8)
    lot = rng.permutation(120)
    codes, family = codes[lot], family[lot]
    codes[:, :100] = 1
    codes[np.arange(120), 100 + rng.integers(0, 800, 120)] = rng.integers(0, top, 120)
    codes[rng.random(codes.shape) < 0.03] = -1
    return codes, family


@pytest.mark.parametrize("kind", ["variants", "sequence"])
def test_clones_are_found_in_spite_of_missing_calls(
    kind: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    codes, family = clones(kind)
    monkeypatch.setattr("geno_hpo.splits.related.ROWS", 50)
    monkeypatch.setattr("geno_hpo.splits.related.SITES", 128)
    found = find_groups(codes, kind, by="clones", threshold=0.01)
    for name in np.unique(found):
        assert len(set(family[found == name])) == 1
    assert len(np.unique(found)) == 30
    exact = find_groups(codes, kind, by="clones", threshold=0.0)
    assert len(np.unique(exact)) > 60


def test_the_share_of_differing_sites_is_counted_over_sites_called_in_both() -> None:
    codes = np.array([[0, 0, 0, 0, 2], [0, 0, 1, -1, 2], [2, 2, 2, 2, 0]], np.int8)
    for threshold, groups in ((0.25, 2), (0.24, 3)):
        found = find_groups(codes, "variants", by="clones", threshold=threshold)
        assert len(np.unique(found)) == groups


def test_kinship_joins_full_siblings_alone() -> None:
    rng = np.random.default_rng(2)
    frequency = rng.uniform(0.1, 0.9, 3000)
    parents = rng.random((40, 2, 2, 3000)) < frequency
    pick = rng.integers(0, 2, (40, 3, 2, 3000))
    children = np.stack(
        [
            sum(np.take_along_axis(parents[:, p], pick[:, c, p][:, None], 1)[:, 0] for p in (0, 1))
            for c in range(3)
        ],
        axis=1,
    )
    codes = children.reshape(120, 3000).astype(np.int8)
    found = find_groups(codes, "variants", by="kinship")
    assert [int((found == name).sum()) for name in np.unique(found)] == [3] * 40
    matrix = relationship(codes, "variants")
    z = (codes - codes.mean(axis=0)) / codes.std(axis=0)
    np.testing.assert_allclose(matrix, z @ z.T / 3000, atol=1e-4)
    with pytest.raises(InputError, match="kinship need variants"):
        find_groups(codes, "sequence", by="kinship")


def test_clusters_are_the_populations() -> None:
    rng = np.random.default_rng(3)
    population = rng.integers(0, 5, 150)
    frequency = rng.uniform(0.05, 0.95, (5, 600))
    codes = rng.binomial(2, frequency[population]).astype(np.int8)
    for kind in ("variants", "sequence"):
        found = find_groups(codes, kind, by="clusters", count=5)
        assert {len(set(population[found == name])) for name in np.unique(found)} == {1}
        np.testing.assert_array_equal(found, find_groups(codes, kind, by="clusters", count=5))
    with pytest.raises(InputError, match=r"2 to 150 \(the samples\), got 500"):
        find_groups(codes, "variants", by="clusters", count=500)


def test_groups_found_are_kept_together_and_told() -> None:
    codes, family = clones("sequence")
    data = dataset("binary", family % 2)
    object.__setattr__(data, "codes", codes)
    config = SplitConfig.model_validate({"groups": {"by": "clones", "threshold": 0.01}})
    assert config.kind == "grouped"
    split = split_for(data, config, seed=1, root=Path())
    assert not set(family[split.test]) & set(family[split.development])
    assert split.note == "split: 30 groups found by clones among 120 samples, the largest of 4"
