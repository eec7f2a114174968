"""pydantic's errors as faults that read aloud well: key, rule, value, place, nearest name."""

from __future__ import annotations

import copy
from collections.abc import Callable, Iterator, Mapping
from itertools import takewhile
from typing import Any, get_args

from pydantic import BaseModel, ValidationError
from pydantic.fields import FieldInfo
from pydantic_core import ErrorDetails

from geno_hpo.config.data import KINDS as SOURCES
from geno_hpo.config.document import Document, Place
from geno_hpo.config.names import join, quoted, suggestion
from geno_hpo.errors import Fault

__all__ = ["explain"]

KINDS = {
    "int_type": "a whole number",
    "int_from_float": "a whole number",
    "float_type": "a number",
    "finite_number": "a finite number",
    "string_type": "text",
    "bool_type": "true or false",
    "tuple_type": "a list",
    "list_type": "a list",
    "path_type": "the path of a file",
    "dict_type": "a block of keys",
    "model_type": "a block of keys",
}
BOUNDS = {
    "greater_than_equal": ("at least", "ge"),
    "greater_than": ("above", "gt"),
    "less_than_equal": ("at most", "le"),
    "less_than": ("below", "lt"),
}


def explain(
    error: ValidationError, document: Document, model: type[BaseModel], data: Mapping[str, Any]
) -> list[Fault]:
    """Every fault that `error` tells about `data`, with its place in `document`.

    pydantic checks rules between keys only where each key alone is right; here the keys that are
    wrong are set aside and the rest is checked again, so that one look tells all.
    """
    faults: dict[tuple[Place, str], Fault] = {}
    wrong: list[Place] = []
    for detail in error.errors(include_url=False):
        if detail["type"] == "default_factory_not_called":
            continue
        for place, message in _messages(detail, model, data):
            faults[place, message] = document.fault(place, message)
            wrong.append(place)
    if not any(detail["type"] == "rules" for detail in error.errors(include_url=False)):
        for place, message in _rules_beside(wrong, model, data):
            faults[place, message] = document.fault(place, message)
    return list(faults.values())


def _rules_beside(
    wrong: list[Place], model: type[BaseModel], data: Mapping[str, Any]
) -> Iterator[tuple[Place, str]]:
    """Rules between keys that are broken by keys other than the wrong ones."""
    rest = copy.deepcopy(dict(data))
    for place in wrong:
        parent: Any = rest
        keys = list(takewhile(lambda part: isinstance(part, str), place))
        for key in keys[:-1]:
            parent = parent.get(key) if isinstance(parent, dict) else None
        if isinstance(parent, dict) and keys:
            parent.pop(keys[-1], None)
    try:
        model.model_validate(rest)
    except ValidationError as error:
        for detail in error.errors(include_url=False):
            for rule in detail.get("ctx", {}).get("broken", ()):
                if not any(read == place[: len(read)] for read in rule.reads for place in wrong):
                    yield rule.key, rule.message


def _messages(
    detail: ErrorDetails, model: type[BaseModel], data: Mapping[str, Any]
) -> Iterator[tuple[Place, str]]:
    """Place and message of one error; several for rules between keys."""
    context = detail.get("ctx", {})
    if detail["type"] == "rules":
        for rule in context["broken"]:
            yield rule.key, rule.message
        return
    place, owner, field = _locate(detail["loc"], model, data)
    yield place, _message(detail, context, place, owner, field)


