"""What a better score costs: the Pareto front of a search with several objectives."""

from __future__ import annotations

from typing import Any

from geno_hpo.metrics import METRICS
from geno_hpo.outcome import StudyOutcome
from geno_hpo.report.blocks import Block, Section, Table, Text
from geno_hpo.report.figures.front import COSTS, cost, front_figure
from geno_hpo.report.words import join, metric_label, model_label, number

__all__ = ["front"]


def front(outcome: StudyOutcome) -> Section | None:
    """Sentence, figure and table; None with one objective."""
    found = outcome.summary.get("front")
    if not found:
        return None
    summary = outcome.summary
    names = tuple(summary["objectives"][1:])
    label = metric_label(summary["metric"])
    metric = METRICS.get(summary["metric"])
    blocks: list[Block] = [Text(_told(summary, found, names), "finding")]
    trials = [t for t in outcome.trials if t.stage == "search" and t.state == "complete"]
    winner = summary["best"]["trial"]
    maximise = metric is None or metric.maximise
    figure = front_figure(trials, found, names, winner, label, maximise)
    if figure is not None:
        blocks.append(figure)
    blocks.append(_table(found, names, winner, label))
    return Section("front", "What a better score costs", tuple(blocks), short="Costs")


def _told(summary: dict[str, Any], found: dict[str, Any], names: tuple[str, ...]) -> str:
    """The choice in words."""
    best, winner = found["best_trial"], summary["best"]["trial"]
    rows = {row["trial"]: row for row in found["rows"]}
    least = f"least {join([COSTS[name][0] for name in names])}"
    scored = f"{metric_label(summary['metric'])} {number(found['best_score'])}"
    way = "down" if found["limit"] < found["best_score"] else "up"
    rule = f"Scores {way} to {number(found['limit'])} lie within one standard error of it"
    if winner == best:
        return (
            f"Trial {best} has the best score ({scored}, {_costs(rows[best], names)}) and wins. "
            f"{rule}; none of those trials costs less."
        )
    return (
        f"Trial {winner} wins with {number(rows[winner]['score'])} and "
        f"{_costs(rows[winner], names)}. The best score is trial {best}'s ({scored}, "
        f"{_costs(rows[best], names)}). {rule} ({number(found['error'])}); of those trials the "
        f"winner has the {least}."
    )


def _costs(row: dict[str, Any], names: tuple[str, ...]) -> str:
    return join([f"{cost(row['costs'][name])} {COSTS[name][0]}" for name in names])


def _table(found: dict[str, Any], names: tuple[str, ...], winner: int, label: str) -> Table:
    rows = tuple(
        (
            str(row["trial"]),
            model_label(row["model"]),
            number(row["score"], 4),
            *(cost(row["costs"][name]) for name in names),
        )
        for row in found["rows"]
    )
    return Table(
        "front",
        "The front, the best score first",
        ("Trial", "Model", f"validation {label}", *(COSTS[name][1] for name in names)),
        rows,
        numeric=frozenset({0, *range(2, 3 + len(names))}),
        note="No other trial equals or beats one of these in every objective. Bold: the winner.",
        marked=frozenset(i for i, row in enumerate(found["rows"]) if row["trial"] == winner),
    )
