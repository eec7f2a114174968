"""A bundle that was changed, cut or made by a newer program is refused, each with its reason."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from geno_hpo.bundle import Contents, open_bundle, write_bundle
from geno_hpo.errors import BundleError
from tests.bundle.toys import facts, write_toy


def rewrite(folder: Path, change: Callable[[dict[str, Any]], Any]) -> None:
    path = folder / "bundle.json"
    told = json.loads(path.read_text())
    change(told)
    path.write_text(json.dumps(told))


@pytest.mark.parametrize(
    ("damage", "reason"),
    [
        (lambda f: (f / "bundle.json").unlink(), "is no bundle: it has no bundle.json"),
        (lambda f: (f / "bundle.json").write_text("{"), "cannot be read"),
        (lambda f: (f / "bundle.json").write_text("[]"), "has no format version"),
        (lambda f: rewrite(f, lambda t: t.update(format=2)), "format 2, this program reads up to"),
        (lambda f: rewrite(f, lambda t: t.update(format="1")), "has no format version"),
        (lambda f: rewrite(f, lambda t: t.update(width=17)), "loci end at 18, width is 17"),
        (lambda f: rewrite(f, lambda t: t.update(pickle=1)), "pickle Extra inputs"),
        (lambda f: rewrite(f, lambda t: t["thresholds"].pop()), "1 thresholds for 2 targets"),
        (lambda f: rewrite(f, lambda t: t["files"].pop("encoding.npz")), "no checksum of encoding"),
        (
            lambda f: rewrite(f, lambda t: t["files"].update({"../weights.bin": "0"})),
            "names a file outside the bundle",
        ),
        (lambda f: (f / "models/restart-1.keras").write_bytes(b"other"), "was changed after"),
        (lambda f: (f / "README.md").write_text("other"), r"README\.md was changed after"),
        (lambda f: (f / "preprocess.npz").unlink(), "is not whole: preprocess.npz is missing"),
    ],
)
def test_damage_is_told(tmp_path: Path, damage: Callable[[Path], Any], reason: str) -> None:
    folder = tmp_path / "bundle"
    write_toy(folder)
    damage(folder)
    with pytest.raises(BundleError, match=reason):
        open_bundle(folder)


def test_arrays_of_another_width_are_refused(tmp_path: Path) -> None:
    with pytest.raises(BundleError, match=r"genome must be \(18,\), got \(3,\)"):
        write_toy(tmp_path / "bundle", genome=np.arange(3))


def test_no_array_is_a_pickle(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="Object arrays cannot be saved"):
        write_bundle(
            Contents(facts(), {}, {"genome": np.array([{}] * 18, dtype=object)}, {}),
            tmp_path / "bundle",
        )


def test_other_peoples_folders_are_left_alone(tmp_path: Path) -> None:
    folder = tmp_path / "mine"
    folder.mkdir()
    (folder / "thesis.txt").write_text("years of work")
    with pytest.raises(BundleError, match="holds other files and no"):
        write_toy(folder)
    assert (folder / "thesis.txt").exists()
    write_toy(tmp_path / "bundle")
    write_toy(tmp_path / "bundle", name="second")
    assert open_bundle(tmp_path / "bundle").manifest.name == "second", "a bundle is replaced"
    assert not list(tmp_path.glob(".*")), "no half-written folder stays"
