"""Study files: defaults, every fault with its line and nearest name, and what defines a study."""

from __future__ import annotations

import io
import json
from pathlib import Path
from typing import Any

import jsonschema
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import ValidationError
from ruamel.yaml import YAML

from geno_hpo.config import (
    CatalogueData,
    SequenceData,
    StudyConfig,
    VariantData,
    load_document,
    load_study,
    parse_document,
    study_schema,
)
from geno_hpo.errors import ConfigError

ROOT = Path(__file__).parents[2]
HEAD = """\
question: Does my gene predict resistance?
data: {sequences: data/genes.fasta, labels: data/labels.csv}
target: resistant
task: binary
spaces: [cnn]
"""
# The keys of HEAD, each of which a test may write anew.
PARTS = {line.partition(":")[0]: line for line in HEAD.splitlines()}


def study(tmp_path: Path, extra: str = "", **parts: str) -> StudyConfig:
    """Read HEAD with some of its keys written anew, and `extra` from line 6 on."""
    path = tmp_path / "inh.yaml"
    path.write_text("\n".join({**PARTS, **parts}.values()) + "\n" + extra)
    return load_study(path)


def test_the_shortest_file_suffices(tmp_path: Path) -> None:
    config = study(tmp_path)
    assert config.name == "inh"
    assert isinstance(config.data, SequenceData)
    assert config.data.sequences == Path("data/genes.fasta")
    assert config.targets == ("resistant",)
    assert config.metric == "auc"
    assert (config.split.kind, config.split.folds, config.split.test) == ("stratified", 5, 0.2)
    assert (config.budget.trials, config.budget.wall_time) == (40, None)
    assert {name: budget.trials for name, budget in config.baselines.items()} == {
        "ridge": 10,
        "random_forest": 10,
        "lightgbm": 10,
    }
    assert config.control is not None
    assert config.control.trials == 4
    assert (config.seed, config.split_seed, config.workers) == (1, 1, None)


@pytest.mark.parametrize(
    ("task", "target", "metric"),
    [
        ("binary", "inh", "auc"),
        ("multilabel", "[rif, inh]", "auc"),
        ("multiclass", "lineage", "accuracy"),
        ("regression", "[height, yield]", "pearson"),
    ],
)
def test_metric_by_task(tmp_path: Path, task: str, target: str, metric: str) -> None:
    config = study(tmp_path, task=f"task: {task}", target=f"target: {target}")
    assert config.metric == metric


@pytest.mark.parametrize(
    ("data", "kind"),
    [
        ("{catalogue: tb_wdnn, loci: [katG], options: {samples: 100}}", CatalogueData),
        ("{sequences: a.fa, labels: b.csv, pad: right, alphabet: gapped}", SequenceData),
        ("{variants: a.csv, id: sample, groups: population}", VariantData),
    ],
)
def test_three_sources(tmp_path: Path, data: str, kind: type) -> None:
    assert isinstance(study(tmp_path, data=f"data: {data}").data, kind)


def test_written_forms(tmp_path: Path) -> None:
    config = study(
        tmp_path,
        "positive: 1\nsplit: {group: lineage, seed: 7}\nbudget: {wall_time: 1h30m}\n"
        "baselines: {ridge: {trials: 3}, lightgbm: false}\ncontrol: false\n"
        "published: [{what: CNN, value: 1, source: somebody}]\n",
        spaces="spaces: cnn",
        target="target: 2",
    )
    assert config.spaces == ("cnn",)
    assert config.target == "2"
    assert config.positive == "1"
    assert (config.split.kind, config.split_seed) == ("grouped", 7)
    assert isinstance(config.data, SequenceData)
    assert config.data.groups == ("lineage",)
    assert config.budget.wall_time == 5400
    assert {name: x.trials for name, x in config.baselines.items()} == {
        "ridge": 3,
        "random_forest": 10,
    }
    assert config.control is None
    assert config.published[0].value == 1.0


def test_no_baselines(tmp_path: Path) -> None:
    assert study(tmp_path, "baselines: false").baselines == {}
    assert len(study(tmp_path, "baselines: {}").baselines) == 3


def test_more_baselines_where_they_are_named(tmp_path: Path) -> None:
    named = study(tmp_path, "baselines: {kernel_ridge: {trials: 3}, lightgbm: false}").baselines
    assert {name: one.trials for name, one in named.items()} == {
        "ridge": 10,
        "random_forest": 10,
        "kernel_ridge": 3,
    }


