"""``summary.json``: its keys, declared once, and what checks a summary against them.

- `keys`: of a study. `nested`: of a nested cross-validation.
- `check`: holds a summary against them, makes values fit for JSON, and writes docs/summary.md's
  tables; a test holds the two together.
"""

from geno_hpo.report.summary.check import check_summary, documentation, plain
from geno_hpo.report.summary.keys import KEYS
from geno_hpo.report.summary.nested import NESTED_KEYS

__all__ = ["KEYS", "NESTED_KEYS", "check_summary", "documentation", "plain"]
