from __future__ import annotations

import os
import zipfile
from pathlib import Path

import numpy as np
import pytest

from geno_hpo import encoding
from geno_hpo.config import CatalogueData
from geno_hpo.data import tb_wdnn
from geno_hpo.data.catalogue import MIRROR
from geno_hpo.data.dataset import Dataset, Origin
from geno_hpo.data.source import open_dataset
from geno_hpo.data.tb_regions import (
    drug_regions,
    known_regions,
    region_stretches,
    stretch_reference,
)
from geno_hpo.data.tb_wdnn import DRUGS, read_tb_wdnn
from geno_hpo.errors import DataError, GenoHpoError, InputError

real = pytest.mark.skipif(
    not os.environ.get(MIRROR), reason=f"{MIRROR} names no folder with the real data"
)
HEADER = ["", "SNP_P_2726189_A4T_promoter_ahpC", "INS_P_2726190_i3TT_promoter_ahpC", "katG_C_snp"]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Three isolates and a toy oxyR-ahpC locus: T everywhere but A at 2726189 (1-based)."""
    write_calls(
        tmp_path, [HEADER, ["0", "1.0", "0.0", "3"], ["1", "0", "1", "0"], ["2", "-1", "0"]]
    )
    rows = np.full((3, len(DRUGS)), -1.0)
    rows[:, 1] = [0, 1, -1]
    np.savetxt(tmp_path / "labels.csv", rows, delimiter=",")
    start, stop = 2725476, 2726779
    gene = ["T"] * (stop - start)
    gene[2726188 - start - 1] = "A"
    (tmp_path / "oxyR-ahpC.fasta").write_text(">H37Rv\nT-" + "".join(gene[1:]) + "\n")
    (tmp_path / "target_loci.csv").write_text(f"locus,start,end\noxyR-ahpC,{start},{stop}\n")
    return tmp_path


def write_calls(folder: Path, rows: list[list[str]], name: str = "x.csv") -> None:
    text = "\n".join(",".join(row + ["0"] * (len(rows[0]) - len(row))) for row in rows)
    with zipfile.ZipFile(folder / "X_features_with_names.zip", "w") as archive:
        archive.writestr(name, text)


def read(folder: Path, **asked: object) -> Dataset:
    return read_tb_wdnn(
        folder,
        folder,
        **{  # type: ignore[arg-type]
            "target": ("inh",),
            "task": "binary",
            "loci": ("oxyR-ahpC",),
            "origin": Origin(source="toy", licence="none stated"),
            **asked,
        },
    )


def test_isolates_become_sequences(folder: Path) -> None:
    dataset = read(folder)
    assert dataset.codes.shape == (3, 105 + 2)
    tail = [encoding.decode(row)[-6:] for row in dataset.codes]
    assert tail == ["T--TTT", "ATTTTT", "N--TTT"]
    assert dataset.axis[-6:] == (
        *("ahpC:-4", "ahpC:-4+1", "ahpC:-4+2", "ahpC:-3", "ahpC:-2", "ahpC:-1"),
    )
    (locus,) = dataset.loci
    assert (locus.name, locus.strand, locus.coding) == ("ahpC", "+", -1)
    assert locus.genome[-6:] == (2726188, -1, -1, 2726189, 2726190, 2726191)
    np.testing.assert_array_equal(dataset.target.values[:, 0], [1, 0, np.nan])
    assert dataset.target.classes == ("susceptible", "resistant")
    assert dataset.origin.notes == (
        "2 of 2 variants lie in the loci",
        "columns that sum up variants, not used: 1",
        "letters unknown because a variant was not called: 1",
        "inserted columns: 2",
        "target inh: 1 resistant, 1 susceptible, 1 not measured",
    )


@pytest.mark.parametrize(
    ("asked", "match"),
    [
        ({"target": ("inj",)}, r"no drug 'inj'; it has: inh, "),
        ({"target": ("inh", "rif")}, "binary task .one drug. .* got task binary with 2"),
        ({"task": "regression"}, "got task regression with 1"),
        ({"positive": "R"}, "positive class of tb_wdnn is 'resistant', got 'R'"),
        ({"loci": ("ahpC",)}, r"no locus 'ahpC'; there are: oxyR-ahpC"),
        ({"loci": ("oxyR-ahpC", "oxyR-ahpC")}, "'oxyR-ahpC' is given twice"),
    ],
)
def test_what_cannot_be_asked(folder: Path, asked: dict[str, object], match: str) -> None:
    with pytest.raises(InputError, match=match):
        read(folder, **asked)


def test_another_reference_is_refused(folder: Path) -> None:
    write_calls(folder, [["", "SNP_P_2726189_C4T_promoter_ahpC"], ["0", "1"], ["1"], ["2"]])
    with pytest.raises(
        DataError, match=r"names reference letters C .* 2726189, the reference has A"
    ):
        read(folder)


def test_bad_files(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write_calls(folder, [HEADER, ["0", "1"], ["1"], ["2"], ["3"]])
    with pytest.raises(DataError, match=r"4 isolates in the variant table, 3 in labels.csv"):
        read(folder)
    write_calls(folder, [HEADER, ["0", "2"], ["1"], ["2"]])
    with pytest.raises(DataError, match=r"a call is 1 .present., 0 .absent. or -1"):
        read(folder)
    write_calls(folder, [HEADER, ["0", "one"], ["1"], ["2"]])
    with pytest.raises(DataError, match=r"no zip of a variant table: .*one"):
        read(folder)
    write_calls(folder, [["", "SNP_P_17_A4T_promoter_x"], ["0", "1"]])
    with pytest.raises(DataError, match="no variant inside the loci wanted"):
        read(folder)
    monkeypatch.setattr(tb_wdnn, "_UNPACKED", 10)
    with pytest.raises(DataError, match=r"x.csv .* would unpack to \d+ bytes; at most 10 are read"):
        read(folder)
    write_calls(folder, [HEADER], name="readme.txt")
    with pytest.raises(DataError, match="should hold one CSV table, it holds 0"):
        read(folder)
    (folder / "X_features_with_names.zip").write_bytes(b"no zip")
    with pytest.raises(DataError, match="is no zip of a variant table"):
        read(folder)
    np.savetxt(folder / "labels.csv", np.full((3, len(DRUGS)), 2.0), delimiter=",")
    with pytest.raises(DataError, match=r"a label is 0 .resistant., 1 .susceptible. or -1"):
        read(folder)
    np.savetxt(folder / "labels.csv", np.zeros((3, 4)), delimiter=",")
    with pytest.raises(DataError, match="has 4 columns, one a drug makes 11"):
        read(folder)


def test_a_locus_that_is_not_its_interval(folder: Path) -> None:
    (folder / "oxyR-ahpC.fasta").write_text(">H37Rv\nACGT\n")
    with pytest.raises(DataError, match=r"has 4 bases, its interval 2725478-2726780 has 1303"):
        read(folder)


@pytest.fixture(scope="module")
def isoniazid() -> Dataset:
    return open_dataset(CatalogueData(catalogue="tb_wdnn"), target="inh", task="binary")


@real
def test_the_isoniazid_loci(isoniazid: Dataset) -> None:
    assert isoniazid.codes.shape == (3564, 4223)
    assert [locus.name for locus in isoniazid.loci] == ["katG", "fabG1", "inhA", "ahpC"]
    assert (isoniazid.target.values == 1).sum() == 1553
    notes = "; ".join(isoniazid.origin.notes)
    assert "554 of 6,342 variants lie in the loci" in notes
    assert "37 samples without a label left out" in notes
    assert not isoniazid.origin.simulated
    assert "Chen" in isoniazid.origin.citation


@real
def test_kat_g_reads_as_the_protein(isoniazid: Dataset) -> None:
    katg = isoniazid.loci[0]
    gene = isoniazid.codes[:, katg.start + katg.coding : katg.stop]
    bases = gene[:, np.array(katg.genome[katg.coding :]) >= 0]
    counts = np.stack([(bases == base).sum(axis=0) for base in range(4)])
    protein = encoding.translate(counts.argmax(axis=0).astype(np.int8))
    assert len(protein) == 741
    assert protein.startswith("VPEQHPPI")
    assert protein.index("*") == 740
    assert protein[314] == "S"
    reference = counts.argmax(axis=0)
    snps = np.where((bases < 0) | (bases == encoding.GAP), reference, bases)
    assert 310 <= len(np.unique(snps, axis=0)) <= 330


@real
def test_a_rule_and_a_linear_model(isoniazid: Dataset) -> None:
    from sklearn.linear_model import LogisticRegression
    from sklearn.metrics import roc_auc_score
    from sklearn.model_selection import StratifiedKFold, cross_val_score

    resistant = isoniazid.target.values[:, 0]
    s315t = isoniazid.codes[:, isoniazid.axis.index("katG:315.2")] == encoding.encode("C")[0]
    assert roc_auc_score(resistant, s315t) == pytest.approx(0.85, abs=0.01)
    varies = (isoniazid.codes != isoniazid.codes[0]).any(axis=0)
    sites = encoding.one_hot(isoniazid.codes[:, varies], 5).reshape(isoniazid.samples, -1)
    scores = cross_val_score(
        LogisticRegression(solver="liblinear"),
        sites[:, sites.std(axis=0) > 0],
        resistant,
        cv=StratifiedKFold(5, shuffle=True, random_state=0),
        scoring="roc_auc",
    )
    assert scores.mean() == pytest.approx(0.973, abs=0.005)


def test_every_drug_has_loci() -> None:
    known = set(known_regions())
    for drug in DRUGS:
        assert set(drug_regions((drug,))) <= known
    assert drug_regions(("rif",)) == ("rpoBC",)
    assert set(drug_regions(("rif", "inh"))) == known - {"aftB-ubiA", "clpC", "panD"}
    assert drug_regions(("unheard",)) == ()


@real
def test_several_drugs_on_other_loci() -> None:
    config = CatalogueData(catalogue="tb_wdnn", loci=("gid", "rpsL", "pncA"))
    dataset = open_dataset(config, target=("str", "pza"), task="multilabel")
    assert dataset.target.values.shape[1] == 2
    assert np.isnan(dataset.target.values).any()
    assert any("SNP_CN_4407904_GA_gid_S100F" in note for note in dataset.origin.notes)


@real
def test_the_loci_agree_with_the_genome() -> None:
    mirror = Path(os.environ[MIRROR])
    genome = mirror / "tb_reference" / "H37Rv.fa"
    if not genome.is_file():
        pytest.skip("the mirror has no H37Rv genome")
    text = "".join(genome.read_text().split("\n")[1:])
    folder = mirror / "tb_loci"
    for stretch in region_stretches(known_regions(), folder / "target_loci.csv"):
        found = encoding.decode(stretch_reference(stretch, folder))
        assert found == text[stretch.start : stretch.stop], stretch.gene


@real
@pytest.mark.parametrize(
    ("name", "target", "task", "shape"),
    [
        ("primer", "motif", "binary", (2000, 50)),
        ("wheat599", ("e1", "e4"), "regression", (599, 1279)),
    ],
)
def test_the_small_sets(name: str, target: str, task: str, shape: tuple[int, int]) -> None:
    dataset = open_dataset(CatalogueData(catalogue=name), target=target, task=task)  # type: ignore[arg-type]
    assert dataset.codes.shape == shape
    assert dataset.origin.simulated == (name == "primer")


@real
def test_the_small_sets_refuse_other_targets() -> None:
    with pytest.raises(GenoHpoError, match=r"no target 'e5' \(it has e1, e2"):
        open_dataset(CatalogueData(catalogue="wheat599"), target="e5", task="regression")
    with pytest.raises(GenoHpoError, match="wheat599 is a regression task, got binary"):
        open_dataset(CatalogueData(catalogue="wheat599"), target="e1", task="binary")
    with pytest.raises(GenoHpoError, match=r"one target, motif \(binary\), got label"):
        open_dataset(CatalogueData(catalogue="primer"), target="label", task="binary")
