"""Each leak planted and caught; a clean data set passes."""

from __future__ import annotations

import os
import tracemalloc
from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pytest
from numpy.typing import NDArray

from geno_hpo.audit import Audit, Finding, alike, audit, columns
from geno_hpo.audit.identical import distinct_rows
from geno_hpo.audit.view import View
from geno_hpo.config import CatalogueData
from geno_hpo.data import mapped
from geno_hpo.data.catalogue import MIRROR
from geno_hpo.data.dataset import Dataset, Locus, Origin, Target, Task
from geno_hpo.data.source import open_dataset
from geno_hpo.splits import Split, make_split
from geno_hpo.splits.related import find_groups

SAMPLES, COLUMNS = 300, 1200
Change = dict[str, object]


def cohort(
    codes: NDArray[np.int8] | None = None,
    labels: NDArray[np.float32] | None = None,
    *,
    kind: str = "variants",
    task: Task = "binary",
    **more: object,
) -> Dataset:
    """Unrelated diploid samples whose label has nothing to do with anything."""
    rng = np.random.default_rng(1)
    if codes is None:
        codes = rng.binomial(2, rng.uniform(0.2, 0.8, COLUMNS), (SAMPLES, COLUMNS)).astype(np.int8)
    if labels is None:
        labels = (np.random.default_rng(2).random(len(codes)) < 0.4).astype(np.float32)
    return Dataset(
        name="cohort",
        kind=kind,  # type: ignore[arg-type]
        ids=tuple(f"s{row}" for row in range(len(codes))),
        codes=codes,
        axis=tuple(f"rs{column}" for column in range(codes.shape[1])),
        target=Target(
            task=task,
            values=labels[:, None],
            names=("ill",),
            classes=("no", "yes") if task == "binary" else (),
        ),
        origin=Origin(source="test"),
        **more,  # type: ignore[arg-type]
    )


def found(dataset: Dataset, check: str, split: Split | None = None) -> Finding:
    findings = audit(dataset, split or make_split(dataset)).findings
    (one,) = [each for each in findings if each.check == check]
    return one


@pytest.mark.parametrize("task", ["binary", "regression"])
@pytest.mark.parametrize("kind", ["variants", "sequence"])
def test_a_clean_data_set_passes(kind: str, task: Task) -> None:
    rng = np.random.default_rng(4)
    labels = rng.normal(size=SAMPLES).astype(np.float32) if task == "regression" else None
    dataset = cohort(labels=labels, kind=kind, task=task)
    told = audit(dataset, make_split(dataset))
    assert told.findings == ()
    assert told.sampled == ()
    assert told.paragraph() == ""


def test_identical_samples_across_parts() -> None:
    dataset = cohort()
    split = make_split(dataset)
    codes = dataset.codes.copy()
    codes[split.test[:10]] = codes[split.development[:10]]
    a, b = split.folds[0].valid[20], split.folds[1].valid[20]
    codes[a] = codes[b]
    one = found(replace(dataset, codes=codes), "identical samples", split)
    assert one.severity == "serious"
    assert "10 of 60 test samples are identical to a training sample, and 2 of 240" in one.what
    assert "(289 distinct rows in 300 samples)" in one.what
    assert f"s{split.test[0]} (test) = s{split.development[0]} (fold" in one.examples[0]
    assert "split: {group: COLUMN}" in one.advice


def test_copies_in_one_part_are_no_leak() -> None:
    dataset = cohort()
    split = make_split(dataset)
    codes = dataset.codes.copy()
    codes[split.test[1]] = codes[split.test[0]]
    told = audit(replace(dataset, codes=codes), split)
    assert [each.check for each in told.findings] == []


def test_the_group_that_keeps_copies_together_is_offered_and_works() -> None:
    codes = np.repeat(cohort().codes[:100], 3, axis=0)
    clone = np.repeat([f"c{number}" for number in range(100)], 3)
    half = np.array([f"h{row % 7}" for row in range(300)])
    dataset = cohort(codes, groups={"clone": clone, "half": half})
    one = found(dataset, "identical samples")
    assert "`split: {group: clone}` (100% of the pairs, 100 groups)" in one.advice
    split = make_split(dataset, kind="grouped", group="clone")
    checks = {each.check for each in audit(dataset, split).findings}
    assert not checks & {"identical samples", "near-identical samples", "relatives"}


