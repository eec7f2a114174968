"""YAML with places: values, lines, and files that are refused."""

from __future__ import annotations

import io
import json
import math
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from ruamel.yaml import YAML

from geno_hpo.config import Document, load_document, parse_document
from geno_hpo.errors import ConfigError

PATH = Path("study.yaml")


def read(text: str) -> Document:
    return parse_document(text, PATH)


@pytest.mark.parametrize(
    ("written", "value"),
    [
        ("1e-4", 1e-4),
        ("1.0e-4", 1e-4),
        ("1E5", 1e5),
        ("-.5", -0.5),
        (".inf", math.inf),
        ("-.inf", -math.inf),
        ("12", 12),
        ("-3", -3),
        ("0x1F", 31),
        ("0o17", 15),
        ("017", 17),
        ("1_000", 1000),
        ("true", True),
        ("False", False),
        ("yes", "yes"),
        ("on", "on"),
        ("no", "no"),
        ("null", None),
        ("~", None),
        ("", None),
        ("'12'", "12"),
        ("2024-02-29", "2024-02-29"),
        ("12:30:00", "12:30:00"),
        ("30m", "30m"),
        ("[1, two, {three: 3}]", [1, "two", {"three": 3}]),
    ],
)
def test_scalars_follow_yaml_1_2(written: str, value: object) -> None:
    got = read(f"key: {written}").data["key"]
    assert got == value
    assert type(got) is type(value)


def test_lines_of_keys_and_entries() -> None:
    document = read("# head\na: 1\nb:\n  c: 2\n  d:\n    - x\n    - y: 3\n")
    assert document.line_of(("a",)) == 2
    assert document.line_of(("b", "d", 1)) == 7
    assert document.line_of(("b", "d", 1, "y")) == 7
    assert document.line_of(("b", "gone", "deeper")) == 3
    assert document.line_of(("gone",)) == 1


def test_anchors_are_read() -> None:
    assert read("a: &x {b: 1}\nc: *x\n").data == {"a": {"b": 1}, "c": {"b": 1}}


def test_keys_are_text() -> None:
    assert read("true: 1\n2: x\nnull: y\n").data == {"true": 1, "2": "x", "null": "y"}


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", r"the file is empty \(study.yaml\)"),
        ("# only a remark\n", r"the file is empty"),
        ("---\n...\n", r"the file is empty"),
        ("- a\n- b\n", r"must be a block of `key: value` lines, got a list \(study.yaml:1\)"),
        ("hello\n", r"must be a block of `key: value` lines, got 'hello'"),
        ("a: 1\nb:\n  c: 1\n  c: 2\n", r"b.c: stands twice, first in line 3 \(study.yaml:4\)"),
        ("a:\n\tb: 1\n", r"a tab stands where YAML wants spaces \(study.yaml:2\)"),
        ("a: b: c\n", r"a second `: ` in one line; put a text that holds one in quotes"),
        ("a: [1, 2\nb: 3\n", r"not YAML: expected ',' or ']'.* \(study.yaml:"),
        ("a: *gone\n", r"undefined alias 'gone'; put a text that begins with \* in quotes"),
        ("a: 1\n---\nb: 2\n", r"a second document begins.*\(study.yaml:2\)"),
        ("a: 1\nb\nc: 2\n", r"a key without `: ` after it"),
        ("a: 1\nb: \x00\n", r"the character U\+0000 is not allowed \(study.yaml:2\)"),
        ("a: !!python/name:os.system x\n", r"a: the tag !!python/name:os.system is not allowed"),
        ("a: !mine {b: 1}\n", r"a: the tag !mine is not allowed \(study.yaml:1\)"),
        ("a: !!set {b, c}\n", r"a: the tag !!set is not allowed"),
        ("a: &x\n  - *x\n", r"a\[0\]: the alias \*x stands for something it is part of"),
        ("a: {b: 1}\nc:\n  <<: {d: 1}\n", r"c: merge keys \(<<\) are not supported.*yaml:3\)"),
        ("? [a, b]\n: 1\n", r"a key must be plain text"),
        ("a: !!int x\n", r"a: not a whole number: x"),
        ("a: !!float x\n", r"a: not a number: x"),
    ],
)
def test_refused(text: str, message: str) -> None:
    with pytest.raises(ConfigError, match=message):
        read(text)


def test_a_file_that_unfolds_without_end_is_refused() -> None:
    rows = ["a0: &a0 [x, x, x, x, x, x, x, x, x, x]"]
    rows += [f"a{i}: &a{i} [{', '.join([f'*a{i - 1}'] * 10)}]" for i in range(1, 9)]
    with pytest.raises(ConfigError, match="more than 100000 values"):
        read("\n".join(rows))


def test_all_faults_at_once() -> None:
    with pytest.raises(ConfigError, match="2 faults") as caught:
        read("a: 1\na: 2\nb: !x 1\n")
    assert [fault.line for fault in caught.value.faults] == [2, 3]


def test_encodings(tmp_path: Path) -> None:
    path = tmp_path / "x.yaml"
    path.write_bytes(b"\xef\xbb\xbfa: caf\xc3\xa9\r\nb: 2\r\n")
    assert load_document(path).data == {"a": "café", "b": 2}
    path.write_bytes(b"a: 1\nb: caf\xe9\n")
    with pytest.raises(ConfigError, match=r"must be UTF-8 text, got the byte 0xe9 \(.*:2\)"):
        load_document(path)


def test_a_missing_file(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"cannot be read: No such file"):
        load_document(tmp_path / "gone.yaml")
    with pytest.raises(ConfigError, match=r"cannot be read: Is a directory"):
        load_document(tmp_path)


def test_paths_are_shown_relative(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "studies").mkdir()
    path = tmp_path / "studies" / "x.yaml"
    path.write_text("a: 1\na: 2\n")
    monkeypatch.chdir(tmp_path)
    with pytest.raises(ConfigError, match=r"\(studies/x.yaml:2\)$"):
        load_document(path)


TEXTS = st.text(
    st.characters(codec="utf-8", exclude_categories=("Cc", "Cs"), exclude_characters="\ufeff"),
    max_size=12,
).filter(str.isprintable) | st.sampled_from(
    ["1e-4", "true", "null", "2024-01-01", "0x1", "~", "- a", "a: b", "# x", "*a", "&a", "!a"]
)
VALUES = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats(allow_nan=False, allow_infinity=False)
    | TEXTS,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(TEXTS, inner, max_size=3),
    max_leaves=8,
)
BLOCKS = st.dictionaries(TEXTS, VALUES, min_size=1, max_size=4)


@settings(deadline=None)
@given(BLOCKS)
def test_json_is_yaml(data: dict[str, Any]) -> None:
    assert read(json.dumps(data, ensure_ascii=False)).data == data


WORDS = st.from_regex(r"[a-zA-Z][a-zA-Z0-9_. -]{0,9}[a-z]", fullmatch=True)
PLAIN = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | WORDS,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(WORDS, inner, max_size=3),
    max_leaves=8,
)


@settings(deadline=None)
@given(st.dictionaries(WORDS, PLAIN, min_size=1, max_size=4))
def test_what_yaml_writes_is_read_back(data: dict[str, Any]) -> None:
    stream = io.StringIO()
    yaml = YAML(typ="safe", pure=True)
    yaml.width = 10_000
    yaml.dump(data, stream)
    assert read(stream.getvalue()).data == data
