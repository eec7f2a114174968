"""The models that shame a pipeline: a floor under the network and every baseline."""

from __future__ import annotations

from typing import Any

from geno_hpo.outcome import StudyOutcome
from geno_hpo.report.blocks import Section, Table, Text
from geno_hpo.report.words import interval, join, metric_label, number, signed

__all__ = ["trivial"]

NAMES = {"best_feature": "Best single feature"}


def trivial(outcome: StudyOutcome) -> Section | None:
    """What the trivial models score; None where they were not fitted."""
    summary = outcome.summary
    entries = summary.get("trivial") or []
    if not entries:
        return None
    label = metric_label(summary["metric"])
    return Section(
        "trivial",
        "Against doing next to nothing",
        (Text(_told(summary, entries), "finding"), _table(outcome, entries, label)),
        short="Floor",
    )


def _told(summary: dict[str, Any], entries: list[dict[str, Any]]) -> str:
    """Whether the network beats them all, in words."""
    if summary["seal"] is None:
        return "Models that need no tuning, on the validation folds the network was chosen on."
    names = [_name(e, summary["task"]) for e in entries if e["verdict"] != "better"]
    short = [f"{name[:1].lower()}{name[1:]}" for name in names]
    if not short:
        return "The network does better than every model that needs no tuning at all."
    return f"The network is not shown to do better than: {join(short)}."


def _name(entry: dict[str, Any], task: str) -> str:
    name = str(entry["model"])
    if name == "constant":
        return "Always the mean" if task == "regression" else "Always the classes' shares"
    if name.startswith("group: "):
        group = name.removeprefix("group: ").replace("_", " ")
        return f"{group[:1].upper()}{group[1:]} alone"
    return NAMES.get(name, name)


def _table(outcome: StudyOutcome, entries: list[dict[str, Any]], label: str) -> Table:
    rows = tuple(
        (
            _name(e, outcome.task) + (f" ({e['reads']})" if e["reads"] else ""),
            number(e["cv_mean"]),
            number(e["test"]),
            interval(e["test_ci"]),
            signed(e["difference"]),
            interval(e["ci"]),
            e["verdict"],
        )
        for e in entries
    )
    head = ("Model", f"CV {label}", "Test", "95 % interval", "Network minus it", "95 % interval")
    return Table(
        "trivial",
        "Models with nothing to tune",
        (*head, "Network is"),
        rows,
        numeric=frozenset(range(1, 6)),
        note="The best single feature is chosen in the training part of each fold, for each output "
        "or class its own; named are those of the whole development part. A lineage, population or "
        "family alone knows nothing else of a sample; where the split keeps those groups together "
        "it cannot know the test set's.",
    )
