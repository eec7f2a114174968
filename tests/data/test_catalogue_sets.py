"""Every data set of the catalogue that has a reader opens as a study's data, as big as it says."""

from __future__ import annotations

import os
from pathlib import Path

import numpy as np
import pytest

from geno_hpo.config import CatalogueData
from geno_hpo.data.catalogue import MIRROR, Entry, entries, entry
from geno_hpo.data.dataset import Dataset, Task
from geno_hpo.data.populations import read_kg1_aisnp
from geno_hpo.data.published_parts import read_chromatin_sim4, read_tfbs_chipseq
from geno_hpo.data.source import open_dataset
from geno_hpo.errors import DataError, InputError
from geno_hpo.splits import make_split

real = pytest.mark.skipif(
    not os.environ.get(MIRROR), reason=f"{MIRROR} names no folder with the real data"
)
SHAPES = {
    "katg_simulated": (1800, 2223),
    "drugs_simulated": (1500, 4320),
    "motif_simulated": (2000, 50),
    "chromatin_simulated": (3000, 300),
    "trait_simulated": (1000, 2000),
    "ancestry_simulated": (1000, 300),
    "tb_wdnn": (3564, 4223),
    "wheat599": (599, 1279),
    "primer": (2000, 50),
    "kg1_phase1": (1092, 14079),
    "kg1_aisnp": (2504, 55),
    "chromatin_sim4": (2000, 200),
    "tfbs_chipseq": (20544, 101),
}


def opened(name: str, target: tuple[str, ...] | str, task: Task, **options: str | int) -> Dataset:
    return open_dataset(
        CatalogueData(catalogue=name, options=dict(options)), target=target, task=task
    )


def test_every_reader_has_an_example_and_a_shape() -> None:
    with_reader = [each for each in entries() if each.reader]
    assert {each.name for each in with_reader} == set(SHAPES)
    for each in with_reader:
        assert each.target
        assert each.task in ("binary", "multiclass", "multilabel", "regression")


@pytest.mark.parametrize(
    "found",
    [
        pytest.param(each, id=each.name, marks=[real] if each.files else [])
        for each in entries()
        if each.reader
    ],
)
def test_each_opens_as_it_says(found: Entry) -> None:
    dataset = opened(found.name, found.target, found.task)  # type: ignore[arg-type]
    assert dataset.codes.shape == SHAPES[found.name]
    assert dataset.origin.licence == found.licence
    assert (dataset.truth is not None) == (found.simulated and found.name != "chromatin_sim4")
    assert dataset.origin.simulated == found.simulated
    assert len(set(dataset.axis)) == dataset.features
    make_split(dataset)


@real
def test_populations_of_phase_1() -> None:
    dataset = opened("kg1_phase1", "population", "multiclass")
    assert len(dataset.target.classes) == 14
    assert set(dataset.groups) == {"superpopulation", "platform"}
    assert set(dataset.groups["superpopulation"]) == {"AFR", "AMR", "ASN", "EUR"}
    assert dataset.codes.max() == 2
    # Frequencies of thinned common SNPs: PLINK's first allele is the rarer one nearly always.
    assert 0.05 < dataset.codes[dataset.codes >= 0].mean() / 2 < 0.5
    continents = opened("kg1_phase1", "superpopulation", "multiclass")
    assert len(continents.target.classes) == 4
    assert np.array_equal(continents.codes, dataset.codes)


@real
@pytest.mark.parametrize(
    ("target", "task", "panel", "classes", "features"),
    [
        ("population", "multiclass", "kidd", 26, 55),
        ("superpopulation", "multiclass", "seldin", 5, 127),
        ("sex", "binary", "kidd", 2, 55),
    ],
)
def test_ancestry_panels(target: str, task: Task, panel: str, classes: int, features: int) -> None:
    dataset = opened("kg1_aisnp", target, task, panel=panel)
    assert len(dataset.target.classes) == classes
    assert dataset.codes.shape == (2504, features)
    assert target not in dataset.groups


