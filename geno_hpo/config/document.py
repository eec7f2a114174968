"""YAML with places: plain values, and the line of every key, from a file nobody has to trust.

The file is composed into nodes by ruamel.yaml (YAML 1.2, safe) and turned into plain dicts, lists
and scalars here, so that duplicate keys, tags, merge keys and endless aliases are refused with
their line, and a date or a time stays the text that was written.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, NoReturn

from ruamel.yaml import YAML
from ruamel.yaml.error import MarkedYAMLError, YAMLError
from ruamel.yaml.nodes import MappingNode, Node, ScalarNode, SequenceNode
from ruamel.yaml.reader import ReaderError

from geno_hpo.config.names import shown
from geno_hpo.errors import ConfigError, Fault

__all__ = ["Document", "Place", "dotted", "load_document", "parse_document"]

Place = tuple[str | int, ...]

TAG = "tag:yaml.org,2002:"
TEXT_TAGS = {f"{TAG}{name}" for name in ("str", "timestamp", "value")}
MAX_NODES = 100_000
BOOLS = {"true": True, "false": False}


def dotted(place: Place) -> str:
    """``("spaces", 0)`` as ``spaces[0]``, ``("budget", "trials")`` as ``budget.trials``."""
    text = ""
    for part in place:
        if isinstance(part, int):
            text += f"[{part}]"
        else:
            text += f".{part}" if text else part
    return text


@dataclass(frozen=True)
class Document:
    """A YAML file as plain values, with the line of each.

    Parameters
    ----------
    path
        The file.
    text
        What it says, as read.
    data
        Its top-level block; keys are text, values are dict, list, str, int, float, bool or None.
    lines
        Line (from 1) of each key or list entry, by its path of keys and indices.
    """

    path: Path
    text: str
    data: dict[str, Any]
    lines: dict[Place, int] = field(repr=False)

    @property
    def shown(self) -> str:
        """The file as messages show it: relative to the current folder where possible."""
        return shown(self.path)

    def line_of(self, place: Place) -> int:
        """Line of the key at `place`, or of the nearest block around it that the file has."""
        while place and place not in self.lines:
            place = place[:-1]
        return self.lines.get(place, 1)

    def fault(self, place: Place, message: str) -> Fault:
        """Make a fault at `place`."""
        return Fault(message, dotted(place), self.shown, self.line_of(place))


def load_document(path: Path) -> Document:
    """Read a YAML file whose top level is a block of keys.

    Raises
    ------
    ConfigError
        The file cannot be read, is not UTF-8, is empty, is not YAML, or holds duplicate keys,
        tags or merge keys; each with its line.
    """
    try:
        raw = path.read_bytes()
    except OSError as error:
        reason = error.strerror or str(error)
        raise ConfigError([Fault(f"cannot be read: {reason}", file=shown(path))]) from error
    try:
        text = raw.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = raw.count(b"\n", 0, error.start) + 1
        message = f"must be UTF-8 text, got the byte 0x{raw[error.start]:02x}"
        raise ConfigError([Fault(message, file=shown(path), line=line)]) from error
    return parse_document(text, path)


def parse_document(text: str, path: Path) -> Document:
    """Parse `text` as `load_document` does; `path` is for messages."""
    yaml = YAML(typ="safe", pure=True)
    try:
        root = yaml.compose(text)
    except YAMLError as error:
        raise ConfigError([_syntax_fault(error, text, path)]) from error
    if root is None or (isinstance(root, ScalarNode) and root.tag == f"{TAG}null"):
        raise ConfigError([Fault("the file is empty", file=shown(path))])
    reader = _Reader(path)
    data = reader.value(root, ())
    if not isinstance(data, dict):
        got = "a list" if isinstance(data, list) else f"{data!r}"
        reader.refuse(root, f"must be a block of `key: value` lines, got {got}")
    if reader.faults:
        raise ConfigError(reader.faults)
    return Document(path=path, text=text, data=data, lines=reader.lines)


def _syntax_fault(error: YAMLError, text: str, path: Path) -> Fault:
    """Say in plain words what the YAML reader stumbled over."""
    if isinstance(error, ReaderError):
        line = text.count("\n", 0, error.position) + 1
        character = f"U+{ord(text[error.position]):04X}"
        message = f"not YAML: the character {character} is not allowed"
        return Fault(message, file=shown(path), line=line)
    mark = error.problem_mark if isinstance(error, MarkedYAMLError) else None
    problem = (error.problem if isinstance(error, MarkedYAMLError) else None) or str(error)
    line = mark.line + 1 if mark else 0
    if "'\\t'" in problem:
        problem = "a tab stands where YAML wants spaces"
    elif "mapping values are not allowed" in problem:
        problem = "a second `: ` in one line; put a text that holds one in quotes"
    elif "another document" in problem:
        problem = "a second document begins (`---`); a file holds one"
    elif "undefined alias" in problem:
        problem += "; put a text that begins with * in quotes"
    elif "could not find expected ':'" in problem:
        problem = "a key without `: ` after it (here or on the line before)"
    return Fault(f"not YAML: {problem}", file=shown(path), line=line)


class _Reader:
    """Turns nodes into values, and notes lines and faults on the way."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.lines: dict[Place, int] = {(): 1}
        self.faults: list[Fault] = []
        self._open: list[Node] = []
        self._nodes = 0

    def refuse(self, node: Node, message: str, place: Place = ()) -> None:
        self.faults.append(
            Fault(message, dotted(place), shown(self.path), node.start_mark.line + 1)
        )

    def stop(self, node: Node, message: str, place: Place) -> NoReturn:
        self.refuse(node, message, place)
        raise ConfigError(self.faults)

    def value(self, node: Node, place: Place) -> Any:
        self._nodes += 1
        if any(node is outer for outer in self._open):
            self.stop(node, f"the alias *{node.anchor} stands for something it is part of", place)
        if self._nodes > MAX_NODES:
            self.stop(node, f"the file holds more than {MAX_NODES} values", place)
        if isinstance(node, ScalarNode):
            return self._scalar(node, place)
        self._open.append(node)
        try:
            if isinstance(node, SequenceNode):
                return self._sequence(node, place)
            return self._mapping(node, place)
        finally:
            self._open.pop()

    def _sequence(self, node: SequenceNode, place: Place) -> list[Any]:
        if node.tag != f"{TAG}seq":
            self.refuse(node, f"the tag {_short(node.tag)} is not allowed", place)
        values = []
        for index, item in enumerate(node.value):
            self.lines[(*place, index)] = item.start_mark.line + 1
            values.append(self.value(item, (*place, index)))
        return values

    def _mapping(self, node: Node, place: Place) -> dict[str, Any]:
        if not isinstance(node, MappingNode) or node.tag != f"{TAG}map":
            self.refuse(node, f"the tag {_short(node.tag)} is not allowed", place)
        data: dict[str, Any] = {}
        for key_node, item in node.value:
            line = key_node.start_mark.line + 1
            if not isinstance(key_node, ScalarNode):
                self.refuse(key_node, "a key must be plain text", place)
                continue
            key = str(key_node.value)
            inner = (*place, key)
            if key_node.tag == f"{TAG}merge":
                self.refuse(key_node, "merge keys (<<) are not supported; write the keys", place)
            elif key in data:
                first = self.lines[inner]
                self.refuse(key_node, f"stands twice, first in line {first}", inner)
            else:
                self.lines[inner] = line
                data[key] = self.value(item, inner)
        return data

    def _scalar(self, node: ScalarNode, place: Place) -> Any:
        text = str(node.value)
        match str(node.tag).removeprefix(TAG):
            case "null":
                return None
            case "bool" if text.lower() in BOOLS:
                return BOOLS[text.lower()]
            case "int":
                return self._int(node, text, place)
            case "float":
                return self._float(node, text, place)
        if node.tag not in TEXT_TAGS:
            self.refuse(node, f"the tag {_short(node.tag)} is not allowed", place)
        return text

    def _int(self, node: Node, text: str, place: Place) -> int | str:
        plain = text.replace("_", "").lower()
        sign = -1 if plain.startswith("-") else 1
        digits = plain.lstrip("+-")
        base = {"0x": 16, "0o": 8, "0b": 2}.get(digits[:2], 10)
        try:
            return sign * int(digits if base == 10 else digits[2:], base)
        except ValueError:
            self.refuse(node, f"not a whole number: {text[:40]}", place)
            return text

    def _float(self, node: Node, text: str, place: Place) -> float | str:
        plain = re.sub(r"^([+-]?)\.(inf|nan)$", r"\1\2", text.replace("_", "").lower())
        try:
            return float(plain)
        except ValueError:
            self.refuse(node, f"not a number: {text[:40]}", place)
            return text


def _short(tag: object) -> str:
    text = str(tag)
    return f"!!{text.removeprefix(TAG)}" if text.startswith(TAG) else text
