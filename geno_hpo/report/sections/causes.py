"""More about what the network looks at: other methods, motifs, variants, and a sanity check."""

from __future__ import annotations

import numpy as np

from geno_hpo.explanation import Association, Explanation, consensus
from geno_hpo.outcome import StudyOutcome
from geno_hpo.report.blocks import Block, Section, Table, Text
from geno_hpo.report.figures.methods import against_univariate, methods
from geno_hpo.report.logo import example_logos, motif_logos
from geno_hpo.report.words import count, join, number, p_value, percent, plural

__all__ = ["causes"]

SHOWN = 12
CLEAR = 0.5
LIKE = 0.7
NULL = 0.05
SAME = 0.8
HEADS = {
    "saliency": "Deviation",
    "folds": "Folds",
    "integrated": "Integrated",
    "plain": "Input",
    "mutated": "Mutagenesis",
    "permuted": "Permutation",
}


def causes(outcome: StudyOutcome) -> Section | None:
    """Other methods' answers; None where they were not asked."""
    found, axis = outcome.explanation, outcome.attribution
    if found is None or axis is None:
        return None
    blocks: list[Block] = [Text(_belief(found), "finding")]
    told = (_recovered(found, len(axis.names), len(axis.truth)), _apart(found))
    blocks += [Text(text) for text in told if text]
    if found.codons:
        blocks += [Text(_firsts(found)), _codons(found)]
    blocks += _motifs(found)
    if found.association is not None:
        blocks.append(against_univariate(found.association, axis.names, axis.truth))
        blocks.append(_variants(found.association, axis.names, set(axis.truth)))
    figure = None if found.examples else methods(found, axis.names, axis.truth)
    if figure is not None:
        blocks.append(figure)
    blocks.append(Text(_bounds(found), "note"))
    return Section("causes", "Why, and can it be believed?", tuple(blocks), short="Why")


def _belief(found: Explanation) -> str:
    """Random weights and restarts, in words by a fixed rule."""
    untrained, between = found.untrained, found.between
    if not np.isfinite(untrained):
        return "The contributions do not vary, so there is nothing to compare."
    sane = abs(untrained) < CLEAR and (between is None or between > 2 * abs(untrained))
    head = (
        "Contributions come from what the network learnt, not from its architecture"
        if sane
        else "Take the contributions with care: a network with random weights gives similar ones"
    )
    text = (
        f"{head}: their rank correlation with those of the same network before training is "
        f"{number(untrained, 2)}"
    )
    if between is None:
        return f"{text}. With one restart nothing can be said of their spread."
    strength = (
        "agree" if between >= CLEAR else "agree in part" if between >= CLEAR / 2 else "differ"
    )
    return f"{text}, between restarts it is {number(between, 2)} (restarts {strength})."


def _recovered(found: Explanation, positions: int, causal: int) -> str:
    parts = []
    scores = [(t.label, t.precision) for t in found.tracks if t.precision is not None]
    if scores and causal:
        named = join([f"{number(value, 2)} by {label}" for label, value in scores])
        parts.append(
            f"Ranked by contribution, the {plural(causal, 'causal position')} that the simulation "
            f"put among {count(positions)} are found with an area under the precision-recall curve "
            f"of {named}; a random order gives {number(causal / positions, 3)}."
        )
    if found.on_copies is not None:
        hits, whole = found.on_copies
        parts.append(
            f"In {hits} of {whole} positive sequences ({percent(hits / max(whole, 1))}) the "
            "highest contribution lies on the planted copy of the motif."
        )
    return " ".join(parts)


def _apart(found: Explanation) -> str:
    """Whether the folds' networks look where the restarts look."""
    if not found.folds:
        return ""
    text = (
        f"The {plural(found.folds, 'network')} of the folds were asked, too, each about samples "
        "that it had not learnt from"
    )
    if found.over_folds is None:
        return f"{text}; too few positions vary to compare them."
    same = (
        "the same positions"
        if found.over_folds >= SAME
        else "partly the same positions"
        if found.over_folds >= CLEAR
        else "other positions: do not build on single ones"
    )
    return (
        f"{text}: they rank {same} (rank correlation with the restarts "
        f"{number(found.over_folds, 2)})."
    )


def _firsts(found: Explanation) -> str:
    """Which codon leads, and by how many methods."""
    methods = [track for track in found.tracks if found.first_codons(track.method, 1)]
    leaders = {track.label: found.first_codons(track.method, 1)[0].name for track in methods}
    first = found.codons[0].name
    by = [label for label, name in leaders.items() if name == first]
    if len(by) == len(leaders):
        return f"All {len(by)} methods put {first} first." if len(by) > 1 else f"{first} is first."
    others = [f"{name} by {label}" for label, name in leaders.items() if name != first]
    return f"{len(by)} of {len(leaders)} methods put {first} first; {join(others)}."


