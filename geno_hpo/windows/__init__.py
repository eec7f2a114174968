"""Distinct windows of aligned sequences: what a convolution tower must compute, each once.

NumPy and pandas alone; `geno_hpo.training.windowed` computes with what is built here.
"""

from geno_hpo.windows.build import build_dictionary
from geno_hpo.windows.cost import Cost, differences_pay, windows_cost
from geno_hpo.windows.dictionary import Dictionary, Rows
from geno_hpo.windows.geometry import Geometry, Reach, causal, join, same, valid
from geno_hpo.windows.reference import difference_share

__all__ = [
    "Cost",
    "Dictionary",
    "Geometry",
    "Reach",
    "Rows",
    "build_dictionary",
    "causal",
    "difference_share",
    "differences_pay",
    "join",
    "same",
    "valid",
    "windows_cost",
]
