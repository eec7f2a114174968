"""Study files: YAML read with its lines, validated, frozen."""

from geno_hpo.config.asked import ask_study, with_target
from geno_hpo.config.blocks import (
    BaselineConfig,
    BaselineName,
    BudgetConfig,
    ControlConfig,
    FinalConfig,
    MetricName,
    Precision,
    PreprocessConfig,
    PrunerConfig,
    PublishedResult,
    SamplerConfig,
    SplitConfig,
    Task,
    WindowsSetting,
)
from geno_hpo.config.data import (
    CatalogueData,
    DataConfig,
    ReaderData,
    SequenceData,
    VariantData,
)
from geno_hpo.config.document import Document, Place, load_document, parse_document
from geno_hpo.config.duration import format_duration, parse_duration
from geno_hpo.config.names import find_named, is_shipped, nearest, shown, suggestion
from geno_hpo.config.rules import DEFAULT_METRIC, METRIC_TASKS
from geno_hpo.config.schema import DRAFT, study_schema
from geno_hpo.config.schema_page import cell, schema_page
from geno_hpo.config.study import StudyConfig, load_study

__all__ = [
    "DEFAULT_METRIC",
    "DRAFT",
    "METRIC_TASKS",
    "BaselineConfig",
    "BaselineName",
    "BudgetConfig",
    "CatalogueData",
    "ControlConfig",
    "DataConfig",
    "Document",
    "FinalConfig",
    "MetricName",
    "Place",
    "Precision",
    "PreprocessConfig",
    "PrunerConfig",
    "PublishedResult",
    "ReaderData",
    "SamplerConfig",
    "SequenceData",
    "SplitConfig",
    "StudyConfig",
    "Task",
    "VariantData",
    "WindowsSetting",
    "ask_study",
    "cell",
    "find_named",
    "format_duration",
    "is_shipped",
    "load_document",
    "load_study",
    "nearest",
    "parse_document",
    "parse_duration",
    "schema_page",
    "shown",
    "study_schema",
    "suggestion",
    "with_target",
]
