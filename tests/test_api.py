"""The Python interface: a study by its file, its results, a bundle and predictions."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

import geno_hpo
from geno_hpo import Study
from geno_hpo.errors import InputError
from geno_hpo.study.finished import Finished
from tests.bundle.studies import isolates, one_hot_rows
from tests.bundle.test_end_to_end import own_predictions


def test_a_finished_study_answers(studies: dict[str, Finished], tmp_path: Path) -> None:
    finished = studies["drugs"]
    root = finished.plan.project.root
    study = Study.from_yaml(root / "studies" / "drugs.yaml")
    results = study.results()
    assert results.page == finished.plan.project.report(finished.plan.key) / "report.html"
    assert list(results.leaderboard["model"]) == ["mlp"]
    assert results.sentence == "", "no baseline was asked for"
    assert "<table" in results._repr_html_()
    history = results.figure("history")
    assert history.name in results.figures
    assert history._repr_png_().startswith(b"\x89PNG")
    assert len(history.values) >= 2
    with pytest.raises(InputError, match=r"no figure .histroy.; it has .*history"):
        results.figure("histroy")
    ids, own = own_predictions(finished)
    loci, _ = isolates(80, seed=1)
    (tmp_path / "new.csv").write_text(one_hot_rows(loci, ids[:3]))
    table = study.predict(tmp_path / "new.csv")
    assert list(table.columns) == ["sample", "drug", "probability", "spread", "call"]
    np.testing.assert_allclose(table["probability"], own.mean(axis=0)[:3].ravel(), atol=1e-6)
    manifest = study.export(tmp_path / "bundle")
    assert manifest.name == "drugs"
    assert len(study.predict(tmp_path / "new.csv", bundle=tmp_path / "bundle")) == 6


def test_what_is_no_study_is_told(project_root: Path, tmp_path: Path) -> None:
    with pytest.raises(InputError, match="lies in a folder studies/ of its project"):
        Study.from_yaml(tmp_path / "tiny.yaml")
    with pytest.raises(InputError, match="did you mean"):
        Study("tin", project_root)
    with pytest.raises(InputError, match="has not been run yet"):
        Study("tiny", project_root).results()
    with pytest.raises(AttributeError, match="no attribute 'Studies'"):
        _ = geno_hpo.Studies
