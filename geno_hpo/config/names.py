"""Names: the nearest known one, and files found by name.

A message that only says "unknown" leaves the reader to search; every refusal of a name goes
through here, so that it tells the nearest known name, or all of them.
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from difflib import SequenceMatcher
from pathlib import Path

from geno_hpo.errors import InputError

__all__ = ["find_named", "is_shipped", "join", "nearest", "quoted", "shown", "suggestion"]

SUFFIXES = (".yaml", ".yml")
SHIPPED = Path(__file__).parent.parent / "shipped"
"""Studies and search spaces that an installed package brings; a checkout has none."""
SHIPPED_FOLDERS = ("studies", "search_spaces", "search_spaces/baselines")


def nearest(name: str, known: Iterable[str]) -> list[str]:
    """`known` ordered by likeness to `name`, best first; ties keep their order."""
    wanted = name.casefold()

    def unlike(candidate: str) -> float:
        return -SequenceMatcher(None, wanted, candidate.casefold()).ratio()

    return sorted(known, key=unlike)


def suggestion(name: str, known: Iterable[str]) -> str:
    """``; did you mean "folds"?``, or the known names when none is near, or nothing."""
    ordered = nearest(name, known)
    if not ordered:
        return ""
    best = ordered[0]
    ratio = SequenceMatcher(None, name.casefold(), best.casefold()).ratio()
    if ratio >= 0.6 or (len(name) >= 3 and best.casefold().startswith(name.casefold())):
        return f'; did you mean "{best}"?'
    return f"; known: {', '.join(sorted(ordered))}"


def join(words: Iterable[str], last: str = "or") -> str:
    """Join words as in ``a, b or c``."""
    listed = list(words)
    if len(listed) < 2:
        return "".join(listed)
    return f"{', '.join(listed[:-1])} {last} {listed[-1]}"


def quoted(value: object) -> str:
    """`value` as the file would say it, cut to 60 characters."""
    try:
        text = json.dumps(value, ensure_ascii=False, default=str)
    except (TypeError, ValueError):
        text = repr(value)
    return text if len(text) <= 60 else f"{text[:57]}…"


def shown(path: Path) -> str:
    """`path` relative to the current folder where it lies below it, else as it is."""
    try:
        return path.resolve().relative_to(Path.cwd().resolve()).as_posix()
    except (ValueError, OSError):
        return str(path)


def is_shipped(path: Path) -> bool:
    """Whether a file was not found in the project, but came with the installed package."""
    return path.is_relative_to(SHIPPED)


def _shipped_like(folder: Path) -> Path | None:
    """The installed package's counterpart of a project's folder."""
    for name in SHIPPED_FOLDERS:
        if folder.absolute().as_posix().endswith(f"/{name}") and (SHIPPED / name).is_dir():
            return SHIPPED / name
    return None


def find_named(what: str, name: str, folder: Path) -> Path:
    """Find the YAML file that `name` means.

    Parameters
    ----------
    what
        What is looked for, for the message: ``study`` or ``search space``.
    name
        A file's name without its suffix (``inh``; ``baselines/ridge`` for a file in a folder),
        or a path that ends in ``.yaml`` or ``.yml``; a relative one is looked for in the current
        folder, then in `folder`, then beside it.
    folder
        Folder that holds the named files. A name that it does not hold is looked for among
        those that came with the installed package (see `is_shipped`).

    Raises
    ------
    InputError
        No such file; the known names are told, nearest first.
    """
    shipped = _shipped_like(folder)
    if name.endswith(SUFFIXES):
        given = Path(name)
        for candidate in (given, folder / given, folder.parent / given):
            if candidate.is_file():
                return candidate
    else:
        for suffix in SUFFIXES:
            candidate = folder / f"{name}{suffix}"
            if candidate.is_file():
                return candidate
        if shipped is not None and (shipped / f"{name}.yaml").is_file():
            return shipped / f"{name}.yaml"
    known = sorted(
        {
            path.relative_to(root).with_suffix("").as_posix()
            for root in (folder, shipped)
            if root is not None
            for path in root.rglob("*")
            if path.suffix in SUFFIXES and path.is_file()
        }
    )
    if not known:
        raise InputError(
            f'unknown {what} "{name}": {shown(folder)} holds no YAML file; a project folder has '
            "studies/ and search_spaces/, and --root names it"
        )
    ordered = nearest(name.removesuffix(".yaml").removesuffix(".yml"), known)
    hint = suggestion(name, ordered)
    hint = hint if hint.startswith("; did") else ""
    raise InputError(f'unknown {what} "{name}"{hint} (known: {", ".join(ordered)})')
