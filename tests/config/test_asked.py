"""What a study's name means: a file, and perhaps another target."""

from __future__ import annotations

from pathlib import Path

import pytest

from geno_hpo.config import ask_study, with_target
from geno_hpo.errors import InputError

ONE = """\
question: Does it tell {target}?
data: {catalogue: wheat599}
target: e1
task: regression
spaces: [mlp]
published:
  - {what: a, value: 1, source: x, target: e1}
  - {what: b, value: 2, source: x, target: e2}
  - {what: c, value: 3, source: x}
"""
SEVERAL = """\
question: "{target}?"
data: {catalogue: tb_wdnn}
target: [rif, inh]
task: multilabel
spaces: [mlp]
published: [{what: a, value: 1, source: x, target: rif}]
"""


@pytest.fixture
def root(tmp_path: Path) -> Path:
    (tmp_path / "studies").mkdir()
    (tmp_path / "search_spaces").mkdir()
    (tmp_path / "search_spaces" / "mlp.yaml").write_text("family: mlp\n")
    for name, text in (("wheat", ONE), ("wheat.old", ONE), ("two", SEVERAL)):
        (tmp_path / "studies" / f"{name}.yaml").write_text(text)
    return tmp_path


@pytest.mark.parametrize(
    ("name", "target", "published"),
    [("wheat", "e1", "ac"), ("wheat.e2", "e2", "bc"), ("wheat.old", "e1", "ac")],
)
def test_a_target_after_the_name(root: Path, name: str, target: str, published: str) -> None:
    path, config = ask_study(name, root)
    assert config.name == name
    assert config.target == target
    assert config.question == f"Does it tell {target}?"
    assert "".join(each.what for each in config.published) == published
    assert path.name == ("wheat.old.yaml" if name == "wheat.old" else "wheat.yaml")


def test_several_targets_keep_what_is_published_for_each(root: Path) -> None:
    _, config = ask_study("two", root)
    assert config.question == "rif, inh?"
    assert config.published[0].target == "rif"
    with pytest.raises(InputError, match=r"two predicts 2 targets at once.*got two\.rif"):
        ask_study("two.rif", root)


def test_an_unknown_name_stays_unknown(root: Path) -> None:
    with pytest.raises(InputError, match=r'unknown study "whet\.e2"; did you mean'):
        ask_study("whet.e2", root)


def test_the_name_of_another_target() -> None:
    assert with_target("wheat", None) == "wheat"
    assert with_target("wheat", "e2") == "wheat.e2"
