"""The chapter on what a better score costs: figure, table, and the choice in words."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from geno_hpo.outcome import StudyOutcome, TrialRecord
from geno_hpo.report.figures.front import cost, front_figure
from geno_hpo.report.sections.front import front
from geno_hpo.report.stills import stills

from . import example

SIZES = (150, 420, 900, 900, 2600, 7000, 21000, 60000, 150000)
SCORES = (0.71, 0.83, 0.905, 0.88, 0.931, 0.925, 0.942, 0.944, 0.941)
ON_FRONT = (7, 6, 4, 2, 1, 0)


def trials(seconds: bool = False) -> list[TrialRecord]:
    return [
        TrialRecord(
            number,
            "search",
            "mlp" if number % 2 else "cnn",
            "complete",
            score=score,
            costs={"parameters": float(size), **({"seconds": 2.5 + number} if seconds else {})},
        )
        for number, (size, score) in enumerate(zip(SIZES, SCORES, strict=True))
    ]


def content(winner: int = 4, seconds: bool = False) -> dict[str, Any]:
    """``front`` of a summary."""
    rows = [
        {"trial": t.number, "model": t.model, "score": t.score, "costs": t.costs}
        for t in (trials(seconds)[number] for number in ON_FRONT)
    ]
    error = 0.014 if winner != 7 else 0.001
    return {
        "best_trial": 7,
        "best_score": 0.944,
        "error": error,
        "limit": 0.944 - error,
        "rows": rows,
    }


def outcome(winner: int = 4, seconds: bool = False) -> StudyOutcome:
    plain = example.binary(samples=200, trials=8)
    best = plain.summary["best"] | {"trial": winner}
    names = ["score", "parameters", *(["seconds"] if seconds else [])]
    more = {"best": best, "objectives": names, "front": content(winner, seconds)}
    return replace(plain, summary=plain.summary | more, trials=tuple(trials(seconds)))


def test_one_objective_has_no_chapter() -> None:
    assert front(example.binary(samples=200, trials=8)) is None


@pytest.mark.parametrize(
    ("winner", "seconds", "words"),
    [
        (4, False, "of those trials the winner has the least trained values"),
        (7, False, "Trial 7 has the best score (ROC AUC 0.944, 60,000 trained values) and wins"),
        (4, True, "2,600 trained values and 6.5 seconds of training"),
    ],
)
def test_the_choice_is_told_and_marked(winner: int, seconds: bool, words: str) -> None:
    section = front(outcome(winner, seconds))
    assert section is not None
    said, figure, table = section.blocks
    assert words in said.text
    assert len(figure.panels) == 1 + seconds
    assert [row[0] for row in table.rows] == [str(number) for number in ON_FRONT]
    assert {table.rows[i][0] for i in table.marked} == {str(winner)}


def test_the_figure_parts_front_and_beaten() -> None:
    figure = front_figure(trials(), content(), ("parameters",), 4, "ROC AUC", True)
    assert figure is not None
    traces = {trace["name"]: trace for trace in figure.panels[0].traces}
    assert sorted(traces["on the front"]["x"]) == sorted(float(SIZES[i]) for i in ON_FRONT)
    assert sorted(traces["beaten by another"]["x"]) == [900, 7000, 150000]
    assert traces["winner"]["x"] == [2600]
    assert np.all(np.diff(traces["front"]["y"]) > 0), "a better score costs more"
    (band,) = figure.panels[0].layout["shapes"]
    assert (band["y0"], band["y1"]) == pytest.approx((0.93, 0.944))
    drawn = stills([figure])
    assert drawn["figures/front.png"].startswith(b"\x89PNG")
    assert front_figure([], content(), ("parameters",), 4, "ROC AUC", True) is None


@pytest.mark.parametrize(
    ("value", "text"), [(21506.0, "21,506"), (7.0, "7"), (2.5171, "2.52"), (0.034, "0.034")]
)
def test_costs_are_short(value: float, text: str) -> None:
    assert cost(value) == text
