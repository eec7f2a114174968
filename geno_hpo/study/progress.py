"""How far a study is: counts, best score and expected time, taken from the storage alone."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from optuna.trial import FrozenTrial, TrialState

from geno_hpo.study.front import costs_of, front, score_of
from geno_hpo.study.plan import StudyPlan
from geno_hpo.study.storage import Pool

__all__ = ["FrontPoint", "PartProgress", "Progress", "RunningTrial", "take_progress"]


@dataclass(frozen=True)
class RunningTrial:
    """A trial that is being trained: its number, epochs reported so far, and the last score."""

    number: int
    epoch: int
    score: float | None


@dataclass(frozen=True)
class FrontPoint:
    """A trial of the Pareto front: number, family, score, costs by name, and whether it wins."""

    number: int
    model: str
    score: float
    costs: dict[str, float]
    wins: bool


@dataclass(frozen=True)
class PartProgress:
    """Counts of one part of a study.

    Parameters
    ----------
    part
        ``network``, a baseline's name, ``control`` or ``final``.
    asked
        Trials that the part will have when it is done.
    complete, pruned, failed, running, waiting
        Trials by state; what the budget asks for and has not begun is waiting.
    best, best_number, best_model
        Score, number and family of the best trial so far (with several objectives of the one that
        would win); None, -1 and "" before the first.
    seconds_a_trial
        Mean duration of the finished trials; None before the first.
    now
        The trials that are running.
    front
        The Pareto front so far, where there are several objectives.
    """

    part: str
    asked: int
    complete: int
    pruned: int
    failed: int
    running: int
    waiting: int
    best: float | None
    best_number: int
    best_model: str
    seconds_a_trial: float | None
    now: tuple[RunningTrial, ...] = ()
    front: tuple[FrontPoint, ...] = ()

    @property
    def done(self) -> int:
        """Trials that count towards the budget."""
        return self.complete + self.pruned


@dataclass(frozen=True)
class Progress:
    """All parts of a study, and an estimate of the time to the end of this phase."""

    phase: str
    parts: tuple[PartProgress, ...]
    seconds_left: float | None

    @property
    def done(self) -> int:
        """Finished trials of all parts."""
        return sum(part.done for part in self.parts)

    @property
    def asked(self) -> int:
        """Asked trials of all parts."""
        return sum(part.asked for part in self.parts)


def take_progress(plan: StudyPlan, phase: str, pools: dict[str, Pool], workers: int) -> Progress:
    """Read the progress of a study from its storage."""
    parts = tuple(_part(plan, part, pool) for part, pool in pools.items())
    active = [part for part in parts if part.waiting + part.running]
    left: float | None = 0.0
    for part in active:
        if part.seconds_a_trial is None:
            if part.part == "network":
                left = None
                break
            continue
        to_do = part.waiting + 0.5 * part.running
        left = (left or 0.0) + to_do * part.seconds_a_trial / max(workers, 1)
    return Progress(phase, parts, left)


def _part(plan: StudyPlan, part: str, pool: Pool) -> PartProgress:
    trials, owed = pool.look()
    by_state = {state: [t for t in trials if t.state == state] for state in TrialState}
    durations = [
        _seconds(t) for state in (TrialState.COMPLETE, TrialState.PRUNED) for t in by_state[state]
    ]
    best = pool.best(trials) if part != "final" else None
    space = plan.baselines.get(part, plan.space)
    return PartProgress(
        part=part,
        asked=len(trials) - len(by_state[TrialState.FAIL]) + owed,
        complete=len(by_state[TrialState.COMPLETE]),
        pruned=len(by_state[TrialState.PRUNED]),
        failed=len(by_state[TrialState.FAIL]),
        running=len(by_state[TrialState.RUNNING]),
        waiting=len(by_state[TrialState.WAITING]) + owed,
        best=None if best is None else score_of(best),
        best_number=-1 if best is None else best.number,
        best_model="" if best is None else str(space.short(best.params)["family"]),
        seconds_a_trial=sum(durations) / len(durations) if durations else None,
        now=tuple(_running(trial) for trial in by_state[TrialState.RUNNING]),
        front=_front(plan, pool, trials, best) if plan.costs and part == "network" else (),
    )


def _front(
    plan: StudyPlan, pool: Pool, trials: list[FrozenTrial], best: FrozenTrial | None
) -> tuple[FrontPoint, ...]:
    return tuple(
        FrontPoint(
            number=trial.number,
            model=str(plan.space.short(trial.params)["family"]),
            score=score_of(trial) or 0.0,
            costs=dict(zip(plan.costs, costs_of(trial), strict=False)),
            wins=trial is best,
        )
        for trial in front(trials, maximise=pool.maximise)
    )


def _running(trial: FrozenTrial) -> RunningTrial:
    epoch = trial.last_step
    score = None if epoch is None else trial.intermediate_values[epoch]
    return RunningTrial(trial.number, epoch or 0, score)


def _seconds(trial: FrozenTrial) -> float:
    """Wall seconds of a trial; of a running one until now."""
    if trial.datetime_start is None:
        return 0.0
    return ((trial.datetime_complete or datetime.now()) - trial.datetime_start).total_seconds()