BAD_EXTRA = [
    # unknown keys
    ("split: {fold: 3}", r'split.fold: unknown key; did you mean "folds"\? \(.*inh.yaml:6\)'),
    ("spilt: {folds: 3}", r'spilt: unknown key; did you mean "split"\?'),
    ("zzz: 3", r"zzz: unknown key; known: audit, baselines, budget, control"),
    ("budget: {trails: 3}", r'budget.trails: unknown key; did you mean "trials"\?'),
    ("baselines: {lightgbn: {trials: 3}}", r'baselines.lightgbn: .*did you mean "lightgbm"\?'),
    ("baselines: {ridge: {trails: 3}}", r'baselines.ridge.trails: .*did you mean "trials"\?'),
    ("control: {epoch: 3}", r'control.epoch: unknown key; did you mean "epochs"\?'),
    ("published: [{wat: x, value: 1, source: y}]", r'published\[0\].wat: .*did you mean "what"\?'),
    ("name: other", r"name: unknown key: a study's name is its file's name"),
    # ranges
    ("budget: {trials: 0}", r"budget.trials: must be at least 1, got 0 \(.*inh.yaml:6\)"),
    ("budget:\n  epochs: 5\n  trials: -2", r"budget.trials: must be at least 1, got -2 .*:8\)"),
    ("budget: {patience: 0}", r"budget.patience: must be at least 1, got 0"),
    ("split: {folds: 1}", r"split.folds: must be at least 2, got 1"),
    ("split: {test: 0}", r"split.test: must be above 0, got 0"),
    ("split: {test: 0.6}", r"split.test: must be at most 0.5, got 0.6"),
    ("preprocess: {min_maf: 0.5}", r"preprocess.min_maf: must be below 0.5, got 0.5"),
    ("preprocess: {min_maf: .nan}", r"preprocess.min_maf: must be a finite number"),
    ("pruner: {reduction: 1}", r"pruner.reduction: must be at least 2, got 1"),
    ("sampler: {startup_trials: 0}", r"sampler.startup_trials: must be at least 1, got 0"),
    ("final: {seeds: 0}", r"final.seeds: must be at least 1, got 0"),
    ("seed: -1", r"seed: must be at least 0, got -1"),
    ("workers: 0", r"workers: must be at least 1, got 0"),
    # kinds
    ("budget: {epochs: ten}", r'budget.epochs: must be a whole number, got "ten"'),
    ("budget: {epochs: 2.5}", r"budget.epochs: must be a whole number, got 2.5"),
    ("budget: {epochs: true}", r"budget.epochs: must be a whole number, got true"),
    ("budget: {epochs: }", r"budget.epochs: must be a whole number, got null"),
    ("split: {test: a}", r'split.test: must be a number, got "a"'),
    ("split: 5", r"split: must be a block of keys, got 5"),
    ("budget:", r"budget: must be a block of keys, got null"),
    ("baselines: [ridge]", r'baselines: must be a block of keys, got \["ridge"\]'),
    ("control: true", r"control: must be a block of keys, got true"),
    ("question: 3", r"question: must be text, got 3"),
    ("preprocess: {scale_target: yes}", r'scale_target: must be true or false, got "yes"'),
    ("positive: true", r"positive: must be text, got true"),
    ("positive: ''", r"positive: must not be empty"),
    ("published: {what: x}", r"published: must be a list"),
    ("published: [{value: x, source: y}]", r'published\[0\].value: must be a number, got "x"'),
    ("published: [{value: 1, source: y}]", r"published\[0\].what: is missing: What was measured"),
    # names
    ("metric: aucc", r'metric: must be auc, .*, got "aucc"; did you mean "auc"\?'),
    ("metric: 3", r"metric: must be auc, .* or d2, got 3"),
    ("sampler: {name: tpa}", r'sampler.name: must be tpe, .*got "tpa"; did you mean "tpe"\?'),
    ("pruner: {name: hyberband}", r'pruner.name: .*did you mean "hyperband"\?'),
    ("split: {kind: strat}", r'split.kind: must be .*; did you mean "stratified"\?'),
    ("preprocess: {impute: zero}", r'impute: must be mean, mode or knn, got "zero"'),
    ("preprocess: {impute: knn, neighbours: 0}", r"neighbours: must be at least 1, got 0"),
    ("preprocess: {impute: mode, neighbours: 3}", r'neighbours: is for impute: knn, got .*"mode"'),
    ("budget: {wall_time: soon}", r'budget.wall_time: must be a duration such as .*got "soon"'),
    # rules between keys
    ("metric: r2", r'metric: must fit the task binary \(auc, .*log_loss\), got "r2" .*:6\)'),
    ("split: {kind: grouped}", r"split.group: a grouped split needs the column"),
    ("split: {kind: random, group: a}", r'split.kind: must be grouped when .*got "random"'),
    ("split: {group: resistant}", r"split.group: must not be the target itself"),
    ("split: {file: a.csv, folds: 3}", r'split.folds: is for .* splits, got "file"'),
    ("split: {kind: file}", r'split.file: belongs to kind file, got kind "file"'),
    ("split: {kind: leave_one_group_out}", r"split.group: a leave_one_group_out split needs"),
    ("split: {kind: published}", r"split.group: a published split needs the column"),
    ("split: {valid: 0.3}", r'split.valid: is for holdout splits, got "stratified"'),
    ("split: {test_by: a}", r"split.test_by: needs split.test_groups"),
    ("split: {outer: 3, test_by: a, test_groups: [b]}", r"split.test_by: names one test set"),
    ("split: {test_groups: [a]}", r"split.test_groups: names groups: it needs split.group"),
    ("split: {group: a, groups: {by: clones}}", r"split.groups: finds groups from the data"),
    ("split: {groups: {by: kin}}", r'split.groups.by: must be .*got "kin"'),
    ("precision: float16", r'precision: must be float32, tf32 or .*, got "float16"'),
    (
        "precision: mixed_bfloat16\nwindows: always",
        r"windows: computes in float32; say auto or never with precision: mixed_bfloat16",
    ),
    ("split: {outer: 1}", r"split.outer: must be at least 2, got 1"),
    ("split: {outer: 3, test: 0.3}", r"split.test: sets a share apart, but split.outer makes"),
    ("split: {outer: 3, repeats: 2}", r"split.repeats: .*with split.outer it must be 1"),
    ("split: {outer: 3, group: a, test_groups: [b]}", r"split.test_groups: makes one test set"),
    ("split: {outer: 3, kind: holdout}", r'split.outer: is for .* splits, got "holdout"'),
    ("split: {kind: holdout, repeats: 30}", r"split.repeats: must be at most 20, got 30"),
    ("preprocess: {components: 5}", r"preprocess.components: is for variant tables"),
    ("preprocess: {prune_r2: 0.5}", r"preprocess.prune_r2: is for variant tables"),
    ("preprocess: {min_call_rate: 2}", r"preprocess.min_call_rate: must be at most 1, got 2"),
    ("preprocess: {select: 10}", r"preprocess.select: is for variant tables"),
    ("pruner: {warmup_epochs: 9}\nbudget: {epochs: 9}", r"must be below budget.epochs \(9\)"),
]