def _message(
    detail: ErrorDetails,
    context: Mapping[str, Any],
    place: Place,
    owner: tuple[type[BaseModel], ...],
    field: FieldInfo | None,
) -> str:
    kind, value = detail["type"], quoted(detail["input"])
    if kind == "extra_forbidden":
        names = [name for known in owner for name in known.model_fields if name != "name"]
        return f"unknown key{suggestion(str(place[-1]), names)}"
    if kind == "missing":
        what = " ".join((field.description or "").split()) if field else ""
        return f"is missing: {what}" if what else "is missing"
    if kind in KINDS:
        return f"must be {KINDS[kind]}, got {value}"
    if kind in BOUNDS:
        words, key = BOUNDS[kind]
        return f"must be {words} {context[key]:g}, got {value}"
    if kind == "unknown_name":
        return _unknown_name(detail, context["known"])
    if kind == "literal_error" and detail["loc"][-1] == "[key]":
        options = [str(option) for option in _literals(field.annotation)] if field else []
        return f"unknown key{suggestion(str(place[-1]), options)}"
    special: dict[str, Callable[[], str]] = {
        "literal_error": lambda: _literal(detail["input"], field, context),
        "union_tag_not_found": lambda: _no_source(detail["input"]),
        "value_error": lambda: str(context["error"]),
        "too_short": lambda: f"must have at least {context['min_length']} entry, got {value}",
        "string_too_short": lambda: "must not be empty",
        "string_pattern_mismatch": lambda: f"must match {context['pattern']}, got {value}",
    }
    if kind in special:
        return special[kind]()
    message = detail["msg"]
    return f"{message[:1].lower()}{message[1:]}, got {value}"


def _literal(value: object, field: FieldInfo | None, context: Mapping[str, Any]) -> str:
    options = [str(option) for option in _literals(field.annotation)] if field else []
    if not options:
        return f"must be {context['expected']}, got {quoted(value)}"
    rule = f"must be {join(options)}, got {quoted(value)}"
    near = suggestion(value, options) if isinstance(value, str) else ""
    return rule + (near if near.startswith("; did") else "")


def _unknown_name(detail: ErrorDetails, known: list[str]) -> str:
    value = detail["input"]
    near = suggestion(value, known) if isinstance(value, str) else ""
    if detail["loc"][-1] == "[key]":
        return f"unknown key{near}"
    if not known:
        return f"must be the name of a reader, and no installed package brings one; got {value!r}"
    rule = f"must be {join(known)}, got {quoted(value)}"
    return rule + (near if near.startswith("; did") else "")


def _no_source(value: object) -> str:
    if not isinstance(value, dict):
        return f"must be a block with {join(SOURCES)}, got {quoted(value)}"
    found = [key for key in SOURCES if key in value]
    if found:
        return f"must have one of {join(SOURCES)}, got {join(found, 'and')}"
    near = [suggestion(str(key), SOURCES) for key in value]
    hint = next((text for text in near if text.startswith("; did")), "")
    return f"must have one of {join(SOURCES)}, got {quoted(list(value))}{hint}"


def _literals(annotation: Any) -> list[Any]:
    """Every option of the literals within a type."""
    inner = get_args(annotation)
    if not inner:
        return []
    if not any(isinstance(part, type) or get_args(part) for part in inner):
        return list(inner)
    return [option for part in inner for option in _literals(part)]


def _models(annotation: Any) -> list[type[BaseModel]]:
    """Every model within a type."""
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return [annotation]
    return [model for part in get_args(annotation) for model in _models(part)]


def _locate(
    loc: tuple[int | str, ...], model: type[BaseModel], data: Mapping[str, Any]
) -> tuple[Place, tuple[type[BaseModel], ...], FieldInfo | None]:
    """Turn pydantic's location into a path of keys, and find what the models say there.

    pydantic puts the names of union members between the keys; they are left out.
    """
    place: list[str | int] = []
    owner: tuple[type[BaseModel], ...] = (model,)
    inner: list[type[BaseModel]] = [model]
    field: FieldInfo | None = None
    here: Any = data
    for step, part in enumerate(loc):
        named = [known for known in inner if known.__name__ == part]
        fields = [known.model_fields[part] for known in inner if part in known.model_fields]
        if named or part == "[key]":
            inner = named
            continue
        last = step == len(loc) - 1
        inside = (isinstance(here, dict) and part in here) or isinstance(part, int)
        if not (fields or inside or (last and inner)):
            continue
        if isinstance(part, str) and not inside and not fields and not isinstance(here, dict):
            continue
        owner = tuple(inner)
        place.append(part)
        if fields:
            field = fields[0]
            inner = _models(field.annotation)
        try:
            here = here[part]
        except (KeyError, IndexError, TypeError):
            here = None
    return tuple(place), owner, field
