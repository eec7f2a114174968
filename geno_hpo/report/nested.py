"""The page of a nested cross-validation: pooled scores, every outer fold, and the winners.

It takes the pooled summary alone (docs/summary.md). The outer folds' own reports lie beside it.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from geno_hpo.report.blocks import Block, Code, Facts, Forest, Paste, Section, Table, Text
from geno_hpo.report.forest import leaderboard_forest
from geno_hpo.report.page import draw, store
from geno_hpo.report.sections.answer import Answer
from geno_hpo.report.tables import as_csv
from geno_hpo.report.words import (
    count,
    duration,
    interval,
    metric_label,
    model_label,
    number,
    p_value,
    plural,
    signed,
    spread,
    value,
)

__all__ = ["NestedOutcome", "nested_markdown", "render_nested", "write_nested"]


@dataclass(frozen=True)
class NestedOutcome:
    """The pooled summary, and the texts of the files that define the study."""

    summary: dict[str, Any]
    study_yaml: str
    space_yaml: dict[str, str]


def write_nested(outcome: NestedOutcome, folder: Path) -> Path:
    """Write page, tables and summary; each file is whole or not there. Return the page's path.

    Raises
    ------
    StorageError
        The folder cannot be written.
    """
    csv = {f"{name}.csv": text.encode() for name, text in _csv(outcome.summary).items()}
    return store(outcome.summary, csv, render_nested(outcome), folder)


def render_nested(outcome: NestedOutcome) -> str:
    """Return the page as text."""
    summary = outcome.summary
    sections = [_folds(summary), _winners(summary), _methods(summary), _remake(outcome)]
    return draw(_answer(summary), sections, summary, _csv(summary), pictures=False)


def nested_markdown(summary: dict[str, Any]) -> str:
    """Question, answer and pooled scores as Markdown, for the description of an MLflow run."""
    lines = [f"### {summary['question'] or summary['study']}", ""]
    if summary["data"]["simulated"]:
        lines += ["**Simulated data**: this shows that the pipeline works, and no biology.", ""]
    if summary["comparison"] is not None:
        lines += [f"**{summary['comparison']['sentence']}**", ""]
    outer = summary["split"]["outer"]
    lines += [f"| procedure | {summary['metric']} over {outer} outer folds |", "|---|---|"]
    lines += [f"| {row['model']} | {_score(row, 4)} |" for row in summary["leaderboard"]]
    return "\n".join([*lines, "", summary["agreement"]["sentence"]])


def _score(row: dict[str, Any], digits: int = 3) -> str:
    return f"{number(row['test_mean'], digits)}{spread(row['test_std'], digits)}"


def _answer(summary: dict[str, Any]) -> Answer:
    label, comparison = metric_label(summary["metric"]), summary["comparison"]
    outer, trials, seconds = summary["split"]["outer"], summary["trials"], summary["seconds"]
    network = next(row for row in summary["leaderboard"] if row["kind"] == "network")
    badges = [(f"{summary['task']}: {', '.join(summary['target'])}", "plain")]
    badges.append((f"nested: {outer} outer folds", "plain"))
    if summary["data"]["simulated"]:
        badges.insert(0, ("simulated data", "warn"))
    if after := sum(fold["trials_after"] for fold in summary["outer_folds"]):
        badges.append((f"{plural(after, 'trial')} after a test set was opened", "warn"))
    if summary["generation"] > 1:
        badges.append((f"start no. {summary['generation']}", "plain"))
    alone = (
        f"The network's search reaches a mean {label} of {_score(network)} on samples that it "
        "never saw; this study compares it with no baseline."
    )
    proof = "" if comparison is None else _effect(comparison, f"Mean difference in {label}")
    each = f"{plural(trials['asked'], 'trial')} in each of {outer} searches"
    figures = (
        (
            number(network["test_mean"]),
            f"mean outer test {label}",
            f"± standard deviation {number(network['test_std'])} over {outer} outer folds",
        ),
        (
            number(network["cv_mean"]),
            f"cross-validated {label} inside",
            "what the winners had where they were chosen",
        ),
        (f"{trials['complete'] + trials['pruned'] + trials['failed']:,}", "trials", each),
        (duration(seconds["total"]), "in all", "all outer folds together"),
    )
    return Answer(
        study=summary["study"],
        question=summary["question"],
        verdict=alone if comparison is None else comparison["sentence"],
        proof=proof,
        badges=tuple(badges),
        figures=figures,
        blocks=(_forest(summary),),
    )


def _effect(found: dict[str, Any], what: str) -> str:
    p = p_value(found["p_value"])
    return (
        f"{what}: {signed(found['difference'])} (95 % interval {interval(found['ci'])}"
        f"{', ' + p if p else ''}, corrected resampled t-test)."
    )


def _forest(summary: dict[str, Any]) -> Forest:
    """Pooled scores drawn as the leaderboard of a plain study is."""
    rows = [
        {
            **row,
            "test": row["test_mean"],
            "test_ci": _band(row["test_mean"], row["test_std"]),
            "test_seeds": row["test_folds"],
        }
        for row in summary["leaderboard"]
    ]
    drawn = leaderboard_forest({**summary, "leaderboard": rows})
    models = summary["agreement"]["models"]
    won = ", ".join(f"{model_label(model)} in {count(times)}" for model, times in models.items())
    return replace(
        drawn,
        rows=tuple(
            replace(row, label="Network", sub=won) if row.style == "network" else row
            for row in drawn.rows
        ),
        title="Every procedure on the outer folds, which its searches never saw",
        caption=(
            "Filled dot: mean over the outer folds ± 1 standard deviation; small ticks: single "
            "outer folds. Open diamond: the winners' cross-validated score inside, where they were "
            "chosen. Trials: configurations tried in each outer fold."
        ),
        heads=("Procedure", "Cross-validation inside", "Outer test", "± 1 sd", "Trials"),
    )


def _band(mean: float | None, half: float | None) -> list[float] | None:
    return None if mean is None or half is None else [mean - half, mean + half]


def _folds(summary: dict[str, Any]) -> Section:
    """Every outer fold's scores, and the paired differences."""
    board, folds = summary["leaderboard"], summary["outer_folds"]
    label = metric_label(summary["metric"])
    scores = tuple(
        (
            str(fold["fold"]),
            count(fold["test_samples"]),
            *(number(row["test_folds"][i]) for row in board),
        )
        for i, fold in enumerate(folds)
    )
    pooled = ("mean ± sd", "", *(_score(row) for row in board))
    blocks: list[Block] = [
        Text(
            f"Each of {len(folds)} outer folds was sealed in turn. The rest was searched as a "
            f"study of its own ({plural(summary['split']['folds'], 'inner fold')}, "
            f"{plural(summary['trials']['asked'], 'trial')}), and its winners were judged once on "
            "the sealed fold. The mean estimates what the whole procedure achieves on new samples. "
            "There is no control in a nested study. The outer folds' own reports lie beside this "
            f"one, in the folders {_folder(summary, 1)} to {_folder(summary, len(folds))}."
        ),
        Table(
            "outer_scores",
            f"Test {label} of every outer fold",
            ("Outer fold", "Samples", *(model_label(row["model"]) for row in board)),
            (*scores, pooled),
            numeric=frozenset(range(1, len(board) + 2)),
            marked=frozenset({len(folds)}),
        ),
    ]
    if summary["differences"]:
        rows = tuple(
            (
                model_label(found["baseline"]),
                signed(found["difference"]),
                interval(found["ci"]),
                p_value(found["p_value"]),
                found["verdict"],
            )
            for found in summary["differences"]
        )
        blocks.append(
            Table(
                "differences",
                f"Network − baseline, {label}",
                ("Baseline", "Difference", "95 % interval", "p", "The network is"),
                rows,
                numeric=frozenset({1, 2, 3}),
                note="Paired over the outer folds; the corrected resampled t-test (Nadeau and "
                "Bengio 2003) allows for training samples that the folds share.",
            )
        )
    return Section("folds", "Outer folds", tuple(blocks))


