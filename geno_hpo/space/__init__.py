"""Search spaces: a YAML tree of hyperparameters, drawn from by Optuna or by a generator."""

from geno_hpo.space.check import check_space
from geno_hpo.space.expression import Expression, ExpressionError, parse_expression
from geno_hpo.space.grammar import FACTS
from geno_hpo.space.schema import space_schema
from geno_hpo.space.search import FAMILY, SearchSpace, Trial
from geno_hpo.space.space import Constraint, ParameterRow, Space, find_space, load_space
from geno_hpo.space.tree import Parameters, Value

__all__ = [
    "FACTS",
    "FAMILY",
    "Constraint",
    "Expression",
    "ExpressionError",
    "ParameterRow",
    "Parameters",
    "SearchSpace",
    "Space",
    "Trial",
    "Value",
    "check_space",
    "find_space",
    "load_space",
    "parse_expression",
    "space_schema",
]