@pytest.mark.parametrize(("extra", "message"), BAD_EXTRA)
def test_bad_keys(tmp_path: Path, extra: str, message: str) -> None:
    head = "" if extra.startswith("question") else PARTS["question"]
    with pytest.raises(ConfigError, match=message):
        study(tmp_path, extra, question=head)


BAD_HEAD = [
    ({"data": ""}, r"data: is missing: Where the samples come from.*inh.yaml:1\)"),
    ({"task": ""}, r"task: is missing: binary \(two classes\), multiclass"),
    ({"target": "", "spaces": ""}, r"2 faults:\n  target: is missing.*\n  spaces: is missing"),
    ({"task": "task: binry"}, r'task: must be binary, .*; did you mean "binary"\? \(.*:4\)'),
    ({"task": "task: [binary]"}, r'task: must be binary, .* got \["binary"\]'),
    (
        {"data": "data: genes.fasta"},
        r"data: must be a block with catalogue, sequences, variants or reader",
    ),
    (
        {"data": "data: {fasta: x}"},
        r'must have one of catalogue, sequences, variants or reader, got \["fa',
    ),
    ({"data": "data: {sequence: x}"}, r'data: must have one of .*; did you mean "sequences"\?'),
    ({"data": "data: {sequences: x, variants: y}"}, r"got sequences and variants"),
    (
        {"data": "data: {sequences: x, format: fasta}"},
        r"data: format fasta holds no labels: name their file in `labels`",
    ),
    ({"data": "data: {sequences: 3, labels: x}"}, r"data.sequences: must be the path of a file"),
    (
        {"data": "data: {sequences: x, labels: y, alfabet: dna}"},
        r'data.alfabet: unknown key; did you mean "alphabet"\? \(.*inh.yaml:2\)',
    ),
    (
        {"data": "data: {sequences: x, labels: y, pad: left}"},
        r'data.pad: must be none or right, got "left"',
    ),
    ({"data": "data: {catalogue: x, labels: y}"}, r"data.labels: unknown key"),
    ({"data": "data: {catalogue: ''}"}, r"data.catalogue: must not be empty"),
    ({"spaces": "spaces: []"}, r"spaces: must have at least 1 entry, got \[\]"),
    ({"spaces": "spaces: {cnn: 1}"}, r"spaces: must be a list"),
    ({"spaces": "spaces: [cnn, cnn]"}, r"spaces: names a search space twice: cnn"),
    ({"target": "target: []"}, r"target: must have at least 1 entry, got \[\]"),
    ({"target": "target: [a, {b: 1}]"}, r'target\[1\]: must be text, got \{"b": 1\}'),
    ({"target": "target: {a: 1}"}, r"target: must be text"),
    ({"target": "target: [a, b]"}, r"target: a binary study has one target, got 2"),
    ({"task": "task: multilabel"}, r"target: a multilabel study lists its targets, such as \[res"),
    (
        {"task": "task: multilabel", "target": "target: [a, a]"},
        r"target: names a column twice: a",
    ),
]