def _folder(summary: dict[str, Any], fold: int) -> str:
    generation = f"@{summary['generation']}" if summary["generation"] > 1 else ""
    return f"{summary['study']}{generation}~{fold}"


def _winners(summary: dict[str, Any]) -> Section:
    """Show the winner of each outer fold, and where they agree."""
    folds, found = summary["outer_folds"], summary["agreement"]
    facts = (
        ("family", [model_label(fold["model"]) for fold in folds]),
        ("best epoch", [str(fold["epochs"]) for fold in folds]),
        ("cross-validated inside", [number(fold["cv_mean"]) for fold in folds]),
        ("outer test", [number(fold["test"]) for fold in folds]),
    )
    rows = [(name, *values) for name, values in facts]
    rows += [
        (each["name"], *("·" if x is None else value(x) for x in each["values"]))
        for each in found["parameters"]
    ]
    same = frozenset(
        i for i, each in enumerate(found["parameters"], start=len(facts)) if each["same"]
    )
    return Section(
        "winners",
        "Do the winners agree?",
        (
            Text(found["sentence"]),
            Table(
                "winners",
                "The winning network of every outer fold",
                ("", *(f"fold {fold['fold']}" for fold in folds)),
                tuple(rows),
                numeric=frozenset(range(1, len(folds) + 1)),
                note="Bold: the same in every fold. A dot: the winner's branch of the space has no "
                "such parameter. The pooled score belongs to the procedure that chose these "
                "winners, not to any one of them.",
                marked=same,
            ),
        ),
        short="Winners",
    )


