"""A configuration checked and completed: every parameter by its rule, defaults filled in."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from difflib import get_close_matches

from geno_hpo.errors import InputError
from geno_hpo.models.parameter import Parameter, Parameters, Value
from geno_hpo.models.training import OPTIMIZERS, SCHEDULES

__all__ = ["resolve"]


def resolve(params: Parameters, known: Iterable[Parameter]) -> dict[str, Value]:
    """Check `params` against `known` and fill in defaults.

    Parameters
    ----------
    params
        Flat hyperparameters; ``family`` is passed through.
    known
        The family's parameters and those of training.

    Returns
    -------
    dict
        Every parameter that is set or has a default, in the order of `known`, after ``family``.

    Raises
    ------
    InputError
        An unknown name (the nearest known one is told), a value that breaks its rule, or a
        parameter of another optimizer or schedule.
    """
    table = {parameter.name: parameter for parameter in known}
    for name in params:
        if name != "family" and name not in table:
            near = get_close_matches(name, table, n=1)
            hint = f"; did you mean {near[0]!r}?" if near else ""
            raise InputError(
                f"unknown parameter {name!r} for family {params.get('family')!r}{hint} "
                f"(known: {', '.join(sorted(table))})"
            )
    full: dict[str, Value] = {"family": params["family"]} if "family" in params else {}
    for name, parameter in table.items():
        if name in params:
            full[name] = parameter.check(params[name])
        elif parameter.default is not None:
            full[name] = parameter.default
    optimizer = str(full.get("optimizer", ""))
    schedule = str(full.get("schedule", "constant"))
    _check_owners(full, "optimizer", optimizer, OPTIMIZERS)
    _check_owners(full, "schedule", schedule, SCHEDULES)
    if optimizer == "adamw":
        full.setdefault("weight_decay", 0.004)
    for name, default in SCHEDULES[schedule].items():
        full.setdefault(name, default)
    if schedule == "exponential" and full["final_fraction"] == 0.0:
        raise InputError("final_fraction must be above 0 with schedule exponential, got 0")
    return full


def _check_owners(
    full: Parameters, kind: str, chosen: str, owners: Mapping[str, Collection[str]]
) -> None:
    """Refuse parameters that belong to another optimizer or schedule than the chosen one."""
    owned = {name for names in owners.values() for name in names}
    for name in sorted(owned & full.keys()):
        if name not in owners.get(chosen, ()):
            homes = [key for key, names in owners.items() if name in names]
            raise InputError(f"{name} belongs to {kind} {', '.join(homes)}, got it with {chosen!r}")
