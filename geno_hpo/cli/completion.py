"""What the shell completes: names of studies, search spaces and data sets.

Every press of the tab key starts the program anew, so nothing heavy is imported: names are those
of files, of the project folder (``--root``, else the current one) and of the installed package.
"""

from __future__ import annotations

import tomllib
from collections.abc import Iterable
from pathlib import Path

import typer

__all__ = ["complete_data", "complete_space", "complete_study"]

PACKAGE = Path(__file__).parent.parent
SHIPPED = PACKAGE / "shipped"
SUFFIXES = (".yaml", ".yml")


def complete_study(ctx: typer.Context, incomplete: str) -> list[str]:
    """Studies of the project and of the package."""
    return _beginning(_files(ctx, "studies"), incomplete)


def complete_space(ctx: typer.Context, incomplete: str) -> list[str]:
    """Search spaces of the project and of the package."""
    return _beginning(_files(ctx, "search_spaces"), incomplete)


def complete_data(incomplete: str) -> list[str]:
    """Data sets of the catalogue."""
    with (PACKAGE / "data" / "catalogue.toml").open("rb") as stream:
        return _beginning(tomllib.load(stream), incomplete)


def _files(ctx: typer.Context, folder: str) -> set[str]:
    root = Path(ctx.params.get("root") or "")
    return {
        path.stem
        for place in (root / folder, SHIPPED / folder)
        if place.is_dir()
        for path in place.iterdir()
        if path.suffix in SUFFIXES
    }


def _beginning(names: Iterable[str], incomplete: str) -> list[str]:
    return sorted(name for name in names if name.startswith(incomplete))
