"""Write a bundle: models, arrays, the study's files, a README, checksums; the folder at once.

What is half-written never bears the final name. An existing folder is replaced only if it is a
bundle itself, or empty.
"""

from __future__ import annotations

import hashlib
import shutil
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from geno_hpo.bundle.manifest import ENCODING, MANIFEST, PREPROCESS, Manifest
from geno_hpo.bundle.readme import readme
from geno_hpo.errors import BundleError

__all__ = ["Contents", "sha256", "write_bundle"]


@dataclass(frozen=True)
class Contents:
    """What a bundle is made of.

    Parameters
    ----------
    facts
        Fields of `Manifest` but for ``files``.
    models
        Keras files by the name they get.
    encoding, preprocess
        Arrays, see `geno_hpo.bundle.manifest`.
    texts
        Further files by name, such as the study's YAML.
    """

    facts: Mapping[str, Any]
    models: Mapping[str, Path]
    encoding: Mapping[str, NDArray[Any]]
    preprocess: Mapping[str, NDArray[Any]]
    texts: Mapping[str, str] = field(default_factory=dict)


def write_bundle(contents: Contents, folder: Path) -> Manifest:
    """Write `folder`.

    Raises
    ------
    BundleError
        The folder holds something else, or cannot be written.
    """
    if folder.exists() and not folder.is_dir():
        raise BundleError(f"a bundle is a folder, and {folder} is a file")
    if folder.is_dir() and not (folder / MANIFEST).is_file() and any(folder.iterdir()):
        raise BundleError(f"{folder} holds other files and no {MANIFEST}: name a new folder")
    draft = folder.with_name(f".{folder.name}.part")
    shutil.rmtree(draft, ignore_errors=True)
    try:
        draft.mkdir(parents=True)
        for name, source in contents.models.items():
            (draft / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(source, draft / name)
        for name, arrays in ((ENCODING, contents.encoding), (PREPROCESS, contents.preprocess)):
            np.savez_compressed(draft / name, allow_pickle=False, **dict(arrays))
        for name, text in contents.texts.items():
            (draft / name).parent.mkdir(parents=True, exist_ok=True)
            (draft / name).write_text(text, encoding="utf-8")
        manifest = _manifest(contents, draft)
        donors = len(contents.preprocess.get("donors", ()))
        (draft / "README.md").write_text(readme(manifest, donors), encoding="utf-8")
        manifest = _manifest(contents, draft)
        (draft / MANIFEST).write_text(manifest.model_dump_json(indent=2) + "\n", encoding="utf-8")
        if folder.exists():
            shutil.rmtree(folder)
        draft.replace(folder)
    except OSError as error:
        raise BundleError(f"bundle {folder} cannot be written: {error}") from error
    finally:
        shutil.rmtree(draft, ignore_errors=True)
    return manifest


def _manifest(contents: Contents, draft: Path) -> Manifest:
    files = {
        path.relative_to(draft).as_posix(): sha256(path)
        for path in sorted(draft.rglob("*"))
        if path.is_file()
    }
    return Manifest.model_validate({**contents.facts, "files": files})


def sha256(path: Path) -> str:
    """SHA-256 of a file, as hex digits."""
    with path.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()