@pytest.mark.parametrize(("parts", "message"), BAD_HEAD)
def test_bad_head(tmp_path: Path, parts: dict[str, str], message: str) -> None:
    with pytest.raises(ConfigError, match=message):
        study(tmp_path, **parts)


def test_positive_is_for_binary(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match='positive: is for binary studies only, got "R" with'):
        study(tmp_path, "positive: R", task="task: multiclass")


def test_all_faults_are_told_in_the_order_of_lines(tmp_path: Path) -> None:
    extra = (
        "split: {kind: grouped}\nmetric: r2\nbudget: {epochs: x}\nsampler: 3\n"
        "baselines: {lightgbn: {trials: 3}}\npublished: [{what: x, value: a, sorce: y}]\n"
    )
    with pytest.raises(ConfigError, match="8 faults") as caught:
        study(tmp_path, extra)
    assert [(fault.key, fault.line) for fault in caught.value.faults] == [
        ("split.group", 6),
        ("metric", 7),
        ("budget.epochs", 8),
        ("sampler", 9),
        ("baselines.lightgbn", 10),
        ("published[0].value", 11),
        ("published[0].source", 11),
        ("published[0].sorce", 11),
    ]


def test_a_rule_is_not_told_when_its_key_is_already_wrong(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"split.group: must be text") as caught:
        study(tmp_path, "split: {kind: grouped, group: [a]}")
    assert len(caught.value.faults) == 1


def test_a_bad_file_name(tmp_path: Path) -> None:
    path = tmp_path / "my study.yaml"
    path.write_text(HEAD)
    with pytest.raises(ConfigError, match=r'must be letters, digits, .*got "my study"'):
        load_study(path)


def test_spaces_are_looked_for_in_the_project(tmp_path: Path) -> None:
    (tmp_path / "search_spaces").mkdir()
    (tmp_path / "search_spaces" / "cnn.yaml").write_text("family: cnn\n")
    path = tmp_path / "inh.yaml"
    path.write_text(HEAD)
    assert load_study(path, root=tmp_path).spaces == ("cnn",)
    path.write_text(HEAD.replace("[cnn]", "[cnn, cmn]") + "seed: -1\n")
    told = r'2 faults:\n  spaces\[1\]: unknown search space "cmn"; did you mean "cnn"\?.*:5\)'
    with pytest.raises(ConfigError, match=told):
        load_study(path, root=tmp_path)


def test_a_value_that_exists_is_valid(tmp_path: Path) -> None:
    config = study(tmp_path)
    with pytest.raises(ValidationError, match="frozen"):
        config.seed = 3  # type: ignore[misc]
    with pytest.raises(ValidationError, match="metric: must fit the task"):
        StudyConfig.model_validate({**config.model_dump(), "metric": "r2"})


def test_a_dumped_study_is_read_back(tmp_path: Path) -> None:
    config = study(tmp_path, "budget: {wall_time: 2h}\ncontrol: false\n")
    again = StudyConfig.model_validate_json(config.model_dump_json())
    assert again == config


