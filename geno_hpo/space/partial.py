"""A configuration of which only some parameters are given, as Optuna's names and values.

What is not given is drawn when the trial begins. A parameter of a branch brings the branch with it.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from geno_hpo.errors import InputError
from geno_hpo.space.search import FAMILY, SearchSpace
from geno_hpo.space.space import Space
from geno_hpo.space.tree import Fixed, Value, every, said

__all__ = ["partial"]


def partial(search: SearchSpace, params: Mapping[str, Value]) -> dict[str, Any]:
    """Optuna's names and values of a part of a configuration.

    Parameters
    ----------
    search
        The space.
    params
        Values under short names; ``family`` names the space where several have these names.

    Raises
    ------
    InputError
        A name that the space does not have, or a value that it cannot draw.
    """
    space = _space(search, params)
    found: dict[str, Any] = {FAMILY: space.family} if len(search.spaces) > 1 else {}
    for name, value in params.items():
        if name == FAMILY:
            continue
        nodes = [
            (node, path)
            for node, path in every(space.parameters)
            if node.name == name
            and all(params.get(branch.name, choice) == choice for branch, choice in path)
        ]
        if not nodes:
            known = ", ".join(sorted({node.name for node, _ in every(space.parameters)}))
            raise InputError(f"{name}: not a parameter of {space.name} here; it has {known}")
        for node, path in nodes:
            if isinstance(node, Fixed):
                if node.value != value:
                    raise InputError(f"{name} is fixed at {said(node.value)}, got {said(value)}")
                continue
            own = float(value) if isinstance(node.default, float) and _whole(value) else value
            if not node.holds(own):
                raise InputError(f"{node.key} must be in {node.range}, got {said(value)}")
            found[node.key] = own
            if len(nodes) == 1:
                found |= {branch.key: choice for branch, choice in path}
    return found


def _whole(value: Value) -> bool:
    return isinstance(value, int) and not isinstance(value, bool)


def _space(search: SearchSpace, params: Mapping[str, Value]) -> Space:
    """The space that the parameters are of."""
    if FAMILY in params:
        asked = params[FAMILY]
        found = [space for space in search.spaces if space.family == asked]
    else:
        names = params.keys()
        found = [
            space
            for space in search.spaces
            if names <= {node.name for node, _ in every(space.parameters)}
        ]
    if len(found) != 1:
        raise InputError(
            f"the parameters {', '.join(params)} must be of one family; say family=… as well: "
            + ", ".join(search.families)
        )
    return found[0]
