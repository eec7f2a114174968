"""The study file as a frozen, validated value.

A `StudyConfig` that exists is valid: every key known, every number in its range, and the keys
agree with each other. `load_study` tells all faults of a file at once, each with its line.
"""

from __future__ import annotations

import re
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import BeforeValidator, Discriminator, Field, Tag, ValidationError, model_validator
from pydantic.json_schema import SkipJsonSchema
from pydantic_core import PydanticCustomError

from geno_hpo.config.blocks import (
    BASELINES,
    BaselineConfig,
    BaselineName,
    BudgetConfig,
    ControlConfig,
    FinalConfig,
    LossName,
    MetricName,
    Objective,
    Precision,
    PreprocessConfig,
    PrunerConfig,
    PublishedResult,
    SamplerConfig,
    Seed,
    SplitConfig,
    Task,
    WindowsSetting,
)
from geno_hpo.config.data import (
    DataField,
    Name,
    Names,
    ReaderData,
    SequenceData,
    Strict,
    VariantData,
)
from geno_hpo.config.document import Document, Place, load_document
from geno_hpo.config.faults import explain
from geno_hpo.config.names import find_named
from geno_hpo.config.rules import DEFAULT_METRIC, broken_rules
from geno_hpo.errors import ConfigError, Fault, InputError

__all__ = ["StudyConfig", "load_study"]

NAME_RULE = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.-]*")


def _off(value: object) -> object:
    """Read ``false`` as: leave this block out."""
    return None if value is False else value


def _baselines(value: object) -> object:
    """Fill in the baselines that are not named; false leaves out one, or all of them."""
    if value is False:
        return {}
    if not isinstance(value, dict):
        return value
    whole: dict[str, object] = {name: BaselineConfig() for name in BASELINES}
    whole.update(value)
    return {name: budget for name, budget in whole.items() if budget is not False}


def _metric(known: dict[str, Any]) -> MetricName:
    return "d2" if known.get("loss") == "poisson" else DEFAULT_METRIC[known["task"]]


def _pruner(known: dict[str, Any]) -> PrunerConfig:
    return PrunerConfig(name="none") if len(known.get("objectives", ())) > 1 else PrunerConfig()


class StudyConfig(Strict):
    """One question, asked of one data set."""

    name: SkipJsonSchema[str] = Field(default="study", pattern=f"^{NAME_RULE.pattern}$")
    """Name of the study: its file's name."""

    question: str = ""
    """The question in one sentence, for the report; {target} stands for the target's name."""

    data: DataField
    """Where the samples come from: `catalogue`, `sequences` with `labels`, `variants`, or a
    `reader` of your own."""

    target: Annotated[
        Annotated[Name, Tag("one name")]
        | Annotated[
            tuple[Name, ...],
            Field(strict=False, min_length=1),
            Tag("several names"),
        ],
        Discriminator(
            lambda value: "several names" if isinstance(value, (list, tuple)) else "one name"
        ),
    ]
    """Column to predict (the drug, the trait), or a list of them."""

    task: Task
    """binary (two classes), multiclass, multilabel (several yes/no columns) or regression."""

    loss: LossName = "squared"
    """regression: squared error, or poisson for counts: networks and baselines then tell expected
    counts by a log link. A space's `huber_delta` replaces the squared error."""

    positive: Name | None = None
    """binary: the label that counts as positive, such as R; by default the one that is 1, R,
    resistant, case, true, yes or positive."""

    split: SplitConfig = SplitConfig()
    """How samples are set apart for testing and cross-validation."""

    preprocess: PreprocessConfig = PreprocessConfig()
    """What is fitted to the training part of each fold."""

    spaces: Annotated[Names, Field(min_length=1)]
    """Search spaces: names of files in search_spaces/, or paths."""

    metric: MetricName = Field(default_factory=_metric)
    """What is optimised; by default auc (binary, multilabel), accuracy (multiclass), pearson
    (regression) or d2 (counts)."""

    objectives: Annotated[tuple[Objective, ...], Field(strict=False, min_length=1)] = ("score",)
    """What the search of networks weighs: score alone, or score and then costs that shall be small:
    parameters (trained values), seconds (of training). The winner is the cheapest configuration
    within one standard error of the best score."""

    sampler: SamplerConfig = SamplerConfig()
    """How the search draws configurations."""

    pruner: PrunerConfig = Field(default_factory=_pruner)
    """When a trial that goes badly is stopped early; with several objectives none is."""

    budget: BudgetConfig = BudgetConfig()
    """What the search may cost."""

    baselines: Annotated[
        dict[BaselineName, BaselineConfig],
        BeforeValidator(
            _baselines,
            json_schema_input_type=dict[BaselineName, BaselineConfig | Literal[False]]
            | Literal[False],
        ),
    ] = Field(default_factory=lambda: dict.fromkeys(BASELINES, BaselineConfig()))
    """The classical models that the network must beat, each tuned on the same folds: ridge,
    random_forest and lightgbm by default (false leaves out one, or all), and where they are named
    elastic_net, kernel_ridge (GBLUP and Gaussian) and, of sequences, kmer (k-mer counts)."""

    final: FinalConfig = FinalConfig()
    """What happens after the search, when the sealed test set is opened."""

    control: Annotated[
        ControlConfig | None,
        BeforeValidator(_off, json_schema_input_type=ControlConfig | Literal[False] | None),
    ] = ControlConfig()
    """The same pipeline on permuted labels; false leaves it out."""

    workers: int | None = Field(default=None, ge=1, le=1024)
    """Processes that train at the same time; by default as many as a short probe finds fastest,
    for a short study one a core."""

    seed: Seed = 1
    """Seed of everything that is drawn: same seed, same machine, same result."""

    audit: Literal["warn", "fail", "off"] = "warn"
    """What a search does about leaks found in data and split before it starts: warn of them, fail
    when one is serious, or off: look for none."""

    windows: WindowsSetting = "auto"
    """Convolutions over sequences of one species: compute each distinct window once. auto: where it
    pays, always: wherever it is exact, never. No result depends on it."""

    precision: Precision = "float32"
    """With how many digits networks compute. tf32: products on NVIDIA's tensor cores, whose factors
    are rounded; mixed_bfloat16: hidden layers in bfloat16. Scores change a little with either."""

    published: Annotated[tuple[PublishedResult, ...], Field(strict=False)] = ()
    """Results from the literature to stand beside the study's own."""

    motifs: Annotated[Path, Field(strict=False)] | None = None
    """Known motifs, a MEME or JASPAR file: the report says which of them the network found."""

    @model_validator(mode="after")
    def _keys_agree(self) -> StudyConfig:
        broken = broken_rules(self)
        if broken:
            text = "; ".join(f"{'.'.join(rule.key)}: {rule.message}" for rule in broken)
            safe = text.replace("{", "(").replace("}", ")")
            raise PydanticCustomError("rules", safe, {"broken": broken})
        return self

    @property
    def targets(self) -> tuple[str, ...]:
        """Names of the target columns, one or several."""
        return (self.target,) if isinstance(self.target, str) else self.target

    @property
    def split_seed(self) -> int:
        """Seed of the split."""
        return self.seed if self.split.seed is None else self.split.seed

    def definition(self) -> dict[str, Any]:
        """Give what decides what a trial means, as plain JSON values in a fixed order.

        Left out is what may change while a study goes on: its name and question, budgets
        (``budget.trials``, ``budget.wall_time``, the baselines' and the control's trials),
        ``workers``, ``windows``, ``final``, ``audit``, ``published`` and ``motifs``. Search spaces
        are named only: their own fingerprints belong beside it.
        """
        whole = self.model_dump(mode="json")
        for key in (
            "name",
            "question",
            "workers",
            "windows",
            "final",
            "published",
            "motifs",
            "baselines",
            "target",
            "audit",
        ):
            del whole[key]
        for key in ("trials", "wall_time"):
            del whole["budget"][key]
        if len(self.objectives) == 1:
            del whole["objectives"]
        for key, default in (("loss", "squared"), ("precision", "float32")):
            if whole[key] == default:
                del whole[key]
        whole["control"] = {"epochs": self.control.epochs if self.control else None}
        if self.control is not None and self.control.permutations > 1:
            whole["control"]["permutations"] = self.control.permutations
        whole["target"] = list(self.targets)
        whole["split"]["seed"] = self.split_seed
        return dict(sorted(whole.items()))


