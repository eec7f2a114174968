"""Loss and objectives of a study file: defaults, and what does not go together."""

from __future__ import annotations

from pathlib import Path

import pytest

from geno_hpo.baselines.registry import COUNTING
from geno_hpo.config import aims
from geno_hpo.errors import ConfigError

from .test_study import study

TRAIT = {"task": "task: regression"}


def test_counts_have_their_metric_and_baselines(tmp_path: Path) -> None:
    config = study(tmp_path, "loss: poisson\n", **TRAIT)
    assert (config.loss, config.metric) == ("poisson", "d2")
    assert set(config.baselines) <= set(aims.COUNTING)
    assert aims.COUNTING == COUNTING
    assert study(tmp_path, "loss: poisson\nmetric: pearson\n", **TRAIT).metric == "pearson"


def test_several_objectives_prune_nothing(tmp_path: Path) -> None:
    config = study(tmp_path, "objectives: [score, parameters]\n")
    assert config.objectives == ("score", "parameters")
    assert config.pruner.name == "none"
    assert study(tmp_path).pruner.name == "asha"
    assert study(tmp_path, "objectives: [score]\n").pruner.name == "asha"


def test_what_a_trial_means_is_as_before_without_them(tmp_path: Path) -> None:
    plain = study(tmp_path).definition()
    assert not {"objectives", "loss"} & plain.keys()
    assert study(tmp_path, "objectives: [score]\n").definition() == plain
    several = study(tmp_path, "objectives: [score, seconds]\n").definition()
    assert several["objectives"] == ["score", "seconds"]
    assert study(tmp_path, "loss: poisson\n", **TRAIT).definition()["loss"] == "poisson"


@pytest.mark.parametrize(
    ("extra", "message"),
    [
        ("loss: poisson\n", r"loss: poisson is for counts \(task regression\), got .* task binary"),
        ("objectives: [parameters]\n", r"objectives: must begin with score .*got \[parameters\]"),
        ("objectives: [score, score]\n", r"objectives: must begin with score and name each once"),
        ("objectives: [score, size]\n", r'objectives\[1\]: must be score, .*got "size"'),
        ("objectives: []\n", r"objectives: "),
        (
            "objectives: [score, seconds]\npruner: {name: median}\n",
            r'pruner.name: must be none with several objectives: .*got "median"',
        ),
        (
            "objectives: [score, seconds]\nsampler: {name: cmaes}\n",
            r"sampler.name: cmaes has one objective; several go with tpe",
        ),
        (
            "objectives: [score, seconds]\nfinal: {runners_up: 1}\n",
            r"final.runners_up: are ranked by score alone",
        ),
    ],
)
def test_what_does_not_go_together(tmp_path: Path, extra: str, message: str) -> None:
    with pytest.raises(ConfigError, match=message):
        study(tmp_path, extra)


@pytest.mark.parametrize(
    ("extra", "message"),
    [
        ("metric: d2\n", r"metric: d2 is the deviance of counts that `loss: poisson` explains"),
        (
            "loss: poisson\nbaselines: {kernel_ridge: {trials: 2}}\n",
            r"baselines.kernel_ridge: tells no expected counts; loss: poisson goes with ridge",
        ),
    ],
)
def test_what_does_not_go_with_a_trait(tmp_path: Path, extra: str, message: str) -> None:
    with pytest.raises(ConfigError, match=message):
        study(tmp_path, extra, **TRAIT)
