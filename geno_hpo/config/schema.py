"""JSON Schema of study files, so that editors complete and check them."""

from __future__ import annotations

from typing import Any

from geno_hpo.config.study import StudyConfig

__all__ = ["DRAFT", "study_schema"]

DRAFT = "https://json-schema.org/draft/2020-12/schema"


def study_schema() -> dict[str, Any]:
    """Give the study file's JSON Schema (draft 2020-12), with a description for every key."""
    schema: dict[str, Any] = _joined(StudyConfig.model_json_schema(mode="validation"))
    return {"$schema": DRAFT, **schema, "title": "geno_hpo study"}


def _joined(node: Any) -> Any:
    """`node` with each description on one line."""
    if isinstance(node, list):
        return [_joined(item) for item in node]
    if not isinstance(node, dict):
        return node
    return {
        key: " ".join(value.split())
        if key == "description" and isinstance(value, str)
        else _joined(value)
        for key, value in node.items()
    }
