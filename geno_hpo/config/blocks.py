"""The blocks of a study file: split, preprocessing, sampler, pruner, budgets, controls.

Each stands for itself; the rules between them are in `geno_hpo.config.rules`.
"""

from __future__ import annotations

from typing import Annotated, Any, Literal, get_args

from pydantic import BeforeValidator, Field

from geno_hpo.config.data import FilePath, Name, Names, Strict
from geno_hpo.config.duration import parse_duration
from geno_hpo.config.known import Known

__all__ = [
    "BASELINES",
    "BaselineConfig",
    "BaselineName",
    "BudgetConfig",
    "ControlConfig",
    "FinalConfig",
    "GroupsConfig",
    "LossName",
    "MetricName",
    "Objective",
    "PreprocessConfig",
    "PrunerConfig",
    "PublishedResult",
    "SamplerConfig",
    "Seed",
    "SplitConfig",
    "Task",
]

Task = Literal["binary", "multiclass", "multilabel", "regression"]
BuiltInMetric = Literal[
    "auc",
    "average_precision",
    "accuracy",
    "balanced_accuracy",
    "mcc",
    "log_loss",
    "r2",
    "pearson",
    "rmse",
    "d2",
]
LossName = Literal["squared", "poisson"]
Objective = Literal["score", "parameters", "seconds"]
SplitKind = Literal[
    "stratified", "grouped", "random", "leave_one_group_out", "holdout", "published", "file"
]
Seed = Annotated[int, Field(ge=0, le=2**31 - 1)]


class GroupsConfig(Strict):
    """How groups of related samples are found from the data."""

    by: Literal["clones", "kinship", "clusters"]
    """clones: samples alike at all but a few sites; kinship: close relatives by the genomic
    relationship matrix (variants only); clusters: clusters of the principal components."""

    threshold: float | None = Field(default=None, ge=0)
    """clones: largest share of sites that may differ (by default 0.001); kinship: smallest
    relationship (by default 0.354, first-degree relatives)."""

    count: int = Field(default=20, ge=2)
    """clusters: number of groups."""


def _split_kind(known: dict[str, Any]) -> SplitKind:
    if known.get("file"):
        return "file"
    return "grouped" if known.get("group") or known.get("groups") else "stratified"


class SplitConfig(Strict):
    """How samples are set apart for testing and cross-validation."""

    group: Name | None = None
    """Column whose values stay together in one part (lineage, family, population, chromosome);
    published: the column that tells the part (test, train, or a fold's name)."""

    groups: GroupsConfig | None = None
    """Find groups of related samples from the data, instead of `group`."""

    file: FilePath | None = None
    """Table with the columns id and part (test, train, or a fold's name); a relative path counts
    from the project folder. `geno-hpo split` writes such files."""

    kind: SplitKind = Field(default_factory=_split_kind)
    """stratified keeps the classes' shares in every part, grouped keeps related samples
    together, random does neither; leave_one_group_out makes each group a fold; holdout has one
    validation part; published takes the parts from a column, file from a table. By default file
    where `file` is given, grouped where `group` or `groups` is, else stratified."""

    folds: int = Field(default=5, ge=2, le=50)
    """Number of cross-validation folds."""

    outer: int | None = Field(default=None, ge=2, le=50)
    """Nested cross-validation: this many outer folds, each sealed in turn as the test set of a
    whole search of its own; the scores are pooled, and there is no control."""

    repeats: int = Field(default=1, ge=1, le=20)
    """How often the samples outside the test set are divided anew; each trial trains
    folds × repeats models."""

    test: float = Field(default=0.2, gt=0, le=0.5)
    """Share of the samples in the sealed test set, opened once after the search."""

    test_groups: Names = ()
    """Groups that make the sealed test set, instead of a share (such as chromosomes)."""

    test_by: Name | None = None
    """Column that `test_groups` are values of, where it is not `group`: a published test part,
    while folds are stratified, or grouped by another column."""

    valid: float = Field(default=0.2, gt=0, le=0.5)
    """holdout: share of the samples outside the test set that validates."""

    valid_groups: Names = ()
    """holdout: groups that validate, instead of a share."""

    seed: Seed | None = None
    """Seed of the split alone; by default the study's seed."""


class PreprocessConfig(Strict):
    """What is fitted to the training part of each fold."""

    centre: bool = True
    """Sequences: give the network what differs from the training part's mean. On aligned genomes
    nearly all bases are alike and would drown what differs."""

    impute: Literal["mean", "mode", "knn"] = "mean"
    """What a genotype that was not called becomes: the variant's mean, its commonest value, or the
    mean of the nearest training samples (knn, over the selected variants)."""

    neighbours: int = Field(default=5, ge=1)
    """knn: how many of the nearest training samples are averaged."""

    neighbour_weights: Literal["uniform", "distance"] = "uniform"
    """knn: whether neighbours count alike, or each by the inverse of its distance."""

    scale: Literal["standard", "none"] = "standard"
    """standard gives every variant mean 0 and standard deviation 1; none leaves dosages."""

    select: int | None = Field(default=None, ge=1)
    """Keep this many variants, those with the smallest univariate p-values in the training part.
    A search space may have a parameter `select`, which takes this one's place in each trial."""

    scale_target: bool = True
    """Regression: train on the trait with mean 0 and standard deviation 1; results are told in
    the trait's own units."""

    min_maf: float = Field(default=0.0, ge=0, lt=0.5)
    """Leave out variants whose minor allele is rarer than this in the training part."""

    min_call_rate: float = Field(default=0.0, ge=0, le=1)
    """Leave out variants that were called in a smaller share of the training part."""

    prune_r2: float | None = Field(default=None, gt=0, lt=1)
    """Leave out variants whose squared correlation with a better one nearby is above this in the
    training part; better is the smaller p-value with `select`, else the earlier place. By
    default none."""

    prune_window: int = Field(default=50, ge=1)
    """prune_r2: how many neighbours on either side, in the table's order, are compared."""

    components: int | None = Field(default=None, ge=1)
    """Give models this many principal components of the (selected) variants, learned from the
    training part, instead of the variants themselves."""

    class_weight: Literal["none", "balanced"] = "none"
    """balanced: rare classes weigh more in training, as often as they are rarer in the training
    part, each output for itself; the same in networks and baselines. Scores are not weighted."""


