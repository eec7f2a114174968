"""Model families: parameters → Keras model. Importing this package imports no Keras."""

from geno_hpo.models.family import Family
from geno_hpo.models.parameter import Parameter, Parameters, Value
from geno_hpo.models.registry import (
    FAMILIES,
    build,
    check,
    complete,
    exported,
    family_label,
    family_of,
    runtime_values,
    signature,
)
from geno_hpo.models.shape import ModelShape

__all__ = [
    "FAMILIES",
    "Family",
    "ModelShape",
    "Parameter",
    "Parameters",
    "Value",
    "build",
    "check",
    "complete",
    "exported",
    "family_label",
    "family_of",
    "runtime_values",
    "signature",
]