def _codons(found: Explanation) -> Table:
    told = any(one.causal for one in found.codons)
    shown = found.codons[:SHOWN]
    methods = [t for t in found.tracks if any(t.method in one.places for one in found.codons)]
    return Table(
        "codon_places",
        "Place of each codon by every method",
        (
            *("Codon", "Changes in this cohort", *(HEADS[t.method] for t in methods)),
            *(("Cause",) if told else ()),
        ),
        tuple(
            (
                f"{one.locus} {one.number}",
                one.change or "–",
                *(str(one.places.get(t.method, "–")) for t in methods),
                *(("yes" if one.causal else "no",) if told else ()),
            )
            for one in shown
        ),
        numeric=frozenset(range(2, 2 + len(methods))),
        note="In the order of the mean of the logarithms of the places. Gradient × deviation and "
        "integrated gradients count how many samples differ at a codon; gradient × input and "
        "mutagenesis ask what a change would do, also where few samples or none have it. A dash: "
        "not tried, or nothing found.",
        marked=frozenset(i for i, one in enumerate(shown) if one.causal),
    )


def _motifs(found: Explanation) -> list[Block]:
    learnt = [one for one in found.motifs if one.source == "attributions"]
    filters = [one for one in found.motifs if one.source == "filter"]
    if not found.examples and not filters:
        return []
    blocks: list[Block] = []
    if learnt:
        matched = [m for m in learnt if m.known and m.p_value < NULL and m.similarity >= LIKE]
        text = f"The attributions hold {plural(len(learnt), 'motif')}: "
        text += join([f"{consensus(one.matrix)} ({plural(one.sites, 'site')})" for one in learnt])
        if matched:
            named = [
                f"{one.name} matches {one.known}"
                + (" on the other strand" if one.reversed_strand else "")
                + f" (similarity {number(one.similarity, 2)}, {p_value(one.p_value)})"
                for one in matched
            ]
            text += f". Among known ones, {join(named)}"
        elif found.known:
            text += ". None of them is clearly one of the known motifs"
        blocks.append(Text(text + "."))
    else:
        blocks.append(Text("No motif stands out of the attributions more than chance gives."))
    logos = (
        motif_logos(
            "motifs",
            "Motifs in the attributions",
            "Stretches that contribute more than shuffled contributions do, aligned; letters are "
            "as high as their information (up to 2 bits). Similarity is the cosine of the two "
            "matrices; its p-value comes from shuffling the known motif.",
            learnt,
            found.known,
        ),
        example_logos(found.examples),
        motif_logos(
            "filters",
            "What the first layer's filters see",
            "Bases at the place where a filter is most active, over sequences in which it reaches "
            "half of its maximum; of the first restart, those tied most to the output first.",
            filters,
            (),
        ),
    )
    blocks += [one for one in logos if one is not None]
    return blocks


def _variants(found: Association, names: tuple[str, ...], causal: set[int]) -> Table:
    order = np.argsort(-found.loss, kind="stable")[:SHOWN]
    told = 0 < len(causal) < len(names)
    by_p = np.argsort(np.argsort(-found.log_p, kind="stable"), kind="stable") + 1
    rows = tuple(
        (
            str(rank),
            names[found.columns[i]],
            number(float(found.loss[i]), 4),
            f"± {number(float(found.spread[i]), 4)}" if np.isfinite(found.spread[i]) else "–",
            number(float(found.log_p[found.columns[i]]), 1),
            count(int(by_p[found.columns[i]])),
            *(("yes" if int(found.columns[i]) in causal else "no",) if told else ()),
        )
        for rank, i in enumerate(order, start=1)
    )
    head = ("Rank", "Variant", f"Loss of {found.metric}", "Spread", "−log10 p", "Rank by p")
    return Table(
        "variants",
        "Variants that cost the network most when shuffled",
        (*head, *(("Cause",) if told else ())),
        rows,
        numeric=frozenset({0, 2, 3, 4, 5}),
        note="On the sealed test set, after it was opened; nothing was chosen by it. The spread is "
        "the standard deviation over restarts. p-values are of the development samples, one "
        "variant at a time.",
        marked=frozenset(
            place for place, i in enumerate(order) if told and int(found.columns[i]) in causal
        ),
    )


def _bounds(found: Explanation) -> str:
    return (
        f"Contributions were computed on {plural(found.samples, 'development sample')} for each of "
        f"{plural(found.restarts, 'restart')}. Integrated gradients start at the cohort's mean "
        f"input and miss {_share(found.gap)} of what they should add up to. "
        + " ".join(found.notes)
    )


def _share(x: float) -> str:
    return percent(x) if x >= 0.001 else "less than 0.1 %"
