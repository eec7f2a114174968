"""The controls: on permuted labels the pipeline must find nothing, and a planted cause it must."""

from __future__ import annotations

from geno_hpo.outcome import StudyOutcome
from geno_hpo.report.blocks import Block, Section, Text
from geno_hpo.report.forest import control_forest

__all__ = ["control"]


def control(outcome: StudyOutcome) -> Section | None:
    """What the control says; None when it was left out."""
    found = outcome.summary["control"]
    forest = control_forest(outcome.summary)
    planted = outcome.summary.get("positive_control")
    told: tuple[Block, ...] = (Text(planted["sentence"]),) if planted else ()
    if found is None or forest is None:
        return Section("control", "Control", told) if told else None
    blocks: tuple[Block, ...] = (
        Text(found["sentence"], "finding"),
        Text(
            "Labels were shuffled among the samples and the same search, training and test were "
            "run. A pipeline that lets information leak from test or validation samples into "
            "training scores better than chance here."
            + (
                " The p-value counts the real labels as one permutation more, so that it is never "
                "0; it tells the whole pipeline's score from one without any signal."
                if found.get("permutations", 1) > 1
                else ""
            ),
        ),
        forest,
        *told,
    )
    return Section("control", "Control", blocks)