@real
def test_wheat_has_its_published_folds() -> None:
    dataset = opened("wheat599", "e1", "regression")
    folds = dataset.groups["published_fold"]
    assert folds[:5].tolist() == ["fold06", "fold08", "fold03", "fold07", "fold07"]
    assert len(set(folds)) == 10
    split = make_split(dataset, kind="grouped", group="published_fold")
    assert not set(folds[split.test]) & set(folds[split.development])


@real
def test_published_parts_stay_known() -> None:
    dataset = opened("tfbs_chipseq", "bound", "binary")
    part = dataset.groups["published_part"]
    assert [(part == each).sum() for each in ("test", "valid")] == [19544, 1000]
    assert dataset.target.values.sum() == 9823 + 500
    assert dataset.ids[0] == "chr12:82386381-82386481"
    assert dataset.target.values[0] == 1
    split = make_split(dataset, kind="grouped", group="chromosome")
    chromosome = dataset.groups["chromosome"]
    assert not set(chromosome[split.test]) & set(chromosome[split.development])


@real
@pytest.mark.slow
def test_all_eighteen_loci_are_read() -> None:
    loci = [file.name.removesuffix(".fasta") for file in entry("tb_loci").files]
    loci.remove("target_loci.csv")
    dataset = open_dataset(
        CatalogueData(catalogue="tb_wdnn", loci=tuple(loci)),
        target=("inh", "rif"),
        task="multilabel",
    )
    assert len(loci) == 18
    assert len(dataset.loci) == 19  # fabG1-inhA is read as two genes
    assert len(set(dataset.groups["haplotype"])) > len(set(dataset.groups["haplotype_katG"]))


def test_two_letters_become_dosages(tmp_path: Path) -> None:
    path = tmp_path / "kidd.1kG.csv"
    head = "sample,rs1,rs2,population,superpopulation,gender\n"
    path.write_text(head + "a,AG,TT,GBR,EUR,male\nb,GG,TC,YRI,AFR,female\nc,AA,CC,GBR,EUR,male\n")
    dataset = read_kg1_aisnp(tmp_path, panel="kidd", target=("population",), task="multiclass")
    assert dataset.axis == ("rs1_G", "rs2_T")
    assert dataset.codes.tolist() == [[1, 2], [2, 1], [0, 0]]
    assert dataset.target.classes == ("GBR", "YRI")
    sex = read_kg1_aisnp(tmp_path, panel="kidd", target=("sex",), task="binary")
    assert sex.target.values[:, 0].tolist() == [1, 0, 1]
    path.write_text(head + "a,AG,T,GBR,EUR,male\n")
    with pytest.raises(DataError, match=r"SNP rs2 of .* two alleles of A C G T, got none, T"):
        read_kg1_aisnp(tmp_path, panel="kidd", target=("population",), task="multiclass")
    with pytest.raises(InputError, match="panels of kg1_aisnp are kidd, seldin, got 'all'"):
        read_kg1_aisnp(tmp_path, panel="all", target=("population",), task="multiclass")


@pytest.mark.parametrize("row", ["4\tACGT", "1 ACGT", "1\t"])
def test_a_bad_row_of_chromatin_is_told(tmp_path: Path, row: str) -> None:
    (tmp_path / "pwm_seq_200bp_valid_set.txt").write_text(f"0\tACGT\n{row}\n")
    with pytest.raises(DataError, match=r"a row is a class .*valid_set.txt:2\)"):
        read_chromatin_sim4(tmp_path)


@pytest.mark.parametrize(
    ("target", "message"),
    [
        ("1 0\n", r"one row of 0 and 1 for each of 2"),
        ("0 1\n1 0\n", "where the name says shuffled"),
    ],
)
def test_targets_that_do_not_fit_their_sequences(tmp_path: Path, target: str, message: str) -> None:
    for part in ("test", "valid"):
        (tmp_path / f"{part}.fa").write_text(f">{part}1\nACGT\n>{part}1_shuf\nTGCA\n")
        (tmp_path / f"{part}.target").write_text(target)
    with pytest.raises(DataError, match=message):
        read_tfbs_chipseq(tmp_path)
