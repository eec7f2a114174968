"""A study whose spaces search the number of variants: checked, and fitted for any of them."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from geno_hpo.errors import InputError, SpaceError
from geno_hpo.study.paths import Project
from geno_hpo.study.plan import load_plan
from geno_hpo.study.prepared import fit_folds, prepare
from tests.study.test_bad_input import edit


@pytest.fixture
def root(project_root: Path) -> Path:
    """A project with a table of 20 variants; its space selects 4 or 15."""
    rng = np.random.default_rng(0)
    lines = ["id," + ",".join(f"rs{i}" for i in range(20)) + ",resistant"]
    for sample in range(120):
        row = rng.integers(0, 3, 20)
        lines.append(f"s{sample}," + ",".join(map(str, row)) + f",{int(row[0] > 0)}")
    (project_root / "data" / "snps.csv").write_text("\n".join(lines) + "\n")
    edit(
        project_root,
        "studies/tiny.yaml",
        "data: {sequences: data/genes.fasta, labels: data/labels.csv}",
        "data: {variants: data/snps.csv}",
    )
    select = "layers: 1\n  select: {choice: [4, 15]}"
    edit(project_root, "search_spaces/tiny.yaml", "layers: 1", select)
    return project_root


def own_baseline(root: Path, select: str) -> None:
    """Give the project a ridge of its own that selects."""
    folder = root / "search_spaces" / "baselines"
    folder.unlink()
    folder.mkdir()
    text = f"family: ridge\nparameters:\n  penalty: 1.0\n  select: {select}\n"
    (folder / "ridge.yaml").write_text(text)


def test_every_ranking_is_made_ahead(root: Path) -> None:
    own_baseline(root, "{int: [2, 18]}")
    plan = load_plan(Project(root), "tiny")
    assert plan.most_selected == 18
    fit_folds(plan, prepare(plan), 1)
    fits = [path for path in plan.fits.iterdir() if not path.suffix]
    assert len(fits) == 8, "three folds and the development part, with labels and without"


def test_networks_and_baselines_select_what_the_data_have(root: Path) -> None:
    edit(root, "search_spaces/tiny.yaml", "[4, 15]", "[4, 21]")
    with pytest.raises(SpaceError, match=r"from 1 to the 20 variants, got 21.*tiny\.yaml"):
        prepare(load_plan(Project(root), "tiny"))
    edit(root, "search_spaces/tiny.yaml", "[4, 21]", "[4, 15]")
    own_baseline(root, "{int: [2, 30]}")
    with pytest.raises(SpaceError, match=r"from 1 to the 20 variants, got 30.*ridge\.yaml"):
        prepare(load_plan(Project(root), "tiny"))


def test_a_baseline_may_name_a_space_of_its_family(root: Path) -> None:
    own_baseline(root, "4")
    folder = root / "search_spaces" / "baselines"
    (folder / "few.yaml").write_text("family: ridge\nparameters: {penalty: 2.0, select: 7}\n")
    edit(root, "studies/tiny.yaml", "ridge: {trials: 2}", "ridge: {trials: 2, space: few}")
    assert load_plan(Project(root), "tiny").most_selected == 15
    assert load_plan(Project(root), "tiny").baselines["ridge"].largest("select") == 7
    (folder / "few.yaml").write_text("family: lightgbm\nparameters: {rounds: 10}\n")
    with pytest.raises(InputError, match="baseline ridge must be of family ridge, got lightgbm"):
        load_plan(Project(root), "tiny")
