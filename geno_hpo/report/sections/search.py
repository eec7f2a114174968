"""The search: how many trials, how they ended, what they say about hyperparameters."""

from __future__ import annotations

from collections import Counter
from itertools import combinations

from geno_hpo.metrics import METRICS
from geno_hpo.outcome import StudyOutcome, TrialRecord
from geno_hpo.report.blocks import Block, Figure, Section, Table, Text
from geno_hpo.report.figures.importance import contour, importances, parallel, timeline
from geno_hpo.report.figures.interactions import together
from geno_hpo.report.figures.search import curves_of_trials, history, slices
from geno_hpo.report.hyper import importance_sentence
from geno_hpo.report.interactions import Interaction, find_interactions, interaction_sentence
from geno_hpo.report.words import duration, metric_label, model_label, number, plural, value

__all__ = ["best_first", "search", "search_trials"]

SHOWN = 10
# Hyperparameters that fit beside a trial before the table becomes unreadable.
WIDE = 9
# Of so many most important hyperparameters two are looked for that can be drawn together.
PAIRED = 6


def search_trials(outcome: StudyOutcome) -> list[TrialRecord]:
    """Trials of the search, in the order they were started."""
    return sorted((t for t in outcome.trials if t.stage == "search"), key=lambda t: t.number)


def best_first(trials: list[TrialRecord], maximise: bool) -> list[TrialRecord]:
    """Complete trials with a score, the best first."""
    done = [(t.score, t) for t in trials if t.state == "complete" and t.score is not None]
    return [t for _, t in sorted(done, key=lambda pair: -pair[0] if maximise else pair[0])]


def search(outcome: StudyOutcome) -> Section:
    """Figures and tables of the search."""
    summary = outcome.summary
    trials = search_trials(outcome)
    metric = METRICS.get(summary["metric"])
    maximise = metric is None or metric.maximise
    label = metric_label(summary["metric"])
    ranked = best_first(trials, maximise)
    won = next((t for t in ranked if t.number == summary["best"].get("trial")), None)
    best = won or (ranked[0] if ranked else None)
    blocks: list[Block] = [Text(_told(outcome, trials))]
    figures = (
        history(trials, label, maximise),
        curves_of_trials(trials, label, best),
        timeline(trials),
    )
    blocks += [figure for figure in figures if figure is not None]
    blocks += _hyperparameters(outcome, trials, label, maximise)
    if ranked:
        blocks.append(_table(ranked, label, best))
    failures = _failures(trials)
    if failures is not None:
        blocks.append(failures)
    return Section("search", "Search", tuple(blocks))


def _hyperparameters(
    outcome: StudyOutcome, trials: list[TrialRecord], label: str, maximise: bool
) -> list[Block]:
    """What mattered in words, then in figures."""
    found = outcome.importance
    blocks: list[Block] = []
    names: list[str] = list(dict.fromkeys(name for t in trials for name in t.params))
    if found is not None:
        blocks.append(Text(importance_sentence(found), "finding"))
        names = [n for n in found.shares if n in names] or names
    pairs = find_interactions(trials, names, seed=int(outcome.summary["seed"]))
    if found is not None and found.shares:
        blocks.append(Text(interaction_sentence(pairs, maximise)))
    figures = [
        importances(found) if found is not None else None,
        together(pairs, label),
        slices(trials, label),
        parallel(trials, names, label, maximise),
        _pair(trials, names, pairs, label, maximise),
    ]
    return [*blocks, *(figure for figure in figures if figure is not None)]


def _pair(
    trials: list[TrialRecord],
    names: list[str],
    acting: list[Interaction],
    label: str,
    maximise: bool,
) -> Figure | None:
    """Two numbers that act together, else the two most important that can be drawn so."""
    clear = [(one.first, one.second) for one in acting if one.clear]
    for pair in (*clear, *combinations(names[:PAIRED], 2)):
        found = contour(trials, pair, label, maximise)
        if found is not None:
            return found
    return None


def _told(outcome: StudyOutcome, trials: list[TrialRecord]) -> str:
    summary = outcome.summary
    counts = summary["trials"]
    families = sorted({model_label(t.model) for t in trials})
    epochs = sum(t.epochs for t in trials)
    text = (
        f"Of {plural(counts['asked'], 'trial')} asked for, {counts['complete']} ran to their end, "
        f"{counts['pruned']} were stopped early because their score fell behind, and "
        f"{counts['failed']} failed. "
    )
    if families:
        text += f"Model families searched: {', '.join(families)}. "
    folds = int(summary["split"]["folds"])
    text += (
        f"Every trial trained {folds} networks side by side, one a fold, and was judged by the "
        "mean of their scores after each epoch: "
        if folds > 1
        else "Every trial trained one network, and was judged by its score on the validation part "
        "after each epoch: "
    )
    text += (
        f"{epochs:,} epochs in {duration(summary['seconds']['search'])} of the trials' own time."
    )
    return text


def _table(ranked: list[TrialRecord], label: str, winner: TrialRecord | None) -> Table:
    top = ranked[:SHOWN]
    names = list(dict.fromkeys(name for t in top for name in t.params if name != "family"))
    varied = [n for n in names if len({str(t.params.get(n)) for t in top}) > 1]
    chosen = varied[:WIDE]
    several = len({t.model for t in top}) > 1
    rows = tuple(
        (
            str(t.number),
            *((model_label(t.model),) if several else ()),
            number(t.score, 4),
            str(t.best_epoch or "–"),
            *(value(t.params[n]) if n in t.params else "·" for n in chosen),
        )
        for t in top
    )
    same = [n for n in names if n not in varied]
    note = ""
    if same:
        fixed = ", ".join(f"{n} {value(top[0].params.get(n))}" for n in same)
        note = f"The same in all of these: {fixed}. "
    if len(varied) > WIDE:
        note += f"Also varied: {', '.join(varied[WIDE:])} (in trials.csv). "
    if any(n not in t.params for t in top for n in chosen):
        note += "A dot: the trial's branch of the space has no such parameter."
    head = ("Trial", *(("Model",) if several else ()), label, "Epoch", *chosen)
    return Table(
        "trials",
        f"The {len(top)} best trials" if len(top) > 1 else "The best trial",
        head,
        rows,
        numeric=frozenset(range(2 if several else 1, len(head))) | {0},
        note=note.strip(),
        marked=frozenset(i for i, t in enumerate(top) if t is winner),
    )


def _failures(trials: list[TrialRecord]) -> Table | None:
    reasons = Counter(t.reason or "no reason recorded" for t in trials if t.state == "failed")
    if not reasons:
        return None
    return Table(
        "failures",
        "Why trials failed",
        ("Reason", "Trials"),
        tuple((reason, str(many)) for reason, many in reasons.most_common()),
        numeric=frozenset({1}),
    )
