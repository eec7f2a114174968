"""When the pruners decide: asking ASHA at its rungs alone changes none of its decisions."""

from __future__ import annotations

import numpy as np
import optuna
import pytest
from optuna.trial import TrialState

from geno_hpo.config import PrunerConfig
from geno_hpo.study.asha import Asha
from geno_hpo.study.pruners import decides_at, make_pruner


@pytest.mark.parametrize(
    ("config", "epochs"),
    [
        (PrunerConfig(name="asha", warmup_epochs=4, reduction=3), [4, 12, 36]),
        (PrunerConfig(name="asha", warmup_epochs=1, reduction=2), [1, 2, 4, 8, 16, 32]),
        (PrunerConfig(name="none"), []),
        (PrunerConfig(name="median"), list(range(1, 41))),
    ],
)
def test_epochs_at_which_a_pruner_decides(config: PrunerConfig, epochs: list[int]) -> None:
    assert [epoch for epoch in range(1, 41) if decides_at(config, epoch)] == epochs


def pruned_epochs(config: PrunerConfig, *, at_rungs_only: bool) -> list[int]:
    """Last epoch of each of 40 trials with random walks as scores."""
    study = optuna.create_study(direction="maximize", pruner=make_pruner(config, 20))
    ends = []
    for number in range(40):
        walk = np.cumsum(np.random.default_rng(number).normal(size=20))
        trial = study.ask()
        end = 20
        for epoch, score in enumerate(walk, start=1):
            trial.report(score, epoch)
            asked = decides_at(config, epoch) or not at_rungs_only
            if asked and trial.should_prune():
                end = epoch
                break
        pruned = end < 20
        state = optuna.trial.TrialState.PRUNED if pruned else optuna.trial.TrialState.COMPLETE
        study.tell(trial, None if pruned else walk[-1], state=state)
        ends.append(end)
    return ends


@pytest.mark.parametrize("direction", ["maximize", "minimize"])
@pytest.mark.parametrize(("first", "reduction"), [(1, 2), (2, 3), (4, 3)])
def test_asha_decides_as_optunas_does(first: int, reduction: int, direction: str) -> None:
    """Several trials at once, so that running ones compete too, and ties."""
    found = []
    for pruner in (
        Asha(first, reduction),
        optuna.pruners.SuccessiveHalvingPruner(min_resource=first, reduction_factor=reduction),
    ):
        study = optuna.create_study(direction=direction, pruner=pruner)
        ends = {}
        for batch in range(12):
            going = [study.ask() for _ in range(4)]
            for epoch in range(1, 21):
                for trial in list(going):
                    rng = np.random.default_rng([trial.number, epoch])
                    trial.report(float(rng.integers(12)), epoch)
                    if trial.should_prune() or epoch == 20:
                        ends[trial.number] = epoch
                        going.remove(trial)
                        state = TrialState.PRUNED if batch % 3 else TrialState.FAIL
                        study.tell(trial, state=state)
        found.append(ends)
    assert found[0] == found[1]
    assert len(set(found[0].values())) > 2


def test_asking_asha_at_its_rungs_alone_prunes_the_same_trials() -> None:
    config = PrunerConfig(name="asha", warmup_epochs=2, reduction=3)
    often = pruned_epochs(config, at_rungs_only=False)
    assert often == pruned_epochs(config, at_rungs_only=True)
    assert 0 < sum(end < 20 for end in often) < 40
