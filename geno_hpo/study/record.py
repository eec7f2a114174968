"""The study's own record in the storage: phase, fingerprints, seal, and time spent.

It lives in the user attributes of the study's main part, where every worker on every machine can
read it; the launcher alone writes it.
"""

from __future__ import annotations

import time
from datetime import UTC, datetime
from typing import Any, Literal

import optuna

from geno_hpo.errors import InputError, StudyChangedError
from geno_hpo.study.paths import Project, StudyKey
from geno_hpo.study.plan import StudyPlan
from geno_hpo.study.storage import open_storage, study_names

__all__ = ["Phase", "Record", "check_siblings", "find_key", "find_run_study", "latest_generation"]

Phase = Literal["preparing", "probing", "search", "final", "done", "stopped"]


class Record:
    """Reads and writes the study's record.

    Parameters
    ----------
    study
        The Optuna study of the networks.
    """

    def __init__(self, study: optuna.Study) -> None:
        self.study = study

    def get(self, key: str, default: Any = None) -> Any:
        """One entry, read from the storage now."""
        return self.study.user_attrs.get(key, default)

    def set(self, **entries: Any) -> None:
        """Write entries."""
        for key, value in entries.items():
            self.study.set_user_attr(key, value)

    @property
    def phase(self) -> Phase:
        """What the study is doing."""
        phase: Phase = self.get("phase", "preparing")
        return phase

    @property
    def asked(self) -> Literal["", "stop", "pause"]:
        """What somebody asked of all who work at the study."""
        asked: Literal["", "stop", "pause"] = self.get("asked", "")
        return asked

    def agree(self, plan: StudyPlan, data: str | None = None) -> None:
        """See that the storage's trials are of this definition, and of these data.

        Raises
        ------
        StudyChangedError
            They are not.
        """
        for what, key, now in (
            ("study file or one of its search spaces", "definition", plan.definition),
            ("data or the split", "data", data),
        ):
            then = self.get(key)
            if now is None or then == now:
                continue
            if then is None:
                self.set(**{key: now})
                continue
            done = len([t for t in self.study.get_trials(deepcopy=False) if t.state.is_finished()])
            if not done:
                self.set(**{key: now})
                continue
            raise StudyChangedError(
                f"study {plan.key}: the {what} changed after {done} trials were run "
                f"(fingerprint was {then}, is {now}); old and new trials must not be mixed. "
                f"Either take the change back, or start anew and keep the old trials aside: "
                f"geno-hpo run {plan.key.name} --fresh"
            )

    def open_seal(self, trials: int, code: str) -> dict[str, Any]:
        """Record that the test set is opened, or that the search went on after it was.

        Each time that it is opened after further trials is one more of its ``openings``.
        """
        seal: dict[str, Any] = dict(self.get("seal") or {})
        now = datetime.now(UTC).isoformat(timespec="seconds")
        if not seal:
            seal = {
                "opened_at": now,
                "trials_before": trials,
                "trials_after": 0,
                "code_version": code,
            }
        seal["trials_after"] = trials - seal["trials_before"]
        openings: list[dict[str, Any]] = list(seal.get("openings", ()))
        if not openings or openings[-1]["trials"] != trials:
            openings.append({"at": now, "trials": trials, "code_version": code})
        seal["openings"] = openings
        self.set(seal=seal)
        return seal

    def spend(self, part: str, started: float) -> None:
        """Add the seconds since `started` (monotonic) to what `part` of the study has taken."""
        spent = dict(self.get("spent") or {})
        spent[part] = round(spent.get(part, 0.0) + time.monotonic() - started, 2)
        self.set(spent=spent)


def latest_generation(storage: optuna.storages.BaseStorage, name: str) -> int:
    """The highest generation of a study that the storage holds; 1 where there is none."""
    return max((key.generation for key in _keys(storage) if key.name == name), default=1)


def check_siblings(storage: optuna.storages.BaseStorage, key: StudyKey, dataset: str) -> None:
    """See that one study is either nested or not, and that all outer folds saw the same data.

    Parameters
    ----------
    storage, key
        The trials, and the study or outer fold that is about to be searched.
    dataset
        Fingerprint of its data.

    Raises
    ------
    StudyChangedError
        Finished trials of another form, or of other data.
    """
    for other in _keys(storage) - {key}:
        if other.whole != key.whole:
            continue
        study = optuna.load_study(study_name=str(other), storage=storage)
        if not any(trial.state.is_finished() for trial in study.get_trials(deepcopy=False)):
            continue
        then = study.user_attrs.get("dataset")
        if bool(other.outer) != bool(key.outer):
            said = "one test set" if key.outer else "nested folds"
            raise StudyChangedError(
                f"study {key.whole} has trials with {said} ({other}), and split.outer has changed "
                f"since; start anew beside them: geno-hpo run {key.name} --fresh"
            )
        if then is not None and then != dataset:
            raise StudyChangedError(
                f"study {key}: the data ({dataset}) are not those of {other} ({then}); all outer "
                f"folds must see the same. Start anew with: geno-hpo run {key.name} --fresh"
            )


def _keys(storage: optuna.storages.BaseStorage) -> set[StudyKey]:
    """Every study of the storage, its parts left out."""
    return {StudyKey.parse(text.partition(":")[0]) for text in study_names(storage)}


def find_run_study(project: Project, name: str) -> StudyKey:
    """The key of a study that has been run.

    Raises
    ------
    InputError
        It has not been run yet.
    """
    key = StudyKey.parse(name)
    if project.has_trials:
        storage = open_storage(project.storage_url)
        key = find_key(storage, name)
        if str(key) in study_names(storage):
            return key
    raise InputError(f"study {key} has not been run yet; start it with: geno-hpo run {key.name}")


def find_key(storage: optuna.storages.BaseStorage, name: str) -> StudyKey:
    """The study's latest generation, or the one that `name` spells out (``inh@2``)."""
    key = StudyKey.parse(name)
    if "@" in name:
        return key
    return StudyKey(key.name, latest_generation(storage, key.name), key.outer)
