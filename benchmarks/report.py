"""Where the seconds of a report go: each step of ``geno-hpo report`` on finished studies.

Reports are drawn in a copy of the project, with its trial storage and tracking store, so that
nothing of it changes. A step's clock is a wrapper around the function that does it; steps that
contain others are told without them.
"""

from __future__ import annotations

import shutil
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from types import ModuleType
from typing import Any
from unittest.mock import patch

from benchmarks.outcome import Outcome, Size, Table
from geno_hpo.errors import InputError
from geno_hpo.report import page, publish, stills
from geno_hpo.report.sections import SECTIONS
from geno_hpo.study import results, told
from geno_hpo.study.final import finished_fits
from geno_hpo.study.finished import load_finished
from geno_hpo.study.paths import Project

__all__ = ["run"]

STEPS: tuple[tuple[str, ModuleType, str], ...] = (
    ("open the study and its data", publish, "load_finished"),
    ("intervals of every score", told, "score_interval"),
    ("comparisons, calibration, groups", told, "evidence"),
    ("trivial models, restarts, growth", told, "further_results"),
    ("control", told, "control_result"),
    ("attributions and motifs", results, "explanation_of"),
    ("codons", results, "_attribution"),
    ("importance of hyperparameters", results, "hyperparameter_importance"),
    ("figures as PNG, SVG and CSV", stills, "stills"),
    ("the page itself", page, "_drawn"),
    ("files to MLflow", publish, "_keep"),
    ("bundle and model registry", publish, "_register"),
)
ALLOWED = 60.0


def run(size: Size, project: str = ".") -> Outcome:
    """Measure the finished studies of a project.

    Parameters
    ----------
    size
        ``smallest`` and ``quick`` take the first study alone.
    project
        The project's folder.
    """
    root = Path(project).resolve()
    names = sorted(path.parent.name for path in root.glob("reports/*/summary.json"))
    names = [name for name in names if "+" not in name and "~" not in name]
    if not names:
        raise InputError(f"{root} holds no finished study; make one with: geno-hpo run inh")
    found: dict[str, dict[str, float]] = {}
    asked: dict[str, float] = {}
    with tempfile.TemporaryDirectory() as folder:
        copy = _copied(root, Path(folder))
        for name in names if size == "full" else names[:1]:
            with _clocked() as spent:
                begun = time.perf_counter()
                publish.publish(copy, name)
                whole = time.perf_counter() - begun
            found[name] = spent | {"all": whole}
            asked[name] = _explaining(copy, name)
    steps = list(dict.fromkeys(step for spent in found.values() for step in spent if step != "all"))
    rows: list[list[Any]] = [
        [step, *(round(spent.get(step, 0.0), 2) for spent in found.values())] for step in steps
    ]
    rows.append(["the rest", *(round(_rest(spent), 2) for spent in found.values())])
    rows.append(["all", *(round(spent["all"], 1) for spent in found.values())])
    rows.append(["asking restarts, in the final fits", *(round(x, 1) for x in asked.values())])
    most = max(spent["all"] for spent in found.values())
    return Outcome(
        (Table("Seconds of a report", ("step", *found), rows),),
        (f"the longest report took {most:.0f} s; {ALLOWED:.0f} s are allowed",),
        {"project": str(root)},
    )


def _copied(root: Path, folder: Path) -> Project:
    """The project's databases and results in a folder of their own."""
    for name in ("studies", "search_spaces", "data"):
        if (root / name).exists():
            (folder / name).symlink_to((root / name).resolve())
    shutil.copytree(root / "mlruns", folder / "mlruns", ignore=shutil.ignore_patterns("running"))
    return Project(folder)


@contextmanager
def _clocked() -> Iterator[dict[str, float]]:
    """Seconds of every step and chapter while this holds."""
    spent: dict[str, float] = {}
    inside: list[float] = []

    def clock(step: str, work: Callable[..., Any]) -> Callable[..., Any]:
        def timed(*values: Any, **more: Any) -> Any:
            begun = time.perf_counter()
            inside.append(0.0)
            try:
                return work(*values, **more)
            finally:
                whole = time.perf_counter() - begun
                spent[step] = spent.get(step, 0.0) + whole - inside.pop()
                if inside:
                    inside[-1] += whole

        return timed

    chapters = tuple(clock(f"chapter: {make.__name__}", make) for make in SECTIONS)
    with ExitStack() as stack:
        stack.enter_context(patch.object(page, "SECTIONS", chapters))
        for step, place, name in STEPS:
            stack.enter_context(patch.object(place, name, clock(step, getattr(place, name))))
        yield spent


def _rest(spent: dict[str, float]) -> float:
    return spent["all"] - sum(seconds for step, seconds in spent.items() if step != "all")


def _explaining(project: Project, name: str) -> float:
    """Seconds in which workers asked the winner's restarts; 0 where that was not kept."""
    finished = load_finished(project, name)
    fits = finished_fits(finished.plan, finished.pools).values()
    return sum(float(trial.user_attrs["seconds"].get("explain", 0.0)) for _, trial in fits)