MAY_CHANGE = [
    "audit: fail",
    "windows: never",
    "budget: {trials: 99}",
    "budget: {wall_time: 1h}",
    "workers: 4",
    "final: {seeds: 2}",
    "baselines: {ridge: {trials: 99}}",
    "baselines: false",
    "control: {trials: 9}",
    "control: false",
    "published: [{what: x, value: 1, source: y}]",
    "split: {seed: 1}",
    "precision: float32",
]
DECIDES = [
    "seed: 2",
    "budget: {epochs: 3}",
    "budget: {patience: 3}",
    "control: {epochs: 3}",
    "split: {folds: 3}",
    "split: {outer: 3}",
    "metric: mcc",
    "pruner: {name: none}",
    "sampler: {name: random}",
    "positive: R",
    "precision: tf32",
]


@pytest.mark.parametrize("extra", MAY_CHANGE)
def test_what_may_change_while_a_study_goes_on(tmp_path: Path, extra: str) -> None:
    asked = "question: Another one?"
    assert study(tmp_path, extra, question=asked).definition() == study(tmp_path).definition()


@pytest.mark.parametrize("extra", DECIDES)
def test_what_decides_what_a_trial_means(tmp_path: Path, extra: str) -> None:
    assert study(tmp_path, extra).definition() != study(tmp_path).definition()


def test_the_definition_is_json(tmp_path: Path) -> None:
    definition = study(tmp_path, "split: {group: family}").definition()
    assert json.loads(json.dumps(definition)) == definition
    assert definition["target"] == ["resistant"]
    assert list(definition) == sorted(definition)


SHIPPED = sorted((ROOT / "studies").glob("*.yaml"))


def test_the_schema_is_a_schema_with_a_description_for_every_key() -> None:
    schema = study_schema()
    jsonschema.Draft202012Validator.check_schema(schema)
    assert schema["$schema"] == "https://json-schema.org/draft/2020-12/schema"
    assert "name" not in schema["properties"]
    for block in (schema, *schema["$defs"].values()):
        for key, value in block.get("properties", {}).items():
            named = str(value.get("$ref")).rpartition("/")[2]
            text = value.get("description") or schema["$defs"][named]["description"]
            assert text, key
            assert "\n" not in text


@pytest.mark.parametrize("path", SHIPPED, ids=lambda path: path.stem)
def test_shipped_studies(path: Path) -> None:
    document = load_document(path)
    jsonschema.validate(document.data, study_schema(), jsonschema.Draft202012Validator)
    config = load_study(path, root=ROOT)
    assert config.question


@pytest.mark.parametrize(
    "data",
    [
        {"split": {"fold": 3}},
        {"budget": {"trials": 0}},
        {"metric": "aucc"},
        {"data": {"sequences": "x", "format": "fasta"}},
        {"baselines": {"lightgbn": False}},
    ],
)
def test_the_schema_refuses_too(data: dict[str, Any]) -> None:
    good = parse_document(HEAD, Path("x.yaml")).data
    jsonschema.validate(good, study_schema())
    with pytest.raises(jsonschema.ValidationError):
        jsonschema.validate({**good, **data}, study_schema())


COUNTS = st.integers(1, 1000)
STUDIES = st.fixed_dictionaries(
    {
        "data": st.fixed_dictionaries({"catalogue": st.just("x")})
        | st.just({"variants": "v.csv", "labels": "l.csv"}),
        "target": st.just("t") | st.just(["t"]),
        "task": st.sampled_from(["binary", "multiclass", "regression"]),
        "spaces": st.lists(st.sampled_from(["cnn", "mlp", "x"]), min_size=1, unique=True),
    },
    optional={
        "question": st.text(st.characters(codec="ascii", categories=("L", "N")), max_size=9),
        "budget": st.fixed_dictionaries({}, optional={"trials": COUNTS, "epochs": COUNTS}),
        "split": st.fixed_dictionaries({}, optional={"folds": st.integers(2, 9), "seed": COUNTS}),
        "seed": COUNTS,
        "control": st.just(value=False) | st.fixed_dictionaries({"trials": COUNTS}),
    },
)


VALIDATOR = jsonschema.Draft202012Validator(study_schema())


@settings(deadline=None, max_examples=50)
@given(STUDIES)
def test_valid_studies_pass_schema_and_model_and_keep_their_values(data: dict[str, Any]) -> None:
    VALIDATOR.validate(data)
    stream = io.StringIO()
    YAML(typ="safe", pure=True).dump(data, stream)
    read = parse_document(stream.getvalue(), Path("x.yaml")).data
    config = StudyConfig.model_validate(read)
    assert StudyConfig.model_validate(data) == config
    dumped = config.model_dump(mode="json")
    for block in ("budget", "split"):
        assert dumped[block] == {**dumped[block], **data.get(block, {})}
    assert StudyConfig.model_validate_json(config.model_dump_json()) == config
