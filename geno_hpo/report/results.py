"""Many studies in one table: what was published, what was reached, what a baseline reaches.

A plain page in Markdown from the studies' ``summary.json``, one row a study; a second table has a
row for every output of the studies that predict several.
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from pathlib import Path
from textwrap import fill
from typing import Any

from geno_hpo.errors import InputError
from geno_hpo.report.words import (
    duration,
    interval,
    metric_label,
    model_label,
    number,
    plural,
    signed,
)

__all__ = ["read_summaries", "results_page"]

Summary = dict[str, Any]
WIDTH = 100
HEAD = (
    *("Study", "Data", "Score", "Published", "Network: CV", "Network: test", "Best baseline: test"),
    *("Difference", "Verdict", "Search", "Time"),
)
OUTPUT_HEAD = ("Study", "Output", "Network: test", "Best baseline", "Oracle", "Published")


def read_summaries(reports: Path, names: Iterable[str]) -> list[Summary]:
    """Read the summaries of finished studies; without names, of all there are.

    Parameters
    ----------
    reports
        Folder that holds a folder for each study.
    names
        Studies.

    Raises
    ------
    InputError
        A study without a report, or none at all.
    """
    wanted = [reports / name / "summary.json" for name in names]
    missing = [path.parent.name for path in wanted if not path.is_file()]
    if missing:
        raise InputError(
            f"no report of {', '.join(missing)} in {reports}; make it with: "
            f"geno-hpo run {missing[0]}"
        )
    found = wanted or sorted(path for path in reports.glob("*/summary.json") if _whole(path))
    if not found:
        raise InputError(f"{reports} holds no finished study; make one with: geno-hpo run inh")
    return [json.loads(path.read_text(encoding="utf-8")) for path in found]


def _whole(path: Path) -> bool:
    """Whether the report is a whole study's: no outer fold, no earlier generation."""
    return "~" not in path.parent.name and "@" not in path.parent.name


def results_page(summaries: Iterable[Summary]) -> str:
    """Draw up the page."""
    listed = [summary for summary in summaries if "outer_folds" not in summary]
    rows = [_row(summary) for summary in listed]
    outputs = [row for summary in listed for row in _outputs(summary)]
    told = (
        "Each row is made again by `make study NAME=…` (a target after the dot is `TARGET=…`). The "
        "network is the best that the search found, of all families in the study; its test score "
        "is the mean over restarts on samples that no choice ever saw. The best baseline is the "
        "one that cross-validation calls best, tuned on the same folds. Published numbers are for "
        "orientation: other samples or other splits. Times are wall time, on the machine that ran "
        "the study."
    )
    text = f"# Results\n\n{fill(told, WIDTH)}\n\n{_table(HEAD, rows)}"
    if outputs:
        text += "\n## Output by output\n\n" + _table(OUTPUT_HEAD, outputs)
    return text


def _row(summary: Summary) -> tuple[str, ...]:
    best, main = summary["best"], summary["comparison"]
    board = {entry["model"]: entry for entry in summary["leaderboard"]}
    network = next(e for e in summary["leaderboard"] if e["kind"] == "network")
    rival = board[main["best_baseline"]] if main else None
    published = [
        e for e in summary["published"] if not (len(summary["target"]) > 1 and e["target"])
    ]
    data = summary["data"]
    oracle = (data.get("oracle") or {}).get(summary["metric"])
    said = [f"{number(e['value'])} ({e['what']}, {e['source']})" for e in published]
    said += [f"{number(oracle)} (oracle)"] if oracle is not None else []
    return (
        f"`{summary['study']}`",
        f"{data['name']}, {data['samples']:,} × {data['features']:,}"
        + (", simulated" if data["simulated"] else ""),
        metric_label(summary["metric"]),
        "; ".join(said) or "–",
        f"{number(best['cv_mean'])} ({model_label(best['model'])})",
        _scored(network),
        f"{_scored(rival)} ({model_label(rival['model'])})" if rival else "–",
        signed(main["difference"]) if main else "–",
        main["verdict"] if main else "–",
        plural(summary["trials"]["complete"] + summary["trials"]["pruned"], "trial"),
        duration(summary["seconds"]["total"]),
    )


def _scored(entry: Summary) -> str:
    return f"{number(entry['test'])} [{interval(entry['test_ci'])}]"


def _outputs(summary: Summary) -> list[tuple[str, ...]]:
    """A row for each of several outputs."""
    published = {e["target"]: e for e in reversed(summary["published"]) if e.get("target")}
    rows: list[tuple[str, ...]] = []
    for row in summary.get("outputs") or []:
        told = published.get(row["name"])
        rows.append(
            (
                f"`{summary['study']}`",
                row["name"],
                f"{number(row['score'])} [{interval(row['ci'])}]",
                number(row["baseline"]),
                number(row["oracle"]),
                f"{number(told['value'])} ({told['source']})" if told else "–",
            )
        )
    return rows


def _table(head: tuple[str, ...], rows: list[tuple[str, ...]]) -> str:
    lines = [head, tuple("---" for _ in head), *rows]
    return "".join(f"| {' | '.join(line)} |\n" for line in lines)
