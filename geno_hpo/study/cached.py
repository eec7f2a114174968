"""Optuna's cached storage, with reads that can be held and writes that can be gathered.

Optuna reads every unfinished trial again at each look at a study and commits each parameter and
attribute on its own. While a configuration is drawn, nothing that matters changes: one read and
one transaction are enough.
"""

from __future__ import annotations

import contextlib
import copy
import json
import threading
from collections.abc import Callable, Container, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, cast

from optuna.distributions import (
    BaseDistribution,
    check_distribution_compatibility,
    distribution_to_json,
)
from optuna.storages import RDBStorage
from optuna.storages._cached_storage import _CachedStorage
from optuna.storages._rdb import models
from optuna.storages._rdb.storage import _create_scoped_session
from optuna.trial import FrozenTrial, TrialState
from sqlalchemy import text
from sqlalchemy.dialects import postgresql, sqlite

from geno_hpo.study.lease import LEASE
from geno_hpo.study.patience import Patience, patient

__all__ = ["TrialStorage"]

Write = Callable[[Any], None]
"""Writes something within a database session that somebody else commits."""


@dataclass
class _Hold:
    """What one thread has read and is going to write."""

    fresh: bool
    trials: dict[int, list[FrozenTrial]] = field(default_factory=dict)
    writes: list[Write] = field(default_factory=list)


