"""Durations as people write them: ``90s``, ``30m``, ``2h``, ``1h30m``, or plain seconds."""

from __future__ import annotations

import re

from geno_hpo.config.names import quoted

__all__ = ["format_duration", "parse_duration"]

UNITS = {"d": 86400.0, "h": 3600.0, "m": 60.0, "s": 1.0}
PATTERN = re.compile(
    r"(?:(?P<d>\d+(?:\.\d+)?)\s*d)?\s*(?:(?P<h>\d+(?:\.\d+)?)\s*h)?\s*"
    r"(?:(?P<m>\d+(?:\.\d+)?)\s*m(?:in)?)?\s*(?:(?P<s>\d+(?:\.\d+)?)\s*s?)?"
)


def parse_duration(value: object) -> float:
    """Seconds that `value` says.

    Parameters
    ----------
    value
        A number of seconds, or text with units d, h, m (or min), s in this order.

    Raises
    ------
    ValueError
        No duration, or one that is not above zero.

    Examples
    --------
    >>> parse_duration("1h30m")
    5400.0
    """
    if isinstance(value, (int, float)) and not isinstance(value, bool):
        seconds = float(value)
    else:
        found = PATTERN.fullmatch(value.strip().lower()) if isinstance(value, str) else None
        if found is None or not any(found.groups()):
            raise ValueError(
                f'must be a duration such as "90s", "30m" or "2h", got {quoted(value)}'
            )
        seconds = sum(UNITS[unit] * float(count) for unit, count in found.groupdict("0").items())
    if not 0 < seconds < float("inf"):
        raise ValueError(f"must be a duration above zero, got {quoted(value)}")
    return seconds


def format_duration(seconds: float) -> str:
    """Give the shortest text that `parse_duration` reads back as `seconds`.

    Examples
    --------
    >>> format_duration(5400.0)
    '1h30m'
    """
    text, rest = "", seconds
    for unit in ("d", "h", "m"):
        count, rest = divmod(rest, UNITS[unit])
        if count:
            text += f"{count:.0f}{unit}"
    if rest and not float(rest).is_integer():
        return f"{seconds!r}s"
    return f"{text}{rest:.0f}s" if rest or not text else text
