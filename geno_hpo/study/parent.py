"""A study's own MLflow run: opened before the search, above the runs of its trials.

It says what is asked and of which data, and keeps what the study rests on: the study file, its
search spaces, and the packages that are installed. The leaderboard comes when the study is done.
"""

from __future__ import annotations

from importlib.metadata import distributions

from geno_hpo.metrics import METRICS
from geno_hpo.space import SearchSpace
from geno_hpo.study.identity import code_version
from geno_hpo.study.plan import StudyPlan
from geno_hpo.study.prepared import Prepared
from geno_hpo.tracking import DatasetTag, Tracking, views

__all__ = ["describe_experiment", "open_parent", "tracking_of"]

LOCK = "requirements.lock"


def tracking_of(plan: StudyPlan) -> Tracking:
    """The tracking store, opened at the study's experiment."""
    project = plan.project
    local = project.tracking_uri.startswith("sqlite")
    folder = project.mlruns / "artifacts" if local else None
    return Tracking(project.tracking_uri, folder, plan.config.name)


def open_parent(
    plan: StudyPlan, prepared: Prepared, tracking: Tracking, tags: dict[str, str] | None = None
) -> str:
    """Open the study's run, or make it, and write down what the study is; return its id.

    Parameters
    ----------
    plan, prepared
        The study and its data.
    tracking
        The open store.
    tags
        More tags of the run.
    """
    dataset = prepared.dataset
    run = tracking.study_run(
        str(plan.key),
        {
            "question": plan.config.question,
            "data": dataset.name,
            "simulated": str(dataset.origin.simulated).lower(),
            "data_fingerprint": dataset.fingerprint,
            "split_fingerprint": prepared.split.fingerprint,
            "definition": plan.definition,
            "code_version": code_version(plan.project.root),
            "metric": plan.metric,
            **plan.fold_tag,
            **(tags or {}),
        },
    )
    tracking.log_dataset(run, DatasetTag.of(dataset))
    describe_experiment(plan, tracking)
    tracking.describe(run, note=_note(plan, prepared, tracking))
    _keep_papers(plan, tracking, run)
    return run


def _note(plan: StudyPlan, prepared: Prepared, tracking: Tracking) -> str:
    """What the run says of itself while the study is at work."""
    split, budget = prepared.split, plan.config.budget
    lines = [
        f"### {plan.config.question or plan.key}",
        (
            f"{budget.trials} trials of {', '.join(plan.space.families)}, judged by {plan.metric} "
            f"over {len(split.folds)} folds of {len(split.development)} samples; "
            f"{len(split.test)} samples are sealed for the test."
        ),
        (
            "Answer and leaderboard stand here once the study is done. "
            f"[The trials by score]({tracking.trials_page})."
        ),
    ]
    return "\n\n".join(lines)


def describe_experiment(plan: StudyPlan, tracking: Tracking) -> None:
    """Give the study's experiment a description, and its views of the trials."""
    params, numeric = _axes(plan.space)
    tracking.describe_experiment(
        f"{plan.config.question or plan.config.name}\n\n"
        "The run *study* holds answer, leaderboard and report; the trials of networks, baselines, "
        "control and final fits lie below it, told apart by the tag `stage`.\n\n"
        f"[Trials by score]({tracking.trials_page}) · [as charts]({tracking.charts_page})",
        views(METRICS[plan.metric].maximise, params, numeric),
    )


def _axes(space: SearchSpace) -> tuple[list[str], list[str]]:
    """Parameters that all trials have, the most telling first, and those that are numbers."""
    nodes = space.common
    numbers = [
        node
        for node in nodes
        if node.kind in ("int", "float")
        or all(isinstance(v, int | float) and not isinstance(v, bool) for v in node.extremes())
    ]
    numbers.sort(key=lambda node: (node.name != "learning_rate", node.kind != "float"))
    numeric = [node.name for node in numbers]
    family = ["family"] if len(space.spaces) > 1 else []
    words = [node.name for node in nodes if node.name not in numeric]
    return family + numeric + words, numeric


def _keep_papers(plan: StudyPlan, tracking: Tracking, run: str) -> None:
    """Keep study file, search spaces and installed packages with the run."""
    tracking.keep_text(run, plan.text, f"study/{plan.config.name}.yaml")
    for space in (*plan.space.spaces, *(s for b in plan.baselines.values() for s in b.spaces)):
        tracking.keep_text(run, space.text, f"study/search_spaces/{space.name}.yaml")
    tracking.keep_text(run, _packages(), "study/packages.txt")
    lock = plan.project.root / LOCK
    if lock.is_file():
        tracking.keep_text(run, lock.read_text(encoding="utf-8"), f"study/{LOCK}")


def _packages() -> str:
    """Every installed package with its version, as ``pip freeze`` tells them."""
    found = {each.metadata["Name"]: each.version for each in distributions()}
    return "".join(f"{name}=={found[name]}\n" for name in sorted(found, key=str.lower))
