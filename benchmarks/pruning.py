"""Pruning: which pruner finds a score nearly as good as the best in the fewest epochs.

Learning curves of random configurations (`benchmarks.curves`) are replayed through Optuna's own
pruners as the program makes and asks them (`benchmarks.replay`), over many random orders, the same
for every pruner. Nothing is trained at the larger sizes: the curves are kept in the repository.
"""

from __future__ import annotations

import math
import multiprocessing
import os
import tempfile
from concurrent.futures import ProcessPoolExecutor
from dataclasses import asdict, dataclass
from itertools import product
from pathlib import Path
from typing import Literal

import numpy as np

from benchmarks.curves import Curves, Recording, record
from benchmarks.outcome import Outcome, Size, Table
from benchmarks.replay import Candidate, Replay, goal_of, replay, whole
from geno_hpo.config import BudgetConfig, PrunerConfig
from geno_hpo.metrics import METRICS

__all__ = ["candidates", "run"]

SHARE = 0.99
ALLOWED_LOSS = 0.01
"""What a default pruner may lose of the best's advance over chance, on average over the orders."""


@dataclass(frozen=True)
class Settings:
    """How much is replayed.

    Every pruner meets the budget's usual patience; `finer` are for the default pruner alone.
    `record` is trained first; None takes the recordings that are kept.
    """

    cases: tuple[str, ...]
    trials: int
    orders: int
    finer: tuple[int | None, ...] = ()
    record: Recording | None = None


SIZES: dict[Size, Settings] = {
    "full": Settings(("primer", "katG", "wheat"), 40, 100, (None, 3, 5, 12)),
    "quick": Settings(("primer", "katG", "wheat"), 40, 20),
    "smallest": Settings(("primer",), 3, 2, record=Recording(3, 3, 200)),
}


@dataclass(frozen=True)
class Result:
    """A candidate on a case, over all orders.

    Parameters
    ----------
    epochs, seconds
        Shares of what the same orders take without pruning and early stopping.
    reached
        Share of the orders in which a completed trial reached the goal.
    middle
        Median over the orders of the epochs until then; infinite where most never did.
    expected
        Mean of the same. An order that never reached the goal counts all it spent and all epochs
        without pruning: what it takes to search again.
    kept
        Mean of the best score found, as a share of the way from chance to the best there is.
    lost
        Share of the orders in which the best configuration was ended before its best epoch.
    """

    epochs: float
    seconds: float
    reached: float
    middle: float
    expected: float
    kept: float
    lost: float


def candidates(finer: tuple[int | None, ...] = ()) -> list[Candidate]:
    """No pruning; every pruner with the usual patience; the default one with `finer` patience."""
    none, usual = PrunerConfig(name="none"), BudgetConfig().patience
    pruners = [none]
    pruners += [PrunerConfig(name="median", warmup_epochs=n) for n in (1, 2, 4, 8)]
    names: tuple[Literal["asha", "hyperband"], ...] = ("asha", "hyperband")
    pruners += [
        PrunerConfig(name=name, warmup_epochs=warmup, reduction=reduction)
        for name, warmup, reduction in product(names, (1, 2, 4, 8), (2, 3, 4))
        if name == "asha" or reduction == 3
    ]
    return [
        Candidate(none),
        *(Candidate(pruner, usual) for pruner in pruners),
        *(Candidate(PrunerConfig(), wait) for wait in finer),
    ]


def run(size: Size) -> Outcome:
    """Replay every case of this size."""
    settings = SIZES[size]
    tried = candidates(settings.finer)
    found: dict[str, list[Result]] = {}
    tables, notes = [], []
    for case in settings.cases:
        curves = _curves(case, settings)
        found[case] = _results(curves, tried, settings)
        tables.append(_case_table(case, tried, found[case]))
        failed = int(np.isnan(curves.means[:, -1]).sum())
        notes.append(
            f"{curves.note}: {len(curves.scores)} configurations of {curves.means.shape[1]} "
            f"epochs recorded ({failed} failed), best {curves.metric} {np.nanmax(curves.means):.4f}"
        )
    tables.append(_summary(tried, found))
    notes += [
        f"{settings.orders} random orders of at most {settings.trials} of them, the same for all",
        f"goal: {SHARE:.0%} of the way from chance to the best of the order's configurations",
        "expected epochs: the mean; an order that misses the goal counts a second, unpruned search",
        "random orders and two workers: a sampler that learns from pruned trials is not replayed",
    ]
    return Outcome(tuple(tables), tuple(notes), asdict(settings))


