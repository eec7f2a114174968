"""The course runs: a tutorial's study, sample file and commands, taken from its page."""

from __future__ import annotations

import csv
import re
import shutil
import subprocess
import sys
from itertools import pairwise
from pathlib import Path

import pytest

from geno_hpo.config import load_study
from geno_hpo.models import FAMILIES
from geno_hpo.models.training import TRAINING
from tests.course import COURSE, MIRROR, PAGES, REFUSED, ROOT, lines, type_in, typed, write_project

NEEDS_MIRROR = ("2-reads", "4-wheat", "5-ancestry", "6-chromatin")
PARAMETERS = {each.name for family in FAMILIES.values() for each in family.parameters} | {
    each.name for each in TRAINING
}


@pytest.mark.parametrize("page", sorted(COURSE.glob("*.md")), ids=lambda page: page.stem)
def test_what_a_page_sets_by_hand_are_hyperparameters(page: Path) -> None:
    for words in lines(page):
        names = {value.partition("=")[0] for key, value in pairwise(words) if key == "--set"}
        assert names <= PARAMETERS, f"{page.name}: {' '.join(words)}"


def make_project(folder: Path) -> None:
    """Make the third tutorial's project in `folder`, with half its trials."""
    text = (COURSE / "3-motif.md").read_text()
    study = re.search(r"^```yaml\n(question: Does a network see.*?)^```$", text, re.S | re.M)
    samples = re.search(r"^```text\n(>with_the_motif.*?)^```$", text, re.S | re.M)
    assert study is not None
    assert samples is not None
    (folder / "studies").mkdir()
    given = study.group(1)
    assert "budget: {trials: 6," in given
    (folder / "studies" / "motif_try.yaml").write_text(given.replace("trials: 6,", "trials: 3,"))
    (folder / "new.fasta").write_text(samples.group(1))
    shutil.copytree(ROOT / "search_spaces", folder / "search_spaces")


@pytest.mark.bench
def test_the_third_tutorial_from_its_study_to_its_predictions(tmp_path: Path) -> None:
    make_project(tmp_path)
    typed = [
        words
        for words in lines(COURSE / "3-motif.md")
        if "motif_try" in words or words[:3] == ["geno-hpo", "predict", "bundle"]
    ]
    assert [words[1] for words in typed] == ["run", "export", "predict"]
    for words in typed:
        done = subprocess.run(
            [sys.executable, "-m", "geno_hpo", *words[1:]],
            cwd=tmp_path,
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == 0, f"{' '.join(words)}\n{done.stdout}\n{done.stderr}"
    assert (tmp_path / "reports" / "motif_try" / "report.html").is_file()
    with (tmp_path / "answers.csv").open(newline="") as stream:
        calls = {row["sample"]: row["call"] for row in csv.DictReader(stream)}
    assert calls == {"with_the_motif": "1", "without_it": "0", "half_of_it": "0"}


@pytest.mark.bench
@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.stem)
def test_a_tutorial_typed_from_its_page(tmp_path: Path, page: Path) -> None:
    """Every command of the page, in its order, on budgets of a minute."""
    if page.stem in NEEDS_MIRROR and MIRROR is None:
        pytest.skip("needs real data: GENO_HPO_DATA_MIRROR is not set")
    write_project(tmp_path, page)
    for words in typed(page):
        line = " ".join(words)
        done = type_in(tmp_path, words)
        said = f"{line}\n{done.stdout[-3000:]}\n{done.stderr[-3000:]}"
        if line in REFUSED:
            assert done.returncode == 2, said
            assert REFUSED[line] in done.stderr, said
            continue
        assert done.returncode == 0, said
        if words[0] == "run" and "--dry-run" not in words:
            assert (tmp_path / "reports" / words[1] / "report.html").is_file(), said
        if words[0] == "predict":
            output = tmp_path / words[words.index("-o") + 1]
            assert len(output.read_text().splitlines()) >= 2, said


def test_every_tutorial_has_commands_to_type(tmp_path: Path) -> None:
    counted = {page.stem: len(list(typed(page))) for page in PAGES}
    assert len(counted) == 8
    assert all(counted.values()), counted
    for page in PAGES:
        write_project(tmp_path / page.stem, page)
        for words in typed(page):
            if words[0] in ("run", "train", "audit"):
                name = words[1].partition(".")[0]
                study = tmp_path / page.stem / "studies" / f"{name}.yaml"
                assert load_study(study, root=tmp_path / page.stem).budget.trials == 2
