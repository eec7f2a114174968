"""Names of trials for people: what MLflow shows of a run."""

from __future__ import annotations

from typing import Any

from geno_hpo.space import Parameters

__all__ = ["FINAL", "run_name"]

FINAL = "final"
"""The part of a study that holds the final fits."""


def run_name(part: str, number: int, params: Parameters, task: dict[str, Any]) -> tuple[str, str]:
    """Name and stage tag of a trial's MLflow run."""
    family = params.get("family", part)
    if part == FINAL:
        return f"final {_fit_name(family, task)}", FINAL
    if part == "control":
        return f"control {number:04d} {family}", "control"
    if part == "network":
        return f"trial {number:04d} {family}", "search"
    return f"baseline {number:04d} {part}", "baseline"


def _fit_name(family: object, task: dict[str, Any]) -> str:
    if task["kind"] == "trivial":
        return "trivial models"
    if task["kind"] == "share":
        return f"{family} on {task['step']} % of the samples"
    return f"{task['kind']} {family} {task['restart']}"
