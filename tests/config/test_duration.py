"""Durations as people write them."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from geno_hpo.config import format_duration, parse_duration


@pytest.mark.parametrize(
    ("written", "seconds"),
    [
        ("90s", 90),
        ("30m", 1800),
        ("30min", 1800),
        ("2h", 7200),
        ("1h30m", 5400),
        ("1d 2h", 93600),
        ("1.5h", 5400),
        ("2 H", 7200),
        ("90", 90),
        (90, 90),
        (0.5, 0.5),
    ],
)
def test_parsed(written: object, seconds: float) -> None:
    assert parse_duration(written) == seconds


@pytest.mark.parametrize(
    ("written", "message"),
    [
        ("soon", 'such as "90s", "30m" or "2h", got "soon"'),
        ("", 'got ""'),
        ("30m2h", 'got "30m2h"'),
        ("1:30:00", 'got "1:30:00"'),
        ("-5m", 'got "-5m"'),
        (True, "got true"),
        ([1], r"got \[1\]"),
        (0, "must be a duration above zero, got 0"),
        ("0s", 'above zero, got "0s"'),
        (-3, "above zero, got -3"),
        (float("inf"), "above zero"),
    ],
)
def test_refused(written: object, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        parse_duration(written)


@settings(deadline=None)
@given(st.integers(1, 10**7) | st.floats(1e-3, 1e6))
def test_formatted_and_parsed_again(seconds: float) -> None:
    assert parse_duration(format_duration(seconds)) == pytest.approx(seconds, rel=1e-12)
