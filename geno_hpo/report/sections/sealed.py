"""The sealed test set, opened once."""

from __future__ import annotations

from typing import Any

from geno_hpo.outcome import StudyOutcome
from geno_hpo.report.blocks import Block, Section, Text
from geno_hpo.report.figures.predictions import confusion, observed, roc, seeds
from geno_hpo.report.forest import ranked
from geno_hpo.report.words import count, interval, metric_label, model_label, number, plural, signed

__all__ = ["sealed"]


def sealed(outcome: StudyOutcome) -> Section | None:
    """Scores, curves and the seal's record; None while the test set is sealed."""
    summary = outcome.summary
    seal = summary["seal"]
    if seal is None or not outcome.test.models:
        return None
    label = metric_label(summary["metric"])
    board = [entry for entry in ranked(summary) if entry["test"] is not None]
    blocks: list[Block] = [Text(_seal(summary, seal))]
    network = next((entry for entry in board if entry["kind"] == "network"), None)
    if network is not None:
        blocks.append(Text(_optimism(network, label, summary)))
    models = [entry["model"] for entry in board if entry["model"] in outcome.test.models]
    models = sorted(models, key=lambda m: network is None or m != network["model"])
    figures = []
    if models and outcome.task in ("binary", "multilabel"):
        classes = outcome.classes or ("0", "1")
        figures.append(roc(outcome.test, outcome.target, models, classes))
        called = summary.get("threshold")
        if outcome.task == "binary" and called:
            figures.append(confusion(outcome.test, classes, models[0], called[0]["threshold"]))
    elif models and outcome.task == "multiclass":
        classes = outcome.classes or tuple(map(str, range(outcome.test.models[models[0]].shape[2])))
        figures.append(confusion(outcome.test, classes, models[0]))
    elif models:
        figures.append(observed(outcome.test, outcome.target, models[0]))
    first = sorted(board, key=lambda e: e["kind"] != "network")
    figures.append(seeds(first, label))
    blocks += [figure for figure in figures if figure is not None]
    return Section("test", "The sealed test set", tuple(blocks), short="Test")


def _seal(summary: dict[str, Any], seal: dict[str, Any]) -> str:
    after = seal["trials_after"]
    honest = (
        "No trial was run afterwards."
        if not after
        else f"{plural(after, 'trial')} ran afterwards: scores on this test set can no longer "
        "count as independent of the search."
    )
    times = len(seal.get("openings", ())) if after else 1
    first = "opened once" if times < 2 else f"opened {times} times, first"
    return (
        f"{count(summary['split']['test_samples'])} samples were set aside before anything was "
        f"fitted and {first}, at {_moment(seal['opened_at'])}, after "
        f"{plural(seal['trials_before'], 'trial')} (code {seal['code_version']}). {honest}"
    )


def _moment(stamp: str) -> str:
    day, _, clock = stamp.partition("T")
    return f"{clock[:5]} UTC on {day}" if clock else stamp


def _optimism(network: dict[str, Any], label: str, summary: dict[str, Any]) -> str:
    if summary.get("selection"):
        return str(summary["selection"]["sentence"])
    fallen = network["test"] - network["cv_mean"] if network["cv_mean"] is not None else None
    return (
        f"{model_label(network['model'])} scored {number(network['cv_mean'])} in cross-validation, "
        f"where it was chosen, and {number(network['test'])} here "
        f"(95 % interval {interval(network['test_ci'])}; difference {signed(fallen)}). A winner's "
        f"cross-validated {label} is flattered by having been chosen among "
        f"{plural(summary['trials']['asked'], 'trial')}; the test score is not."
    )
