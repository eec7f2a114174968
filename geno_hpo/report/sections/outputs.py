"""Each of several outputs by itself: drugs, traits, marks; beside what is known or published."""

from __future__ import annotations

from typing import Any

from geno_hpo.outcome import StudyOutcome
from geno_hpo.report.blocks import Section, Table
from geno_hpo.report.words import NOTHING, count, interval, metric_label, model_label, number

__all__ = ["outputs"]


def outputs(outcome: StudyOutcome) -> Section | None:
    """A row an output; None where there is one output only."""
    summary = outcome.summary
    rows = summary.get("outputs") or []
    if not rows or summary["seal"] is None:
        return None
    metric = summary["metric"]
    oracles = any(number(row["oracle"]) != NOTHING for row in rows)
    published = {e["target"]: e for e in reversed(summary["published"]) if e.get("target")}
    main = summary["comparison"]
    head = ["Output", "Samples", "Network", "95 % interval"]
    head += [model_label(main["best_baseline"])] if main else []
    head += ["Oracle"] if oracles else []
    head += ["Published"] if published else []
    cells = []
    for row in rows:
        line = [row["name"], count(row["samples"]), number(row["score"]), interval(row["ci"])]
        line += [number(row["baseline"])] if main else []
        line += [number(row["oracle"])] if oracles else []
        line += [_published(published.get(row["name"]))] if published else []
        cells.append(tuple(line))
    table = Table(
        "outputs",
        f"Test {metric_label(metric)} of each output",
        tuple(head),
        tuple(cells),
        numeric=frozenset(range(1, len(head) - (1 if published else 0))),
        note="The study's score is the mean over outputs. Samples without a label for an output "
        "do not count there."
        + (" The oracle knows what the simulation knows, of the same samples." if oracles else "")
        + (" Published results are of other samples." if published else ""),
    )
    return Section("outputs", "Output by output", (table,), short="Outputs")


def _published(entry: dict[str, Any] | None) -> str:
    return "–" if entry is None else f"{number(entry['value'])} ({entry['source']})"
