"""Nearest names, and files found by name."""

from __future__ import annotations

from pathlib import Path

import pytest

from geno_hpo.config import find_named, is_shipped, names, nearest, suggestion
from geno_hpo.config.names import join, quoted
from geno_hpo.errors import InputError

STUDIES = ("inh", "inh_wdnn", "rif")


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    home = tmp_path / "studies"
    (home / "more").mkdir(parents=True)
    for name in (*STUDIES, "more/wheat"):
        (home / f"{name}.yaml").write_text("a: 1\n")
    (home / "old.yml").write_text("a: 1\n")
    (home / "README.md").write_text("x")
    return home


def test_nearest_first() -> None:
    assert nearest("ihn_wdn", STUDIES)[0] == "inh_wdnn"


@pytest.mark.parametrize(
    ("name", "hint"),
    [
        ("fold", '; did you mean "folds"?'),
        ("TEST", '; did you mean "test"?'),
        ("zzz", "; known: folds, group, test"),
    ],
)
def test_suggestion(name: str, hint: str) -> None:
    assert suggestion(name, ("folds", "test", "group")) == hint
    assert suggestion(name, ()) == ""


def test_found(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert find_named("study", "inh", folder) == folder / "inh.yaml"
    assert find_named("study", "old", folder) == folder / "old.yml"
    assert find_named("study", "more/wheat", folder) == folder / "more" / "wheat.yaml"
    assert find_named("study", "rif.yaml", folder) == folder / "rif.yaml"
    assert find_named("study", "studies/rif.yaml", folder) == folder / "rif.yaml"
    monkeypatch.chdir(folder.parent)
    assert find_named("study", "studies/inh.yaml", folder) == Path("studies/inh.yaml")


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("ihn", r'unknown study "ihn"; did you mean "inh"\? \(known: inh, inh_wdnn, '),
        ("inh_wdn.yaml", r'unknown study "inh_wdn.yaml"; did you mean.*known: inh_wdnn, inh, '),
        ("zzzz", r'unknown study "zzzz" \(known: .*more/wheat'),
        ("", r'unknown study "" \(known: '),
    ],
)
def test_unknown(folder: Path, name: str, message: str) -> None:
    with pytest.raises(InputError, match=message):
        find_named("study", name, folder)


def test_an_empty_folder(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r'unknown search space "cnn": .* holds no YAML file'):
        find_named("search space", "cnn", tmp_path / "gone")


def test_join() -> None:
    assert join(()) == ""
    assert join(("a",)) == "a"
    assert join(("a", "b", "c")) == "a, b or c"


def test_quoted_is_cut() -> None:
    assert quoted("é") == '"é"'
    assert len(quoted("x" * 500)) <= 60
    assert quoted({1, 2}) == '"{1, 2}"'


def test_what_the_project_lacks_comes_with_the_package(
    folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    shipped = tmp_path / "package" / "shipped"
    (shipped / "studies").mkdir(parents=True)
    for name in ("inh", "wheat"):
        (shipped / "studies" / f"{name}.yaml").write_text("b: 2\n")
    monkeypatch.setattr(names, "SHIPPED", shipped)
    own, other = find_named("study", "inh", folder), find_named("study", "wheat", folder)
    assert own == folder / "inh.yaml", "the project's own file comes first"
    assert other == shipped / "studies" / "wheat.yaml"
    assert [is_shipped(path) for path in (own, other)] == [False, True]
    assert find_named("study", "wheat", tmp_path / "nowhere" / "studies") == other
    with pytest.raises(InputError, match=r'"weat"; did you mean "wheat"\? \(known: wheat, more'):
        find_named("study", "weat", folder)
    with pytest.raises(InputError, match="holds no YAML file"):
        find_named("search space", "cnn", tmp_path / "nowhere" / "search_spaces")