class TrialStorage(_CachedStorage):
    """A cached storage whose reads can be held, for the calling thread alone.

    Parameters
    ----------
    backend
        The database.
    """

    def __init__(self, backend: RDBStorage) -> None:
        super().__init__(backend)
        self._mine = threading.local()
        self.patience = Patience()

    @property
    def engine(self) -> Any:
        """SQLAlchemy's engine."""
        return self._backend.engine

    @contextlib.contextmanager
    def held(
        self, *, fresh: bool = True, send: Callable[[Callable[[], None]], object] | None = None
    ) -> Iterator[None]:
        """Read each study once at most, and write parameters and attributes at the end, at once.

        Trials that begin and end are written as ever. When the block raises, nothing gathered is
        written.

        Parameters
        ----------
        fresh
            False takes what the last read of any thread found, without asking the database.
        send
            Called with the writing; None writes before the block is left.
        """
        hold = _Hold(fresh)
        self._mine.hold = hold
        try:
            yield
        finally:
            self._mine.hold = None
        if hold.writes:
            if send is None:
                self._write(hold.writes)
            else:
                send(lambda: self._write(hold.writes))

    def refresh(self, study_id: int) -> None:
        """Read what has changed in a study, for later looks that are not fresh."""
        self._read_trials_from_remote_storage(study_id)

    @property
    def _hold(self) -> _Hold | None:
        hold: _Hold | None = getattr(self._mine, "hold", None)
        return hold

    @patient
    def _write(self, writes: list[Write]) -> None:
        with _create_scoped_session(self._backend.scoped_session) as session:
            for write in writes:
                write(session)

    def _read_trials_from_remote_storage(self, study_id: int) -> None:
        hold = self._hold
        if hold is None or hold.fresh or study_id not in self._studies:
            super()._read_trials_from_remote_storage(study_id)

    @patient
    def get_all_trials(
        self,
        study_id: int,
        deepcopy: bool = True,
        states: Container[TrialState] | None = None,
    ) -> list[FrozenTrial]:
        """All trials by number; see `optuna.storages.BaseStorage`."""
        hold = self._hold
        if hold is None:
            return super().get_all_trials(study_id, deepcopy, states)
        if study_id not in hold.trials:
            hold.trials[study_id] = super().get_all_trials(study_id, deepcopy=False)
        trials = [t for t in hold.trials[study_id] if states is None or t.state in states]
        return copy.deepcopy(trials) if deepcopy else trials

    @patient
    def get_trial(self, trial_id: int) -> FrozenTrial:
        """One trial; see `optuna.storages.BaseStorage`."""
        hold = self._hold
        if hold is not None and not hold.fresh:
            with self._lock:
                place = self._trial_id_to_study_id_and_number.get(trial_id)
                if place is not None:
                    return self._studies[place[0]].trials[place[1]]
        return super().get_trial(trial_id)

    def set_trial_param(
        self,
        trial_id: int,
        param_name: str,
        param_value_internal: float,
        distribution: BaseDistribution,
    ) -> None:
        """Write one parameter; see `optuna.storages.BaseStorage`."""
        hold = self._hold
        if hold is None:
            super().set_trial_param(trial_id, param_name, param_value_internal, distribution)
            return
        known = self._studies[self._trial_id_to_study_id_and_number[trial_id][0]].param_distribution
        if param_name in known:
            check_distribution_compatibility(known[param_name], distribution)
            row = models.TrialParamModel(
                trial_id=trial_id,
                param_name=param_name,
                param_value=param_value_internal,
                distribution_json=distribution_to_json(distribution),
            )
            hold.writes.append(lambda session: session.add(row))
            return

        def first(session: Any) -> None:
            self._backend._set_trial_param_without_commit(
                session, trial_id, param_name, param_value_internal, distribution
            )
            known[param_name] = distribution

        hold.writes.append(first)

    def set_trial_user_attr(self, trial_id: int, key: str, value: Any) -> None:
        """Write one user attribute; see `optuna.storages.BaseStorage`."""
        self.set_trial_attributes(models.TrialUserAttributeModel, trial_id, {key: value})

    def set_trial_system_attr(self, trial_id: int, key: str, value: Any) -> None:
        """Write one system attribute; see `optuna.storages.BaseStorage`."""
        self.set_trial_attributes(models.TrialSystemAttributeModel, trial_id, {key: value})

    def set_trial_attributes(
        self, model: type[Any], trial_id: int, attributes: Mapping[str, Any]
    ) -> None:
        """Write several attributes of one kind at once, over those of the same names."""
        rows = [
            {"trial_id": trial_id, "key": key, "value_json": json.dumps(value)}
            for key, value in attributes.items()
        ]
        dialect: Any = sqlite if self.engine.name == "sqlite" else postgresql
        insert = dialect.insert(model.__table__)
        statement = insert.on_conflict_do_update(
            index_elements=["trial_id", "key"], set_={"value_json": insert.excluded.value_json}
        )

        def write(session: Any) -> None:
            trial = models.TrialModel.find_or_raise_by_id(trial_id, session)
            self._backend.check_trial_is_updatable(trial_id, cast("TrialState", trial.state))
            session.execute(statement, rows)

        hold = self._hold
        if hold is None:
            self._write([write])
        else:
            hold.writes.append(write)

    def running_leases(self, studies: list[int]) -> dict[int, str]:
        """Text of the lease of every running trial of these studies; ``null`` without one."""
        found = text(
            "SELECT t.trial_id, a.value_json FROM trials t LEFT JOIN trial_system_attributes a "
            f"ON a.trial_id = t.trial_id AND a.key = '{LEASE}' WHERE t.state = 'RUNNING' "
            f"AND t.study_id IN ({', '.join(map(str, studies))})"
        )
        with self.engine.connect() as connection:
            return {key: value or "null" for key, value in connection.execute(found)}

    def swap_lease(self, trial_id: int, seen: str, after: str) -> bool:
        """Write a lease over the one that was seen; False where it is another by now."""
        with self.engine.begin() as connection:
            changed = connection.execute(
                text(
                    "UPDATE trial_system_attributes SET value_json = :after "
                    f"WHERE trial_id = :key AND key = '{LEASE}' AND value_json = :seen"
                ),
                {"after": after, "key": trial_id, "seen": seen},
            )
            return bool(changed.rowcount)


IDEMPOTENT = (
    "get_all_studies",
    "get_best_trial",
    "get_n_trials",
    "get_study_directions",
    "get_study_id_from_name",
    "get_study_name_from_id",
    "get_study_system_attrs",
    "get_study_user_attrs",
    "set_study_system_attr",
    "set_study_user_attr",
    "set_trial_intermediate_value",
)
"""What can be done twice without harm, and so is tried again while the database is away."""

for _name in IDEMPOTENT:
    setattr(TrialStorage, _name, patient(getattr(TrialStorage, _name)))
