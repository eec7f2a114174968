"""The report of a study: one self-contained page, pictures, tables, ``summary.json``.

Everything comes from a plain `geno_hpo.outcome.StudyOutcome`: compute, then draw. The page is a
list of sections (`sections.SECTIONS`), a section a list of blocks (`blocks`); a new chapter is a
new function in that list. Importing this package loads no drawing library.
"""

from geno_hpo.report.page import render, write
from geno_hpo.report.summary import check_summary

__all__ = ["check_summary", "render", "write"]
