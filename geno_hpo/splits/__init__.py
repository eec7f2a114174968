"""Which samples train, validate and test: the sealed test set first, then the folds.

Everything is an index into the dataset, ``intp`` and sorted. The test set is set aside before
anything else, whatever the kind; the folds divide the rest (the development part).
"""

from geno_hpo.splits.file import read_split, write_split
from geno_hpo.splits.make import KINDS, make_split, outer_splits
from geno_hpo.splits.related import find_groups
from geno_hpo.splits.split import Fold, Split
from geno_hpo.splits.study import nested_splits, split_for
from geno_hpo.splits.thin import thinned

__all__ = [
    "KINDS",
    "Fold",
    "Split",
    "find_groups",
    "make_split",
    "nested_splits",
    "outer_splits",
    "read_split",
    "split_for",
    "thinned",
    "write_split",
]
