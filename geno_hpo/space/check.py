"""Whether every configuration of a search can be built, seen before a trial is wasted."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from itertools import chain

import numpy as np

from geno_hpo.config import shown
from geno_hpo.errors import GenoHpoError, SpaceError
from geno_hpo.space.search import FAMILY, SearchSpace
from geno_hpo.space.space import Space
from geno_hpo.space.tree import Parameters, said

__all__ = ["check_space"]

DRAW_SEED = 20240229

Buildable = Callable[[Parameters], None]


@dataclass
class _Breach:
    """The first example of a broken rule, and how many random draws break it."""

    message: str
    drawn: int = 0


def check_space(
    search: SearchSpace,
    facts: Mapping[str, int],
    buildable: Buildable | None = None,
    draws: int = 300,
) -> None:
    """See that every configuration can be built.

    Parameters
    ----------
    search
        What can be drawn.
    facts
        ``length``, ``samples``, ``variants``, ``units``, as far as the data have them.
    buildable
        Raises GenoHpoError or ValueError for a configuration that no model can be built from.
    draws
        Random configurations that are looked at beside the extremes.

    Raises
    ------
    SpaceError
        Every rule that is broken, with an example and the share of random draws that break it.
    """
    rng = np.random.default_rng(DRAW_SEED)
    extremes = ((params, False) for params in search.extremes())
    random = ((search.draw(rng), True) for _ in range(draws))
    found: dict[str, _Breach] = {}
    for params, drawn in chain(extremes, random):
        space = search.of_family(params[FAMILY])
        for rule, message in _broken(space, params, facts, buildable):
            found.setdefault(rule, _Breach(message)).drawn += drawn
    if not found:
        return
    names = ", ".join(shown(space.path) for space in search.spaces)
    lines = [
        f"{breach.message}; broken by {_percent(breach.drawn, draws)} of random draws"
        for breach in found.values()
    ]
    told = "\n  ".join(lines)
    raise SpaceError(f"{names} can draw what no model can be built from:\n  {told}")


def _broken(
    space: Space, params: Parameters, facts: Mapping[str, int], buildable: Buildable | None
) -> Iterator[tuple[str, str]]:
    """What is wrong with one configuration: the rule that it breaks, and the message."""
    values = {**facts, **params}
    sound = True
    for constraint in space.constraints:
        if text := constraint.broken(values):
            sound = False
            yield f"{space.name}:{constraint.rule.text}:{constraint.place}", text
    if not sound or buildable is None:
        return
    try:
        buildable(params)
    except (GenoHpoError, ValueError) as error:
        told = ", ".join(f"{name} = {said(value)}" for name, value in params.items())
        message = f"{error}, with {told} ({shown(space.path)})"
        yield f"{space.name}:{_without_numbers(str(error))}", message


def _percent(count: int, draws: int) -> str:
    share = 100 * count / draws if draws else 0.0
    return f"{share:.0f} %" if share >= 1 or count == 0 else "less than 1 %"


def _without_numbers(text: str) -> str:
    return "".join("#" if letter.isdigit() else letter for letter in text)
