"""A study of counts that weighs score, size and time: trials, runs, winner, report and bundle."""

from __future__ import annotations

import csv
import signal
from pathlib import Path

import numpy as np
import pytest
from optuna.trial import TrialState

from geno_hpo.errors import DataError, StudyChangedError
from geno_hpo.metrics import METRICS
from geno_hpo.report import check_summary
from geno_hpo.report.page import render
from geno_hpo.report.tables import tables
from geno_hpo.study.files import final_path, unseen_path
from geno_hpo.study.final import enqueue_final, finished_fits, planned_fits
from geno_hpo.study.finished import Finished, load_finished
from geno_hpo.study.front import choose, costs_of, front, score_of
from geno_hpo.study.launch import Launch
from geno_hpo.study.parts import open_pools
from geno_hpo.study.paths import Project
from geno_hpo.study.plan import load_plan
from geno_hpo.study.prepared import prepare
from geno_hpo.study.record import Record
from geno_hpo.study.results import outcome_of
from geno_hpo.study.status import read_status
from geno_hpo.study.worker import Worker
from geno_hpo.tracking import Tracking
from geno_hpo.training.setup import configure
from tests.bundle.studies import dosages, letters_table

STUDY = """\
question: How many lesions, and how small may the network be?
data: {variants: data/lesions.csv}
target: yield
task: regression
loss: poisson
spaces: [tiny, narrow]
objectives: [score, parameters, seconds]
split: {folds: 3, test: 0.25}
budget: {trials: 6, epochs: 5, patience: 5}
sampler: {name: tpe, startup_trials: 3}
baselines: {ridge: {trials: 1}, random_forest: false, lightgbm: {trials: 1}}
final: {seeds: 1}
control: false
workers: 1
audit: 'off'
"""
TINY = """\
family: mlp
parameters:
  neurons: {choice: [4, 32]}
  batch_size: 16
  learning_rate: {float: [1.0e-3, 1.0e-1], log: true}
"""
NARROW = "family: residual\nparameters: {neurons: 4, learning_rate: 0.01}\n"


def write(root: Path, study: str = STUDY, trait: np.ndarray | None = None) -> Path:
    for folder in ("studies", "search_spaces", "data"):
        (root / folder).mkdir(parents=True, exist_ok=True)
    baselines = root / "search_spaces" / "baselines"
    baselines.symlink_to(Path(__file__).parents[2] / "search_spaces" / "baselines")
    (root / "studies" / "lesions.yaml").write_text(study)
    (root / "search_spaces" / "tiny.yaml").write_text(TINY)
    (root / "search_spaces" / "narrow.yaml").write_text(NARROW)
    codes = dosages(120)
    if trait is None:
        expected = np.exp(1.0 + np.maximum(codes, 0)[:, :2] @ np.array([0.6, -0.5]))
        trait = np.random.default_rng(2).poisson(expected)
    (root / "data" / "lesions.csv").write_text(letters_table(codes, trait))
    return root


@pytest.fixture(scope="module")
def searched(tmp_path_factory: pytest.TempPathFactory) -> Finished:
    """The study, interrupted after some of its trials and gone on with; its test set is sealed."""
    with pytest.MonkeyPatch.context() as patch:
        for name in ("GENO_HPO_STORAGE", "MLFLOW_TRACKING_URI"):
            patch.delenv(name, raising=False)
        root = write(tmp_path_factory.mktemp("project"))
        configure(1)
        launch = Launch(Project(root), "lesions", workers=1)
        maximise = METRICS[launch.plan.metric].maximise
        pools = open_pools(launch.plan, launch.storage, maximise=maximise, create=True)
        record = Record(pools["network"].study)
        record.agree(launch.plan)
        launch._prepare(record)
        for part, asked in launch.plan.budgets.items():
            pools[part].fill(asked)
        record.set(phase="search")
        looks = iter([False] * 16 + [True] * 1000)
        Worker(launch.plan, maximise=maximise, stop=lambda: next(looks)).run()
        done = pools["network"].tally()[TrialState.COMPLETE]
        assert 0 < done < 6, "it was stopped in the middle of a trial"
        assert pools["network"].tally()[TrialState.WAITING] == 6 - done
        Worker(launch.plan, maximise=maximise).run()
        return load_finished(Project(root), "lesions", test=False)


@pytest.fixture(scope="module")
def finished(searched: Finished) -> Finished:
    """The same study with its final fits."""
    searched.record.open_seal(6, "0.1.0")
    enqueue_final(searched.plan, searched.pools)
    searched.record.set(phase="final")
    Worker(searched.plan, maximise=True).run()
    searched.record.set(phase="done")
    return load_finished(searched.plan.project, "lesions")


def test_the_budget_holds_and_every_trial_has_its_values(searched: Finished) -> None:
    pool = searched.pools["network"]
    assert pool.tally() == {TrialState.COMPLETE: 6}
    assert len(searched.pools["ridge"].study.directions) == 1, "baselines ask for their score"
    for trial in pool.trials():
        parameters, seconds = costs_of(trial)
        assert score_of(trial) == pytest.approx(np.mean(trial.user_attrs["fold_scores"]), abs=1e-5)
        assert parameters == trial.user_attrs["parameters"]
        assert 0 < seconds < 600
        short = searched.plan.space.short(trial.params)
        if short["family"] == "mlp":
            width = int(short["neurons"])
            assert parameters == 15 * width + width + width + 1, "kernels and biases"
        assert unseen_path(searched.plan.work, trial.number).exists(), "any of them may win"


