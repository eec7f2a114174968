"""The first screen: the question, the answer, and the one figure that proves it."""

from __future__ import annotations

from dataclasses import dataclass
from textwrap import shorten
from typing import Any

from geno_hpo.outcome import StudyOutcome
from geno_hpo.report.blocks import Block, Table
from geno_hpo.report.forest import leaderboard_forest, ranked
from geno_hpo.report.words import (
    duration,
    interval,
    metric_label,
    model_label,
    number,
    p_value,
    plural,
    signed,
    spread,
)

__all__ = ["Answer", "answer"]

# Letters of what is said of a simulation; the chapter on the data has the rest.
SIMULATED = 240


@dataclass(frozen=True)
class Answer:
    """What the first screen shows.

    Parameters
    ----------
    study, question, verdict
        Head, question and the answer in one sentence.
    badges
        Short words beside the head, each with its tone (``plain`` or ``warn``).
    proof
        The effect in numbers, under the verdict.
    simulated
        What was simulated, in a sentence; empty for real data.
    figures
        ``(value, what, detail)`` of the numbers in large type.
    blocks
        The leaderboard, and published results beside it.
    """

    study: str
    question: str
    verdict: str
    proof: str
    badges: tuple[tuple[str, str], ...]
    figures: tuple[tuple[str, str, str], ...]
    blocks: tuple[Block, ...]
    simulated: str = ""


def answer(outcome: StudyOutcome) -> Answer:
    """Draw up the first screen."""
    summary = outcome.summary
    label = metric_label(summary["metric"])
    comparison = summary["comparison"]
    blocks: list[Block] = [leaderboard_forest(summary)]
    several = len(summary["target"]) > 1
    published = [e for e in summary["published"] if not (several and e.get("target"))]
    if published:
        blocks.append(_published(published))
    return Answer(
        study=summary["study"],
        question=outcome.question,
        verdict=comparison["sentence"] if comparison else _without_baselines(summary, label),
        proof=_proof(comparison, label) if comparison else "",
        badges=tuple(_badges(outcome)),
        figures=tuple(_figures(summary, label)),
        blocks=tuple(blocks),
        simulated=_simulated(outcome),
    )


def _simulated(outcome: StudyOutcome) -> str:
    """What the data's own notes say of the simulation, at a readable length."""
    if not outcome.summary["data"]["simulated"]:
        return ""
    told = [note.removeprefix("Simulated data").removeprefix(": ") for note in outcome.notes]
    told = [note for note in told if note][:2]
    text = shorten("; ".join(told), width=SIMULATED, placeholder=" …")
    end = "" if text.endswith("…") else "."
    return (
        f"Simulated data{': ' + text if text else ''}{end} The numbers show what the pipeline can "
        "do, and no biology."
    )


def _without_baselines(summary: dict[str, Any], label: str) -> str:
    best = summary["best"]
    text = (
        f"The best network, {model_label(best['model'])}, reaches a cross-validated {label} of "
        f"{number(best['cv_mean'])}; "
    )
    if summary["seal"] is None:
        return text + "how it compares is for the test set to say, which is left out here."
    return text + "this study compares it with no baseline."


def _proof(comparison: dict[str, Any], label: str) -> str:
    p = p_value(comparison["p_value"])
    return (
        f"Difference in test {label}, network − {model_label(comparison['best_baseline'])}: "
        f"{signed(comparison['difference'])} (95 % interval {interval(comparison['ci'])}"
        + (f", {p})." if p else ").")
    )


def _badges(outcome: StudyOutcome) -> list[tuple[str, str]]:
    summary = outcome.summary
    seal = summary["seal"]
    badges = [(f"{outcome.task}: {', '.join(outcome.target)}", "plain")]
    if summary["data"]["simulated"]:
        badges.insert(0, ("simulated data", "warn"))
    if seal is None:
        left_out = "test set left out" if summary.get("withheld") else "test set still sealed"
        badges.append((left_out, "plain"))
    elif seal["trials_after"]:
        badges.append((f"{plural(seal['trials_after'], 'trial')} after the test set", "warn"))
    if "outer_fold" in summary:
        badges.append((f"outer fold {summary['outer_fold']}", "plain"))
    if summary["generation"] > 1:
        badges.append((f"start no. {summary['generation']}", "plain"))
    return badges


def _figures(summary: dict[str, Any], label: str) -> list[tuple[str, str, str]]:
    board = ranked(summary)
    network = next((e for e in board if e["kind"] == "network"), None)
    found = []
    if network is not None and network["test"] is not None:
        found.append(
            (
                number(network["test"]),
                f"test {label}",
                f"{model_label(network['model'])}, 95 % interval {interval(network['test_ci'])}",
            )
        )
    best, trials = summary["best"], summary["trials"]
    found.append(
        (
            number(best["cv_mean"]),
            f"cross-validated {label}",
            f"{spread(best['cv_std'])} {_judged_on(int(summary['split']['folds']))}".lstrip(),
        )
    )
    done = trials["complete"] + trials["pruned"] + trials["failed"]
    found.append(
        (
            f"{done:,}",
            "trials",
            f"{trials['complete']} complete, {trials['pruned']} pruned, {trials['failed']} failed",
        )
    )
    found.append((duration(summary["seconds"]["total"]), "in all", _parts(summary["seconds"])))
    return found


def _parts(seconds: dict[str, float]) -> str:
    return (
        f"trials' own time: search {duration(seconds['search'])}, "
        f"baselines {duration(seconds['baselines'])}"
    )


def _published(entries: list[dict[str, Any]]) -> Table:
    rows = tuple((str(e["what"]), number(e["value"]), str(e["source"])) for e in entries)
    return Table(
        "published",
        "Published results, for orientation",
        ("What", "Score", "Source"),
        rows,
        numeric=frozenset({1}),
        note="Other samples, other splits: not part of the comparison above.",
    )


def _judged_on(folds: int) -> str:
    return f"over {folds} folds" if folds > 1 else "on one validation part"
