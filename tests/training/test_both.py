"""The JAX engine gives what the TensorFlow engine gives, and passes checks of its own."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path

import numpy as np
import pytest

from geno_hpo.errors import InputError
from geno_hpo.training import setup

from . import both

ROOT = Path(__file__).resolve().parents[2]
CHECKS = (
    "check_equals_fit",
    "check_chance_comes_from_the_seed_and_rates_are_values",
    "check_groups_and_both_ways_of_going_together",
    "check_a_replica_that_leaves_the_numbers_harms_no_other",
    "check_trials_of_one_shape_go_together_and_end_as_they_do_alone",
    "check_one_that_joins_later_and_one_without_memory_leave_the_others_alone",
    "check_a_worker_trains_several_trials_of_two_shapes_at_once",
    "check_the_other_families_train_with_fewer_digits_too",
    "check_early_stopping_and_the_best_epoch",
    "check_a_probe_and_the_engine_agree",
)


@pytest.fixture(scope="module")
def sides(tmp_path_factory):
    """Both sides' results and checkpoints; the JAX side in a process of its own."""
    if find_spec("jax") is None:
        pytest.skip("JAX is not installed: pip install 'geno-hpo[jax]'")
    folder = tmp_path_factory.mktemp("both")
    here = {name: both.arrays(both.train(name, folder, "tensorflow")) for name in both.CASES}
    asked = [sys.executable, "-m", "tests.training.both", str(folder)]
    own = {"KERAS_BACKEND": "jax", "JAX_ENABLE_COMPILATION_CACHE": "false"}
    own["JAX_DISABLE_MOST_OPTIMIZATIONS"] = "true"  # programs compile sooner, and run a little
    done = subprocess.run(
        asked, cwd=ROOT, env={**os.environ, **own}, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    return folder, here, json.loads((folder / "told.json").read_text())


def close(found, wanted, tolerance):
    assert set(found) == set(wanted)
    for key, value in wanted.items():
        np.testing.assert_allclose(found[key], value, atol=tolerance, rtol=tolerance, err_msg=key)


@pytest.mark.parametrize("name", both.CASES)
def test_both_engines_train_alike(sides, name):
    """Scores, losses, predictions and weights after three epochs, from the same batches."""
    folder, here, told = sides
    assert not told[f"train {name}"]
    with np.load(folder / f"jax-{name}.arrays.npz") as there:
        close(dict(there), here[name], 2e-4)


@pytest.mark.parametrize("name", both.CASES)
def test_each_goes_on_from_the_other_s_checkpoint(sides, name):
    folder, here, told = sides
    assert not told[f"train {name}"]
    with np.load(folder / f"jax-{name}.resumed.npz") as there:
        close(dict(there), here[name], 2e-4)
    close(both.arrays(both.go_on_from(name, folder, "jax")), here[name], 2e-4)


@pytest.mark.parametrize("name", CHECKS)
def test_the_jax_engine(sides, name):
    assert not sides[2][name], sides[2][name]


def test_no_check_is_forgotten(sides):
    assert set(sides[2]) == {*CHECKS, *(f"train {name}" for name in both.CASES)}


@pytest.mark.slow
def test_every_family_keeps_its_contract_on_jax():
    """Trained as by model.fit, saved, loaded, rates as values: the families' own tests."""
    pytest.importorskip("jax")
    asked = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider"]
    done = subprocess.run(
        [*asked, "tests/training/test_families.py"],
        cwd=ROOT,
        env={**os.environ, "KERAS_BACKEND": "jax", "JAX_DISABLE_MOST_OPTIMIZATIONS": "true"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout


def test_several_trials_at_once_are_for_jax():
    assert setup.trials_at_once(None) == setup.trials_at_once(1) == 1
    with pytest.raises(InputError, match="need KERAS_BACKEND=jax, got 4 with TensorFlow"):
        setup.trials_at_once(4)


def test_a_backend_that_cannot_be_had_is_told(monkeypatch):
    monkeypatch.setenv("KERAS_BACKEND", "torch")
    with pytest.raises(InputError, match="must be one of tensorflow, jax, got 'torch'"):
        setup.chosen_backend()
    monkeypatch.setenv("KERAS_BACKEND", "jax")
    monkeypatch.setattr(setup, "find_spec", lambda name: None)
    with pytest.raises(InputError, match=r"pip install 'geno-hpo\[jax\]'"):
        setup.chosen_backend()
    monkeypatch.undo()
    monkeypatch.setenv("KERAS_BACKEND", "jax")
    if find_spec("jax") is not None:
        with pytest.raises(InputError, match="Keras runs on tensorflow already"):
            setup.configure(1)
