"""Packages that bring families, baselines, metrics and readers: the worked example, and faults."""

from __future__ import annotations

import importlib
import json
import os
import shutil
import subprocess
import sys
import zipfile
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from typer.testing import CliRunner

from geno_hpo.baselines import BASELINES, BaselineProblem, FoldData, Setting, fit_folds
from geno_hpo.cli.app import app
from geno_hpo.config import ReaderData, load_study, study_schema
from geno_hpo.data.own_reader import READERS
from geno_hpo.data.source import open_dataset
from geno_hpo.errors import ConfigError, DataError, GenoHpoError, PluginError
from geno_hpo.metrics import METRICS
from geno_hpo.models import FAMILIES, ModelShape, build, complete
from geno_hpo.plugins import plugins
from geno_hpo.study.paths import Project
from geno_hpo.study.plan import load_plan

ROOT = Path(__file__).parent.parent
STUDY = """\
question: Do products of positions help?
data: {reader: json_lines, path: data/genes.jsonl, groups: [lineage]}
target: resistant
task: binary
metric: f1
spaces: [pairs]
split: {folds: 2, test: 0.25}
budget: {trials: 2, epochs: 3, patience: 3}
pruner: {name: none}
baselines: {nearest: {trials: 2}, ridge: false, random_forest: false, lightgbm: false}
final: {seeds: 2}
control: false
workers: 1
"""
PAIRS = "family: pairs\nparameters:\n  rank: {choice: [2, 4]}\n  dropout: 0.1\n"
NEAREST = "family: nearest\nparameters:\n  neighbours: {int: [1, 9]}\n"


