"""What all simulators share: sample names, where the data come from, and ranges of options."""

from __future__ import annotations

from geno_hpo.data.dataset import Origin
from geno_hpo.errors import DataError

__all__ = ["drawn_by", "require", "sample_names"]


def sample_names(count: int) -> tuple[str, ...]:
    """Give ``sim00001``, ``sim00002`` and so on."""
    return tuple(f"sim{number:05d}" for number in range(1, count + 1))


def drawn_by(module: str, seed: int, what: str, *notes: str) -> Origin:
    """Origin of simulated data.

    Parameters
    ----------
    module
        Of the simulator.
    seed
        Everything is drawn from it.
    what
        What is drawn, such as ``genotypes and labels``.
    notes
        What else a reader must know.
    """
    return Origin(
        source=f"{module}, seed {seed}",
        simulated=True,
        licence="Apache-2.0",
        citation="none: simulated by geno_hpo",
        notes=(f"Simulated data: {what} are drawn by a program", *notes),
    )


def require(what: str, holds: bool, value: float, interval: str) -> None:
    """Refuse an option outside its range.

    Raises
    ------
    DataError
        It does not hold; rule and value are told.
    """
    if not holds:
        raise DataError(f"{what} must lie in {interval}, got {value:g}")
