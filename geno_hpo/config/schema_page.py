"""A JSON Schema as a page of Markdown: every key, its values, its default and what it means.

Each block of keys becomes a table under the path that leads to it, such as ``split.groups``. Blocks
are found by following ``$ref``, ``anyOf``, ``items`` and ``additionalProperties``; a block that
stands at several places, or in itself, is told once.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from typing import Any

__all__ = ["cell", "schema_page"]

Node = Mapping[str, Any]
BOUNDS = {"minimum": "≥", "exclusiveMinimum": ">", "maximum": "≤", "exclusiveMaximum": "<"}
PLAIN = {
    "integer": "whole number",
    "number": "number",
    "string": "text",
    "boolean": "true or false",
}


def schema_page(schema: Node, title: str, opening: str) -> str:
    """Write every key that a JSON Schema describes as Markdown tables.

    Parameters
    ----------
    schema
        A JSON Schema of objects (draft 2020-12).
    title, opening
        Heading of the page, and the sentences below it.
    """
    definitions = schema.get("$defs", {})
    lines = [f"# {title}", "", opening, ""]
    told: list[Node] = []
    waiting: list[tuple[str, Node]] = [("", schema)]
    while waiting:
        path, block = waiting.pop(0)
        if block in told:
            continue
        told.append(block)
        if path:
            lines += [f"## `{path}`", "", *_said(block)]
        lines += _table(block, definitions)
        inner = [
            found
            for key, node in block["properties"].items()
            for found in _blocks(node, f"{path}.{key}".lstrip("."), definitions, ())
        ]
        waiting = inner + waiting
    return "\n".join(lines).rstrip() + "\n"


def cell(text: str) -> str:
    """`text` for a cell of a Markdown table: on one line, with bars and angles escaped."""
    plain = " ".join(text.split()).replace("|", "\\|")
    return plain.replace("<", "&lt;").replace(">", "&gt;").replace("[", "\\[")


def _said(block: Node) -> list[str]:
    said = block.get("description", "")
    title = block.get("title", "")
    # Pydantic gives a class's name as title; one with a space was written for people.
    named = f"{title[0].upper()}{title[1:]}. " if " " in title else ""
    text = f"{named}{said}".strip()
    return [text, ""] if text else []


def _table(block: Node, definitions: Node) -> list[str]:
    required = block.get("required", ())
    rows = ["| key | value | default | meaning |", "|---|---|---|---|"]
    for key, node in block["properties"].items():
        default = "required" if key in required else _default(node)
        meaning = node.get("description") or _target(node, definitions).get("description", "")
        value = cell(_values(node, definitions, ()))
        rows.append(f"| `{key}` | {value} | {default} | {cell(meaning)} |")
    return [*rows, ""]


def _default(node: Node) -> str:
    default = node.get("default")
    if default is None or default in ([], ""):
        return ""
    if isinstance(default, dict):
        return "see below"
    return f"`{json.dumps(default, ensure_ascii=False)}`".replace('"', "")


def _target(node: Node, definitions: Node) -> Node:
    """What a reference names; other nodes as they are."""
    reference = node.get("$ref")
    found: Node = definitions[reference.rpartition("/")[2]] if reference else node
    return found


def _values(node: Node, definitions: Node, on_the_way: tuple[str, ...]) -> str:
    """What may stand there, in words."""
    reference = node.get("$ref", "")
    if reference in on_the_way:
        return "a block"
    way = (*on_the_way, reference) if reference else on_the_way
    node = _target(node, definitions)
    if "const" in node:
        return json.dumps(node["const"])
    if "enum" in node:
        return ", ".join(str(value) for value in node["enum"])
    options = node.get("anyOf") or node.get("oneOf")
    if options:
        words = [_values(each, definitions, way) for each in options]
        return " or ".join(dict.fromkeys(word for word in words if word))
    kind = node.get("type")
    if isinstance(kind, list):
        return " or ".join(PLAIN[each] for each in kind)
    if kind == "null":
        return ""
    if kind == "array":
        return f"list of {_values(node.get('items', {}), definitions, way)}"
    if kind == "object":
        return "a block" if "properties" in node else "a block by name"
    bounds = ", ".join(f"{sign} {node[key]:,}" for key, sign in BOUNDS.items() if key in node)
    return f"{PLAIN.get(str(kind), 'a value')} {bounds}".strip()


def _blocks(
    node: Node, path: str, definitions: Node, on_the_way: tuple[str, ...]
) -> Iterator[tuple[str, Node]]:
    """Blocks of keys below a key, each with the path that leads to it."""
    reference = node.get("$ref", "")
    if reference in on_the_way:
        return
    way = (*on_the_way, reference) if reference else on_the_way
    node = _target(node, definitions)
    if "properties" in node:
        yield path, node
        return
    options = node.get("anyOf") or node.get("oneOf") or ()
    found = [block for each in options for block in _blocks(each, path, definitions, way)]
    for place, block in found:
        alike = sum(other == place for other, _ in found) > 1
        yield (f"{place}: {{{block['required'][0]}: …}}" if alike else place), block
    if isinstance(items := node.get("items"), dict):
        yield from _blocks(items, f"{path}[]", definitions, way)
    if isinstance(more := node.get("additionalProperties"), dict):
        yield from _blocks(more, f"{path}.NAME", definitions, way)