@pytest.fixture(scope="module")
def package(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The example of docs/reference/extend.md: its wheel is built, and unpacked to be installed."""
    folder = tmp_path_factory.mktemp("package")
    shutil.copytree(ROOT / "docs" / "reference" / "example", folder / "my_lab")
    words = [sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", str(folder)]
    subprocess.run(words, cwd=folder / "my_lab", check=True, capture_output=True)
    (built,) = folder.glob("my_lab-1.0-*.whl")
    with zipfile.ZipFile(built) as wheel:
        wheel.extractall(folder / "site")
    return folder / "site"


@pytest.fixture
def fresh() -> Iterator[None]:
    """Names are looked up anew, before and after."""
    for kind in ("families", "baselines", "metrics", "readers"):
        assert not plugins(kind)
    plugins.cache_clear()
    yield
    plugins.cache_clear()


@pytest.fixture
def installed(package: Path, fresh: None, monkeypatch: pytest.MonkeyPatch) -> None:
    """The example is installed."""
    monkeypatch.syspath_prepend(package)
    importlib.invalidate_caches()


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """A project whose study uses all four."""
    for folder in ("studies", "data", "search_spaces/baselines"):
        (tmp_path / folder).mkdir(parents=True)
    (tmp_path / "studies" / "own.yaml").write_text(STUDY)
    (tmp_path / "search_spaces" / "pairs.yaml").write_text(PAIRS)
    (tmp_path / "search_spaces" / "baselines" / "nearest.yaml").write_text(NEAREST)
    rng = np.random.default_rng(2)
    lines = []
    for number in range(120):
        letters = rng.choice(list("ACGT"), 20)
        line = {
            "id": f"s{number}",
            "sequence": "".join(letters),
            "resistant": "R" if letters[4] == letters[9] else "S",
            "lineage": str(number % 3),
        }
        lines.append(json.dumps(line))
    (tmp_path / "data" / "genes.jsonl").write_text("\n".join(lines) + "\n")
    return tmp_path


def test_a_study_uses_what_a_package_brings(installed: None, project: Path) -> None:
    plan = load_plan(Project(project), "own")
    kinds = ("baselines.nearest", "families.pairs", "metrics.f1", "readers.json_lines")
    assert sorted(plan.packages.items()) == [(kind, "my-lab 1.0") for kind in kinds]
    data = open_dataset(plan.config.data, target="resistant", task="binary", root=project)
    assert data.codes.shape == (120, 20)
    assert data.target.classes == ("S", "R")
    assert set(data.groups["lineage"]) == {"0", "1", "2"}
    shape = ModelShape("sequence", 20, 4, 1, "binary")
    full = complete({"family": "pairs", "rank": 2}, shape)
    assert (full["rank"], full["learning_rate"] > 0) == (2, True)
    for plain in (False, True):
        asked = {"family": "pairs", "rank": 2, "dropout": 0.1}
        model = build(asked, shape, plain=plain, probabilities=plain, seed=1)
        assert [layer.name for layer in model.layers][-1] == ("prediction" if plain else "logits")
        assert model.output_shape == (None, 1)
    assert model.count_params() == 2 * (80 * 2 + 2) + 5
    x, y = np.eye(4)[data.codes].reshape(120, -1), data.target.values
    fold = FoldData(x[:80], y[:80], x[80:], y[80:])
    problem = BaselineProblem((fold,), METRICS["f1"], Setting("binary", 1))
    neighbours = {"family": "nearest", "neighbours": 3}
    result = fit_folds("nearest", neighbours, problem, lambda *_: False)
    truth, called = y[80:, 0], result.predictions[0][:, 0] >= 0.5
    assert result.score == pytest.approx(2 * (truth * called).sum() / (truth.sum() + called.sum()))
    listed = study_schema()["properties"]["metric"]["enum"]
    assert (listed[0], listed[-1]) == ("auc", "f1")


def test_the_command_lists_them(installed: None) -> None:
    told = CliRunner().invoke(app, ["plugins"])
    assert told.exit_code == 0, told.output
    assert told.output.splitlines() == [
        "model family pairs: my-lab 1.0",
        "baseline nearest: my-lab 1.0",
        "metric f1: my-lab 1.0",
        "reader json_lines: my-lab 1.0",
    ]


def test_without_the_package_its_names_are_unknown(fresh: None, project: Path) -> None:
    with pytest.raises(ConfigError, match="3 faults") as told:
        load_study(project / "studies" / "own.yaml")
    text = str(told.value)
    assert "data.reader: must be the name of a reader, and no installed package brings one" in text
    assert "metric: must be auc, " in text
    assert "baselines.nearest: unknown key; known: elastic_net, " in text


HEAD = "from geno_hpo.models import Family, Parameter\n"
FAMILY = HEAD + "x = Family('own', '', {kinds}, {parameters}, {check}, {body})\n"
GOOD = {
    "kinds": "('sequence',)",
    "parameters": "()",
    "check": "lambda params, shape: None",
    "body": "lambda inputs, params, blocks: inputs",
}
METRIC = (
    "from geno_hpo.metrics import plain_metric\n"
    "x = plain_metric('{name}', '', {score}, maximise=True, tasks={tasks})\n"
)
BASELINE = """
class x:
    name = 'own'
    label = {label}
    def fit_folds(self, {arguments}): ...
    def refit(self, params, x, y, setting, rounds): ...
"""


def family(**changed: str) -> str:
    return FAMILY.format(**GOOD | changed)


@pytest.mark.parametrize(
    ("kind", "code", "reason"),
    [
        ("families", "import no_such_module", "cannot be loaded: ModuleNotFoundError: No module"),
        ("families", "y = 1", "cannot be loaded: AttributeError"),
        ("families", "x = 1", r"must be a geno_hpo\.models\.Family, got int"),
        ("families", family(kinds="('dna',)"), r"kinds must be of sequence, variants, got \('dna'"),
        ("families", family(check="lambda params: None"), r"check must take \(params, shape\)"),
        ("families", family(body="lambda x: x"), r"body must take \(inputs, params, blocks\)"),
        (
            "families",
            family(parameters="(Parameter('l2', 'float', None, ''),)"),
            "parameter 'l2' is one of training; choose another name",
        ),
        (
            "families",
            family(parameters="(Parameter('rank', 'int', 0, '', low=1),)"),
            "a default breaks its own rule: rank must be an integer at least 1, got 0",
        ),
        ("families", family().replace("'own'", "'other'"), "must have its name 'other'"),
        ("metrics", "x = len", r"must be a geno_hpo\.metrics\.Metric, got builtin"),
        (
            "metrics",
            METRIC.format(name="own", score="lambda t: 1", tasks="('binary',)"),
            "cannot score a binary task: .*takes 1 positional",
        ),
        (
            "metrics",
            METRIC.format(name="own", score="lambda t, p: float('inf')", tasks="('binary',)"),
            "must score two resamples as two finite numbers",
        ),
        (
            "metrics",
            METRIC.format(name="own", score="lambda t, p: 1", tasks="('ranking',)"),
            r"tasks must be of binary, .* got \('ranking',\)",
        ),
        ("baselines", BASELINE.format(label="3", arguments="a, b, c"), "must have a text 'label'"),
        (
            "baselines",
            BASELINE.format(label="''", arguments="params, problem"),
            r"must have a method fit_folds\(params, problem, report\)",
        ),
        ("readers", "def x(path, labels): ...", r"a function that takes \(reading\)"),
    ],
)
def test_a_fault_is_told_with_its_package(
    fresh: None,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    kind: str,
    code: str,
    reason: str,
) -> None:
    bring(tmp_path, "bad", kind, {"own": code})
    monkeypatch.syspath_prepend(tmp_path)
    registries = {"families": FAMILIES, "metrics": METRICS, "baselines": BASELINES}
    registry = (registries | {"readers": READERS})[kind]
    with pytest.raises(PluginError, match=reason) as told:
        registry["own"]
    assert "'own' of bad 1.0 (bad_own:x)" in str(told.value)
    assert len(list(registry)) > len(registry.built_in), "it is listed all the same"


def bring(folder: Path, package: str, kind: str, modules: dict[str, str]) -> None:
    """Install a package that brings a name for each module."""
    told = folder / f"{package}-1.0.dist-info"
    told.mkdir(parents=True)
    (told / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {package}\nVersion: 1.0\n")
    lines = [f"{name} = {package}_{name}:x\n" for name in modules]
    (told / "entry_points.txt").write_text(f"[geno_hpo.{kind}]\n" + "".join(lines))
    for name, code in modules.items():
        sys.modules.pop(f"{package}_{name}", None)
        (folder / f"{package}_{name}.py").write_text(code)


def test_names_that_collide_are_refused(
    fresh: None, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    bring(tmp_path / "a", "one", "metrics", {"auc": "", "gini": ""})
    bring(tmp_path / "b", "two", "metrics", {"gini": ""})
    for folder in "ab":
        monkeypatch.syspath_prepend(tmp_path / folder)
    with pytest.raises(PluginError, match=r"'auc' of one 1\.0 .*: the name 'auc' is built in"):
        METRICS["auc"]
    with pytest.raises(PluginError, match=r"'gini' is brought by (one|two) 1\.0 and .*uninstall"):
        METRICS["gini"]
    assert METRICS["rmse"].name == "rmse", "what does not collide goes on"
    told = CliRunner().invoke(app, ["plugins"])
    assert told.exit_code == 2
    assert told.output.count("error: ") == 2


@pytest.mark.parametrize(
    ("line", "reason"),
    [
        ('{"id": "a", "sequence": "ACGT"}', "line 1 has no 'resistant'"),
        ("no json", r"reader 'json_lines' failed at .*genes\.jsonl: JSONDecodeError"),
    ],
)
def test_what_a_reader_cannot_read_is_told(
    installed: None, project: Path, line: str, reason: str
) -> None:
    (project / "data" / "genes.jsonl").write_text(line)
    config = load_plan(Project(project), "own").config.data
    with pytest.raises(DataError, match=reason):
        open_dataset(config, target="resistant", task="binary", root=project)


@pytest.mark.parametrize(
    ("answer", "reason"),
    [
        ("None", r"must return a geno_hpo\.data\.dataset\.Dataset, got NoneType"),
        ("toy('resistant')", "gave no group 'lineage' "),
        ("toy('other')", r"was asked for resistant \(binary\), it gave other \(binary\)"),
    ],
)
def test_what_a_reader_gives_is_looked_at(
    fresh: None,
    project: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    answer: str,
    reason: str,
) -> None:
    code = f"""
import numpy as np
from geno_hpo.data.dataset import Dataset, Origin, Target
def toy(name):
    target = Target("binary", np.array([[0.0], [1.0]], np.float32), (name,), ("S", "R"))
    return Dataset("toy", "sequence", ("a", "b"), np.zeros((2, 3), np.int8), ("1", "2", "3"),
                   target, Origin("toy"))
def x(reading):
    return {answer}
"""
    bring(tmp_path / "site", "strange", "readers", {"json_lines": code})
    monkeypatch.syspath_prepend(tmp_path / "site")
    asked = {"reader": "json_lines", "path": Path("x"), "groups": ("lineage",)}
    config = ReaderData.model_validate(asked)
    with pytest.raises(GenoHpoError, match=reason):
        open_dataset(config, target="resistant", task="binary", root=project)


@pytest.mark.slow
def test_the_example_runs_from_its_study_to_its_predictions(package: Path, project: Path) -> None:
    """In processes of their own, as after ``pip install``."""
    (project / "new.fasta").write_text(f">a\n{'ACGT' * 5}\n>b\n{'AACC' * 5}\n")
    for words in (
        ["run", "own", "--plain"],
        ["export", "own", "-o", "bundle"],
        ["predict", "bundle", "-i", "new.fasta", "-o", "answers.csv", "--leave-out"],
    ):
        done = subprocess.run(
            [sys.executable, "-m", "geno_hpo", *words],
            cwd=project,
            env=os.environ | {"PYTHONPATH": f"{package}:{ROOT}"},
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == 0, f"{' '.join(words)}\n{done.stdout}\n{done.stderr}"
    summary = json.loads((project / "reports" / "own" / "summary.json").read_text())
    assert {row["model"] for row in summary["leaderboard"]} == {"pairs", "nearest"}
    told = json.loads((project / "bundle" / "bundle.json").read_text())
    assert told["versions"]["families.pairs"] == "my-lab 1.0"
    assert len((project / "answers.csv").read_text().splitlines()) == 3