def load_study(path: Path, *, root: Path | None = None) -> StudyConfig:
    """Read and validate a study file.

    Parameters
    ----------
    path
        The YAML file; its name without suffix is the study's name.
    root
        Project folder; when given, the search spaces that the study names are looked for in its
        ``search_spaces/``, so that a wrong name is told with the other faults.

    Returns
    -------
    StudyConfig
        With defaults filled in, and `split.group` among the data's groups.

    Raises
    ------
    ConfigError
        Everything that is wrong with the file, each fault with its line.
    """
    document = load_document(path)
    faults = []
    data = dict(document.data)
    if "name" in data:
        faults.append(document.fault(("name",), "unknown key: a study's name is its file's name"))
        del data["name"]
    if not NAME_RULE.fullmatch(path.stem):
        faults.append(
            document.fault(
                (), f'the file\'s name must be letters, digits, "_", "-" or ".", got "{path.stem}"'
            )
        )
        data["name"] = "study"
    else:
        data["name"] = path.stem
    try:
        config = StudyConfig.model_validate(data)
    except ValidationError as error:
        faults.extend(explain(error, document, StudyConfig, data))
    if root is not None and not any(fault.key.startswith("spaces") for fault in faults):
        faults.extend(_missing_spaces(document, root / "search_spaces"))
    if faults:
        raise ConfigError(sorted(faults, key=lambda fault: fault.line))
    return _grouped(config)


def _missing_spaces(document: Document, folder: Path) -> list[Fault]:
    """Tell each search space that the study names and that `folder` does not hold."""
    given = document.data.get("spaces")
    faults = []
    for index, name in enumerate([given] if isinstance(given, str) else given or ()):
        try:
            find_named("search space", str(name), folder)
        except InputError as error:
            place: Place = ("spaces",) if isinstance(given, str) else ("spaces", index)
            faults.append(document.fault(place, str(error)))
    return faults


def _grouped(config: StudyConfig) -> StudyConfig:
    """`config` with `split.group` and `split.test_by` among the groups read from the table."""
    data = config.data
    if not isinstance(data, (SequenceData, VariantData, ReaderData)):
        return config
    asked = (config.split.group, config.split.test_by)
    more = tuple(name for name in dict.fromkeys(asked) if name and name not in data.groups)
    if not more:
        return config
    read = data.model_copy(update={"groups": (*data.groups, *more)})
    return config.model_copy(update={"data": read})
