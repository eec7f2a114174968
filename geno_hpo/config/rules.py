"""Rules between keys of a study: what each key alone cannot tell.

Each rule names the keys it reads, so that a rule is not told when one of its keys is already
known to be wrong.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, Literal

from geno_hpo.config.aims import loss_fits, objectives_fit
from geno_hpo.config.data import SequenceData, Strict, VariantData
from geno_hpo.config.names import join
from geno_hpo.plugins import find_plugin

if TYPE_CHECKING:
    from geno_hpo.config.study import StudyConfig

__all__ = ["DEFAULT_METRIC", "METRIC_TASKS", "Broken", "broken_rules"]

CLASSES = ("binary", "multiclass", "multilabel")
METRIC_TASKS: Final[dict[str, tuple[str, ...]]] = {
    "auc": CLASSES,
    "average_precision": ("binary", "multilabel"),
    "accuracy": CLASSES,
    "balanced_accuracy": CLASSES,
    "mcc": CLASSES,
    "log_loss": CLASSES,
    "r2": ("regression",),
    "pearson": ("regression",),
    "rmse": ("regression",),
    "d2": ("regression",),
}
"""The tasks that each metric fits."""

DEFAULT_METRIC: Final[dict[str, Literal["auc", "accuracy", "pearson"]]] = {
    "binary": "auc",
    "multilabel": "auc",
    "multiclass": "accuracy",
    "regression": "pearson",
}
"""The metric of a task when the study names none."""


@dataclass(frozen=True)
class Broken:
    """A rule that a study breaks: at which key, and which keys it reads."""

    key: tuple[str, ...]
    message: str
    reads: tuple[tuple[str, ...], ...]


def _metric_fits(study: StudyConfig) -> Iterator[tuple[str, str]]:
    metric = study.metric
    plugin = find_plugin("metrics", metric, METRIC_TASKS)
    if plugin is not None:
        tasks = getattr(plugin.load(), "tasks", ())
        if study.task not in tasks:
            yield "metric", f'must fit the task {study.task}, got "{metric}" for {join(tasks)}'
    elif study.task not in METRIC_TASKS[metric]:
        fitting = [name for name, tasks in METRIC_TASKS.items() if study.task in tasks]
        yield "metric", f'must fit the task {study.task} ({join(fitting)}), got "{metric}"'


def _positive_is_binary(study: StudyConfig) -> Iterator[tuple[str, str]]:
    if study.positive is not None and study.task != "binary":
        yield (
            "positive",
            f'is for binary studies only, got "{study.positive}" with task {study.task}',
        )


GROUPED = ("grouped", "leave_one_group_out")
DRAWN = ("stratified", "grouped", "random")


def _group_fits(study: StudyConfig) -> Iterator[tuple[str, str]]:
    split = study.split
    groups = split.group is not None or split.groups is not None
    if split.kind in GROUPED and not groups:
        yield "split.group", f"a {split.kind} split needs the column that holds the groups"
    if split.kind == "published" and split.group is None:
        yield "split.group", "a published split needs the column that tells the parts"
    if split.kind in ("stratified", "random") and groups:
        name = f' ("{split.group}")' if split.group else "s"
        key = "group" + name
        yield "split.kind", f'must be grouped when split.{key} is given, got "{split.kind}"'
    if split.groups is not None and (split.group is not None or split.kind == "published"):
        yield "split.groups", "finds groups from the data; leave it out where a column holds them"
    if split.groups is not None and split.groups.by == "clusters" and split.groups.threshold:
        yield "split.groups.threshold", "is for clones and kinship; clusters have a count"
    for name in ("test_groups", "valid_groups"):
        told = groups or (name == "test_groups" and split.test_by is not None)
        if getattr(split, name) and not told:
            yield f"split.{name}", "names groups: it needs split.group, the column that holds them"
    if split.test_by is not None and not split.test_groups:
        yield "split.test_by", "needs split.test_groups: which of its values are the test set"


def _split_fits(study: StudyConfig) -> Iterator[tuple[str, str]]:
    split = study.split
    if (split.kind == "file") != (split.file is not None):
        yield "split.file", f'belongs to kind file, got kind "{split.kind}"'
    kinds = {
        "folds": DRAWN,
        "outer": DRAWN,
        "repeats": (*DRAWN, "holdout"),
        "test": (*DRAWN, "leave_one_group_out", "holdout", "published"),
        "group": (*DRAWN, "leave_one_group_out", "holdout", "published"),
        "groups": (*DRAWN, "leave_one_group_out", "holdout", "published"),
        "test_groups": (*DRAWN, "leave_one_group_out", "holdout", "published"),
        "test_by": (*DRAWN, "leave_one_group_out", "holdout"),
        "valid": ("holdout",),
        "valid_groups": ("holdout",),
    }
    for name, fitting in kinds.items():
        if split.kind not in fitting and getattr(split, name) != _default(split, name):
            yield f"split.{name}", f'is for {join(list(fitting))} splits, got "{split.kind}"'


def _nested_fits(study: StudyConfig) -> Iterator[tuple[str, str]]:
    split = study.split
    if split.outer is None:
        return
    reasons = {
        "test": "sets a share apart, but split.outer makes every outer fold the test set in turn",
        "test_groups": "makes one test set, but split.outer makes every outer fold one in turn",
        "test_by": "names one test set, but split.outer makes every outer fold one in turn",
        "repeats": "divides the rest of one test set anew; with split.outer it must be 1",
    }
    for name, reason in reasons.items():
        if getattr(split, name) != _default(split, name):
            yield f"split.{name}", reason


def _targets_fit(study: StudyConfig) -> Iterator[tuple[str, str]]:
    targets = study.targets
    if study.task == "multilabel" and isinstance(study.target, str):
        yield (
            "target",
            f'a multilabel study lists its targets, such as [{study.target}], got "{study.target}"',
        )
    if study.task in ("binary", "multiclass") and len(targets) > 1:
        yield "target", f"a {study.task} study has one target, got {len(targets)}"
    twice = sorted({name for name in targets if targets.count(name) > 1})
    if twice:
        yield "target", f"names a column twice: {', '.join(twice)}"


def _spaces_differ(study: StudyConfig) -> Iterator[tuple[str, str]]:
    twice = sorted({name for name in study.spaces if study.spaces.count(name) > 1})
    if twice:
        yield "spaces", f"names a search space twice: {', '.join(twice)}"


def _target_is_no_group(study: StudyConfig) -> Iterator[tuple[str, str]]:
    if study.split.group in study.targets:
        yield "split.group", f'must not be the target itself, got "{study.split.group}"'


def _preprocess_fits(study: StudyConfig) -> Iterator[tuple[str, str]]:
    if isinstance(study.data, VariantData) and not study.preprocess.centre:
        yield "preprocess.centre", "is for sequences; these data are a variant table"
    if not isinstance(study.data, SequenceData):
        return
    for name in (
        "impute",
        "neighbours",
        "neighbour_weights",
        "min_maf",
        "min_call_rate",
        "prune_r2",
        "prune_window",
        "components",
        "scale",
        "select",
    ):
        if getattr(study.preprocess, name) != _default(study.preprocess, name):
            yield f"preprocess.{name}", "is for variant tables; these data are sequences"


def _components_fit(study: StudyConfig) -> Iterator[tuple[str, str]]:
    components, select = study.preprocess.components, study.preprocess.select
    if components is not None and select is not None and components > select:
        yield (
            "preprocess.components",
            f"must be at most preprocess.select ({select}), got {components}",
        )


def _neighbours_fit(study: StudyConfig) -> Iterator[tuple[str, str]]:
    settings = study.preprocess
    for name in ("neighbours", "neighbour_weights"):
        if settings.impute != "knn" and getattr(settings, name) != _default(settings, name):
            yield f"preprocess.{name}", f'is for impute: knn, got impute: "{settings.impute}"'


def _class_weight_fits(study: StudyConfig) -> Iterator[tuple[str, str]]:
    if study.task == "regression" and study.preprocess.class_weight != "none":
        yield "preprocess.class_weight", "is for classes; this study's task is regression"


def _baselines_fit(study: StudyConfig) -> Iterator[tuple[str, str]]:
    if isinstance(study.data, VariantData) and "kmer" in study.baselines:
        yield "baselines.kmer", "counts k-mers of sequences; these data are a variant table"


def _warmup_fits(study: StudyConfig) -> Iterator[tuple[str, str]]:
    pruner, epochs = study.pruner, study.budget.epochs
    given = pruner.warmup_epochs != _default(pruner, "warmup_epochs")
    if given and pruner.name != "none" and pruner.warmup_epochs >= epochs:
        yield (
            "pruner.warmup_epochs",
            f"must be below budget.epochs ({epochs}), got {pruner.warmup_epochs}",
        )


def _precision_fits(study: StudyConfig) -> Iterator[tuple[str, str]]:
    if study.precision == "mixed_bfloat16" and study.windows == "always":
        yield "windows", "computes in float32; say auto or never with precision: mixed_bfloat16"


def _default(block: Strict, name: str) -> object:
    return type(block).model_fields[name].default


Rule = Callable[["StudyConfig"], Iterator[tuple[str, str]]]
RULES: tuple[tuple[Rule, tuple[str, ...]], ...] = (
    (_metric_fits, ("metric", "task")),
    (loss_fits, ("loss", "task", "metric", "baselines")),
    (
        objectives_fit,
        ("objectives", "pruner", "pruner.name", "sampler", "sampler.name", "final"),
    ),
    (_positive_is_binary, ("positive", "task")),
    (_group_fits, ("split", "split.kind", "split.group")),
    (_split_fits, ("split", "split.kind", "split.file")),
    (_nested_fits, ("split", "split.outer")),
    (_targets_fit, ("target", "task")),
    (_spaces_differ, ("spaces",)),
    (_target_is_no_group, ("split", "split.group", "target")),
    (_preprocess_fits, ("data", "preprocess")),
    (_components_fit, ("preprocess", "preprocess.components", "preprocess.select")),
    (_neighbours_fit, ("preprocess", "preprocess.impute")),
    (_baselines_fit, ("data", "baselines")),
    (_class_weight_fits, ("task", "preprocess", "preprocess.class_weight")),
    (_precision_fits, ("precision", "windows")),
    (_warmup_fits, ("pruner", "pruner.warmup_epochs", "pruner.name", "budget.epochs", "budget")),
)


def broken_rules(study: StudyConfig) -> list[Broken]:
    """Every rule between keys that `study` breaks."""
    return [
        Broken(tuple(key.split(".")), message, tuple(tuple(name.split(".")) for name in reads))
        for rule, reads in RULES
        for key, message in rule(study)
    ]
