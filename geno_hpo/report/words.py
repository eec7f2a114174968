"""Numbers and names as a reader wants them."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

from geno_hpo.metrics import METRICS
from geno_hpo.models import family_label

__all__ = [
    "NOTHING",
    "count",
    "duration",
    "interval",
    "join",
    "metric_label",
    "missing",
    "model_label",
    "number",
    "p_value",
    "percent",
    "plural",
    "signed",
    "value",
]

NOTHING = "–"
MODELS = {
    "ridge": "Ridge",
    "random_forest": "Random forest",
    "lightgbm": "LightGBM",
    "elastic_net": "Elastic net",
    "kernel_ridge": "Kernel ridge (GBLUP)",
    "kmer": "k-mer counts",
}


def missing(x: Any) -> bool:
    """Whether there is no number: None, NaN or infinite."""
    return x is None or not math.isfinite(x)


def number(x: float | None, digits: int = 3) -> str:
    """Fixed digits and a true minus sign; a dash when there is no number."""
    if x is None or not math.isfinite(x):
        return NOTHING
    text = f"{x:.{digits}f}"
    if float(text) == 0:
        text = text.lstrip("-")
    return text.replace("-", "−")


def spread(x: float | None, digits: int = 3) -> str:
    """``± x`` after a mean; nothing where a single fold has no deviation."""
    return "" if x is None else f" ± {number(x, digits)}"


def signed(x: float | None, digits: int = 3) -> str:
    """As `number`, with a plus sign."""
    text = number(x, digits)
    return f"+{text}" if x is not None and math.isfinite(x) and x > 0 else text


def interval(bounds: Sequence[float | None] | None, digits: int = 3) -> str:
    """``0.93 to 0.97``."""
    if not bounds or any(missing(x) for x in bounds):
        return NOTHING
    return f"{number(bounds[0], digits)} to {number(bounds[1], digits)}"


def p_value(p: float | None) -> str:
    """``p = 0.012`` or ``p < 0.001``."""
    if p is None or not math.isfinite(p):
        return ""
    return "p < 0.001" if p < 0.001 else f"p = {p:.3f}"


def percent(share: float) -> str:
    """A share from 0 to 1 in whole per cent, one digit below ten."""
    return f"{100 * share:.0f} %" if share >= 0.0995 else f"{100 * share:.1f} %"


def count(n: int | None) -> str:
    """Thousands parted by a comma."""
    return NOTHING if n is None else f"{n:,}"


def plural(n: int, one: str, many: str = "") -> str:
    """``1 trial``, ``2 trials``."""
    return f"{count(n)} {one if n == 1 else many or one + 's'}"


def join(parts: Sequence[str]) -> str:
    """``a, b and c``."""
    return " and ".join([", ".join(parts[:-1]), parts[-1]]) if len(parts) > 1 else "".join(parts)


def duration(seconds: float | None) -> str:
    """Seconds in the two largest units."""
    if seconds is None or not math.isfinite(seconds):
        return NOTHING
    if seconds < 60:
        return f"{seconds:.1f} s" if seconds < 10 else f"{seconds:.0f} s"
    minutes, rest = divmod(round(seconds), 60)
    if minutes < 60:
        return f"{minutes} min {rest} s" if rest else f"{minutes} min"
    hours, minutes = divmod(minutes, 60)
    return f"{hours} h {minutes} min" if minutes else f"{hours} h"


def metric_label(metric: str) -> str:
    """A metric's name for people."""
    return METRICS[metric].label if metric in METRICS else metric.replace("_", " ")


def model_label(model: str) -> str:
    """A model's name for people."""
    return MODELS.get(model) or family_label(model)


def value(x: Any) -> str:
    """A hyperparameter's value, short."""
    if isinstance(x, bool):
        return "yes" if x else "no"
    if isinstance(x, float):
        return f"{x:.3g}".replace("-", "−")
    return NOTHING if x is None else str(x)
