"""Checkpoints: a trial that goes on ends as one that was never interrupted; no pickle."""

from __future__ import annotations

import dataclasses
from pathlib import Path

import numpy as np
import pytest

from geno_hpo.training.checkpoint import Snapshot, read_snapshot, write_snapshot
from geno_hpo.training.protocol import FitPlan, FitResult
from tests.training import problems


class Stopped(Exception):  # noqa: N818
    pass


class Kept:
    """Keeps a snapshot in a file after `until` epochs and ends there."""

    def __init__(self, path: Path, until: int | None = None) -> None:
        self.path, self.until, self.epochs = path, until, 0

    def load(self) -> Snapshot | None:
        return read_snapshot(self.path, "key") if self.path.exists() else None

    def due(self, size: int) -> bool:
        assert size > 0
        self.epochs += 1
        return self.epochs == self.until

    def save(self, snapshot: Snapshot) -> None:
        write_snapshot(self.path, snapshot, "key")
        raise Stopped


def whole_and_resumed(plan: FitPlan, path: Path, until: int) -> tuple[FitResult, FitResult]:
    whole = problems.engine().fit(plan, problems.go_on)
    with pytest.raises(Stopped):
        problems.engine().fit(
            dataclasses.replace(plan, checkpoint=Kept(path, until)), problems.go_on
        )
    told: list[int] = []
    again = dataclasses.replace(plan, checkpoint=Kept(path))
    resumed = problems.engine().fit(again, lambda epoch: told.append(epoch.epoch) or False)
    assert told == list(range(until + 1, resumed.epochs + 1))
    return whole, resumed


@pytest.mark.parametrize(
    "params",
    [
        {"optimizer": "adamw", "weight_decay": 0.01, "dropout": 0.3, "batch_norm": True},
        {"optimizer": "sgd", "momentum": 0.9, "schedule": "reduce_on_plateau"},
    ],
    ids=["adamw-dropout-norm", "sgd-plateau"],
)
def test_a_trial_that_goes_on_ends_as_if_it_had_never_stopped(
    tmp_path: Path, params: dict[str, object]
) -> None:
    plan = problems.plan({**problems.MLP, **params}, folds=2, epochs=6)
    whole, resumed = whole_and_resumed(plan, tmp_path / "trial.npz", 4)
    np.testing.assert_array_equal(resumed.scores, whole.scores)
    np.testing.assert_array_equal(resumed.train_loss, whole.train_loss)
    assert (resumed.best_epoch, resumed.ended) == (whole.best_epoch, whole.ended)
    for mine, theirs in zip(resumed.weights, whole.weights, strict=True):
        for a, b in zip(mine, theirs, strict=True):
            np.testing.assert_array_equal(a, b)
    for a, b in zip(resumed.valid_predictions, whole.valid_predictions, strict=True):
        np.testing.assert_array_equal(a, b)


def test_the_best_epochs_state_is_kept_without_what_only_training_needs(tmp_path: Path) -> None:
    params = {**problems.MLP, "optimizer": "adam", "learning_rate": 1e-30}
    plan = problems.plan(params, folds=1, epochs=4, checkpoint=Kept(tmp_path / "t.npz", 3))
    with pytest.raises(Stopped):
        problems.engine().fit(plan, problems.go_on)
    found = read_snapshot(tmp_path / "t.npz", "key")
    assert found.best == 1, "nothing was learned"
    ((last,), (best,)) = found.states, found.kept
    assert len(last) == len(best)
    assert sum(array.nbytes for array in best) < sum(array.nbytes for array in last) / 2
    np.testing.assert_allclose(best[0], last[0], rtol=0, atol=1e-20)


@pytest.mark.parametrize(
    ("harm", "message"),
    [
        (lambda data: data[: len(data) // 2], "damaged"),
        (lambda data: b"", "damaged"),
        (lambda data: data[:-2000] + b"x" * 20 + data[-1980:], "damaged|Bad|another"),
    ],
    ids=["half", "empty", "changed"],
)
def test_a_damaged_file_is_told(tmp_path: Path, harm: object, message: str) -> None:
    path = tmp_path / "trial.npz"
    with pytest.raises(Stopped):
        problems.engine().fit(
            problems.plan(problems.MLP, epochs=3, checkpoint=Kept(path, 1)), problems.go_on
        )
    with pytest.raises(ValueError, match="it is of another trial or version"):
        read_snapshot(path, "other")
    path.write_bytes(harm(path.read_bytes()))
    with pytest.raises(ValueError, match=message):
        read_snapshot(path, "key")
