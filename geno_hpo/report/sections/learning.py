"""How the winner learnt, with over- and underfitting said in words."""

from __future__ import annotations

from collections.abc import Callable

from geno_hpo.outcome import StudyOutcome, TrialRecord
from geno_hpo.report.blocks import Block, Facts, Figure, Section, Text
from geno_hpo.report.figures.learning import learning_curves, trials_to_choose
from geno_hpo.report.fit import Standing, judge
from geno_hpo.report.standing import standings
from geno_hpo.report.words import metric_label, model_label, value

__all__ = ["learning"]


def learning(outcome: StudyOutcome) -> Section:
    """Curves, judgement and the winner's hyperparameters."""
    best = outcome.summary["best"]
    blocks: list[Block] = []
    standing = standings(outcome)
    fit = judge(outcome.curves, _winner(outcome, standing))
    if fit is not None:
        blocks.append(Text(fit.sentence, "finding"))
    if outcome.curves.train_loss.size:
        blocks.append(learning_curves(outcome.curves, metric_label(outcome.summary["metric"])))
    others = _others(outcome, standing)
    if others is not None:
        blocks.append(others)
    items = tuple((name, value(x)) for name, x in best["params"].items() if name != "family")
    blocks.append(Facts(items, f"The winning configuration: {model_label(best['model'])}"))
    return Section("learning", "How the winner learnt", tuple(blocks), short="Learning")


def _winner(outcome: StudyOutcome, standing: Callable[[TrialRecord], Standing]) -> Standing | None:
    number = outcome.summary["best"].get("trial")
    winner = [t for t in outcome.trials if t.stage == "search" and t.number == number]
    return standing(winner[0]) if winner else None


def _others(outcome: StudyOutcome, standing: Callable[[TrialRecord], Standing]) -> Figure | None:
    """Curves of any other trial, to be chosen; None where only the winner's are kept."""
    best = outcome.summary["best"].get("trial")
    trials = [t for t in outcome.trials if t.stage == "search" and t.number != best]
    label = metric_label(outcome.summary["metric"])
    choices = trials_to_choose(trials, outcome.trial_curves, label, standing)
    if not choices:
        return None
    many = len(choices) < sum(t.number in outcome.trial_curves for t in trials)
    return Figure(
        "any_trial",
        "Any other trial",
        "Mean over the folds; the band is ± 1 standard deviation, the dotted line the best epoch."
        + (f" The first {len(choices)} can be chosen." if many else ""),
        choices[0].panels,
        columns=2,
        choices=choices,
        asked="Show",
    )
