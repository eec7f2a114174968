"""What a finished study says of the winner's restarts and of the folds' networks."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from geno_hpo.data.dataset import Locus
from geno_hpo.explanation import Track
from geno_hpo.report.page import write
from geno_hpo.report.summary import check_summary
from geno_hpo.study.finished import Finished
from geno_hpo.study.results import outcome_of
from geno_hpo.study.why import _codons


@pytest.mark.parametrize("name", ["drugs", "trait"])
def test_folds_are_asked_beside_the_restarts(
    studies: dict[str, Finished], name: str, tmp_path: Path
) -> None:
    finished = studies[name]
    outcome = outcome_of(finished)
    found = outcome.explanation
    assert found is not None
    assert (found.folds, found.restarts) == (2, 2)
    tracks = {track.method: track for track in found.tracks}
    if name == "trait":
        assert found.over_folds is not None
        assert 0.1 < found.over_folds < 1
    else:
        assert found.over_folds is None, "two positions vary, which have no rank correlation"
    assert (tracks["folds"].spread > 0).any()
    causes = {0, 1} if name == "trait" else {5, 45}
    first = np.argsort(-tracks["folds"].scores)[:2]
    assert set(first.tolist()) == causes, "the folds' networks see what decides"
    if name == "trait":  # each fold selects variants of its own
        seen = np.flatnonzero(tracks["folds"].scores)
        assert len(seen) >= 6
    page = write(outcome, tmp_path / name)
    summary = json.loads((page.parent / "summary.json").read_text())
    check_summary(summary)
    assert summary["explanation"]["fold_correlation"] == pytest.approx(found.over_folds)
    assert "The 2 networks of the folds were asked, too" in page.read_text()


def test_codons_have_a_place_by_every_method(studies: dict[str, Finished]) -> None:
    finished = studies["drugs"]
    dataset = finished.prepared.dataset
    loci = (Locus("katG", 0, 40, coding=0), Locus("rpoB", 40, 70, coding=0))
    codes = np.zeros_like(dataset.codes)
    codes[:5, 5] = 1  # the third base of the second codon, in five isolates
    coded = replace(finished.prepared, dataset=replace(dataset, codes=codes, loci=loci))
    one, other = np.zeros((2, dataset.features))
    one[[5, 41]] = 3.0, 1.0
    other[[41, 5, 8]] = 3.0, 2.0, np.nan
    tracks = tuple(
        Track(method, method, scores, scores) for method, scores in (("a", one), ("b", other))
    )
    first, second = _codons(coded, tracks)
    assert (first.locus, first.number, first.places) == ("katG", 2, {"a": 1, "b": 2})
    assert (second.name, second.change, second.places) == ("rpoB 1", "", {"a": 2, "b": 1})
    assert _codons(finished.prepared, tracks) == (), "no reading frame is known"
