"""Control of a study from anywhere: stop, pause, go on, a larger budget, configurations by hand.

All of it is written into the storage (and the budget into the study file), where launchers and
workers on every machine hear of it within seconds.
"""

from __future__ import annotations

import shutil
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Literal

import optuna
from filelock import FileLock, Timeout
from optuna.trial import TrialState
from ruamel.yaml import YAML

from geno_hpo.config import ask_study, is_shipped
from geno_hpo.errors import InputError
from geno_hpo.metrics import METRICS
from geno_hpo.space import Value
from geno_hpo.space.partial import partial
from geno_hpo.study.cached import TrialStorage
from geno_hpo.study.front import score_of
from geno_hpo.study.keeper import BEATS
from geno_hpo.study.lease import LEASE_SECONDS
from geno_hpo.study.nested import fold_plans
from geno_hpo.study.parent import tracking_of
from geno_hpo.study.parts import open_pools
from geno_hpo.study.paths import Project
from geno_hpo.study.plan import StudyPlan, load_plan
from geno_hpo.study.pool import Pool
from geno_hpo.study.record import Record, find_key
from geno_hpo.study.storage import open_storage, study_names

__all__ = [
    "Removal",
    "archive",
    "ask",
    "enqueue",
    "raise_budget",
    "unarchive",
    "warm_start",
]

TAKING_AWAY = (0.1, 0.5, 1.0, 2.0, 4.0)
"""Seconds to wait before a folder that is still there is deleted again."""


def _begun(project: Project, name: str) -> tuple[TrialStorage, list[StudyPlan]]:
    """The storage, and the study's plans (one, or one an outer fold) that have begun.

    Raises
    ------
    InputError
        The study has not been run yet.
    """
    plan = load_plan(project, name)
    if project.has_trials:
        storage = open_storage(project.storage_url)
        whole = load_plan(project, str(find_key(storage, name)))
        names = study_names(storage)
        plans = [one for one in fold_plans(whole) if str(one.key) in names]
        if plans:
            return storage, plans
    raise InputError(
        f"study {plan.key} has not been run yet; start it with: geno-hpo run {plan.key.name}"
    )


def _record(storage: TrialStorage, plan: StudyPlan) -> Record:
    return Record(optuna.load_study(study_name=str(plan.key), storage=storage))


def ask(project: Project, name: str, what: Literal["stop", "pause", ""]) -> int:
    """Ask all who work at a study to stop or pause after their epoch, or to go on.

    Returns
    -------
    int
        Trials that are running now.

    Raises
    ------
    InputError
        The study has not been run yet.
    """
    storage, plans = _begun(project, name)
    for plan in plans:
        _record(storage, plan).set(asked=what)
    return sum(len(storage.running_leases(_ids(storage, plan))) for plan in plans)


def _ids(storage: TrialStorage, plan: StudyPlan) -> list[int]:
    """Numbers of all parts of a study in the storage."""
    own = str(plan.key)
    return [
        storage.get_study_id_from_name(name)
        for name in study_names(storage)
        if name == own or name.startswith(f"{own}:")
    ]


def raise_budget(project: Project, name: str, trials: int) -> int:
    """Write another number of trials into the study file, and let a study at work have them.

    A study that came with the installed package gets a file of its own in the project.

    Returns
    -------
    int
        Trials that this adds to what the storage allows now; 0 where the study is not at work.

    Raises
    ------
    InputError
        Fewer trials than one, or no such study.
    """
    if trials < 1:
        raise InputError(f"budget.trials must be at least 1, got {trials}")
    path, _ = ask_study(name, project.root)
    yaml = YAML()
    yaml.preserve_quotes = True
    yaml.width = 4096
    document = yaml.load(path.read_text(encoding="utf-8"))
    document.setdefault("budget", {})["trials"] = trials
    if is_shipped(path):
        path = project.root / "studies" / path.name
        path.parent.mkdir(parents=True, exist_ok=True)
    draft = path.with_suffix(".draft")
    with draft.open("w", encoding="utf-8") as stream:
        yaml.dump(document, stream)
    draft.replace(path)
    if not project.has_trials:
        return 0
    added = 0
    storage = open_storage(project.storage_url)
    names = study_names(storage)
    for plan in fold_plans(load_plan(project, str(find_key(storage, name)))):
        if str(plan.key) in names and _record(storage, plan).phase == "search":
            added += _networks(storage, plan).fill(trials)
    return added


def _networks(storage: TrialStorage, plan: StudyPlan) -> Pool:
    maximise = METRICS[plan.metric].maximise
    return open_pools(plan, storage, maximise=maximise, create=False)["network"]


