"""What could flatter a study: leaks and oddities of its data and split, found before a search."""

from geno_hpo.audit.finding import Audit, Finding, Severity
from geno_hpo.audit.whole import audit

__all__ = ["Audit", "Finding", "Severity", "audit"]
