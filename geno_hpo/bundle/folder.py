"""Open a bundle: format version, checksums, arrays; anything damaged is refused with the reason."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from pydantic import ValidationError

from geno_hpo.bundle.manifest import ENCODING, FORMAT, MANIFEST, PREPROCESS, Manifest
from geno_hpo.bundle.write import sha256
from geno_hpo.errors import BundleError

__all__ = ["Bundle", "open_bundle"]

Arrays = dict[str, NDArray[Any]]


@dataclass(frozen=True)
class Bundle:
    """An opened bundle.

    Parameters
    ----------
    folder
        Where it lies.
    manifest
        What ``bundle.json`` says.
    encoding, preprocess
        Its arrays, see `geno_hpo.bundle.manifest`.
    """

    folder: Path
    manifest: Manifest
    encoding: Arrays
    preprocess: Arrays

    @property
    def model_files(self) -> tuple[Path, ...]:
        """The restarts' Keras files."""
        return tuple(self.folder / model.file for model in self.manifest.models)


def open_bundle(folder: Path) -> Bundle:
    """Check and open a bundle.

    Raises
    ------
    BundleError
        No bundle, one of a newer format, a file that is missing or was changed.
    """
    path = folder / MANIFEST
    if not path.is_file():
        raise BundleError(f"{folder} is no bundle: it has no {MANIFEST}; make one: geno-hpo export")
    try:
        told = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise BundleError(f"{path} cannot be read: {error}") from error
    version = told.get("format") if isinstance(told, dict) else None
    if not isinstance(version, int) or version < 1:
        raise BundleError(f"{path} has no format version (a whole number from 1), got {version!r}")
    if version > FORMAT:
        raise BundleError(
            f"{folder} has format {version}, this program reads up to {FORMAT}: a newer geno-hpo "
            "is needed"
        )
    try:
        manifest = Manifest.model_validate(told)
    except ValidationError as error:
        first = error.errors()[0]
        place = ".".join(map(str, first["loc"]))
        raise BundleError(f"{path} is damaged: {place} {first['msg']}".strip()) from error
    _verify(folder, manifest)
    encoding, preprocess = _arrays(folder / ENCODING), _arrays(folder / PREPROCESS)
    bundle = Bundle(folder, manifest, encoding, preprocess)
    _check_shapes(bundle)
    return bundle


def _verify(folder: Path, manifest: Manifest) -> None:
    """Compare every file with its checksum."""
    for name in (ENCODING, PREPROCESS):
        if name not in manifest.files:
            raise BundleError(f"{folder / MANIFEST} has no checksum of {name}")
    root = folder.resolve()
    for name, wanted in manifest.files.items():
        path = folder / name
        if not path.resolve().is_relative_to(root):
            raise BundleError(f"{folder / MANIFEST} names a file outside the bundle: {name!r}")
        if not path.is_file():
            raise BundleError(f"bundle {folder} is not whole: {name} is missing")
        if (found := sha256(path)) != wanted:
            raise BundleError(
                f"{path} was changed after the export: its SHA-256 is {found[:16]}…, bundle.json "
                f"says {wanted[:16]}…; export the study again"
            )


def _arrays(path: Path) -> Arrays:
    try:
        with np.load(path, allow_pickle=False) as arrays:
            return dict(arrays)
    except (OSError, ValueError) as error:
        raise BundleError(f"{path} is no file of plain arrays: {error}") from error


def _check_shapes(bundle: Bundle) -> None:
    """Arrays must have the manifest's width."""
    width, folder = bundle.manifest.width, bundle.folder
    wanted: dict[str, tuple[str, ...]] = {ENCODING: ("reference", "genome")}
    if bundle.manifest.kind == "variants":
        wanted = {
            ENCODING: ("names", "counted", "other", "dosage"),
            PREPROCESS: ("fill", "mean", "scale"),
        }
    found = {ENCODING: bundle.encoding, PREPROCESS: bundle.preprocess}
    for file, names in wanted.items():
        for name in names:
            shape = found[file][name].shape if name in found[file] else "nothing"
            if shape != (width,):
                raise BundleError(f"{folder / file}: {name} must be ({width},), got {shape}")
    donors = bundle.preprocess.get("donors")
    if donors is not None and (donors.ndim != 2 or donors.shape[1] != width):
        raise BundleError(
            f"{folder / PREPROCESS}: donors must be (training samples, {width}), got {donors.shape}"
        )
