"""What an audit tells: plain findings, each with what to do about it."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any, Literal, get_args

__all__ = ["Audit", "Finding", "Severity", "some"]

Severity = Literal["serious", "warning", "note"]
_SHOWN = 3


@dataclass(frozen=True)
class Finding:
    """One thing that may make a score look better (or worse) than it is.

    Parameters
    ----------
    check
        Name of the check that found it.
    severity
        ``serious``: the test score should not be believed before this is mended or explained;
        ``warning``: look at it; ``note``: good to know.
    what
        One plain sentence.
    count
        How many samples (or features, or groups) it concerns, at least 1.
    examples
        Some of them by name.
    advice
        What to do; empty when there is nothing to do.

    Raises
    ------
    ValueError
        An unknown severity, or a count below 1.
    """

    check: str
    severity: Severity
    what: str
    count: int
    examples: tuple[str, ...] = ()
    advice: str = ""

    def __post_init__(self) -> None:
        if self.severity not in get_args(Severity):
            raise ValueError(f"severity is one of {get_args(Severity)}, got {self.severity!r}")
        if self.count < 1:
            raise ValueError(f"a finding concerns at least one thing, got {self.count}")


@dataclass(frozen=True)
class Audit:
    """Everything an audit found, the most serious first.

    Parameters
    ----------
    findings
        In the order to show them.
    sampled
        What was looked at in part only, because the data are big; empty when all was.
    """

    findings: tuple[Finding, ...]
    sampled: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        rank = get_args(Severity).index
        ordered = sorted(self.findings, key=lambda finding: rank(finding.severity))
        object.__setattr__(self, "findings", tuple(ordered))

    @property
    def serious(self) -> tuple[Finding, ...]:
        """What must be mended or explained."""
        return tuple(each for each in self.findings if each.severity == "serious")

    def paragraph(self) -> str:
        """Give what is serious or a warning in one paragraph; empty when there is nothing."""
        told = [each for each in self.findings if each.severity != "note"]
        if not told:
            return ""
        return f"audit, {len(told)} to look at: " + "; ".join(each.what for each in told)

    def as_dict(self) -> dict[str, Any]:
        """Give plain JSON values, for a record or ``--json``."""
        return {
            "findings": [
                {**asdict(each), "examples": list(each.examples)} for each in self.findings
            ],
            "sampled": list(self.sampled),
        }


def some(names: list[str]) -> tuple[str, ...]:
    """Give the first few names."""
    return tuple(names[:_SHOWN])
