"""Against every baseline; and where the network errs: calibration, threshold, groups."""

from __future__ import annotations

from typing import Any

from geno_hpo.outcome import StudyOutcome
from geno_hpo.report.blocks import Block, Section, Table, Text
from geno_hpo.report.figures.evidence import differences, reliability
from geno_hpo.report.words import (
    count,
    interval,
    join,
    metric_label,
    missing,
    model_label,
    number,
    plural,
    signed,
)

__all__ = ["baselines", "errors"]


def baselines(outcome: StudyOutcome) -> Section | None:
    """Network against each baseline, and what could have been seen; None without any."""
    summary = outcome.summary
    rows, main = summary.get("comparisons"), summary["comparison"]
    if not rows or main is None or summary["seal"] is None:
        return None
    label = metric_label(summary["metric"])
    figure = differences(rows, main.get("margin"), label, summary["best"]["model"])
    blocks: list[Block] = [Text(_seen(main, label))]
    blocks += [figure] if figure is not None else []
    blocks.append(_comparisons(rows))
    return Section("baselines", "Against every baseline", tuple(blocks), short="Baselines")


def _seen(main: dict[str, Any], label: str) -> str:
    drawn = "whole groups of samples" if main.get("grouped") else "samples"
    text = (
        "Intervals are Student's on the standard error of the paired bootstrap: "
        f"{drawn} of the test set are drawn again and again, the same for both models. "
    )
    if main.get("detectable") is None:
        return text + "What differences could have been seen is not known: a score is missing."
    least, margin = main["detectable"], main["margin"]
    return (
        text + f"Against {model_label(main['best_baseline'])} this test set could be expected "
        f"(with 80 % power) to show a difference in {label} of {number(least)} or more; a "
        f"difference worth having is taken to be {number(margin)}. "
        + (
            "A difference worth having could thus have gone unseen."
            if least > margin
            else "A difference worth having would thus most likely have been seen."
        )
        + (
            " The difference found is shown, but it is smaller than that."
            if main["verdict"] in ("better", "worse") and abs(main["difference"]) < margin
            else ""
        )
    )


def _comparisons(rows: list[dict[str, Any]]) -> Table:
    ordered = sorted(rows, key=lambda row: not row["chosen"])
    delong = any(row["delong_p"] is not None for row in rows)
    folds = any(row["folds_p"] is not None for row in rows)
    head = ["Baseline", "Difference", "95 % interval", "Gain", "p", "Holm p"]
    head += ["DeLong p"] if delong else []
    head += ["Folds won", "Folds p"] if folds else []
    head.append("Verdict, all together")
    cells = []
    for row in ordered:
        line = [model_label(row["baseline"]), signed(row["difference"]), interval(row["ci"])]
        line += [_share(row["gain"]), _p(row["p_value"]), _p(row["holm"])]
        line += [_p(row["delong_p"])] if delong else []
        line += [f"{row['folds_won']} of {row['folds']}", _p(row["folds_p"])] if folds else []
        cells.append((*line, row["verdict"]))
    note = (
        "The verdict at the top rests on the bold row alone, which cross-validation chose before "
        "the test set was opened. The words in the last column hold for all rows together (Holm). "
        "Gain: share of the baseline's distance from a perfect score that the network makes good."
    )
    if folds:
        note += " Folds p: corrected t-test on the validation folds, where both were chosen."
    return Table(
        "comparisons",
        "Network minus baseline",
        tuple(head),
        tuple(cells),
        numeric=frozenset(range(1, len(head) - 1)),
        note=note,
        marked=frozenset(i for i, row in enumerate(ordered) if row["chosen"]),
    )


def errors(outcome: StudyOutcome) -> Section | None:
    """Calibration, threshold and groups of test samples; None where nothing is known of them."""
    summary = outcome.summary
    if summary["seal"] is None:
        return None
    blocks: list[Block] = []
    calibration = summary.get("calibration") or []
    figure = reliability(calibration)
    if figure is not None:
        blocks += [figure, _calibration(calibration)]
    if summary.get("threshold"):
        blocks.append(_thresholds(summary["threshold"], outcome.classes))
    strata = [
        entry
        for entry in summary.get("strata") or []
        if any(not missing(row["score"]) for row in entry["rows"])
    ]
    blocks += [
        _strata(f"strata-{i}" if i else "strata", entry, summary) for i, entry in enumerate(strata)
    ]
    if not blocks:
        return None
    return Section("errors", "Where the network errs", tuple(blocks), short="Errors")


def _calibration(entries: list[dict[str, Any]]) -> Table:
    rows = tuple(
        (
            model_label(e["model"]),
            e["output"],
            number(e["brier"]),
            number(e["brier_of_rate"]),
            number(e["ece"]),
            number(e["ece_by_chance"]),
            f"{number(e['predicted'])} / {number(e['observed'])}",
        )
        for e in entries
    )
    return Table(
        "calibration",
        "Calibration of the mean prediction over restarts",
        ("Model", "Output", "Brier", "Brier, shares", "ECE", "ECE by chance", "Said / true"),
        rows,
        numeric=frozenset(range(2, 7)),
        note="Lower is better. Brier, shares: always saying how frequent a class is. ECE, the "
        "expected calibration error, is never 0; by chance: what 95 % of perfectly calibrated "
        "models would stay below with so few samples.",
    )


def _thresholds(entries: list[dict[str, Any]], classes: tuple[str, ...]) -> Table:
    learnt = all(e["source"] == "validation folds" for e in entries)
    positive = classes[1] if len(classes) == 2 and len(entries) == 1 else "positive"
    rows = tuple(
        (
            e["output"],
            number(e["threshold"]),
            f"{number(e['sensitivity'])} ({interval(e['sensitivity_ci'])})",
            f"{number(e['specificity'])} ({interval(e['specificity_ci'])})",
            f"{count(e['positives'])} / {count(e['negatives'])}",
        )
        for e in entries
    )
    return Table(
        "thresholds",
        f"Called {positive} from a probability of the threshold on",
        ("Output", "Threshold", "Sensitivity", "Specificity", "Positives / negatives"),
        rows,
        numeric=frozenset(range(1, 5)),
        note="In brackets: 95 % Wilson intervals. "
        + (
            "The threshold maximises sensitivity + specificity on the validation folds, which the "
            "networks had not trained on; the test set had no part in it."
            if learnt
            else "A threshold of 0.5 stands where no predictions of the validation folds were kept."
        ),
    )


def _strata(name: str, entry: dict[str, Any], summary: dict[str, Any]) -> Table:
    label = metric_label(summary["metric"])
    known = [row for row in entry["rows"] if not missing(row["score"])]
    rows = tuple(
        (
            row["name"],
            count(row["samples"]),
            number(row["score"]),
            interval(row["ci"]),
            number(row["baseline"]),
        )
        for row in known
    )
    small, poor = entry["left_out"], len(entry["rows"]) - len(known)
    left = [f"{plural(small, 'small group')}"] if small else []
    left += [f"{plural(poor, 'group')} with too few samples of a class"] if poor else []
    return Table(
        name,
        f"Test {label} by {entry['by']}",
        (entry["by"], "Samples", "Network", "95 % interval", "Best baseline"),
        rows,
        numeric=frozenset(range(1, 5)),
        note=f"Not shown: {join(left)}." if left else "",
    )


def _share(gain: float | None) -> str:
    return "–" if gain is None or missing(gain) else f"{100 * gain:+.0f} %".replace("-", "−")


def _p(p: float | None) -> str:
    return "–" if p is None or missing(p) else "< 0.001" if p < 0.001 else number(p)
