"""Arguments that commands share: a study's name and the project's folder."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from geno_hpo.cli.completion import complete_study

__all__ = ["HERE", "Name", "Root"]

Name = Annotated[
    str,
    typer.Argument(
        help="Study name: studies/NAME.yaml; NAME.TARGET asks it for another target.",
        metavar="NAME",
        autocompletion=complete_study,
    ),
]
Root = Annotated[
    Path, typer.Option(help="Project folder, with studies/ and search_spaces/.", show_default=True)
]
HERE = Path()
