"""The study in a page of Markdown, for the description of its MLflow run."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from geno_hpo.report.words import spread

__all__ = ["linked", "markdown"]


def linked(pages: Mapping[str, str]) -> str:
    """Links in a line; addresses by what they lead to."""
    return " · ".join(f"[{name}]({page})" for name, page in pages.items())


def markdown(summary: dict[str, Any], pages: Mapping[str, str] | None = None) -> str:
    """Question, answer and leaderboard of a summary as Markdown, with links to more."""
    lines = [f"### {summary.get('question') or summary['study']}", ""]
    if summary["data"]["simulated"]:
        lines += ["**Simulated data**: this shows that the pipeline works, and no biology.", ""]
    if summary["comparison"] is not None:
        lines += [f"**{summary['comparison']['sentence']}**", ""]
    lines += [
        f"| model | cross-validated {summary['metric']} | sealed test | 95 % interval |",
        "|---|---|---|---|",
    ]
    for row in summary["leaderboard"]:
        low, high = row["test_ci"]
        name = f"**{row['model']}** (network)" if row["kind"] == "network" else row["model"]
        lines.append(
            f"| {name} | {row['cv_mean']:.4f}{spread(row['cv_std'], 4)} | {row['test']:.4f} "
            f"| {low:.4f} to {high:.4f} |"
        )
    if summary["control"] is not None:
        lines += ["", summary["control"]["sentence"]]
    data, split = summary["data"], summary["split"]
    lines += [
        "",
        (
            f"{data['samples']} samples × {data['features']} features; {split['folds']} folds "
            f"({split['kind']}) over {split['development_samples']} samples, "
            f"{split['test_samples']} sealed for the test. The whole report is among the "
            "artifacts: `report/report.html`."
        ),
    ]
    if pages:
        lines += ["", linked(pages)]
    return "\n".join(lines)