def test_the_winner_is_the_cheapest_within_one_standard_error(searched: Finished) -> None:
    trials = searched.pools["network"].trials()
    found = choose(trials, maximise=True)
    assert found is not None
    fit = next(fit for fit in planned_fits(searched.plan, searched.pools) if fit.kind == "network")
    assert fit.params == dict(searched.plan.space.short(found.winner.params))
    assert (score_of(found.winner) or 0.0) >= (score_of(found.best) or 0.0) - found.error
    status = read_status(searched.plan.project.root, "lesions")
    (shown,) = [part.front for part in status.progress.parts if part.front]
    assert [one.number for one in shown] == [t.number for t in front(trials, maximise=True)]
    assert [one.number for one in shown if one.wins] == [found.winner.number]


def test_mlflow_has_each_trials_costs(searched: Finished) -> None:
    project = searched.plan.project
    tracking = Tracking(project.tracking_uri, project.mlruns / "artifacts", "lesions")
    runs = tracking.client.search_runs([tracking.experiment_id], "tags.stage = 'search'")
    assert len(runs) == 6
    told = {int(run.data.tags["trial"].split()[-1]): run.data.metrics for run in runs}
    for trial in searched.pools["network"].trials():
        metrics = told[trial.number]
        assert (metrics["parameters"], metrics["seconds"]) == pytest.approx(costs_of(trial))
        assert metrics["cv_score"] == pytest.approx(score_of(trial))


def test_the_report_draws_the_front(searched: Finished) -> None:
    outcome = outcome_of(searched, test=False)
    check_summary(outcome.summary)
    assert outcome.summary["objectives"] == ["score", "parameters", "seconds"]
    rows = outcome.summary["front"]["rows"]
    assert outcome.summary["best"]["trial"] in {row["trial"] for row in rows}
    page = render(outcome)
    for text in ("What a better score costs", "within one standard error", "Breiman et al. 1984"):
        assert text in page
    head, listed = tables(outcome)["front"]
    assert head == ("trial", "model", "score", "parameters", "seconds")
    assert len(listed) == len(rows)
    assert {row["model"] for row in outcome.summary["leaderboard"]} >= {"ridge", "lightgbm"}
    assert outcome.summary["metric"] == "d2"


@pytest.mark.slow
def test_a_bundle_tells_expected_counts(finished: Finished, tmp_path: Path) -> None:
    from geno_hpo.bundle import InputOptions, open_bundle, open_samples, predict, write_predictions
    from geno_hpo.study.export import export_finished

    export_finished(finished, tmp_path / "bundle")
    path, output = tmp_path / "input.csv", tmp_path / "out.csv"
    path.write_text(letters_table(dosages(120)))
    bundle = open_bundle(tmp_path / "bundle")
    samples = open_samples(bundle, (path,), InputOptions())
    write_predictions(bundle.manifest, predict(bundle, samples), output)
    with output.open(newline="") as stream:
        told = {row["sample"]: float(row["value"]) for row in csv.DictReader(stream)}
    name = next(n for n in finished_fits(finished.plan, finished.pools) if n.startswith("network"))
    with np.load(final_path(finished.plan.work, name)) as arrays:
        own = arrays["predictions"][:, 0]
    test = finished.prepared.split.test
    ids = [finished.prepared.dataset.ids[i] for i in test]
    np.testing.assert_allclose([told[sample] for sample in ids], own, rtol=1e-3)
    assert (own > 0).all()


def test_objectives_and_loss_are_part_of_what_a_trial_means(searched: Finished) -> None:
    path = searched.plan.project.root / "studies" / "lesions.yaml"
    for change in ("objectives: [score]", "objectives: [score, parameters]"):
        path.write_text(STUDY.replace("objectives: [score, parameters, seconds]", change))
        plan = load_plan(searched.plan.project, "lesions")
        with pytest.raises(StudyChangedError, match=r"study file .* changed after 6 trials"):
            searched.record.agree(plan)
    path.write_text(STUDY)


def test_counts_below_zero_are_refused(tmp_path: Path) -> None:
    trait = np.arange(120.0)
    trait[[5, 7]] = -2
    root = write(tmp_path / "project", trait=trait)
    message = r"loss: poisson needs counts, .* got -2 for 'yield' of sample 'p5' \(2 samples are"
    with pytest.raises(DataError, match=message):
        prepare(load_plan(Project(root), "lesions"))


@pytest.mark.slow
def test_ctrl_c_and_on_to_the_report(tmp_path: Path) -> None:
    from tests.study.test_launch import finish, mlflow_states, start, wait_for

    study = STUDY.replace("trials: 6, epochs: 5, patience: 5", "trials: 8, epochs: 200")
    root = write(tmp_path / "project", study)
    process = start(root, "run", "lesions", "--workers", "2")
    wait_for(root, TrialState.COMPLETE, 2, process, "lesions")
    process.send_signal(signal.SIGINT)
    assert "nothing is lost. Go on with: geno-hpo run lesions" in finish(process, 130)
    assert "wins: " in finish(start(root, "status", "lesions"))
    finish(start(root, "run", "lesions"))
    assert (root / "reports" / "lesions" / "figures" / "front.png").exists()
    assert mlflow_states(root)["search"] == ["complete"] * 8