def _curves(case: str, settings: Settings) -> Curves:
    if settings.record is None:
        return Curves.kept(case)
    with tempfile.TemporaryDirectory(prefix="geno-bench-") as folder:
        return record(case, settings.record, Path(folder) / "draft")


def _results(curves: Curves, tried: list[Candidate], settings: Settings) -> list[Result]:
    spawn = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(min(os.cpu_count() or 1, len(tried)), mp_context=spawn) as pool:
        given = [(curves, candidate, settings.trials, settings.orders) for candidate in tried]
        return list(pool.map(_result, given))


def _result(given: tuple[Curves, Candidate, int, int]) -> Result:
    curves, candidate, trials, orders = given
    metric = METRICS[curves.metric]
    whole_epochs, whole_seconds = whole(curves)
    runs: list[Replay] = []
    rows: list[tuple[float, ...]] = []
    for number in range(orders):
        order = np.random.default_rng(number).permutation(len(curves.scores))[:trials].tolist()
        goal = goal_of(curves, order, SHARE)
        one = replay(curves, order, candidate, goal, f"order {number}")
        ceiling, chance = goal_of(curves, order, 1.0), float(metric.chance or 0.0)
        best = chance if math.isnan(one.best) else one.best
        unpruned = int(whole_epochs[order].sum())
        again = one.epochs + unpruned
        runs.append(one)
        rows.append(
            (
                one.epochs / unpruned,
                one.seconds / float(whole_seconds[order].sum()),
                math.inf if one.reached is None else one.reached,
                again if one.reached is None else one.reached,
                (best - chance) / (ceiling - chance),
            )
        )
    epochs, seconds, reached, expected, kept = np.array(rows).T
    return Result(
        epochs=float(epochs.mean()),
        seconds=float(seconds.mean()),
        reached=float(np.isfinite(reached).mean()),
        middle=float(np.median(reached)),
        expected=float(expected.mean()),
        kept=float(kept.mean()),
        lost=float(np.mean([one.lost for one in runs])),
    )


def _case_table(case: str, tried: list[Candidate], results: list[Result]) -> Table:
    columns: tuple[str, ...] = (
        "pruner",
        "epochs %",
        "seconds %",
        "goal reached %",
        "median epochs to goal",
    )
    columns += ("expected epochs", "best kept %", "best lost %")
    rows = [
        (
            candidate.name,
            100 * result.epochs,
            100 * result.seconds,
            100 * result.reached,
            result.middle if math.isfinite(result.middle) else None,
            result.expected,
            100 * result.kept,
            100 * result.lost,
        )
        for candidate, result in zip(tried, results, strict=True)
    ]
    return Table(f"{case}: a pruner's cost and its find", columns, rows)


def _summary(tried: list[Candidate], found: dict[str, list[Result]]) -> Table:
    """Over the cases: what the goal costs against no pruning, and what is lost at the worst."""
    rows: list[tuple[str, float, float, float, float, float, str]] = []
    for number, candidate in enumerate(tried):
        results = [per_case[number] for per_case in found.values()]
        ratios = [per_case[number].expected / per_case[0].expected for per_case in found.values()]
        kept = min(result.kept for result in results)
        rows.append(
            (
                candidate.name,
                100 * math.exp(float(np.mean(np.log(ratios)))),
                100 * max(ratios),
                100 * float(np.mean([result.epochs for result in results])),
                100 * min(result.reached for result in results),
                100 * kept,
                "yes" if kept >= 1 - ALLOWED_LOSS else "no",
            )
        )
    columns: tuple[str, ...] = ("pruner", "expected epochs %", "worst case %", "all epochs %")
    columns += ("goal reached %, worst case", "best kept %, worst case", "fit for a default")
    title = f"Over {', '.join(found)}: per cent of no pruning, the cheapest way to the goal first"
    rows.sort(key=lambda row: row[1])
    return Table(title, columns, rows)
