"""A methods paragraph, ready to paste."""

from __future__ import annotations

from typing import Any

from geno_hpo.metrics import METRICS
from geno_hpo.outcome import StudyOutcome
from geno_hpo.report.blocks import Paste, Section
from geno_hpo.report.words import (
    count,
    duration,
    interval,
    join,
    metric_label,
    model_label,
    number,
    p_value,
    plural,
    signed,
    spread,
)

__all__ = ["methods", "methods_text", "references"]

OPTUNA = "Akiba T, et al. (2019). Optuna. KDD: 2623-2631"
KERAS = "Chollet F, et al. (2015). Keras. https://keras.io"
TENSORFLOW = "Abadi M, et al. (2016). TensorFlow. OSDI: 265-283"
SKLEARN = "Pedregosa F, et al. (2011). Scikit-learn. J Mach Learn Res 12: 2825-2830"
LIGHTGBM = "Ke G, et al. (2017). LightGBM. NeurIPS 30: 3146-3154"
ASHA = "Li L, et al. (2020). A system for massively parallel hyperparameter tuning. MLSys 2"
BREIMAN = "Breiman L, et al. (1984). Classification and regression trees. Wadsworth"
INTEGRATED = "Sundararajan M, et al. (2017). Axiomatic attribution. ICML: 3319-3328"
SANITY = "Adebayo J, et al. (2018). Sanity checks for saliency maps. NeurIPS 31: 9505-9515"
ANOVA = "Watanabe S, et al. (2023). PED-ANOVA. IJCAI: 4389-4396"


def methods(outcome: StudyOutcome) -> Section:
    """Build the paragraph's section."""
    return Section(
        "methods",
        "Methods, ready to paste",
        (
            Paste(methods_text(outcome)),
            Paste(references(outcome)),
        ),
        short="Methods",
    )


def references(outcome: StudyOutcome) -> str:
    """What to cite: the tools and methods that this study used, and its data."""
    summary = outcome.summary
    board = {entry["model"] for entry in summary["leaderboard"] if entry["kind"] == "baseline"}
    cited = [OPTUNA, KERAS, TENSORFLOW]
    several = bool(summary.get("front"))
    asha = "asha" in outcome.study_yaml or "pruner" not in outcome.study_yaml
    cited += [ASHA] if asha and not several else []
    cited += [BREIMAN] if several else []
    cited += [SKLEARN] if board - {"lightgbm"} else []
    cited += [LIGHTGBM] if "lightgbm" in board else []
    cited += [INTEGRATED, SANITY] if outcome.explanation is not None else []
    cited += [ANOVA] if outcome.importance is not None and outcome.importance.shares else []
    data = outcome.citation
    if data and not data.startswith("none"):
        cited.append(f"Data: {data}")
    return "References. " + ". ".join(one.rstrip(".") for one in cited) + "."


def methods_text(outcome: StudyOutcome) -> str:
    """Data, split, search, comparison and versions in full sentences."""
    summary = outcome.summary
    parts = [_data(outcome), _search(summary), _baselines(summary), _test(summary)]
    parts += [_control(summary), _attributions(outcome), _versions(summary)]
    return " ".join(part for part in parts if part)


def _data(outcome: StudyOutcome) -> str:
    summary = outcome.summary
    about, split = summary["data"], summary["split"]
    made = "simulated data set" if about["simulated"] else "data set"
    parts = f"{split['folds']} folds" if split["folds"] > 1 else "a training and a validation part"
    return (
        f"We predicted {join(outcome.target)} ({outcome.task}) from {count(about['features'])} "
        f"features of {count(about['samples'])} samples of the {made} {about['name']} "
        f"(fingerprint {about['fingerprint']}). {count(split['test_samples'])} samples were sealed "
        f"as a test set before any fitting; the other {count(split['development_samples'])} were "
        f"divided into {parts} ({split['kind']} split, fingerprint "
        f"{split['fingerprint']}). Every step that learns from data was fitted on the training "
        "part of each fold alone."
    )


