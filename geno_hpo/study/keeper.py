"""The keeper: a thread of a worker that renews its leases, watches others', and hears orders.

A lease is renewed while the training gets on, not while the process merely lives: a training
that hangs loses its trial like a worker that was killed. Leases of other workers that stand still
are taken over. What somebody asked of the whole study (to stop, to pause) is read along the way.
"""

from __future__ import annotations

import threading
from typing import Literal

from geno_hpo.study.lease import LEASE_SECONDS, LeaseLost, Watch, now
from geno_hpo.study.record import Record
from geno_hpo.study.storage import STORAGE_ERRORS, Claim, Pool

__all__ = ["Asked", "Keeper", "watch_leases"]

Asked = Literal["", "stop", "pause"]
BEATS = 12
"""Renewals that fit into the time that a lease may stand still."""
FIRST_HANG_SECONDS = 3600.0
"""A trial may take so long for its first epoch, or between steps that it does not report."""
HANG_SECONDS = 600.0
HANG_EPOCHS = 20.0
"""Later it hangs after this time, or so many times its longest epoch, whichever is longer."""


class Keeper:
    """Keeps one worker's leases: of one trial, or of several that it trains at once.

    Parameters
    ----------
    pools, record
        The parts of the study, and its record.
    lease_seconds
        How long a lease may stand still.
    hang_seconds
        How long the training may stand still after its first epoch; None takes the usual time.
    """

    def __init__(
        self,
        pools: dict[str, Pool],
        record: Record,
        *,
        lease_seconds: float = LEASE_SECONDS,
        hang_seconds: float | None = None,
    ) -> None:
        self.lease_seconds = lease_seconds
        self.asked: Asked = record.asked
        self._pools, self._record = pools, record
        self._hang = hang_seconds
        self._watch = Watch(gap=4 * lease_seconds / BEATS)
        self._guard = threading.Lock()
        self._claims: dict[int, Claim] = {}
        self._lost: set[int] = set()
        self._at_work: Claim | None = None
        self._moved = self._renewed = now()
        self._longest: float | None = None
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._loop, name="lease-keeper", daemon=True)
        self._thread.start()

    def hold(self, claim: Claim) -> None:
        """Renew this trial's lease from now on, and turn to it."""
        with self._guard:
            self._moved = now()
            if not self._claims:
                self._renewed = self._moved
            self._claims[claim.trial._trial_id] = self._at_work = claim
            self._longest = None

    def turn_to(self, claim: Claim) -> None:
        """Hear which trial the next words are about, where several are held."""
        self._at_work = claim

    def let_go(self) -> None:
        """Renew the lease of the trial at work no more; nobody moves it once this returns."""
        with self._guard:
            if self._at_work is not None:
                self._claims.pop(self._at_work.trial._trial_id, None)
                self._lost.discard(self._at_work.trial._trial_id)

    def tick(self) -> None:
        """Hear that the training of the trial at work got on.

        Raises
        ------
        LeaseLost
            Another worker has taken the trial over.
        """
        moment = now()
        self._longest = max(self._longest or 0.0, moment - self._moved)
        self._moved = moment
        if moment - self._renewed > self.lease_seconds / 2:
            self._renew()  # this process slept: see at once whether the trials are still its own
        if self._at_work is not None and self._at_work.trial._trial_id in self._lost:
            raise LeaseLost

    def close(self) -> None:
        """End the thread."""
        self._over.set()
        self._thread.join()

    @property
    def hanging(self) -> bool:
        """Whether the training has stood still for longer than it may."""
        if self._longest is None:
            allowed = FIRST_HANG_SECONDS if self._hang is None else 6 * self._hang
        else:
            allowed = self._hang or max(HANG_SECONDS, HANG_EPOCHS * self._longest)
        return now() - self._moved > allowed

    def _renew(self) -> None:
        with self._guard:
            for key, claim in self._claims.items():
                if key in self._lost:
                    continue
                try:
                    if not claim.pool.renew(claim.trial):
                        self._lost.add(key)
                except STORAGE_ERRORS:
                    return  # the database is away; the next beat tries again
            self._renewed = now()

    def _loop(self) -> None:
        patience = self._record.study._storage.patience  # type: ignore[attr-defined]
        with patience.suspended():
            while not self._over.wait(self.lease_seconds / BEATS):
                if not self.hanging:
                    self._renew()
                try:
                    self.asked = self._record.asked
                    watch_leases(self._pools, self._watch)
                except STORAGE_ERRORS:
                    continue
                except KeyError:
                    return  # the study was removed
                finally:
                    for pool in self._pools.values():
                        pool.storage._backend.remove_session()


def watch_leases(pools: dict[str, Pool], watch: Watch) -> int:
    """Take over the trials whose leases expired; return how many."""
    by_study = {pool.study._study_id: pool for pool in pools.values()}
    storage = next(iter(pools.values())).storage
    expired = watch.expired(storage.running_leases(list(by_study)))
    if not expired:
        return 0
    return sum(pool.take_over(expired) for pool in pools.values())
