"""A study, its bundle, and predictions from files without labels that equal the study's own."""

from __future__ import annotations

import csv
from pathlib import Path

import numpy as np
import pytest

from geno_hpo.bundle import (
    InputOptions,
    Manifest,
    open_bundle,
    open_samples,
    predict,
    write_predictions,
)
from geno_hpo.study.files import final_path
from geno_hpo.study.final import finished_fits
from geno_hpo.study.finished import Finished
from tests.bundle.studies import dosages, isolates, letters_table, one_hot_rows


def table_of(
    folder: Path, path: Path, output: Path, options: InputOptions | None = None
) -> list[dict[str, str]]:
    """Predict a file and read the table back."""
    bundle = open_bundle(folder)
    samples = open_samples(bundle, (path,), options or InputOptions())
    many = write_predictions(bundle.manifest, predict(bundle, samples), output)
    with output.open(newline="") as stream:
        rows = list(csv.DictReader(stream))
    assert many == samples.total == len({row["sample"] for row in rows})
    return rows


def own_predictions(finished: Finished) -> tuple[list[str], np.ndarray]:
    """Ids of the test samples and the study's own answers ``(restarts, samples, units)``."""
    found = []
    for name, (fit, _) in finished_fits(finished.plan, finished.pools).items():
        if fit.kind == "network":
            with np.load(final_path(finished.plan.work, name)) as arrays:
                found.append(arrays["predictions"])
    ids = [finished.prepared.dataset.ids[i] for i in finished.prepared.split.test]
    return ids, np.stack(found)


@pytest.mark.parametrize("study", ["drugs", "trait"])
def test_predictions_equal_the_studys_own(
    studies: dict[str, Finished], bundles: dict[str, Path], tmp_path: Path, study: str
) -> None:
    finished = studies[study]
    ids, own = own_predictions(finished)
    path = tmp_path / "input.csv"
    if study == "drugs":
        loci, _ = isolates(80, seed=1)
        path.write_text(one_hot_rows(loci, ids))
        value = "probability"
    else:
        every = letters_table(dosages()).splitlines()
        path.write_text("\n".join([every[0], *(every[1 + int(i[1:])] for i in ids)]) + "\n")
        value = "value"
    rows = table_of(bundles[study], path, tmp_path / "out.csv")
    targets = finished.prepared.dataset.target.names
    assert [(row["sample"], row.get("drug", row.get("target"))) for row in rows] == [
        (sample, target) for sample in ids for target in targets
    ]
    found = np.array([float(row[value]) for row in rows]).reshape(len(ids), len(targets))
    spread = np.array([float(row["spread"]) for row in rows]).reshape(found.shape)
    scale = max(1.0, float(np.abs(own).max()))
    np.testing.assert_allclose(found, own.mean(axis=0), rtol=0, atol=1e-6 * scale)
    np.testing.assert_allclose(spread, own.std(axis=0, ddof=1), rtol=0, atol=1e-6 * scale)
    if study == "drugs":
        limits = [each.value for each in open_bundle(bundles[study]).manifest.thresholds]
        assert [row["call"] for row in rows] == [
            str(int(p >= limit))
            for row in own.mean(axis=0)
            for p, limit in zip(row, limits, strict=True)
        ]


def test_the_manifest_tells_where_it_comes_from(
    studies: dict[str, Finished], bundles: dict[str, Path]
) -> None:
    folder = bundles["drugs"]
    manifest = open_bundle(folder).manifest
    dataset = studies["drugs"].prepared.dataset
    assert isinstance(manifest, Manifest)
    assert manifest.provenance["data_fingerprint"] == dataset.fingerprint
    assert manifest.subject == "drug"
    assert [locus.name for locus in manifest.loci] == ["katG", "rpoB"]
    assert [locus.strand for locus in manifest.loci] == ["-", "+"]
    assert manifest.limits.mismatch == pytest.approx(0.0577, abs=0.01)
    assert {each.source for each in manifest.thresholds} == {"learnt on the validation folds"}
    assert (folder / "study.yaml").read_text() == studies["drugs"].plan.text
    text = (folder / "README.md").read_text()
    assert "1 = resistant, 0 = susceptible" in text
    assert "katG, rpoB in this order" in text
    told = {path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file()}
    assert told == {*manifest.files, "bundle.json"}


def test_selected_variants_and_their_alleles_are_kept(bundles: dict[str, Path]) -> None:
    bundle = open_bundle(bundles["trait"])
    assert bundle.manifest.width == 6
    assert set(bundle.encoding["names"].tolist()) >= {"rs0", "rs1"}
    assert bundle.encoding["counted"].tolist() == ["G"] * 6
    assert bundle.encoding["other"].tolist() == ["A"] * 6
    assert bundle.preprocess["target_scale"][0] > 1