def enqueue(project: Project, name: str, params: Mapping[str, Value]) -> int:
    """Let the next trial have these parameters; what is not given is drawn. It is of the budget.

    Returns
    -------
    int
        The trial's number.

    Raises
    ------
    InputError
        Parameters that the space does not have, a budget that is used up, or no such study.
    """
    storage, plans = _begun(project, name)
    if len(plans) > 1:
        raise InputError(f"name the outer fold, such as {plans[0].key}: each has its own search")
    return _networks(storage, plans[0]).place(partial(plans[0].space, params))


def warm_start(project: Project, name: str, source: str, best: int) -> tuple[list[int], list[str]]:
    """Let the next trials have the best configurations of another study.

    Parameters
    ----------
    project, name
        The study.
    source, best
        The other study, and how many of its best trials are taken.

    Returns
    -------
    tuple
        Numbers of the new trials, and a sentence for each parameter value that was left out
        because this study's space does not have it.

    Raises
    ------
    InputError
        The other study has no complete trial, or the budget is used up.
    """
    storage, others = _begun(project, source)
    other = others[0]
    pool = _networks(storage, other)
    sign = -1.0 if METRICS[other.metric].maximise else 1.0
    complete = [t for t in pool.trials() if t.state == TrialState.COMPLETE]
    if not complete:
        raise InputError(f"study {other.key} has no complete trial to take configurations from")
    complete.sort(key=lambda t: (sign * (score_of(t) or 0.0), t.number))
    plan = _begun(project, name)[1][0]
    numbers, left_out = [], []
    for trial in complete[:best]:
        kept: dict[str, Value] = {}
        for key, value in other.space.short(trial.params).items():
            try:
                partial(plan.space, kept | {key: value})
                kept[key] = value
            except InputError as error:
                left_out.append(f"trial {trial.number}: {error}")
        numbers.append(enqueue(project, name, kept))
    return numbers, left_out


def archive(project: Project, name: str) -> None:
    """Hide a study's experiment, with all its runs, from MLflow's lists; `unarchive` shows it.

    Trials, files and registered models stay; a run or a report of the study shows it again, too.

    Raises
    ------
    InputError
        The study has not been run yet.
    """
    tracking_of(_begun(project, name)[1][0]).archive()


def unarchive(project: Project, name: str) -> None:
    """Show an archived study again: to open its experiment brings it back.

    Raises
    ------
    InputError
        The study has not been run yet.
    """
    tracking_of(_begun(project, name)[1][0])


class Removal:
    """What the removal of a study would take away; `do` takes it.

    Parameters
    ----------
    project, name
        The study; of a nested one all outer folds.

    Raises
    ------
    InputError
        It has not been run yet, or is at work.
    """

    def __init__(self, project: Project, name: str) -> None:
        self._project = project
        self._storage, self._plans = _begun(project, name)
        for plan in self._plans:
            self._see_at_rest(plan)
        self._names = [
            one
            for one in study_names(self._storage)
            if any(one == str(p.key) or one.startswith(f"{p.key}:") for p in self._plans)
        ]
        self.trials = sum(
            self._storage.get_n_trials(self._storage.get_study_id_from_name(one))
            for one in self._names
        )
        whole = self._plans[0].key.whole
        keys = {whole, *(plan.key for plan in self._plans)}
        self.folders: list[Path] = [
            folder
            for key in sorted(keys, key=str)
            for folder in (project.work(key), project.report(key))
            if folder.exists()
        ]

    def _see_at_rest(self, plan: StudyPlan) -> None:
        """See that nobody works at it: no launcher here, no lease that moves anywhere."""
        said = f"study {plan.key} is at work; stop it first: geno-hpo stop {plan.key.name}"
        plan.work.mkdir(parents=True, exist_ok=True)
        try:
            with FileLock(plan.work / "launcher.lock").acquire(timeout=0):
                pass
        except Timeout as error:
            raise InputError(said) from error
        ids = _ids(self._storage, plan)
        before = self._storage.running_leases(ids)
        if before:
            time.sleep(2 * LEASE_SECONDS / BEATS)
            if self._storage.running_leases(ids) != before:
                raise InputError(said)

    def do(self) -> None:
        """Delete trials, runs (into MLflow's bin) and folders."""
        tracking = tracking_of(self._plans[0])
        for plan in self._plans:
            parent: Any = _record(self._storage, plan).get("mlflow_run")
            if parent is not None:
                for run in tracking.runs_below(str(parent)):
                    tracking.delete(run.info.run_id)
                tracking.delete(str(parent))
        for one in self._names:
            optuna.delete_study(study_name=one, storage=self._storage)
        for folder in self.folders:
            _take_away(folder)


def _take_away(folder: Path) -> None:
    """Delete a folder; a worker that has not heard of it may put its lock there meanwhile."""
    for pause in TAKING_AWAY:
        shutil.rmtree(folder, ignore_errors=True)
        if not folder.exists():
            return
        time.sleep(pause)
    shutil.rmtree(folder)
