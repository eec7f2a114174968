"""``geno-hpo plugins``: what installed packages bring, and whether it keeps the rules."""

from __future__ import annotations

import typer

from geno_hpo.errors import PluginError

__all__ = ["show_plugins"]


def show_plugins() -> bool:
    """List families, baselines, metrics and readers of packages; return whether all are sound."""
    from geno_hpo.baselines import BASELINES
    from geno_hpo.data.own_reader import READERS
    from geno_hpo.metrics import METRICS
    from geno_hpo.models import FAMILIES
    from geno_hpo.plugins import KINDS, plugins

    found, sound = 0, True
    for registry in (FAMILIES, BASELINES, METRICS, READERS):
        for name, packages in plugins(registry.kind).items():
            found += 1
            try:
                registry[name]
            except PluginError as error:
                sound = False
                typer.echo(f"error: {error}", err=True)
            else:
                typer.echo(f"{KINDS[registry.kind]} {name}: {packages[0].package}")
    if not found:
        typer.echo("no installed package brings anything (docs/reference/extend.md)")
    return sound
