"""Data sets by name: what there is, where a file lies, and fetching it with its checksum.

The table itself is ``catalogue.toml`` beside this module. A file is looked for in the folder
that ``GENO_HPO_DATA_MIRROR`` names (``<data set>/<file>``), then in the cache (the user's cache
folder, or ``GENO_HPO_CACHE``), and is then downloaded from GitHub at a pinned commit; licence and
citation are told first. Each is checked against its SHA-256 before it is used.
"""

from __future__ import annotations

import os
import shutil
import sys
import tomllib
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from difflib import get_close_matches
from functools import cache
from importlib.resources import files as package_files
from pathlib import Path
from urllib.parse import quote

from geno_hpo.data.download import download as download_file
from geno_hpo.data.download import sha256_of
from geno_hpo.errors import DownloadError, InputError

__all__ = ["CACHE", "MIRROR", "CatalogueFile", "Entry", "entries", "entry", "fetch"]

MIRROR = "GENO_HPO_DATA_MIRROR"
CACHE = "GENO_HPO_CACHE"

Downloader = Callable[["CatalogueFile", Path], None]


@dataclass(frozen=True)
class CatalogueFile:
    """One file of a data set.

    Parameters
    ----------
    name
        File name in the mirror and in the cache.
    bytes
        Size.
    sha256
        Checksum, 64 hex digits.
    upstream
        ``owner/repository@commit:path`` on GitHub; empty for a derived file, which only a
        mirror holds.
    """

    name: str
    bytes: int
    sha256: str
    upstream: str

    @property
    def url(self) -> str:
        """Where it is downloaded from; empty for a derived file."""
        if not self.upstream:
            return ""
        repository, _, place = self.upstream.partition("@")
        commit, _, path = place.partition(":")
        return f"https://raw.githubusercontent.com/{repository}/{commit}/{quote(path)}"


@dataclass(frozen=True)
class Entry:
    """One data set of the catalogue.

    Parameters
    ----------
    name, title
        Its name in study files, and what it is.
    size, labels
        Samples × features, and the targets to choose from, as text.
    licence, citation
        Terms of the upstream files, and what to cite.
    simulated
        Whether the data come out of a program.
    reader
        Name of its reader in `geno_hpo.data.named`; empty where there is none yet.
    needs
        Other data sets of the catalogue its reader uses.
    target, task
        A question it can answer, for examples: the targets, and what kind they are.
    options
        What a study may choose, by key, each with its default in brackets; ``loci`` stands
        beside the others.
    files
        Its files; empty for embedded data.
    """

    name: str
    title: str
    size: str
    labels: str
    licence: str
    citation: str
    simulated: bool
    reader: str
    needs: tuple[str, ...]
    target: tuple[str, ...]
    task: str
    options: dict[str, str]
    files: tuple[CatalogueFile, ...]


@cache
def entries() -> tuple[Entry, ...]:
    """Every data set, in the order to show them."""
    text = (package_files("geno_hpo.data") / "catalogue.toml").read_text(encoding="utf-8")
    return tuple(
        Entry(
            name=name,
            title=row["title"],
            size=row["size"],
            labels=row["labels"],
            licence=row["licence"],
            citation=row["citation"],
            simulated=row["simulated"],
            reader=row["reader"],
            needs=tuple(row["needs"]),
            target=tuple(row.get("target", ())),
            task=row.get("task", ""),
            options=row.get("options", {}),
            files=tuple(CatalogueFile(**file) for file in row.get("files", ())),
        )
        for name, row in tomllib.loads(text).items()
    )


def entry(name: str) -> Entry:
    """Find the data set of this name.

    Raises
    ------
    InputError
        There is none; the message lists the known ones, nearest first.
    """
    known = {each.name: each for each in entries()}
    if name not in known:
        near = get_close_matches(name, known, n=3, cutoff=0.4)
        listed = [*near, *(other for other in known if other not in near)]
        raise InputError(f"the catalogue has no data set {name!r}; it has: {', '.join(listed)}")
    return known[name]


def fetch(
    name: str, only: Sequence[str] | None = None, *, download: Downloader | None = None
) -> Path:
    """Get a data set's files.

    Parameters
    ----------
    name
        Data set.
    only
        File names, when not all are wanted.
    download
        What brings one file to a path; by default `geno_hpo.data.download`.

    Returns
    -------
    Path
        A folder that holds the files: the mirror's when it has all of them, else the cache's.

    Raises
    ------
    InputError
        Unknown data set.
    DownloadError
        A file is in neither place and cannot be downloaded, or its checksum differs.
    """
    wanted = [file for file in entry(name).files if only is None or file.name in only]
    mirror = _mirror_folder(name)
    if mirror is not None and all((mirror / file.name).is_file() for file in wanted):
        for file in wanted:
            _verify(mirror / file.name, file)
        return mirror
    folder = _cache_folder() / name
    lacking = [
        file
        for file in wanted
        if not (folder / file.name).is_file() or sha256_of(folder / file.name) != file.sha256
    ]
    _announce(
        name, [file for file in lacking if mirror is None or not (mirror / file.name).is_file()]
    )
    for file in lacking:
        place = folder / file.name
        try:
            folder.mkdir(parents=True, exist_ok=True)
            if mirror is not None and (mirror / file.name).is_file():
                _verify(mirror / file.name, file)
                shutil.copyfile(mirror / file.name, place)
            else:
                _bring(name, file, place, download or _download)
        except OSError as error:
            raise DownloadError(
                f"the cache folder {folder} cannot be written ({error.strerror or error}); "
                f"{CACHE} may name another"
            ) from error
    return folder


def _announce(name: str, files: Sequence[CatalogueFile]) -> None:
    """Say licence and citation before the first byte of a download is asked for."""
    if not any(file.url for file in files):
        return
    size = sum(file.bytes for file in files) / 1e6
    terms = entry(name)
    sys.stderr.write(
        f"downloading {name} ({len(files)} files, {size:,.1f} MB). Licence: {terms.licence}. "
        f"Please cite: {terms.citation}\n"
    )


def _mirror_folder(name: str) -> Path | None:
    mirror = os.environ.get(MIRROR)
    if not mirror:
        return None
    if not Path(mirror).is_dir():
        raise DownloadError(f"{MIRROR} names {mirror}, which is no folder")
    return Path(mirror) / name


def _cache_folder() -> Path:
    if folder := os.environ.get(CACHE):
        return Path(folder)
    from platformdirs import user_cache_path

    return user_cache_path("geno-hpo")


def _verify(path: Path, file: CatalogueFile) -> None:
    found = sha256_of(path)
    if found != file.sha256:
        raise DownloadError(
            f"{path} is not the file the catalogue pins: its SHA-256 should be "
            f"{file.sha256}, got {found}"
        )


def _bring(name: str, file: CatalogueFile, place: Path, download: Downloader) -> None:
    hint = f"{MIRROR} may name a folder that holds it as {name}/{file.name}"
    if not file.url:
        raise DownloadError(
            f"{file.name} of data set {name!r} is derived and cannot be downloaded; {hint}"
        )
    try:
        download(file, place)
    except (OSError, ValueError) as error:
        reason = str(error).splitlines()[0] if str(error) else type(error).__name__
        raise DownloadError(
            f"{file.name} of data set {name!r} could not be downloaded from {file.url} "
            f"({reason}); {hint}"
        ) from error


def _download(file: CatalogueFile, place: Path) -> None:
    download_file(file.url, place, size=file.bytes, sha256=file.sha256)