def test_where_no_column_tells_clones_they_can_be_found() -> None:
    dataset = cohort(np.repeat(cohort().codes[:100], 3, axis=0))
    one = found(dataset, "identical samples")
    assert "`split: {groups: {by: clones}}` finds them" in one.advice
    names = find_groups(dataset.codes, "variants", by="clones")
    split = make_split(replace(dataset, groups={"clone": names}), kind="grouped", group="clone")
    checks = {each.check for each in audit(dataset, split).findings}
    assert not checks & {"identical samples", "near-identical samples", "relatives"}


def test_equal_rows_of_few_columns_are_to_be_expected() -> None:
    rng = np.random.default_rng(3)
    one = found(cohort(rng.integers(0, 3, (300, 3)).astype(np.int8)), "identical samples")
    assert one.severity == "note"


@pytest.mark.parametrize(("changed", "caught"), [(12, True), (600, False)])
@pytest.mark.parametrize("missing", [False, True])
def test_near_identical_samples(changed: int, caught: bool, missing: bool) -> None:
    dataset = cohort()
    split = make_split(dataset)
    codes = dataset.codes.copy()
    codes[split.test[:5]] = codes[split.development[:5]]
    rng = np.random.default_rng(7)
    for sample in split.test[:5]:
        columns = rng.choice(COLUMNS, changed, replace=False)
        codes[sample, columns] = (codes[sample, columns] + 1) % 3
    if missing:
        codes[split.test[:5], 100:200] = -1
    told = audit(replace(dataset, codes=codes), split)
    near = [each for each in told.findings if each.check == "near-identical samples"]
    assert len(near) == caught
    if caught:
        assert "5 test samples are nearly identical to a training sample" in near[0].what
        assert near[0].severity == "serious"
        assert any(f"s{split.test[0]} (test)" in pair for pair in near[0].examples)


def test_parents_and_children() -> None:
    dataset = cohort()
    split = make_split(dataset)
    codes = dataset.codes.copy()
    rng = np.random.default_rng(9)
    for child, parent in zip(split.test[:4], split.development[:4], strict=True):
        other = split.development[100 + child % 50]
        codes[child] = rng.binomial(1, codes[parent] / 2) + rng.binomial(1, codes[other] / 2)
    one = found(replace(dataset, codes=codes), "relatives", split)
    assert one.severity == "serious"
    assert "4 test samples have a first-degree relative" in one.what


