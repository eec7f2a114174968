"""What a nested cross-validation found: the outer folds' summaries pooled into one.

Nothing is trained or scored here. Each outer fold's summary holds scores on samples that its search
never saw; their mean estimates what the whole procedure (search, choice, final fit) achieves on new
samples, not what any one of the winning configurations does.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from typing import Any

import numpy as np

from geno_hpo.compare import OuterComparison, compare_outer, mean_and_spread
from geno_hpo.errors import StudyChangedError
from geno_hpo.metrics import METRICS

__all__ = ["agreement", "pooled_summary"]

NETWORK = "network"
SHARED = (
    "study",
    "generation",
    "question",
    "data",
    "task",
    "target",
    "metric",
    "versions",
    "seed",
    "published",
)


def pooled_summary(
    summaries: Sequence[dict[str, Any]], searched: frozenset[str] = frozenset()
) -> dict[str, Any]:
    """Pool the summaries of all outer folds.

    Parameters
    ----------
    summaries
        One a fold, in order, each as docs/summary.md describes it.
    searched
        Names of the networks' parameters that were searched; the others cannot disagree.

    Returns
    -------
    dict
        The content of a nested study's ``summary.json`` (docs/summary.md).

    Raises
    ------
    StudyChangedError
        The folds saw different data, or were searched with different budgets.
    ValueError
        Fewer than two folds.
    """
    _check_alike(summaries)
    first = summaries[0]
    train, test = (
        float(np.mean([one["split"][f"{part}_samples"] for one in summaries]))
        for part in ("development", "test")
    )
    metric = METRICS[first["metric"]]
    board = [_row(summaries, _name(row)) for row in first["leaderboard"]]
    network = next(row["test_folds"] for row in board if row["kind"] == NETWORK)
    baselines = [row for row in board if row["kind"] != NETWORK]

    def compared(rival: Sequence[float], name: str) -> OuterComparison:
        return compare_outer(network, rival, metric, train=train, test=test, name=name)

    differences = [
        {"baseline": row["model"], **_told(compared(row["test_folds"], row["model"]))}
        for row in baselines
    ]
    comparison = None
    if baselines:
        chosen = [one["comparison"]["best_baseline"] for one in summaries]
        scores = [_entry(one, model)["test"] for one, model in zip(summaries, chosen, strict=True)]
        name = "the baseline that cross-validation chose in each fold"
        comparison = {"best_baselines": chosen, **_told(compared(scores, name))}
    return {
        **{key: first[key] for key in SHARED},
        "split": {
            "kind": first["split"]["kind"],
            "outer": len(summaries),
            "folds": first["split"]["folds"],
        },
        "leaderboard": sorted(board, key=lambda row: row["test_mean"], reverse=metric.maximise),
        "differences": differences,
        "comparison": comparison,
        "outer_folds": [_fold(one) for one in summaries],
        "agreement": agreement([one["best"] for one in summaries], searched),
        "trials": {
            "asked": first["trials"]["asked"],
            **{
                state: sum(one["trials"][state] for one in summaries)
                for state in ("complete", "pruned", "failed")
            },
        },
        "seconds": {
            part: round(sum(one["seconds"][part] for one in summaries), 2)
            for part in first["seconds"]
        },
    }


def agreement(winners: Sequence[dict[str, Any]], searched: frozenset[str]) -> dict[str, Any]:
    """Say whether the outer folds' winners agree.

    Parameters
    ----------
    winners
        ``model`` and ``params`` of each fold's winner.
    searched
        Names of the parameters that were searched.

    Returns
    -------
    dict
        ``models`` (how often each family won), ``parameters`` (each searched one's value in every
        fold, null where the winner has no such parameter, and whether all are the same), and a
        ``sentence``.
    """
    names = dict.fromkeys(name for one in winners for name in one["params"] if name in searched)
    parameters = []
    for name in names:
        values = [one["params"].get(name) for one in winners]
        parameters.append(
            {"name": name, "values": values, "same": all(value == values[0] for value in values)}
        )
    models = Counter(str(one["model"]) for one in winners)
    same = [entry["name"] for entry in parameters if entry["same"]]
    told = ", ".join(f"{model} in {count}" for model, count in models.most_common())
    families = (
        f"All {len(winners)} outer folds chose the family {next(iter(models))}"
        if len(models) == 1
        else f"The outer folds chose different families ({told})"
    )
    return {
        "models": dict(models.most_common()),
        "parameters": parameters,
        "sentence": (
            f"{families}; of {len(parameters)} searched parameters {len(same)} have the same "
            f"value in every fold{': ' + ', '.join(same) if same else ''}."
        ),
    }


def _check_alike(summaries: Sequence[dict[str, Any]]) -> None:
    """See that the folds belong together.

    Raises
    ------
    StudyChangedError
        They do not.
    """
    facts = {
        "data": [one["data"]["fingerprint"] for one in summaries],
        "budgets": [{_name(row): row["trials"] for row in one["leaderboard"]} for one in summaries],
    }
    for what, values in facts.items():
        for fold, value in enumerate(values, start=1):
            if value != values[0]:
                raise StudyChangedError(
                    f"the outer folds of study {summaries[0]['study']} must share their {what}: "
                    f"fold 1 has {values[0]}, fold {fold} has {value}"
                )


def _name(row: dict[str, Any]) -> str:
    """A procedure's name: all network families are one, for the search chooses between them."""
    return NETWORK if row["kind"] == NETWORK else str(row["model"])


def _entry(summary: dict[str, Any], name: str) -> dict[str, Any]:
    """A procedure's line of one fold's leaderboard."""
    found: dict[str, Any] = next(row for row in summary["leaderboard"] if _name(row) == name)
    return found


def _row(summaries: Sequence[dict[str, Any]], name: str) -> dict[str, Any]:
    """A procedure's line of the pooled leaderboard."""
    rows = [_entry(one, name) for one in summaries]
    test, cv = (mean_and_spread([row[key] for row in rows]) for key in ("test", "cv_mean"))
    return {
        "model": name,
        "kind": rows[0]["kind"],
        "test_mean": test[0],
        "test_std": test[1],
        "test_folds": [float(row["test"]) for row in rows],
        "cv_mean": cv[0],
        "cv_std": cv[1],
        "trials": rows[0]["trials"],
    }


def _told(found: OuterComparison) -> dict[str, Any]:
    return {
        "difference": found.test.difference,
        "ci": [found.test.low, found.test.high],
        "p_value": found.test.p_value,
        "folds": list(found.differences),
        "verdict": found.verdict,
        "sentence": found.sentence,
    }


def _fold(summary: dict[str, Any]) -> dict[str, Any]:
    """What the pooled summary keeps of one outer fold."""
    best, split, seal = summary["best"], summary["split"], summary["seal"]
    return {
        "fold": summary["outer_fold"],
        "development_samples": split["development_samples"],
        "test_samples": split["test_samples"],
        "fingerprint": split["fingerprint"],
        "model": best["model"],
        "trial": best["trial"],
        "epochs": best["epochs"],
        "params": best["params"],
        "cv_mean": best["cv_mean"],
        "test": _entry(summary, NETWORK)["test"],
        "opened_at": seal["opened_at"],
        "trials_after": seal["trials_after"],
        "code_version": seal["code_version"],
    }
