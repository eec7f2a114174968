"""The chapters of the page, in order: each a function of the outcome, None when it has no say."""

from __future__ import annotations

from collections.abc import Callable

from geno_hpo.outcome import StudyOutcome
from geno_hpo.report.blocks import Section
from geno_hpo.report.sections.attention import attention
from geno_hpo.report.sections.audit import audit
from geno_hpo.report.sections.causes import causes
from geno_hpo.report.sections.control import control
from geno_hpo.report.sections.data import data
from geno_hpo.report.sections.evidence import baselines, errors
from geno_hpo.report.sections.front import front
from geno_hpo.report.sections.learning import learning
from geno_hpo.report.sections.methods import methods
from geno_hpo.report.sections.more_data import more_data
from geno_hpo.report.sections.outputs import outputs
from geno_hpo.report.sections.remake import remake
from geno_hpo.report.sections.restarts import restarts
from geno_hpo.report.sections.sealed import sealed
from geno_hpo.report.sections.search import search
from geno_hpo.report.sections.trivial import trivial

__all__ = ["SECTIONS"]

SECTIONS: tuple[Callable[[StudyOutcome], Section | None], ...] = (
    data,
    audit,
    search,
    front,
    learning,
    sealed,
    outputs,
    baselines,
    trivial,
    restarts,
    more_data,
    errors,
    control,
    attention,
    causes,
    methods,
    remake,
)