def test_relatives_are_found_on_some_of_many_columns(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(alike, "_CANDIDATES", 900)
    dataset = cohort()
    split = make_split(dataset)
    codes = dataset.codes.copy()
    codes[split.test[:3]] = codes[split.development[:3]]
    codes[split.test[:3], ::100] = (codes[split.test[:3], ::100] + 1) % 3
    told = audit(replace(dataset, codes=codes), split)
    (one,) = [each for each in told.findings if each.check == "relatives"]
    assert "3 test samples have a first-degree relative" in one.what
    assert "relatives: 900 of 1,200 columns that vary" in told.sampled


def test_haplotypes_of_several_loci() -> None:
    rng = np.random.default_rng(5)
    few = rng.integers(0, 4, (6, 100)).astype(np.int8)
    codes = np.concatenate(
        [few[rng.integers(0, 6, SAMPLES)], rng.integers(0, 4, (SAMPLES, 100)).astype(np.int8)],
        axis=1,
    )
    loci = (Locus("katG", 0, 100), Locus("inhA", 100, 200))
    groups = {"haplotype_katG": np.array([f"H{row[:100].sum()}" for row in codes])}
    one = found(cohort(codes, kind="sequence", loci=loci, groups=groups), "shared haplotypes")
    assert one.count == 60
    assert one.examples == (
        "katG: 60 of 60 test samples (6 distinct haplotypes in 300 samples)",
        "inhA: 0 of 60 test samples (300 distinct haplotypes in 300 samples)",
    )
    assert one.advice.endswith("`split: {group: haplotype_katG, folds: 3}`")


@pytest.mark.parametrize(("tells", "severity"), [(True, "warning"), (False, "note")])
def test_cut_groups(tells: bool, severity: str) -> None:
    rng = np.random.default_rng(6)
    family = np.array([f"f{number}" for number in rng.integers(0, 30, SAMPLES)])
    labels = (rng.random(SAMPLES) < 0.5).astype(np.float32)
    if tells:
        labels = np.isin(family, [f"f{number}" for number in range(15)]).astype(np.float32)
    one = found(cohort(labels=labels, groups={"family": family}), "cut groups")
    assert one.severity == severity
    assert f"family: {one.count} of 30 groups" in one.examples[0]
    assert "split: {group: family}" in one.advice


def test_a_group_of_all_samples_is_not_told() -> None:
    dataset = cohort(groups={"sex": np.repeat("unknown", SAMPLES)})
    told = audit(dataset, make_split(dataset)).findings
    assert "cut groups" not in {each.check for each in told}


def test_groups_kept_whole_are_not_told() -> None:
    family = np.array([f"f{row % 30}" for row in range(SAMPLES)])
    dataset = cohort(groups={"family": family})
    split = make_split(dataset, kind="grouped", group="family")
    assert not [each for each in audit(dataset, split).findings if each.check == "cut groups"]


@pytest.mark.parametrize("task", ["binary", "regression"])
def test_a_column_that_copies_the_label(task: Task) -> None:
    dataset = cohort()
    codes = dataset.codes.copy()
    labels = dataset.target.values[:, 0] if task == "binary" else codes[:, 700].astype(np.float32)
    codes[:, 700] = labels
    one = found(cohort(codes, labels, task=task), "deciding columns")
    assert (one.severity, one.count) == ("serious", 1)
    assert one.examples == ("rs700 → ill (1.000)",)


def test_the_sealed_labels_are_not_looked_at() -> None:
    dataset = cohort()
    split = make_split(dataset)
    codes = dataset.codes.copy()
    codes[split.test, 700] = dataset.target.values[split.test, 0]
    told = audit(replace(dataset, codes=codes), split)
    assert not [each for each in told.findings if each.check == "deciding columns"]


def test_constant_columns() -> None:
    codes = cohort().codes.copy()
    codes[:, [3, 8]] = 1
    codes[::7, 8] = -1
    one = found(cohort(codes), "constant columns")
    assert (one.severity, one.count, one.examples) == ("note", 2, ("rs3", "rs8"))


def test_labels_sorted_by_class() -> None:
    labels = np.repeat([0.0, 1.0], SAMPLES // 2).astype(np.float32)
    one = found(cohort(labels=labels), "row order")
    assert one.severity == "warning"
    assert "1 changes in 240 rows" in one.examples[0]


def test_batches_along_a_trait() -> None:
    rng = np.random.default_rng(8)
    labels = (np.repeat(rng.normal(size=10), 30) + rng.normal(size=SAMPLES)).astype(np.float32)
    assert (
        "neighbours correlate by"
        in found(cohort(labels=labels, task="regression"), "row order").what
    )


def test_missing_calls_that_predict() -> None:
    dataset = cohort()
    codes = dataset.codes.copy()
    rng = np.random.default_rng(10)
    ill = dataset.target.values[:, 0] == 1
    codes[ill[:, None] & (rng.random(codes.shape) < 0.05)] = -1
    one = found(replace(dataset, codes=codes), "missing calls")
    assert one.severity == "serious"
    assert "ill: more missing calls go with it" in one.examples[0]


def test_one_column_missing_in_a_class() -> None:
    dataset = cohort()
    codes = dataset.codes.copy()
    codes[dataset.target.values[:, 0] == 1, 5] = -1
    told = audit(replace(dataset, codes=codes), make_split(dataset)).findings
    assert any("whether a call is missing tells a label in 1 columns" in each.what for each in told)


def test_missing_calls_by_chance_are_fine() -> None:
    codes = cohort().codes.copy()
    codes[np.random.default_rng(11).random(codes.shape) < 0.02] = -1
    dataset = cohort(codes)
    assert audit(dataset, make_split(dataset)).findings == ()


def test_contradicting_labels() -> None:
    codes = np.repeat(cohort().codes[:150], 2, axis=0)
    labels = np.tile([0.0, 1.0], 150).astype(np.float32)
    groups = {"pair": np.repeat([f"p{number}" for number in range(150)], 2)}
    dataset = cohort(codes, labels, groups=groups)
    split = make_split(dataset, kind="grouped", group="pair")
    one = found(dataset, "contradicting labels", split)
    assert (one.severity, one.count) == ("warning", 240)
    assert "ill: 240 samples in 120 sets, at best 50.0% right" in one.examples[0]


def test_few_members_of_a_class() -> None:
    labels = np.zeros(SAMPLES, np.float32)
    labels[:20] = 1
    rng = np.random.default_rng(12)
    one = found(cohort(labels=rng.permutation(labels)), "label counts")
    assert "ill yes: 4 in the test set" in one.examples[0]


def test_big_data_are_looked_at_in_part_and_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(alike, "OPERATIONS", 1e9)
    rng = np.random.default_rng(13)
    codes = rng.integers(0, 4, (1500, 1500)).astype(np.int8)
    dataset = cohort(codes, kind="sequence")
    split = make_split(dataset)
    codes[split.test[:100]] = codes[split.development[:100]]
    codes[split.test[:100], :8] = 3 - codes[split.test[:100], :8]
    told = audit(replace(dataset, codes=codes), split)
    assert told.sampled == (
        "near-identical samples: on 512 of 1,500 columns that vary",
        "near-identical samples: 325 of 1,500 distinct rows against all",
    )
    assert "100 test samples are nearly identical" in told.findings[0].what


def test_columns_vary_where_called_codes_differ(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(mapped, "_BLOCK", 8)
    codes = np.array([[-1, 0, -1, 2, 1], [-1, 0, 1, -1, 1], [-1, 0, 1, 0, 4]], np.int8)
    assert columns.varying_columns(codes).tolist() == [3, 4]


@pytest.mark.parametrize("check", ["rows", "varying", "calls", "deciding"])
def test_large_data_are_not_copied(monkeypatch: pytest.MonkeyPatch, check: str) -> None:
    monkeypatch.setattr(mapped, "_BLOCK", 2**16)
    monkeypatch.setattr(columns, "_BLOCK_CELLS", 2**14)
    codes = np.random.default_rng(17).integers(-1, 3, (4000, 2000)).astype(np.int8)
    dataset = cohort(codes)
    view = View(dataset, make_split(dataset))
    every = np.arange(codes.shape[1])
    act: dict[str, Callable[[], object]] = {
        "rows": lambda: distinct_rows(codes),
        "varying": lambda: columns.varying_columns(codes),
        "calls": lambda: list(columns.missing_calls(view)),
        "deciding": lambda: list(columns.deciding_columns(view, every, [])),
    }
    tracemalloc.start()
    act[check]()
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < codes.nbytes / 4


@pytest.mark.skipif(
    not os.environ.get(MIRROR), reason=f"{MIRROR} names no folder with the real data"
)
def test_real_isolates_share_their_haplotypes() -> None:
    config = CatalogueData(catalogue="tb_wdnn", loci=("katG",))
    dataset = open_dataset(config, target="inh", task="binary")
    one = found(dataset, "identical samples")
    assert one.severity == "serious"
    assert "647 of 713 test samples are identical" in one.what
    assert (
        "(366 distinct rows in 3,564 samples, 328 if gaps and unknown bases count as no difference)"
        in one.what
    )
    assert (
        "`split: {group: haplotype_katG, folds: 3}` (100% of the pairs, 366 groups)" in one.advice
    )
    kept = make_split(dataset, kind="grouped", group="haplotype_katG", folds=3)
    checks = {each.check for each in audit(dataset, kept).findings}
    assert not checks & {"identical samples", "cut groups"}


def test_the_same_seed_tells_the_same(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(alike, "OPERATIONS", 1e9)
    codes = np.random.default_rng(14).integers(0, 3, (1000, 800)).astype(np.int8)
    dataset = cohort(codes)
    split = make_split(dataset)
    assert audit(dataset, split, seed=3) == audit(dataset, split, seed=3)


def test_serious_findings_come_first_and_notes_stay_out_of_the_paragraph() -> None:
    told = Audit(
        (
            Finding("b", "note", "A note", 1),
            Finding("a", "warning", "Look here", 2, advice="Do this"),
            Finding("c", "serious", "A leak", 3, ("s1",)),
        )
    )
    assert [each.check for each in told.findings] == ["c", "a", "b"]
    assert told.paragraph() == "audit, 2 to look at: A leak; Look here"
    assert told.as_dict()["findings"][0]["examples"] == ["s1"]


@pytest.mark.parametrize(
    ("values", "message"),
    [
        (("a", "bad", "what", 1), "severity is one of"),
        (("a", "note", "what", 0), "at least one thing, got 0"),
    ],
)
def test_findings_are_valid(values: tuple[str, str, str, int], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        Finding(*values)  # type: ignore[arg-type]