def _methods(summary: dict[str, Any]) -> Section:
    """A methods paragraph, ready to paste."""
    data, split = summary["data"], summary["split"]
    label = metric_label(summary["metric"])
    text = (
        f"Performance was estimated by nested cross-validation: {count(data['samples'])} samples "
        f"of {data['name']} (fingerprint {data['fingerprint']}) were divided into {split['outer']} "
        f"outer folds ({split['kind']}). For each, hyperparameters were searched with Optuna "
        f"{summary['versions']['optuna']} over {plural(summary['trials']['asked'], 'trial')} on "
        f"{plural(split['folds'], 'inner fold')} of the other samples, the winner was trained "
        "again on all of them, and scored once on the outer fold; baselines were tuned and scored "
        f"in the same way. {label} is given as mean ± standard deviation over the outer folds, and "
        "differences were tested by the corrected resampled t-test (Nadeau and Bengio 2003)."
    )
    if summary["comparison"] is not None:
        text += f" {summary['comparison']['sentence']}"
    return Section("methods", "Methods, ready to paste", (Paste(text),), short="Methods")


def _remake(outcome: NestedOutcome) -> Section:
    """Command, versions, and the files that define the study."""
    summary = outcome.summary
    codes = dict.fromkeys(fold["code_version"] for fold in summary["outer_folds"])
    blocks: list[Block] = [
        Paste(f"make study NAME={summary['study']}", mono=True),
        Facts(
            (
                ("Seed", str(summary["seed"])),
                ("Code", ", ".join(codes)),
                ("Versions", ", ".join(f"{k} {v}" for k, v in summary["versions"].items())),
            )
        ),
        Code(f"studies/{summary['study']}.yaml", outcome.study_yaml),
    ]
    blocks += [
        Code(f"search_spaces/{name}.yaml", text) for name, text in outcome.space_yaml.items()
    ]
    return Section("remake", "Make it again", tuple(blocks))


def _csv(summary: dict[str, Any]) -> dict[str, str]:
    """Text of each CSV file beside the page, by name."""
    board, folds = summary["leaderboard"], summary["outer_folds"]
    pooled = ("model", "kind", "test_mean", "test_std", "cv_mean", "cv_std", "trials")
    compared = ("baseline", "difference", "p_value", "verdict")
    parameters = summary["agreement"]["parameters"]
    tables: dict[str, tuple[tuple[str, ...], list[tuple[Any, ...]]]] = {
        "leaderboard": (pooled, [tuple(row[key] for key in pooled) for row in board]),
        "outer_scores": (
            ("fold", "test_samples", *(row["model"] for row in board)),
            [
                (fold["fold"], fold["test_samples"], *(row["test_folds"][i] for row in board))
                for i, fold in enumerate(folds)
            ],
        ),
        "differences": (
            (*compared, "low", "high"),
            [(*(found[key] for key in compared), *found["ci"]) for found in summary["differences"]],
        ),
        "winners": (
            ("fold", "model", "epochs", "cv_mean", "test", *(each["name"] for each in parameters)),
            [
                (
                    *(fold[key] for key in ("fold", "model", "epochs", "cv_mean", "test")),
                    *(each["values"][i] for each in parameters),
                )
                for i, fold in enumerate(folds)
            ],
        ),
    }
    return {name: as_csv(content) for name, content in tables.items()}
