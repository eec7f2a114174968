"""A space in a file, from the text of its parameters."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from textwrap import indent

import pytest

from geno_hpo.space import Space, load_space

Make = Callable[..., Space]


@pytest.fixture
def make(tmp_path: Path) -> Make:
    """Load a space; parameters stand from line 3 on."""

    def load(parameters: str, *, family: str = "cnn", rest: str = "") -> Space:
        path = tmp_path / f"{family}.yaml"
        body = indent(parameters.strip("\n"), "  ")
        path.write_text(f"family: {family}\nparameters:\n{body}\n{rest}")
        return load_space(path)

    return load
