"""What the winner looks at: positions, codons, and the truth where it is known."""

from __future__ import annotations

from geno_hpo.outcome import Attribution, StudyOutcome
from geno_hpo.report.blocks import Block, Section, Table, Text
from geno_hpo.report.figures.attention import outside_codons, track
from geno_hpo.report.words import join, plural

__all__ = ["attention"]

SHOWN = 12
OUTSIDE = 5
NOTED = 0.02
ANYWHERE = (
    "These sequences are not aligned: what matters may lie anywhere, so the track says where the "
    "network can see it at all. The motifs are in the next chapter."
)


def attention(outcome: StudyOutcome) -> Section | None:
    """Track and ranking; None where the winner's family has no input gradient."""
    found = outcome.attribution
    if found is None:
        return None
    blocks: list[Block] = []
    said = _recovered(found)
    if said:
        blocks.append(Text(said, "finding"))
    figure = track(found)
    if figure is None:
        blocks.append(Text("No position moves the winner's output.", "finding"))
    elif outcome.explanation is not None and outcome.explanation.examples:
        blocks += [Text(ANYWHERE), figure]
    else:
        blocks.append(figure)
        blocks += [_codons(found), *_outside(found)] if found.codons else [_positions(found)]
    return Section("attention", "What the network looks at", tuple(blocks), short="Attention")


def _recovered(found: Attribution) -> str:
    """How many of a simulation's causes lead the ranking."""
    if found.codons:
        causes = sum(c.causal for c in found.codons)
        hits = [c for c in found.codons[:causes] if c.causal]
        what, names = "codon", [f"{c.locus} {c.number}" for c in hits]
    else:
        causes = len(found.truth)
        order = sorted(range(len(found.names)), key=lambda i: -float(found.scores[i]))
        what, names = "position", [found.names[i] for i in order[:causes] if i in found.truth]
    if not causes:
        return ""
    listed = f" ({join(names)})" if 0 < len(names) <= 6 else ""
    return (
        f"The simulation put its causes in {plural(causes, what)}; {len(names)} of them "
        f"{'is' if len(names) == 1 else 'are'} among the network's first {causes}{listed}."
    )


def _codons(found: Attribution) -> Table:
    best = found.codons[0].score or 1.0
    simulated = bool(found.truth)
    rows = tuple(
        (
            str(rank),
            f"{c.locus} {c.number}",
            c.change or "–",
            f"{c.score / best:.2f}",
            f"± {c.spread / best:.2f}",
            *(("yes" if c.causal else "no",) if simulated else ()),
        )
        for rank, c in enumerate(found.codons[:SHOWN], start=1)
    )
    return Table(
        "codons",
        "Codons by what they contribute",
        (
            *("Rank", "Codon", "Changes in this cohort", "Relative", "Spread"),
            *(("Cause",) if simulated else ()),
        ),
        rows,
        numeric=frozenset({0, 3, 4}),
        note="Sum of the three positions, relative to the first; the spread is the standard "
        "deviation over restarts. Changes are from the commonest codon of the cohort, most "
        "frequent first; silent ones are not named.",
        marked=frozenset(i for i, c in enumerate(found.codons[:SHOWN]) if c.causal),
    )


def _outside(found: Attribution) -> list[Block]:
    """What stands out beside the codons: promoters, insertions, genes without a protein."""
    first = max(found.codons[0].score, 1e-12)
    told = [
        f"{found.names[i]} ({found.scores[i] / first:.2f} ± {found.spread[i] / first:.2f})"
        for i in outside_codons(found)[:OUTSIDE]
        if found.scores[i] > NOTED * first
    ]
    if not told:
        return []
    return [Text(f"Outside of codons, relative to the first codon: {join(told)}.")]


def _positions(found: Attribution) -> Table:
    order = sorted(range(len(found.names)), key=lambda i: -float(found.scores[i]))[:SHOWN]
    causal = set(found.truth)
    best = float(found.scores[order[0]]) or 1.0
    rows = tuple(
        (
            str(rank),
            found.names[i],
            f"{found.scores[i] / best:.2f}",
            f"± {found.spread[i] / best:.2f}",
            *(("yes" if i in causal else "no",) if causal else ()),
        )
        for rank, i in enumerate(order, start=1)
    )
    return Table(
        "positions",
        "Positions by what they contribute",
        ("Rank", "Position", "Relative", "Spread", *(("Cause",) if causal else ())),
        rows,
        numeric=frozenset({0, 2, 3}),
        note="Relative to the first; the spread is the standard deviation over restarts.",
        marked=frozenset(place for place, i in enumerate(order) if i in causal),
    )
