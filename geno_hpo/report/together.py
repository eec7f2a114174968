"""Several studies on one page: drugs, traits or families side by side.

Each study's own comparison stays what it is; nothing is pooled or tested across studies.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from geno_hpo.explanation import consensus
from geno_hpo.outcome import StudyOutcome
from geno_hpo.report.blocks import Block, Section, Table, Text
from geno_hpo.report.figures.together import effects, scores
from geno_hpo.report.forest import ranked
from geno_hpo.report.page import draw, store
from geno_hpo.report.sections.answer import Answer
from geno_hpo.report.stills import stills
from geno_hpo.report.tables import as_csv
from geno_hpo.report.words import (
    count,
    duration,
    interval,
    join,
    metric_label,
    model_label,
    number,
    percent,
    plural,
    signed,
    spread,
    value,
)

__all__ = ["render_together", "write_together"]

LOOKED_AT = 5


def write_together(outcomes: Sequence[StudyOutcome], folder: Path) -> Path:
    """Write page, figures, tables and the studies' summaries; return the page's path.

    Raises
    ------
    StorageError
        The folder cannot be written.
    ValueError
        Fewer than two studies.
    """
    first, sections = _page(outcomes)
    blocks = [*first.blocks, *(block for section in sections for block in section.blocks)]
    content = {f"{name}.csv": text.encode() for name, text in _csv(outcomes).items()}
    content |= stills(blocks)
    return store(_summary(outcomes), content, render_together(outcomes), folder)


def render_together(outcomes: Sequence[StudyOutcome]) -> str:
    """Return the page as text.

    Raises
    ------
    ValueError
        Fewer than two studies.
    """
    first, sections = _page(outcomes)
    return draw(first, sections, _summary(outcomes), _csv(outcomes), pictures=True)


def _page(outcomes: Sequence[StudyOutcome]) -> tuple[Answer, list[Section]]:
    if len(outcomes) < 2:
        raise ValueError(f"a comparison needs at least two studies, got {len(outcomes)}")
    found = (_models(outcomes), _attention(outcomes), _search(outcomes), _cost(outcomes))
    return _answer(outcomes), [section for section in found if section is not None]


def _summary(outcomes: Sequence[StudyOutcome]) -> dict[str, Any]:
    versions = outcomes[0].summary["versions"]
    return {"studies": [one.summary for one in outcomes], "versions": versions}


def _names(outcomes: Sequence[StudyOutcome]) -> list[str]:
    return [str(one.summary["study"]) for one in outcomes]


def _network(outcome: StudyOutcome) -> dict[str, Any]:
    entries: list[dict[str, Any]] = outcome.summary["leaderboard"]
    return next(entry for entry in entries if entry["kind"] == "network")


def _answer(outcomes: Sequence[StudyOutcome]) -> Answer:
    compared = [one for one in outcomes if one.summary["comparison"] is not None]
    verdicts: dict[str, list[str]] = {}
    for one in compared:
        verdict = str(one.summary["comparison"]["verdict"])
        verdicts.setdefault(verdict, []).append(str(one.summary["study"]))
    told = "; ".join(f"{verdict} in {join(names)}" for verdict, names in verdicts.items())
    simulated = [one.summary["study"] for one in outcomes if one.summary["data"]["simulated"]]
    badges = [(plural(len(outcomes), "study", "studies"), "plain")]
    if simulated:
        badges.insert(0, ("simulated data", "warn"))
    seconds = sum(float(one.summary["seconds"]["total"]) for one in outcomes)
    trials = sum(int(one.summary["trials"]["asked"]) for one in outcomes)
    samples = sum(int(one.summary["data"]["samples"]) for one in outcomes)
    blocks: list[Block] = [*effects([one.summary for one in outcomes]), _table(outcomes)]
    return Answer(
        study=" + ".join(_names(outcomes)),
        question=" · ".join(dict.fromkeys(one.question for one in outcomes if one.question)),
        verdict=f"The network against the best baseline of each study: {told}."
        if compared
        else "None of these studies compares its network with a baseline.",
        proof="Every difference is that study's own, on its own sealed test set; 95 % intervals, "
        "not corrected for the number of studies.",
        badges=tuple(badges),
        figures=(
            (str(len(outcomes)), "studies", join(_names(outcomes))),
            (count(samples), "samples", "summed over the studies, shared ones counted each time"),
            (count(trials), "trials", "network configurations asked for"),
            (duration(seconds), "in all", ""),
        ),
        blocks=tuple(blocks),
        simulated=f"Simulated data in {join(simulated)}: those numbers show what the pipeline can "
        "do, and no biology."
        if simulated
        else "",
    )


def _table(outcomes: Sequence[StudyOutcome]) -> Table:
    rows = []
    for one in outcomes:
        summary, network = one.summary, _network(one)
        comparison = summary["comparison"] or {}
        rows.append(
            (
                str(summary["study"]),
                metric_label(summary["metric"]),
                model_label(network["model"]),
                f"{number(network['cv_mean'])}{spread(network['cv_std'])}",
                number(network["test"]),
                model_label(comparison["best_baseline"]) if comparison else "–",
                signed(comparison.get("difference")),
                interval(comparison.get("ci")),
                str(comparison.get("verdict", "no baseline")),
            )
        )
    return Table(
        "studies",
        "The studies",
        (
            "Study",
            "Score",
            "Network",
            "Cross-validation",
            "Test",
            "Best baseline",
            "Difference",
            "95 % interval",
            "Verdict",
        ),
        tuple(rows),
        numeric=frozenset({3, 4, 6, 7}),
        note="Each study's own report has the rest: reports/STUDY/report.html.",
    )


def _models(outcomes: Sequence[StudyOutcome]) -> Section:
    figures = scores([one.summary for one in outcomes])
    rows = tuple(
        (
            str(one.summary["study"]),
            model_label(entry["model"]),
            number(entry["cv_mean"]),
            number(entry["test"]),
            interval(entry["test_ci"]),
        )
        for one in outcomes
        for entry in ranked(one.summary)
    )
    table = Table(
        "models",
        "Every model of every study",
        ("Study", "Model", "Cross-validation", "Test", "95 % interval"),
        rows,
        numeric=frozenset({2, 3, 4}),
    )
    return Section("models", "Every model", (*figures, table), short="Models")


def _looked_at(outcome: StudyOutcome) -> list[str]:
    """What the network looks at most: motifs, codons or positions."""
    found = outcome.explanation
    motifs = [m for m in found.motifs if m.source == "attributions"] if found is not None else []
    if motifs:
        return [consensus(one.matrix) for one in motifs[:LOOKED_AT]]
    if outcome.attribution is None:
        return []
    codons = [c for c in outcome.attribution.codons if c.score > 0][:LOOKED_AT]
    if codons:
        return [c.change.partition(",")[0] or f"{c.locus} {c.number}" for c in codons]
    scores = outcome.attribution.scores
    order = sorted(range(len(scores)), key=lambda i: -float(scores[i]))[:LOOKED_AT]
    return [outcome.attribution.names[i] for i in order if scores[i] > 0]


def _attention(outcomes: Sequence[StudyOutcome]) -> Section | None:
    seen = [_looked_at(one) for one in outcomes]
    if not any(seen):
        return None
    shared = [x for x, many in Counter(x for one in seen for x in set(one)).items() if many > 1]
    text = (
        f"{join(shared)} {'is' if len(shared) == 1 else 'are'} among the first {LOOKED_AT} of more "
        "than one study."
        if shared
        else f"No two studies share anything among the first {LOOKED_AT} of each."
    )
    rows = tuple(
        (name, *one, *("–" for _ in range(LOOKED_AT - len(one))))
        for name, one in zip(_names(outcomes), seen, strict=True)
    )
    table = Table(
        "looked_at",
        "What each network looks at most",
        ("Study", *(f"{place}." for place in range(1, LOOKED_AT + 1))),
        rows,
        note="Motifs where sequences are not aligned, else codons or positions by contribution.",
    )
    return Section("attention", "What the networks look at", (Text(text), table), short="Attention")


def _search(outcomes: Sequence[StudyOutcome]) -> Section:
    totals: Counter[str] = Counter()
    for one in outcomes:
        if one.importance is not None:
            totals.update(one.importance.shares)
    winners = [one.summary["best"]["params"] for one in outcomes]
    names = [name for name, _ in totals.most_common()]
    names += [name for params in winners for name in params if name not in names]
    chosen = list(dict.fromkeys(name for name in names if name != "family"))
    rows = []
    for name in chosen:
        cells = []
        for one, params in zip(outcomes, winners, strict=True):
            share = one.importance.shares.get(name) if one.importance is not None else None
            told = value(params[name]) if name in params else "·"
            cells.append(f"{told} ({percent(share)})" if share is not None else told)
        rows.append((name, *cells))
    models = tuple(model_label(one.summary["best"]["model"]) for one in outcomes)
    table = Table(
        "winners",
        "The winners' hyperparameters",
        ("Hyperparameter", *_names(outcomes)),
        (("model", *models), *rows),
        note="In brackets the share that it had in parting the best trials from the others, where "
        "there were trials enough. A dot: the winner's branch has no such hyperparameter.",
    )
    return Section("search", "Winners", (table,))


def _cost(outcomes: Sequence[StudyOutcome]) -> Section:
    rows = tuple(
        (
            str(one.summary["study"]),
            str(one.summary["data"]["name"]),
            count(one.summary["data"]["samples"]),
            count(one.summary["data"]["features"]),
            str(one.summary["split"]["kind"]),
            str(one.summary["trials"]["asked"]),
            duration(one.summary["seconds"]["total"]),
        )
        for one in outcomes
    )
    table = Table(
        "costs",
        "Data and cost",
        ("Study", "Data set", "Samples", "Features", "Split", "Trials", "Time"),
        rows,
        numeric=frozenset({2, 3, 5, 6}),
    )
    return Section("data", "Data and cost", (table,), short="Data")


def _csv(outcomes: Sequence[StudyOutcome]) -> dict[str, str]:
    """Tables of the page as they stand there, and every model's numbers in full."""
    head = ("study", "metric", "model", "kind", "cv_mean", "cv_std", "test", "low", "high")
    rows: list[tuple[Any, ...]] = [
        (
            one.summary["study"],
            one.summary["metric"],
            entry["model"],
            entry["kind"],
            entry["cv_mean"],
            entry["cv_std"],
            entry["test"],
            *(entry["test_ci"] or (None, None)),
        )
        for one in outcomes
        for entry in one.summary["leaderboard"]
    ]
    found = {"models": as_csv((head, rows))}
    first, sections = _page(outcomes)
    for block in (*first.blocks, *(b for section in sections for b in section.blocks)):
        if isinstance(block, Table) and block.name not in found:
            found[block.name] = as_csv((block.columns, list(block.rows)))
    return found
