"""Keys of a nested cross-validation's pooled summary; counts and seconds are sums of folds."""

from __future__ import annotations

from geno_hpo.report.summary.keys import KEYS

__all__ = ["NESTED_KEYS"]

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
