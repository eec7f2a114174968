"""The sections of trivial models, restarts and learning curve, from plain summaries."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from geno_hpo.compare import compare_restarts, growth
from geno_hpo.metrics import METRICS
from geno_hpo.outcome import StudyOutcome
from geno_hpo.report.blocks import Figure, Section, Table, Text
from geno_hpo.report.sections.methods import methods_text
from geno_hpo.report.sections.more_data import more_data
from geno_hpo.report.sections.restarts import restarts
from geno_hpo.report.sections.trivial import trivial
from geno_hpo.report.tables import tables

from .example import binary

AUC = METRICS["auc"]
TRIVIAL = {"cv_mean": 0.7, "test": 0.71, "test_ci": [0.6, 0.8], "difference": 0.2, "ci": [0.1, 0.3]}


@pytest.fixture(scope="module")
def plain() -> StudyOutcome:
    return binary(samples=300, trials=4)


def having(outcome: StudyOutcome, **more: object) -> StudyOutcome:
    return replace(outcome, summary=outcome.summary | more)


def texts(section: Section | None) -> str:
    assert section is not None
    return " ".join(block.text for block in section.blocks if isinstance(block, Text))


def test_a_study_without_them_has_no_such_sections(plain: StudyOutcome) -> None:
    bare = having(plain, trivial=[], restarts=None, learning_curve=[])
    assert [section(bare) for section in (trivial, restarts, more_data)] == [None] * 3


def test_what_the_network_does_not_beat_is_named(plain: StudyOutcome) -> None:
    rows = [
        TRIVIAL | {"model": "constant", "reads": "", "verdict": "better"},
        TRIVIAL | {"model": "best_feature", "reads": "315.2 = C", "verdict": "better"},
        TRIVIAL | {"model": "group: lineage", "reads": "", "verdict": "no difference shown"},
        TRIVIAL | {"model": "group: haplotype_katG", "reads": "", "verdict": "too little data"},
    ]
    told = having(plain, trivial=rows)
    assert "not shown to do better than: lineage alone and haplotype katG alone." in texts(
        trivial(told)
    )
    beaten = having(plain, trivial=rows[:2])
    assert "better than every model" in texts(trivial(beaten))
    head, content = tables(told)["trivial"]
    assert {"model", "reads", "test_ci_low", "ci_high"} <= set(head)
    assert len(content) == 4


def test_restarts_are_drawn_best_mean_first(plain: StudyOutcome) -> None:
    found = compare_restarts([[0.8, 0.82], [0.9, 0.91]], [0.93, 0.92], AUC)
    rows = [
        {"trial": 7 + row.place, "model": "cnn", **vars(row), "place": row.place + 1}
        for row in found.ranked
    ]
    whole = {"rows": rows, "within": found.within, "between": found.between, "lost": 1}
    told = having(plain, restarts=whole | {"sentence": found.sentence})
    section = restarts(told)
    assert "Most likely yes: of the 2" in texts(section)
    assert "1 trainings ended without a score" in texts(section)
    assert section is not None
    (table,) = (block for block in section.blocks if isinstance(block, Table))
    assert [row[1] for row in table.rows] == ["2", "1"]
    assert table.marked == {1}
    assert tables(told)["restarts"][1][0][-1] == "0.9 0.91"


def test_a_learning_curve_is_drawn_with_what_is_foretold(plain: StudyOutcome) -> None:
    samples = np.outer([20, 40, 60, 80, 100], np.ones(3))
    steady = growth(samples, 1 - samples**-0.5, AUC, valid=25)
    level = growth(samples, np.full(samples.shape, 0.8), AUC, valid=25)
    entries = [
        {**vars(one), "model": model, "sentence": f"{model}: told."}
        for model, one in (("cnn", steady), ("ridge", level))
    ]
    told = having(plain, learning_curve=entries)
    section = more_data(told)
    assert texts(section) == "CNN: told. Ridge: told."
    assert section is not None
    (figure,) = (block for block in section.blocks if isinstance(block, Figure))
    assert [trace["name"] for trace in figure.panels[0].traces] == [
        "CNN",
        "CNN, if it goes on",
        "Ridge",
    ]
    assert len(tables(told)["learning_curve"][1]) == 12


def test_the_methods_say_what_baselines_read(plain: StudyOutcome) -> None:
    board = [row | {"model": "kmer"} for row in plain.summary["leaderboard"]]
    board[0] = board[0] | {"model": "kernel_ridge", "kind": "baseline"}
    text = methods_text(having(plain, leaderboard=board))
    assert "k-mer counts instead" in text
    assert "tried 25 penalties" in text
    assert "one binary column for each symbol" in methods_text(plain)
