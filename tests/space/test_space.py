"""Space files: the tree they give, every fault with its line, and the shipped files."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable
from functools import partial
from pathlib import Path

import jsonschema
import pytest

from geno_hpo.config import load_document
from geno_hpo.errors import ConfigError, InputError
from geno_hpo.models import FAMILIES, ModelShape, check
from geno_hpo.space import SearchSpace, Space, check_space, find_space, load_space, space_schema

Make = Callable[..., Space]
ROOT = Path(__file__).parents[2]
SHIPPED = sorted((ROOT / "search_spaces").rglob("*.yaml"))

TREE = """
layers: {int: [1, 3]}
width: {int: [8, 128], log: true}
kernel: {int: [4, 24], step: 4}
dropout: {float: [0.0, 0.6], step: 0.1}
rate: {float: [1e-4, 1e-2], log: true}
share: {float: [0, 1]}
activation: {choice: [relu, elu]}
norm: false
optimizer:
  branch:
    adam: {}
    sgd:
      momentum: {float: [0.0, 0.95]}
      schedule:
        branch:
          flat:
          cosine: {cycles: {int: [1, 3]}}
    rmsprop: {momentum: {float: [0.0, 0.5]}}
"""


def test_rows(make: Make) -> None:
    assert [tuple(row) for row in make(TREE).describe()] == [
        ("layers", "int", "1 to 3", ""),
        ("width", "int", "8 to 128, log", ""),
        ("kernel", "int", "4 to 24, step 4", ""),
        ("dropout", "float", "0 to 0.6, step 0.1", ""),
        ("rate", "float", "0.0001 to 0.01, log", ""),
        ("share", "float", "0 to 1", ""),
        ("activation", "choice", "relu, elu", ""),
        ("norm", "fixed", "false", ""),
        ("optimizer", "branch", "adam, sgd, rmsprop", ""),
        ("momentum", "float", "0 to 0.95", "optimizer = sgd"),
        ("schedule", "branch", "flat, cosine", "optimizer = sgd"),
        ("cycles", "int", "1 to 3", "optimizer = sgd, schedule = cosine"),
        ("momentum", "float", "0 to 0.5", "optimizer = rmsprop"),
    ]


def test_branches_of_numbers_and_truth_values(make: Make) -> None:
    space = make("depth: {branch: {0: {}, 1: {width: 8}}}\non: {branch: {true: {a: 1}, false: {}}}")
    deep = {"depth": 1, "on": True}
    params = space.configure(lambda node: deep[node.name])
    assert params == {"family": "cnn", "depth": 1, "width": 8, "on": True, "a": 1}
    assert [type(value) for value in params.values()] == [str, int, int, bool, int]


@pytest.mark.parametrize(("text", "conditional"), [("a: {int: [1, 2]}", False), (TREE, True)])
def test_conditional(make: Make, text: str, conditional: bool) -> None:
    assert make(text).conditional is conditional
    assert not make("a: {branch: {x: {}, y: {}}}").conditional


BAD = [
    # ranges
    (
        "a: {int: [3, 1]}",
        r"parameters.a.int: low must not be above high, got \[3, 1\] .*cnn.yaml:3",
    ),
    ("a: {int: [1, 2.5]}", r"a.int: must hold two whole numbers, got \[1, 2.5\]"),
    ("a: {int: [1, true]}", r"a.int: must hold two whole numbers, got \[1, true\]"),
    ("a: {int: 5}", r"a.int: must be \[low, high\], got 5"),
    ("a: {int: [1, 2, 3]}", r"a.int: must be \[low, high\], got \[1, 2, 3\]"),
    ("a: {float: [a, 1]}", r'a.float: must hold two numbers, got \["a", 1\]'),
    ("a: {float: [0, .inf]}", r"a.float: must hold two numbers"),
    ("a: {float: [1, 0.5]}", r"a.float: low must not be above high"),
    ("a: {float: [0, 1], log: true}", r"a.float: a logarithmic range must begin above 0"),
    ("a: {int: [0, 8], log: true}", r"a.int: a logarithmic range must begin above 0, got \[0, 8\]"),
    ("a: {int: [1, 8], log: 2}", r"a.log: must be true or false, got 2"),
    ("a: {int: [1, 9], log: true, step: 2}", r"a.step: a logarithmic range has no steps"),
    ("a: {int: [1, 9], step: 0}", r"a.step: must be a whole number above 0, got 0"),
    ("a: {int: [1, 9], step: 0.5}", r"a.step: must be a whole number above 0, got 0.5"),
    ("a: {float: [0, 1], step: -1}", r"a.step: must be a number above 0, got -1"),
    ("a: {float: [0, 1], step: }", r"a.step: must be a number above 0, got null"),
    ("a: {int: [4, 25], step: 4}", r"a.int: high must be low plus .* 4, got 25; .* are 24 and 28"),
    ("a: {float: [0.0, 0.55], step: 0.1}", r"got 0.55; the nearest are 0.5 and 0.6"),
    # choices, branches, values
    ("a: {choice: []}", r"a.choice: must be a list of at least one value, got an empty list"),
    ("a: {choice: relu}", r'a.choice: must be a list of at least one value, got "relu"'),
    ("a: {choice: [1, 2, 1]}", r"a.choice: names a value twice: 1"),
    ("a: {choice: [1, true]}", r"a.choice: names a value twice: true"),
    ("a: {choice: [x, null]}", r"a.choice\[1\]: must have a value, got nothing"),
    ("a: {choice: [[1, 2]]}", r"a.choice\[0\]: must be a number, a text, true or false, got \[1"),
    ("a: {branch: {}}", r"a.branch: must be a block of names, .* got an empty block"),
    ("a: {branch: [x, y]}", r'a.branch: must be a block of names, .* got \["x", "y"\]'),
    ("a: {branch: {x: 3}}", r"a.branch.x: must be a block of parameters, got 3"),
    ("a: [1, 2]", r"a: a list is no value; to try each, write \{choice: \[1, 2\]\}"),
    ("a:", r'a: must have a value, got nothing; write "none" in quotes'),
    ("a: .nan", r"a: must be a finite number, got nan"),
    # kinds
    ("a: {}", r"a: must have one of int, float, choice or branch, or be a plain value"),
    ("a: {int: [1, 2], choice: [1]}", r"a: must have one of .*, got int and choice"),
    ("a: {flaot: [1, 2]}", r'a.flaot: unknown kind of parameter; did you mean "float"\?'),
    ("a: {categorical: [1, 2]}", r'a.categorical: unknown kind .*; did you mean "choice"\?'),
    ("a: {loguniform: [1, 2]}", r'unknown kind of parameter; did you mean "float"\?'),
    ("a: {zzz: [1, 2]}", r"unknown kind of parameter; known: branch, choice, float, int"),
    ("a: {step: 2}", r"a.step: unknown kind of parameter"),
    ("a: {int: [1, 2], stp: 1}", r'a.stp: unknown key; did you mean "step"\?'),
    ("a: {choice: [1, 2], log: true}", r"a.log: unknown key; known: choice"),
    # names
    ("length: {int: [1, 2]}", r'parameters.length: the name "length" has a meaning of its own'),
    ("family: x", r'the name "family" has a meaning of its own'),
    ("a-b: 1", r"parameters.a-b: a name must be letters, digits and _"),
    ("lambda: 1", r"a name must be letters, digits and _"),
    ("a: 1\nb: {branch: {x: {a: 2}}}", r'b.branch.x.a: the name "a" is already used in line 3'),
    ("b: {branch: {x: {a: 2}}}\na: 1", r'parameters.a: the name "a" is already used in line 3'),
    ("a: {branch: {x: {a: 2}}}", r'a.branch.x.a: the name "a" is already used'),
    (
        "a: {branch: {x: {c: 2}, y: {c: 3}}}\nb: {branch: {x: {c: 2}}}",
        r'parameters.b.branch.x.c: the name "c" is already used in line 3 .*:4\)',
    ),
    ("a: 1\na: 2", r"parameters.a: stands twice, first in line 3"),
    ("[]", r"parameters: is missing: a block of hyperparameters"),
    ("x", r'parameters: must be a block of parameters, got "x"'),
]


@pytest.mark.parametrize(("text", "message"), BAD)
def test_bad_parameters(make: Make, text: str, message: str) -> None:
    with pytest.raises(ConfigError, match=message):
        make(text)


BAD_RULES = [
    ("constraints: {rule: a}", r"constraints: must be a list of rules"),
    ("constraints: [a < 1]", r"constraints\[0\]: must be a block with rule and why, got "),
    ("constraints: [{why: x}]", r"constraints\[0\]: must be a block with rule and why"),
    ("constraints: [{rule: a < 1, wy: x}]", r'\[0\].wy: unknown key; did you mean "why"\?'),
    ("constraints: [{rule: a < 1, why: 3}]", r"\[0\].why: must be text, got 3"),
    ("constraints: [{rule: a < 1}, {rule: a <}]", r"\[1\].rule: is no expression: 'a <'"),
    ("constraints:\n  - rule: kernl < 1", r'unknown name "kernl"; did you mean "kernel"\? .*:6\)'),
    ("constraints: [{rule: lenght < 1}]", r'unknown name "lenght"; did you mean "length"\?'),
    ("constraints: [{rule: a.b < 1}]", r"'a.b' is not allowed"),
    ("constrants: []", r'constrants: unknown key; did you mean "constraints"\?'),
    ("description: 3", r"description: must be text, got 3"),
]


@pytest.mark.parametrize(("rest", "message"), BAD_RULES)
def test_bad_rules(make: Make, rest: str, message: str) -> None:
    with pytest.raises(ConfigError, match=message):
        make("a: {int: [1, 2]}\nkernel: {int: [1, 2]}", rest=rest)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("parameters: {a: 1}\n", r"family: is missing: the model family, such as cnn or mlp"),
        ("family: 3\nparameters: {a: 1}\n", r"family: must be the name of a model family, got 3"),
        ("family: [a]\nparameters: {a: 1}\n", r"family: must be the name"),
        ("family: a b\nparameters: {a: 1}\n", r'must be the name of a model family, got "a b"'),
        ("family: cnn\n", r"parameters: is missing"),
        ("", r"the file is empty"),
    ],
)
def test_bad_files(tmp_path: Path, text: str, message: str) -> None:
    path = tmp_path / "x.yaml"
    path.write_text(text)
    with pytest.raises(ConfigError, match=message):
        load_space(path)


def test_all_faults_at_once(make: Make) -> None:
    text = "a: {int: [3, 1]}\nb: {choice: []}\nc: {branch: {x: {d: {flaot: [1, 2]}}}}"
    rules = "constraints:\n  - rule: a < 1\n  - rule: zzz < b\n"
    with pytest.raises(ConfigError, match="4 faults") as caught:
        make(text, rest=rules)
    assert [fault.line for fault in caught.value.faults] == [3, 4, 5, 8]


def test_fingerprint_is_of_what_can_be_drawn(make: Make) -> None:
    first = make("a: {int: [1, 2]}  # one", rest="description: x")
    second = make("a: {int: [1, 2]}", rest="constraints: [{rule: a < 3}]")
    assert first.fingerprint == second.fingerprint
    others = ["a: {int: [1, 3]}", "a: {float: [1, 2]}", "b: {int: [1, 2]}", "a: {choice: [1, 2]}"]
    assert len({first.fingerprint, *(make(text).fingerprint for text in others)}) == 5
    assert make("a: 1", family="mlp").fingerprint != make("a: 1").fingerprint


def test_find(tmp_path: Path) -> None:
    (tmp_path / "cnn.yaml").write_text("family: cnn\nparameters: {a: 1}\n")
    assert find_space("cnn", tmp_path) == tmp_path / "cnn.yaml"
    with pytest.raises(InputError, match=r'unknown search space "cn"; did you mean "cnn"\?'):
        find_space("cn", tmp_path)


def test_the_schema_is_a_schema() -> None:
    jsonschema.Draft202012Validator.check_schema(space_schema())


@pytest.mark.parametrize("path", SHIPPED, ids=lambda path: path.stem)
def test_shipped_spaces(path: Path) -> None:
    jsonschema.validate(load_document(path).data, space_schema())
    space = load_space(path)
    assert path.stem.startswith(space.family)
    assert len(list(SearchSpace((space,)).extremes())) > 2


LONG = {"dilated_motif": 200}
"""Spaces for sequences of so many positions at least."""
NETWORKS = [path for path in SHIPPED if path.parent.name == "search_spaces"]


@pytest.mark.parametrize("path", NETWORKS, ids=lambda path: path.stem)
@pytest.mark.parametrize("length", [50, 2223])
def test_shipped_spaces_fit_genes_motifs_and_variants(path: Path, length: int) -> None:
    space = load_space(path)
    length = max(length, LONG.get(path.stem, 0))
    two_strands = "strands" in SearchSpace((space,)).searched
    for kind in ("sequence",) if two_strands else FAMILIES[space.family].kinds:
        shape = ModelShape(kind, length, 4 if kind == "sequence" else 1, 1, "binary")
        facts = {"length": length, "samples": 100, "units": 1}
        check_space(SearchSpace((space,)), facts, partial(check, shape=shape))


def test_every_family_has_a_space() -> None:
    assert {load_space(path).family for path in NETWORKS} == set(FAMILIES)


@pytest.mark.parametrize(
    "text", [text for text, message in BAD if "kind" in message or "unknown key" in message]
)
def test_the_schema_refuses_unknown_keys(tmp_path: Path, text: str) -> None:
    path = tmp_path / "x.yaml"
    path.write_text(f"family: cnn\nparameters:\n  {text}\n")
    with pytest.raises(jsonschema.ValidationError):
        jsonschema.validate(load_document(path).data, space_schema())


def test_import_is_light() -> None:
    code = (
        "import sys, geno_hpo.space, geno_hpo.config; "
        "print([m for m in ('optuna', 'pandas', 'keras', 'mlflow') if m in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
