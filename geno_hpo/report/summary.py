"""``summary.json``: its keys, declared once, and what checks a summary against them.

`KEYS` maps a dotted path to type and meaning; ``[]`` stands for the entries of a list. A type is
one of ``str int float bool map any``, ``object`` or ``list`` (whose keys follow), or a list of one
type (``floats``, ``strs``). ``?`` follows it when the key may be missing, and `` or null`` when the
value may be null.
`NESTED_KEYS` does so for a nested cross-validation. docs/summary.md shows both tables, and a test
holds them together.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np

__all__ = ["KEYS", "NESTED_KEYS", "check_summary", "documentation", "plain"]

KEYS: dict[str, tuple[str, str]] = {
    "study": ("str", "Name of the study."),
    "generation": ("int", "Counts the fresh starts of the study, from 1."),
    "outer_fold": ("int?", "Number of this outer fold of a nested cross-validation, from 1."),
    "question": ("str?", "The question it asks, from the study file."),
    "data": ("object", "The data set."),
    "data.name": ("str", "Its name."),
    "data.simulated": ("bool", "Whether it was made by a program."),
    "data.samples": ("int", "Samples with a label, the test set included."),
    "data.features": ("int", "Positions of the alignment, or variants."),
    "data.fingerprint": ("str", "SHA-256 over codes and labels, first 16 hex digits."),
    "data.loci": ("any?", "Genes and regions the features belong to."),
    "data.oracle": (
        "map? or null",
        "By metric name, the score of a predictor that knows the simulation's causes.",
    ),
    "data.output_oracles": ("map?", "The same by output and metric name, where there are several."),
    "task": ("str", "`binary`, `multiclass`, `multilabel` or `regression`."),
    "target": ("strs", "Names of the outputs."),
    "metric": ("str", "What is optimised and compared: a name of `geno_hpo.metrics`."),
    "trials": ("object", "The search's trials, baselines and control not counted."),
    "trials.asked": ("int", "The budget."),
    "trials.complete": ("int", "Trials that ran to their end."),
    "trials.pruned": ("int", "Trials stopped early for a poor score."),
    "trials.failed": ("int", "Trials without a score."),
    "best": ("object", "The winning configuration."),
    "best.model": ("str", "Its model family."),
    "best.trial": ("int?", "Number of the winning trial."),
    "best.epochs": ("int?", "Its best epoch, for which the restarts were trained."),
    "best.params": ("map", "Its hyperparameters under their short names."),
    "best.cv_mean": ("float", "Mean score over the validation folds."),
    "best.cv_std": ("float or null", "Standard deviation over the validation folds; null for one."),
    "leaderboard": ("list", "One entry a model, network and baselines."),
    "leaderboard[].model": ("str", "Model family or baseline."),
    "leaderboard[].kind": ("str", "`network` or `baseline`."),
    "leaderboard[].cv_mean": ("float or null", "Mean score over the validation folds."),
    "leaderboard[].cv_std": ("float or null", "Standard deviation over the validation folds."),
    "leaderboard[].test": ("float or null", "Score on the sealed test set, mean over the seeds."),
    "leaderboard[].test_ci": ("floats or null", "Its 95 % interval, `[low, high]`."),
    "leaderboard[].test_seeds": ("floats", "Test score of each restart."),
    "leaderboard[].test_error": ("float? or null", "Standard error of `test`, by the bootstrap."),
    "leaderboard[].trials": ("int", "Configurations tried for this model."),
    "comparison": ("object or null", "Network against the best baseline; null without baselines."),
    "comparison.best_baseline": ("str", "The baseline with the best cross-validated score."),
    "comparison.difference": ("float", "Network minus baseline on the sealed test set."),
    "comparison.ci": ("floats or null", "95 % interval of the difference, `[low, high]`."),
    "comparison.p_value": ("float or null", "Two-sided p-value of the difference."),
    "comparison.error": ("float? or null", "Standard error of the paired difference."),
    "comparison.detectable": (
        "float? or null",
        "The smallest true difference that would be shown with 80 % power.",
    ),
    "comparison.margin": ("float?", "The smallest difference worth having."),
    "comparison.grouped": ("bool?", "Whether whole groups of samples were resampled."),
    "comparison.verdict": ("str", "The verdict in a word or two."),
    "comparison.sentence": ("str", "The verdict in a sentence."),
    "comparisons": ("list?", "Network against every baseline on the sealed test set."),
    "comparisons[].baseline": ("str", "The baseline."),
    "comparisons[].chosen": ("bool", "Whether it is `comparison.best_baseline`."),
    "comparisons[].difference": ("float or null", "Network minus baseline."),
    "comparisons[].ci": ("floats or null", "Its 95 % interval, for this comparison alone."),
    "comparisons[].error": ("float or null", "Its standard error."),
    "comparisons[].detectable": ("float or null", "As `comparison.detectable`."),
    "comparisons[].gain": (
        "float or null",
        "Share of the baseline's distance from a perfect score that the network makes good.",
    ),
    "comparisons[].p_value": ("float or null", "Two-sided p-value of this comparison alone."),
    "comparisons[].holm": ("float or null", "The p-value corrected over all comparisons (Holm)."),
    "comparisons[].verdict": ("str", "The verdict in the light of that correction."),
    "comparisons[].delong_p": (
        "float or null",
        "P-value of DeLong's test; null where the score is not one ROC AUC of ungrouped samples.",
    ),
    "comparisons[].folds": ("int", "Validation folds."),
    "comparisons[].folds_won": ("int", "Folds on which the network scored better."),
    "comparisons[].folds_difference": ("float or null", "Mean difference over the folds."),
    "comparisons[].folds_p": ("float or null", "Its p-value by the corrected resampled t-test."),
    "selection": ("object?", "The winner's cross-validated score against its test score."),
    "selection.cv": ("float", "Mean score over the folds that it was chosen on."),
    "selection.test": ("float or null", "Score on the sealed test set."),
    "selection.loss": ("float or null", "By how much the test score is worse."),
    "selection.error": ("float or null", "Standard error of the loss; null with one fold."),
    "selection.finding": ("str", "`no more than chance`, `fell`, `rose` or `unknown`."),
    "selection.sentence": ("str", "What that says."),
    "calibration": ("list?", "Calibration on the sealed test set, a model and output each."),
    "calibration[].model": ("str", "The network or the best baseline."),
    "calibration[].output": ("str", "The output; `predicted class` with several classes."),
    "calibration[].samples": ("int", "Samples with a label."),
    "calibration[].brier": ("float", "Brier score of the mean prediction over restarts."),
    "calibration[].brier_of_rate": ("float", "Brier score of always saying the classes' shares."),
    "calibration[].ece": ("float", "Expected calibration error."),
    "calibration[].ece_by_chance": (
        "float",
        "Its 95 % quantile if every probability were right: the scatter of few samples.",
    ),
    "calibration[].predicted": ("float", "Mean probability."),
    "calibration[].observed": ("float", "Share of events."),
    "calibration[].bins": ("list", "Reliability: bins of equal count, lowest first."),
    "calibration[].bins[].samples": ("int", "Samples in the bin."),
    "calibration[].bins[].predicted": ("float", "Their mean probability."),
    "calibration[].bins[].observed": ("float", "Their share of events."),
    "calibration[].bins[].ci": ("floats or null", "Wilson interval of that share."),
    "threshold": ("list?", "Yes or no from the network's probabilities, on the sealed test set."),
    "threshold[].output": ("str", "The output."),
    "threshold[].threshold": ("float", "A probability of at least this is called positive."),
    "threshold[].source": ("str", "Learnt from the `validation folds`, or `one half`."),
    "threshold[].positives": ("int", "Test samples with label 1."),
    "threshold[].negatives": ("int", "Test samples with label 0."),
    "threshold[].sensitivity": ("float or null", "Share of the positives called positive."),
    "threshold[].sensitivity_ci": ("floats or null", "Its 95 % Wilson interval."),
    "threshold[].specificity": ("float or null", "Share of the negatives called negative."),
    "threshold[].specificity_ci": ("floats or null", "Its 95 % Wilson interval."),
    "strata": ("list?", "Scores inside groups of test samples, an entry a naming of groups."),
    "strata[].by": ("str", "What groups them, such as `lineage`."),
    "strata[].left_out": ("int", "Groups not shown: too few samples, or too many groups."),
    "strata[].rows": ("list", "The groups, largest first."),
    "strata[].rows[].name": ("str", "The group."),
    "strata[].rows[].samples": ("int", "Its test samples."),
    "strata[].rows[].positives": ("int", "Of the first output, those with label 1."),
    "strata[].rows[].score": ("float or null", "The network's score; null when too few samples."),
    "strata[].rows[].ci": ("floats or null", "Its 95 % interval."),
    "strata[].rows[].baseline": ("float or null", "The best baseline's score."),
    "outputs": ("list?", "Each of several outputs by itself on the sealed test set."),
    "outputs[].name": ("str", "The output."),
    "outputs[].samples": ("int", "Test samples with a label for it."),
    "outputs[].score": ("float or null", "The network's score, mean over restarts."),
    "outputs[].ci": ("floats or null", "Its 95 % interval."),
    "outputs[].baseline": ("float or null", "The best baseline's score."),
    "trivial": ("list?", "Models without anything to tune, which a network must beat."),
    "trivial[].model": ("str", "`constant`, `best_feature`, or `group: NAME`."),
    "trivial[].reads": ("str", "The features that the best ones are, chosen without the test set."),
    "trivial[].cv_mean": ("float or null", "Mean score over the validation folds."),
    "trivial[].test": ("float or null", "Score on the sealed test set."),
    "trivial[].test_ci": ("floats or null", "Its 95 % interval."),
    "trivial[].difference": ("float or null", "Network minus trivial model on the test set."),
    "trivial[].ci": ("floats or null", "Its 95 % interval."),
    "trivial[].verdict": ("str", "The verdict on that difference alone."),
    "restarts": ("object? or null", "Leading configurations again from several seeds."),
    "restarts.rows": ("list", "The configurations, best mean first."),
    "restarts.rows[].place": ("int", "Place in the search, from 1, the winner."),
    "restarts.rows[].trial": ("int", "Number of the trial."),
    "restarts.rows[].model": ("str", "Model family."),
    "restarts.rows[].searched": ("float", "Score in the search, over the validation folds."),
    "restarts.rows[].mean": ("float or null", "Mean over the seeds, on the same folds."),
    "restarts.rows[].spread": ("float or null", "Standard deviation over the seeds."),
    "restarts.rows[].scores": ("floats", "Score of each seed."),
    "restarts.rows[].wins": (
        "float",
        "Chance to be chosen, each configuration with one of its seeds drawn at random.",
    ),
    "restarts.within": ("float or null", "Standard deviation of a score by the seed."),
    "restarts.between": ("float or null", "Standard deviation by the configuration beyond that."),
    "restarts.lost": ("int", "Trainings whose loss left the numbers."),
    "restarts.sentence": ("str", "Whether another seed would have chosen another winner."),
    "learning_curve": ("list?", "Scores over growing training parts, an entry a model."),
    "learning_curve[].model": ("str", "The network or the best baseline."),
    "learning_curve[].samples": ("floats", "Mean number of training samples of a fold."),
    "learning_curve[].scores": ("floats", "Mean score over the validation folds."),
    "learning_curve[].spread": ("any", "Its standard deviation over the folds."),
    "learning_curve[].gain": ("float or null", "By how much the last step made it better."),
    "learning_curve[].p_value": ("float or null", "Of that gain, by the corrected t-test."),
    "learning_curve[].twice": ("float or null", "Score foretold for twice the samples."),
    "learning_curve[].twice_ci": ("floats or null", "Its 95 % interval over the folds."),
    "learning_curve[].sentence": ("str", "Whether more data would help."),
    "importance": ("map?", "Share of each hyperparameter in being among the best trials."),
    "explanation": ("object? or null", "What further methods say of the winner's restarts."),
    "explanation.samples": ("int", "Samples looked at."),
    "explanation.restarts": ("int", "Networks averaged."),
    "explanation.completeness_gap": (
        "float",
        "What integrated gradients miss of adding up to the output, a share.",
    ),
    "explanation.untrained_correlation": (
        "float or null",
        "Rank correlation of contributions with those of a network with random weights.",
    ),
    "explanation.restart_correlation": (
        "float or null",
        "Mean rank correlation between restarts; null for one.",
    ),
    "explanation.causal_precision": (
        "map",
        "Average precision (AUPRC) of a simulation's causal positions, by method.",
    ),
    "explanation.peaks_on_copies": (
        "any",
        "`[hits, samples]`: positives whose highest contribution lies on a planted copy.",
    ),
    "explanation.motifs": ("any", "Motifs found, with the known motif most like each."),
    "control": ("object or null", "The pipeline on permuted labels; null when left out."),
    "control.cv_mean": (
        "float",
        "Best mean score over the validation folds, mean over the permutations.",
    ),
    "control.test": ("float or null", "Score on the sealed test set, mean over the permutations."),
    "control.chance": (
        "floats or null",
        "Range expected by chance, `[low, high]`; null with several permutations.",
    ),
    "control.permutations": ("int?", "Permutations of the labels that were searched."),
    "control.tests": ("floats?", "Test score of each."),
    "control.p_value": (
        "float?",
        "Empirical p-value of the network's test score, `(r + 1) / (N + 1)`.",
    ),
    "control.sentence": ("str", "What the control says."),
    "audit": ("object? or null", "What the audit found before the search; null when it was off."),
    "audit.findings": ("list", "Its findings, the most serious first."),
    "audit.findings[].check": ("str", "The check."),
    "audit.findings[].severity": ("str", "`serious`, `warning` or `note`."),
    "audit.findings[].what": ("str", "What was found, in a sentence."),
    "audit.findings[].count": ("int", "How many samples, features or groups it concerns."),
    "audit.findings[].examples": ("strs", "Some of them by name."),
    "audit.findings[].advice": ("str", "What to do; empty when there is nothing to do."),
    "audit.sampled": ("strs", "What was looked at in part only."),
    "positive_control": (
        "object? or null",
        "The network against a predictor that knows the causes; null where none were planted.",
    ),
    "positive_control.oracle": ("float", "Score of that predictor."),
    "positive_control.test": ("float", "The network's score on the sealed test set."),
    "positive_control.share": ("float", "Share of the way from chance to the oracle."),
    "positive_control.sentence": ("str", "What that says."),
    "seal": ("object or null", "The opening of the sealed test set; null while it is sealed."),
    "seal.opened_at": ("str", "When, ISO 8601 in UTC."),
    "seal.trials_before": ("int", "Search trials finished before."),
    "seal.trials_after": ("int", "Search trials run after the opening; should be 0."),
    "seal.code_version": ("str", "Version of the code that opened it."),
    "seal.openings": ("list?", "Each time it was opened, after more trials than the time before."),
    "seal.openings[].at": ("str", "When, ISO 8601 in UTC."),
    "seal.openings[].trials": ("int", "Search trials finished by then."),
    "seal.openings[].code_version": ("str", "Version of the code."),
    "withheld": ("bool?", "Whether the test set was opened, but is left out of this summary."),
    "seconds": ("object", "How long it took."),
    "seconds.total": ("float", "Wall time of all launches."),
    "seconds.search": ("float", "The search's trials, summed over the workers."),
    "seconds.baselines": ("float", "The baselines' trials, summed over the workers."),
    "seconds.final": ("float", "Restarts and refits, summed over the workers."),
    "versions": ("object", "Versions of the software."),
    **{
        f"versions.{name}": ("str", "")
        for name in (
            "geno_hpo",
            "python",
            "keras",
            "tensorflow",
            "optuna",
            "mlflow",
            "scikit-learn",
            "lightgbm",
        )
    },
    "versions.jax": ("str?", "Where networks were trained on Keras's JAX backend."),
    "split": ("object", "How the samples were divided."),
    "split.kind": (
        "str",
        "`stratified`, `grouped`, `random`, `leave_one_group_out`, `holdout`, `published`, `file`",
    ),
    "split.folds": ("int", "Validation folds, of all repeats together."),
    "split.repeats": ("int?", "How often the samples were divided anew."),
    "split.test_samples": ("int", "Samples of the sealed test set."),
    "split.development_samples": ("int", "All others."),
    "split.fingerprint": ("str", "Fingerprint of the division."),
    "seed": ("int", "The seed everything is derived from."),
    "published": ("list", "Published results named in the study file, for orientation."),
    "published[].what": ("str", "What was measured."),
    "published[].value": ("float", "The score."),
    "published[].source": ("str", "Where it was published."),
    "published[].target": ("str? or null", "The target it belongs to; null: the study's score."),
}

NESTED_KEYS: dict[str, tuple[str, str]] = {
    **{
        key: told
        for key, told in KEYS.items()
        if key.partition(".")[0].removesuffix("[]")
        in {"study", "generation", "question", "data", "task", "target", "metric", "trials"}
    },
    "split": ("object", "How the samples were divided."),
    "split.kind": ("str", "`stratified`, `grouped` or `random`."),
    "split.outer": ("int", "Outer folds; each is the sealed test set of one search."),
    "split.folds": ("int", "Validation folds inside each outer fold."),
    "leaderboard": ("list", "One entry a procedure: network, and each baseline."),
    "leaderboard[].model": ("str", "`network` (of whichever family won), or a baseline."),
    "leaderboard[].kind": ("str", "`network` or `baseline`."),
    "leaderboard[].test_mean": ("float or null", "Mean of the outer test scores."),
    "leaderboard[].test_std": ("float or null", "Their standard deviation (n − 1)."),
    "leaderboard[].test_folds": ("any", "Test score of each outer fold, mean over the seeds."),
    "leaderboard[].cv_mean": ("float or null", "Mean of the winners' inner validation scores."),
    "leaderboard[].cv_std": ("float or null", "Their standard deviation over the outer folds."),
    "leaderboard[].trials": ("int", "Configurations tried in each outer fold."),
    "differences": ("list", "The network against each baseline, paired over the outer folds."),
    "differences[].baseline": ("str", "The baseline."),
    "comparison": (
        "object or null",
        "Network against the baseline that each fold's validation chose; null without baselines.",
    ),
    "comparison.best_baselines": ("strs", "The baseline chosen in each outer fold."),
    **{
        f"{place}.{key}": told
        for place in ("differences[]", "comparison")
        for key, told in {
            "difference": ("float or null", "Mean of network minus baseline."),
            "ci": ("any", "95 % interval by the corrected resampled t-test, `[low, high]`."),
            "p_value": ("float or null", "Its two-sided p-value; null where all folds agree."),
            "folds": ("any", "The difference in each outer fold."),
            "verdict": ("str", "The verdict in a word or two."),
            "sentence": ("str", "The verdict in a sentence."),
        }.items()
    },
    "outer_folds": ("list", "The outer folds, each with its network winner."),
    "outer_folds[].fold": ("int", "Its number, from 1."),
    "outer_folds[].development_samples": ("int", "Samples that its search saw."),
    "outer_folds[].test_samples": ("int", "Samples sealed for its test."),
    "outer_folds[].fingerprint": ("str", "Fingerprint of its division."),
    "outer_folds[].model": ("str", "Model family of its winner."),
    "outer_folds[].trial": ("int", "Number of the winning trial."),
    "outer_folds[].epochs": ("int", "Its best epoch, for which the restarts were trained."),
    "outer_folds[].params": ("map", "Its hyperparameters under their short names."),
    "outer_folds[].cv_mean": ("float", "Its mean score over the inner validation folds."),
    "outer_folds[].test": ("float or null", "Its score on the outer fold, mean over the seeds."),
    "outer_folds[].opened_at": ("str", "When the outer fold's seal was opened, ISO 8601 in UTC."),
    "outer_folds[].trials_after": ("int", "Search trials after the opening; should be 0."),
    "outer_folds[].code_version": ("str", "Version of the code that opened it."),
    "agreement": ("object", "Whether the outer folds' winners agree."),
    "agreement.models": ("map", "How many outer folds each family won."),
    "agreement.parameters": ("list", "One entry a searched parameter that a winner has."),
    "agreement.parameters[].name": ("str", "Its short name."),
    "agreement.parameters[].values": (
        "any",
        "Its value in each outer fold; null where it has none.",
    ),
    "agreement.parameters[].same": ("bool", "Whether all are the same."),
    "agreement.sentence": ("str", "What they say in a sentence."),
    **{
        key: told
        for key, told in KEYS.items()
        if key.partition(".")[0].removesuffix("[]") in {"seconds", "versions", "seed", "published"}
    },
}
"""Keys of the pooled summary of a nested cross-validation; counts and seconds are sums of folds."""

_TYPES: dict[str, Any] = {
    "str": lambda x: isinstance(x, str),
    "int": lambda x: isinstance(x, int) and not isinstance(x, bool),
    "float": lambda x: isinstance(x, int | float) and not isinstance(x, bool) and math.isfinite(x),
    "bool": lambda x: isinstance(x, bool),
    "map": lambda x: isinstance(x, dict),
    "object": lambda x: isinstance(x, dict),
    "list": lambda x: isinstance(x, list),
    "floats": lambda x: isinstance(x, list) and all(_TYPES["float"](y) for y in x),
    "strs": lambda x: isinstance(x, list) and all(_TYPES["str"](y) for y in x),
    "any": lambda _: True,
}


def plain(value: Any) -> Any:
    """Make a value fit for JSON: numpy becomes Python, and numbers that are not finite null."""
    if isinstance(value, dict):
        return {str(key): plain(part) for key, part in value.items()}
    if isinstance(value, list | tuple):
        return [plain(part) for part in value]
    if isinstance(value, np.ndarray):
        return plain(value.tolist())
    if isinstance(value, np.generic):
        return plain(value.item())
    if isinstance(value, float) and not math.isfinite(value):
        return None
    return value


def check_summary(summary: dict[str, Any]) -> None:
    """See that a summary has the documented keys and types, and no others.

    Raises
    ------
    ValueError
        It has not; every fault is told.
    """
    faults: list[str] = []
    keys = NESTED_KEYS if "outer_folds" in summary else KEYS
    _check(plain(summary), "", faults, keys)
    if faults:
        raise ValueError("summary breaks its documentation: " + "; ".join(faults))


def documentation(keys: dict[str, tuple[str, str]] = KEYS) -> str:
    """Return a table of docs/summary.md."""
    rows = [f"| `{key}` | {kind} | {meaning} |" for key, (kind, meaning) in keys.items()]
    return "\n".join(["| key | type | meaning |", "|---|---|---|", *rows])


def _check(
    value: dict[str, Any], path: str, faults: list[str], keys: dict[str, tuple[str, str]]
) -> None:
    children = {
        key[len(path) :]: kind
        for key, (kind, _) in keys.items()
        if key.startswith(path) and "." not in key[len(path) :]
    }
    faults += [f"{path}{key} is not documented" for key in value if key not in children]
    for key, kind in children.items():
        name, _, null = kind.partition(" or ")
        optional = name.endswith("?")
        name = name.rstrip("?")
        if key not in value:
            faults += [] if optional else [f"{path}{key} is missing"]
            continue
        entry = value[key]
        if entry is None and (null or name == "any"):
            continue
        if not _TYPES[name](entry):
            faults.append(f"{path}{key} must be {kind}, got {entry!r}")
        elif name == "object":
            _check(entry, f"{path}{key}.", faults, keys)
        elif name == "list":
            for item in entry:
                if isinstance(item, dict):
                    _check(item, f"{path}{key}[].", faults, keys)
                else:
                    faults.append(f"{path}{key}[] must be an object, got {item!r}")
