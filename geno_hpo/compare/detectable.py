"""The smallest difference that a study of this size could have been expected to see.

With a paired standard error SE, a true difference of ``(z(1 − α/2) + z(power)) × SE`` is called
significant with the stated power. It depends on the data's size and on how alike the two models
err, not on the difference that was found: it is no "observed power".

References
----------
Hoenig, Heisey (2001). The abuse of power. The American Statistician 55, 19-24.
"""

from __future__ import annotations

__all__ = ["POWER", "smallest_detectable"]

POWER = 0.8


def smallest_detectable(error: float, *, level: float = 0.95, power: float = POWER) -> float:
    """Size of a true difference that is shown with this power, in units of `error`.

    Parameters
    ----------
    error
        Standard error of the paired difference; NaN gives NaN.
    level
        One minus the two-sided test's error rate.
    power
        Chance that the difference is shown.

    Raises
    ------
    ValueError
        A negative error, or a level or power outside (0, 1).
    """
    from scipy.special import ndtri

    if error < 0:
        raise ValueError(f"error must not be negative, got {error}")
    if not (0 < level < 1 and 0 < power < 1):
        raise ValueError(f"level and power must lie in (0, 1), got {level} and {power}")
    return float((ndtri((1 + level) / 2) + ndtri(power)) * error)
