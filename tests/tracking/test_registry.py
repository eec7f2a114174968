"""The winner in MLflow's registry, for real: served from raw rows, crowned only when it won."""

from __future__ import annotations

import os
from dataclasses import replace

import numpy as np
import pytest
from mlflow.utils.validation import _validate_model_name

from geno_hpo.outcome import TestPredictions
from geno_hpo.study.champion import register_winner
from geno_hpo.study.finished import Finished
from geno_hpo.study.parent import tracking_of
from geno_hpo.study.results import outcome_of
from geno_hpo.tracking.registry import Registry, model_name
from tests.bundle.studies import dosages, isolates
from tests.bundle.test_end_to_end import own_predictions
from tests.conftest import finished_studies


def changed(test: TestPredictions, model: str, values: np.ndarray) -> TestPredictions:
    return replace(test, models={model: values.astype(np.float32)})


BETTER = {"verdict": "better", "sentence": "the network is better"}
EQUAL = {"verdict": "no difference shown", "sentence": "no difference is shown"}


@pytest.fixture(scope="module")
def studies(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Finished]:
    """Studies of this module alone: others delete what MLflow holds."""
    return finished_studies(tmp_path_factory.mktemp("registry"))


def test_the_winner_is_served_from_the_registry(
    studies: dict[str, Finished], monkeypatch: pytest.MonkeyPatch
) -> None:
    import mlflow
    import pandas as pd

    finished = studies["drugs"]
    tracking = tracking_of(finished.plan)
    run = str(finished.record.get("mlflow_run"))
    test = outcome_of(finished).test
    registry = Registry(tracking, "drugs")
    first = register_winner(finished, tracking, run, test, "mlp", None)
    assert first == (
        "model drugs version 1 is a candidate, not the champion: "
        "the study has no baseline that it could beat"
    )
    again = register_winner(finished, tracking, run, test, "mlp", None)
    assert again == "model drugs version 1 is registered already"
    assert registry.champion() is None

    assert "MLFLOW_TRACKING_URI" not in os.environ, "another store would be the next study's"
    monkeypatch.setenv("MLFLOW_TRACKING_URI", tracking.uri)
    model = mlflow.pyfunc.load_model("models:/drugs@candidate")
    loci, _ = isolates(80, seed=1)
    ids, own = own_predictions(finished)
    table = pd.DataFrame({name: [texts[i] for i in ids] for name, texts in loci.items()})
    answers = model.predict(table)
    assert list(answers.columns) == [
        f"{drug}{part}" for drug in ("inh", "rif") for part in ("", ".spread", ".call")
    ]
    np.testing.assert_allclose(answers[["inh", "rif"]], own.mean(axis=0), atol=1e-6)
    assert model.metadata.signature.inputs.input_names() == ["katG", "rpoB"]
    assert model.input_example["katG"].str.len().tolist() == [40]
    with pytest.raises(Exception, match="rpoB"):
        model.predict(table[["katG"]])


def test_the_champion_beats_its_baseline_and_the_champion_before_it(
    studies: dict[str, Finished], monkeypatch: pytest.MonkeyPatch
) -> None:
    finished = studies["trait"]
    tracking = tracking_of(finished.plan)
    run = str(finished.record.get("mlflow_run"))
    test = outcome_of(finished).test
    registry = Registry(tracking, "trait")
    others = replace(test, ids=tuple(f"x{i}" for i in range(len(test.ids))))
    steps = [
        (test, EQUAL, "a candidate, not the champion: no difference is shown", None),
        (test, BETTER, "the champion: the network is better", "2"),
        (test, EQUAL, "a candidate, not the champion: no difference is shown", "2"),
        (test, BETTER, "a candidate, not the champion: ", "2"),  # the same answers again
        (others, BETTER, "tested on other samples", "2"),
    ]
    for number, (seen, comparison, said, champion) in enumerate(steps, start=1):
        monkeypatch.setattr("geno_hpo.study.champion._digest", lambda _, n=number: f"digest {n}")
        told = register_winner(finished, tracking, run, seen, "mlp", comparison)
        assert told.startswith(f"model trait version {number} is ")
        assert said in told
        found = registry.champion()
        assert (None if found is None else found[0]) == champion
        candidate = tracking.client.get_model_version_by_alias("trait", "candidate")
        assert str(candidate.version) == str(number)
    version = tracking.client.get_model_version("trait", "4")
    assert version.tags["not_champion_because"]


def test_a_study_of_one_target_has_a_name_that_mlflow_takes() -> None:
    assert model_name("wheat.e2") == "wheat-e2"
    _validate_model_name(model_name("wheat.e2"))


def test_the_rule_of_the_crown(studies: dict[str, Finished]) -> None:
    from geno_hpo.study.champion import _judge

    finished = studies["drugs"]
    tracking = tracking_of(finished.plan)
    rng = np.random.default_rng(0)
    truth = rng.integers(0, 2, (200, 2)).astype(np.float32)
    ids = tuple(f"s{i}" for i in range(200))
    weak, strong = (truth * skill + rng.normal(size=(2, 200, 2)) for skill in (0.3, 3.0))
    registry = Registry(tracking, "crown")
    folder = finished.plan.work / "evidence"
    folder.mkdir(exist_ok=True)
    run = tracking.start_run("crown", parent=None, tags={"stage": "test"})
    np.savez(folder / "old.npz", ids=np.array(ids), truth=truth, predictions=weak)
    registry.keep_evidence(run, folder / "old.npz")
    tracking.client.create_registered_model("crown")
    tracking.client.create_model_version("crown", "file:///nowhere", run, tags={"bundle": "old"})
    registry.point("champion", "1")
    test = TestPredictions(ids, truth, {"mlp": weak.astype(np.float32)})
    assert not _judge(finished, registry, test, "mlp", folder)[0]
    better, reason = _judge(finished, registry, changed(test, "mlp", strong), "mlp", folder)
    assert better
    assert "the champion (version 1)" in reason


def test_rows_of_dosages_are_answered(studies: dict[str, Finished]) -> None:
    import pandas as pd

    from geno_hpo.bundle import open_bundle
    from geno_hpo.bundle.served import Served, input_columns
    from geno_hpo.study.export import export_finished

    finished = studies["trait"]
    folder = finished.plan.work / "exported"
    export_finished(finished, folder)
    bundle = open_bundle(folder)
    ids, own = own_predictions(finished)
    rows = np.array([dosages()[int(i[1:])] for i in ids], dtype=float)
    rows[rows < 0] = np.nan
    table = pd.DataFrame(rows, columns=[f"rs{i}" for i in range(rows.shape[1])])
    answers = Served(bundle).predict(table[input_columns(bundle)[::-1]])
    assert list(answers.columns) == ["yield", "yield.spread"]
    np.testing.assert_allclose(answers["yield"], own.mean(axis=0)[:, 0], rtol=1e-6)
