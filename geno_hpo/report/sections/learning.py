"""How the winner learnt, with over- and underfitting said in words."""

from __future__ import annotations

from geno_hpo.outcome import StudyOutcome
from geno_hpo.report.blocks import Block, Facts, Section, Text
from geno_hpo.report.figures.learning import learning_curves
from geno_hpo.report.fit import judge
from geno_hpo.report.words import metric_label, model_label, value

__all__ = ["learning"]


def learning(outcome: StudyOutcome) -> Section:
    """Curves, judgement and the winner's hyperparameters."""
    best = outcome.summary["best"]
    blocks: list[Block] = []
    fit = judge(outcome.curves)
    if fit is not None:
        blocks.append(Text(fit.sentence, "finding"))
    if outcome.curves.train_loss.size:
        blocks.append(learning_curves(outcome.curves, metric_label(outcome.summary["metric"])))
    items = tuple((name, value(x)) for name, x in best["params"].items() if name != "family")
    blocks.append(Facts(items, f"The winning configuration: {model_label(best['model'])}"))
    return Section("learning", "How the winner learnt", tuple(blocks), short="Learning")
