"""Principal components and neighbours: a bundle has both, and says whose genotypes it carries."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from geno_hpo.bundle import open_bundle
from geno_hpo.errors import BundleError
from geno_hpo.study.export import export_finished
from tests.bundle.studies import dosages, letters_table, run_study, write_studies
from tests.bundle.test_end_to_end import own_predictions, table_of


@pytest.mark.slow
def test_a_bundle_imputes_and_projects_as_the_study_did(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("GENO_HPO_STORAGE", raising=False)
    monkeypatch.delenv("MLFLOW_TRACKING_URI", raising=False)
    root = write_studies(tmp_path / "project")
    study = root / "studies" / "trait.yaml"
    asked = "{impute: knn, neighbours: 3, neighbour_weights: distance, select: 8, components: 4}"
    study.write_text(study.read_text().replace("{impute: mean, select: 6}", asked))
    finished = run_study(root, "trait")
    with pytest.raises(
        BundleError,
        match=r"genotypes of its 68 training samples at 8 variants\. .*--with-genotypes",
    ):
        export_finished(finished, tmp_path / "bundle")
    assert not (tmp_path / "bundle").exists()
    export_finished(finished, tmp_path / "bundle", genotypes=True)
    bundle = open_bundle(tmp_path / "bundle")
    assert bundle.preprocess["donors"].shape == (68, 8)
    text = (tmp_path / "bundle" / "README.md").read_text()
    assert "holds genotypes of 68 training samples" in text
    ids, own = own_predictions(finished)
    every = letters_table(dosages()).splitlines()
    path = tmp_path / "input.csv"
    path.write_text("\n".join([every[0], *(every[1 + int(i[1:])] for i in ids)]) + "\n")
    rows = table_of(tmp_path / "bundle", path, tmp_path / "out.csv")
    found = np.array([float(row["value"]) for row in rows])
    np.testing.assert_allclose(found, own.mean(axis=0)[:, 0], rtol=0, atol=1e-4)
