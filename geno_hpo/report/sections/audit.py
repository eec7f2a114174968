"""The audit: what was found in data and split that could flatter the study."""

from __future__ import annotations

from typing import Any

from geno_hpo.outcome import StudyOutcome
from geno_hpo.report.blocks import Block, Section, Table, Text
from geno_hpo.report.words import count, join, plural

__all__ = ["audit"]

SEVERITIES = ("serious", "warning", "note")


def audit(outcome: StudyOutcome) -> Section | None:
    """Every finding with what to do about it; None for a study that kept no audit."""
    if "audit" not in outcome.summary:
        return None
    found = outcome.summary["audit"]
    if found is None:
        off = "The study turned its audit off (`audit: off`): nobody looked for leaks."
        return Section("audit", "Audit", (Text(off, "finding"),))
    blocks: list[Block] = [
        Text(_verdict(found["findings"]), "finding"),
        Text(
            "Before the search data and split were looked at for what could flatter a model: "
            "copies and relatives on both sides of the split, groups cut by it, columns that "
            "give the label away, missing calls or an order of rows that tell it."
        ),
    ]
    if found["findings"]:
        blocks.append(_table(found["findings"]))
    blocks += [Text(f"Looked at in part: {part}", "note") for part in found["sampled"]]
    return Section("audit", "Audit", tuple(blocks))


def _verdict(findings: list[dict[str, Any]]) -> str:
    """How many findings of each severity, and the serious ones in words."""
    if not findings:
        return "The audit found nothing that could flatter this study."
    told = [
        plural(many, *names)
        for severity, names in zip(
            SEVERITIES,
            (("serious finding", "serious findings"), ("warning", "warnings"), ("note", "notes")),
            strict=True,
        )
        if (many := sum(each["severity"] == severity for each in findings))
    ]
    serious = [each["what"] for each in findings if each["severity"] == "serious"]
    if not serious:
        return f"The audit found nothing serious ({join(told)})."
    return (
        f"The audit had {join(told)}. To be mended or explained before the test score is "
        f"believed: {'; '.join(serious)}."
    )


def _table(findings: list[dict[str, Any]]) -> Table:
    rows = tuple(
        (
            each["severity"],
            each["check"],
            each["what"],
            count(each["count"]),
            "; ".join(each["examples"]),
            each["advice"],
        )
        for each in findings
    )
    return Table(
        "audit",
        "Findings",
        ("Severity", "Check", "What was found", "Concerned", "For example", "What to do"),
        rows,
        numeric=frozenset({3}),
        marked=frozenset(i for i, row in enumerate(rows) if row[0] == "serious"),
    )