def _search(summary: dict[str, Any]) -> str:
    trials, best = summary["trials"], summary["best"]
    metric = METRICS.get(summary["metric"])
    aim = "maximising" if metric is None or metric.maximise else "minimising"
    return (
        f"Hyperparameters were searched with Optuna {summary['versions']['optuna']} over "
        f"{plural(trials['asked'], 'trial')} ({trials['complete']} complete, {trials['pruned']} "
        f"pruned, {trials['failed']} failed; {duration(summary['seconds']['search'])} of "
        f"trial time), {aim} the mean validation "
        f"{metric_label(summary['metric'])} over the folds. {_chosen(summary)} configuration "
        f"({model_label(best['model'])}) reached "
        f"{number(best['cv_mean'])}{spread(best['cv_std'])} (mean"
        f"{'' if best['cv_std'] is None else ' ± standard deviation'} over folds)."
    )


def _chosen(summary: dict[str, Any]) -> str:
    """How the winner was chosen, up to the word ``configuration``."""
    if not summary.get("front"):
        return "The best"
    costs = [{"parameters": "trained values"}.get(n, n) for n in summary["objectives"][1:]]
    return (
        f"At the same time the search kept {join(costs)} small (no trial was pruned), and of all "
        "configurations within one standard error over the folds of the best score the cheapest "
        "was taken (Breiman et al. 1984). The chosen"
    )


def _baselines(summary: dict[str, Any]) -> str:
    board = [entry for entry in summary["leaderboard"] if entry["kind"] == "baseline"]
    if not board:
        return ""
    named = [
        f"{model_label(entry['model'])} ({plural(entry['trials'], 'configuration')}"
        + (f", {duration(entry['seconds'])})" if entry.get("seconds") is not None else ")")
        for entry in board
    ]
    return (
        f"{join(named)} {'were' if len(named) > 1 else 'was'} tuned on the same folds with the "
        f"same score. {_features({str(entry['model']) for entry in board})}"
    )


def _features(models: set[str]) -> str:
    """What the baselines read."""
    counts = " (k-mer counts instead for the model of that name)" if "kmer" in models else ""
    text = (
        "Baselines read one binary column for each symbol that differs from the commonest at a "
        "position that varies in the training part of the fold, or, of variants, additive dosages "
        f"imputed and scaled there{counts}."
    )
    if "kernel_ridge" in models:
        text += (
            " Kernel ridge regression tried 25 penalties in each configuration, and turned scores "
            "of classes into probabilities by a logistic curve fitted to leave-one-out scores."
        )
    return text


def _test(summary: dict[str, Any]) -> str:
    seal, comparison = summary["seal"], summary["comparison"]
    if seal is None:
        return "The test set has not been opened."
    seeds = max((len(entry["test_seeds"]) for entry in summary["leaderboard"]), default=0)
    text = (
        f"The test set was opened once, after {plural(seal['trials_before'], 'trial')}; "
        f"{seal['trials_after'] or 'none'} followed. Winners were trained again on all development "
        f"samples (up to {plural(seeds, 'restart')} from different seeds). Intervals of scores are "
        "95 % bootstrap intervals (BCa) over test samples, those of differences Student's on the "
        "standard error of the paired bootstrap."
    )
    if comparison is not None:
        p = p_value(comparison["p_value"])
        text += (
            f" The network differed from the best baseline "
            f"({model_label(comparison['best_baseline'])}) by {signed(comparison['difference'])} "
            f"(95 % interval {interval(comparison['ci'])}{', ' + p if p else ''})."
        )
    return text


def _control(summary: dict[str, Any]) -> str:
    control = summary["control"]
    if control is None:
        return ""
    score = number(control["test"] if control["test"] is not None else control["cv_mean"])
    return f"The same pipeline on permuted labels scored {score}."


def _attributions(outcome: StudyOutcome) -> str:
    found = outcome.explanation
    if found is None:
        return ""
    names = [track.label for track in found.tracks if track.method != "folds"]
    return (
        f"The winner's {plural(found.restarts, 'restart')} were explained on "
        f"{plural(found.samples, 'development sample')} by {join(names)}; the rank correlation of "
        f"contributions with those of an untrained network was {number(found.untrained, 2)}."
        + (
            f" The networks of {plural(found.folds, 'fold')} were explained on their validation "
            "samples by gradient × deviation"
            f" (rank correlation with the restarts: {number(found.over_folds, 2)})."
            if found.folds
            else ""
        )
    )


def _versions(summary: dict[str, Any]) -> str:
    versions = summary["versions"]
    named = [f"{name} {version}" for name, version in versions.items()]
    return f"Seed {summary['seed']}; {join(named)}."
