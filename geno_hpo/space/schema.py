"""JSON Schema of search space files, so that editors complete and check them."""

from __future__ import annotations

from typing import Any

from geno_hpo.config import DRAFT
from geno_hpo.space.grammar import FACTS

__all__ = ["space_schema"]

SCALAR = {"type": ["boolean", "number", "string"]}
LOG = {
    "type": "boolean",
    "default": False,
    "description": "Search orders of magnitude; the range must begin above 0, and has no step.",
}


def _bounds(item: str) -> dict[str, Any]:
    return {
        "type": "array",
        "items": {"type": item},
        "minItems": 2,
        "maxItems": 2,
        "description": "Lowest and highest value, both included.",
    }


def _number(kind: str, item: str) -> dict[str, Any]:
    step = {
        "type": item,
        "exclusiveMinimum": 0,
        "description": "Distance between values; it must divide the range.",
    }
    return {
        "title": f"{kind} in a range",
        "type": "object",
        "properties": {kind: _bounds(item), "step": step, "log": LOG},
        "required": [kind],
        "additionalProperties": False,
        "not": {"required": ["step", "log"], "properties": {"log": {"const": True}}},
    }


def space_schema() -> dict[str, Any]:
    """Give the space file's JSON Schema (draft 2020-12), with a description for every key."""
    choice = {
        "title": "one of several values",
        "type": "object",
        "properties": {
            "choice": {
                "type": "array",
                "items": SCALAR,
                "minItems": 1,
                "uniqueItems": True,
                "description": "The values to try.",
            }
        },
        "required": ["choice"],
        "additionalProperties": False,
    }
    options = {
        "type": "object",
        "minProperties": 1,
        "additionalProperties": {
            "anyOf": [{"$ref": "#/$defs/parameters"}, {"type": "null"}],
        },
        "description": "Names to choose from, each with parameters of its own ({} for none).",
    }
    branch = {
        "title": "one of several names, each with its own parameters",
        "type": "object",
        "properties": {"branch": options},
        "required": ["branch"],
        "additionalProperties": False,
    }
    kinds = [
        {"title": "a fixed value", **SCALAR},
        _number("int", "integer"),
        _number("float", "number"),
        choice,
        branch,
    ]
    constraint = {
        "type": "object",
        "properties": {
            "rule": {
                "type": "string",
                "description": "A comparison between parameters, numbers and the data's facts "
                f"({', '.join(FACTS)}), such as kernel <= length.",
            },
            "why": {"type": "string", "description": "The reason, shown when the rule is broken."},
        },
        "required": ["rule"],
        "additionalProperties": False,
    }
    return {
        "$schema": DRAFT,
        "title": "geno_hpo search space",
        "description": "The hyperparameters of one model family, and what may be tried for each.",
        "type": "object",
        "properties": {
            "family": {
                "type": "string",
                "description": "Model family (cnn, mlp) or baseline that takes the parameters.",
            },
            "description": {"type": "string", "description": "One sentence about the space."},
            "parameters": {"$ref": "#/$defs/parameters"},
            "constraints": {
                "type": "array",
                "items": constraint,
                "description": "Rules that every configuration must keep, checked before a trial.",
            },
        },
        "required": ["family", "parameters"],
        "additionalProperties": False,
        "$defs": {
            "parameter": {
                "description": "A fixed value, or a block with int, float, choice or branch.",
                "anyOf": kinds,
            },
            "parameters": {
                "type": "object",
                "description": "Hyperparameters by name.",
                "propertyNames": {"pattern": "^[A-Za-z][A-Za-z0-9_]*$"},
                "additionalProperties": {"$ref": "#/$defs/parameter"},
            },
        },
    }
