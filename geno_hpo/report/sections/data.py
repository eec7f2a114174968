"""The data: how many, what classes, how divided, where from."""

from __future__ import annotations

from typing import Any

import numpy as np

from geno_hpo.outcome import StudyOutcome
from geno_hpo.report.blocks import Block, Facts, Figure, Panel, Section, Table, Text
from geno_hpo.report.figures.drawn import safe
from geno_hpo.report.mosaic import split_mosaic
from geno_hpo.report.style import colour_of, layout
from geno_hpo.report.words import count, join, number, percent

__all__ = ["data"]

TRAITS = 6


def data(outcome: StudyOutcome) -> Section:
    """Facts, split, balance and what a reader must know about the data."""
    summary = outcome.summary
    about, split = summary["data"], summary["split"]
    sealed = count(split["test_samples"])
    parts = f"{split['folds']} folds" if split["folds"] > 1 else "one validation part"
    blocks: list[Block] = [
        Facts(
            (
                ("Data set", about["name"] + (" (simulated)" if about["simulated"] else "")),
                ("Samples", count(about["samples"])),
                ("Features", count(about["features"])),
                ("Genes and regions", _loci(about.get("loci"))),
                ("Target", f"{', '.join(outcome.target)} ({outcome.task})"),
                ("Split", f"{split['kind']}, {parts}, {sealed} sealed samples"),
                ("Source", outcome.source),
                ("Licence", outcome.licence),
                ("Cite", outcome.citation),
                ("Fingerprints", f"data {about['fingerprint']}, split {split['fingerprint']}"),
            )
        ),
        split_mosaic(outcome),
    ]
    if outcome.labels is not None:
        if outcome.task == "regression":
            blocks.append(_traits(outcome))
        else:
            blocks.append(_balance(outcome))
    blocks += [Text(note, "note") for note in outcome.notes]
    return Section("data", "Data", tuple(blocks))


def _loci(loci: Any) -> str:
    names = [str(x["name"] if isinstance(x, dict) else x) for x in loci or ()]
    return join(names) if len(names) <= 12 else f"{join(names[:12])} and {len(names) - 12} more"


def _balance(outcome: StudyOutcome) -> Table:
    """Count of every class; a row an output where there are several."""
    assert outcome.labels is not None
    if len(outcome.target) > 1:
        return _balances(outcome)
    column = outcome.labels[:, 0]
    known = column[~np.isnan(column)].astype(np.intp)
    classes = outcome.classes if outcome.task != "multilabel" else ("0", "1")
    rows = [
        (str(label), count(int(many)), percent(many / max(len(known), 1)))
        for label, many in zip(classes, np.bincount(known, minlength=len(classes)), strict=False)
    ]
    if len(known) < len(column):
        rows.append(("not known", count(len(column) - len(known)), ""))
    head = ("Class", "Samples", "Share")
    return Table("classes", "Labels", head, tuple(rows), numeric=frozenset({1, 2}))


def _balances(outcome: StudyOutcome) -> Table:
    """Labels of several outputs, each 0, 1 or not known."""
    assert outcome.labels is not None
    rows = []
    for name, column in zip(outcome.target, outcome.labels.T, strict=True):
        ones, zeros = int((column == 1).sum()), int((column == 0).sum())
        share = percent(ones / max(ones + zeros, 1))
        unknown = count(len(column) - ones - zeros)
        rows.append((name, count(ones), share, count(zeros), unknown))
    head = ("Target", "1", "Share of 1", "0", "Not known")
    return Table("classes", "Labels", head, tuple(rows), numeric=frozenset(range(1, 5)))


def _traits(outcome: StudyOutcome) -> Figure:
    """Histogram of each trait, test samples set apart."""
    assert outcome.labels is not None
    panels = []
    for output, name in enumerate(outcome.target[:TRAITS]):
        values = outcome.labels[:, output]
        known = ~np.isnan(values)
        edges = np.histogram_bin_edges(values[known], bins=30)
        middle = ((edges[1:] + edges[:-1]) / 2).tolist()
        sealed = outcome.parts == -1 if outcome.parts is not None else np.zeros(len(values), bool)
        parts = [("development", known & ~sealed), ("test", known & sealed)]
        traces = tuple(
            {
                "type": "bar",
                "x": [float(f"{x:.5g}") for x in middle],
                "y": np.histogram(values[member], bins=edges)[0].tolist(),
                "name": part,
                "marker": {"color": f"{colour_of(place)}/70", "line": {"width": 0}},
            }
            for place, (part, member) in enumerate(parts)
            if member.any()
        )
        panels.append(
            Panel(
                traces,
                layout(
                    {"title": safe(name)},
                    {"title": "samples"},
                    barmode="stack",
                    bargap=0.06,
                    showlegend=len(traces) > 1,
                ),
                f"Histogram of {name}: mean {number(float(values[known].mean()))}.",
                height=280,
            )
        )
    return Figure(
        "traits",
        "Distribution of the trait",
        "Samples with a label.",
        tuple(panels),
        columns=min(2, len(panels)),
    )
