"""The report's section on the audit."""

from __future__ import annotations

from dataclasses import replace

import pytest

from geno_hpo.report.blocks import Table
from geno_hpo.report.sections.audit import audit

from . import example

SERIOUS = (
    "The audit had 1 serious finding and 1 note. To be mended or explained before the test score "
    "is believed: it is so."
)


def told(found):
    outcome = example.regression()
    return audit(replace(outcome, summary={**outcome.summary, "audit": found}))


@pytest.mark.parametrize(
    ("severities", "sentence"),
    [
        ((), "The audit found nothing that could flatter this study."),
        (("note",), "The audit found nothing serious (1 note)."),
        (
            ("warning", "warning", "note"),
            "The audit found nothing serious (2 warnings and 1 note).",
        ),
        (("serious", "note"), SERIOUS),
    ],
)
def test_the_verdict_counts_what_was_found(severities, sentence):
    one = {"check": "c", "what": "it is so", "count": 1, "examples": [], "advice": ""}
    findings = [{**one, "severity": severity} for severity in severities]
    assert told({"findings": findings, "sampled": []}).blocks[0].text == sentence


def test_every_finding_stands_in_the_table_with_what_to_do():
    section = told({**example.AUDIT, "sampled": ["relatives: 500 of 900 samples"]})
    (table,) = (block for block in section.blocks if isinstance(block, Table))
    assert len(table.rows) == 2
    assert table.marked == {0}, "serious ones are bold"
    assert table.rows[0][3:] == (
        "12",
        "isolate3 = isolate40",
        "keep copies together: split: {groups: {by: clones}}",
    )
    assert section.blocks[-1].text == "Looked at in part: relatives: 500 of 900 samples"


def test_an_audit_that_was_off_is_told_and_an_unknown_one_is_not():
    assert "audit: off" in told(None).blocks[0].text
    outcome = example.regression()
    kept = {key: value for key, value in outcome.summary.items() if key != "audit"}
    assert audit(replace(outcome, summary=kept)) is None