class SamplerConfig(Strict):
    """How the search draws configurations."""

    name: Literal["tpe", "random", "qmc", "grid", "cmaes", "genetic", "gp"] = "tpe"
    """tpe learns from earlier trials (a good default), random does not, qmc spreads evenly, grid
    takes every combination of a space whose numbers have steps, cmaes adapts a normal distribution
    (numbers only; choices are random), genetic crosses the best of each generation (NSGA-II), gp
    fits a Gaussian process (needs PyTorch). Baselines of a grid study are searched by tpe."""

    startup_trials: int = Field(default=10, ge=1)
    """Random trials before tpe, cmaes and gp begin to learn."""

    population: int = Field(default=16, ge=2)
    """genetic: configurations in a generation."""


class PrunerConfig(Strict):
    """When a trial that goes badly is stopped early."""

    name: Literal["asha", "median", "hyperband", "none"] = "asha"
    """asha keeps the best share at each rung, median stops what is worse than half, hyperband
    runs several asha brackets, none lets every trial end."""

    warmup_epochs: int = Field(default=4, ge=1)
    """Epochs that every trial gets."""

    reduction: int = Field(default=2, ge=2, le=10)
    """asha and hyperband: one in this many goes on at each rung. 2 finds the best configuration
    more surely than 3 in a search of some ten trials, at little cost."""

    startup_trials: int = Field(default=5, ge=0)
    """median: trials that end before any is pruned."""


class BudgetConfig(Strict):
    """What the search may cost."""

    trials: int = Field(default=40, ge=1, le=1_000_000)
    """Number of configurations to try."""

    epochs: int = Field(default=30, ge=1, le=100_000)
    """Passes over the training data, at most, for each trial."""

    patience: int = Field(default=8, ge=1)
    """Stop a trial after this many epochs without a better validation score."""

    wall_time: Annotated[
        float | None,
        BeforeValidator(
            lambda value: None if value is None else parse_duration(value),
            json_schema_input_type=str | float | None,
        ),
    ] = None
    """Begin no network trial after this time ("90s", "30m", "2h", or seconds); those at work are
    finished. By default no limit."""


class BaselineConfig(Strict):
    """How much a baseline is tuned."""

    trials: int = Field(default=10, ge=1, le=100_000)
    """Number of configurations to try for this baseline."""

    space: str | None = Field(default=None, min_length=1)
    """What is searched: a file of search_spaces/baselines/; by default its own name."""


BuiltInBaseline = Literal[
    "ridge", "elastic_net", "kernel_ridge", "random_forest", "lightgbm", "kmer"
]
MetricName = Annotated[str, Known("metrics", get_args(BuiltInMetric))]
BaselineName = Annotated[str, Known("baselines", get_args(BuiltInBaseline))]
BASELINES: tuple[BaselineName, ...] = ("ridge", "random_forest", "lightgbm")
"""Those that every study has unless it says false; the others are there when they are named."""


class FinalConfig(Strict):
    """What happens after the search, when the sealed test set is opened."""

    seeds: int = Field(default=5, ge=1, le=100)
    """How often the winner is trained again, each time from another seed."""

    runners_up: int = Field(default=0, ge=0, le=20)
    """How many of the next best configurations, and the winner, are trained `seeds` times again on
    the validation folds: would another seed have chosen another winner? 0 leaves it out."""

    folds: bool = True
    """Train the winner once more on the folds, and ask each fold's network what it looks at in
    samples that it did not learn from. Costs one full trial."""

    learning_curve: bool = False
    """Train winner and best baseline on 20, 40, 60, 80 and 100 % of the folds' training parts:
    would more data help?"""


class ControlConfig(Strict):
    """The same pipeline on permuted labels: it must find nothing."""

    trials: int = Field(default=4, ge=1, le=10_000)
    """Number of configurations to try on permuted labels."""

    epochs: int | None = Field(default=None, ge=1)
    """Passes over the data, at most; by default as in the budget."""

    permutations: int = Field(default=1, ge=1, le=999)
    """How often labels are permuted, each time with `trials` configurations of its own. With
    several the report has an empirical p-value; its smallest is 1 / (permutations + 1)."""


WindowsSetting = Literal["auto", "always", "never"]
Precision = Literal["float32", "tf32", "mixed_bfloat16"]


class PublishedResult(Strict):
    """A result from the literature, shown in the report beside the study's own."""

    what: str = Field(min_length=1)
    """What was measured, and with which model."""

    value: float
    """The published value, in the study's metric."""

    source: str = Field(min_length=1)
    """Where it was published."""

    target: str | None = None
    """Target that it belongs to, where a study is asked for several one by one, or predicts
    several at once; by default it belongs to the study's own score."""
