"""All checks over one study's data and split."""

from __future__ import annotations

from geno_hpo.audit.alike import near_identical, relatives
from geno_hpo.audit.columns import (
    constant_columns,
    deciding_columns,
    missing_calls,
    varying_columns,
)
from geno_hpo.audit.finding import Audit
from geno_hpo.audit.identical import (
    contradicting_labels,
    distinct_rows,
    identical_samples,
    shared_haplotypes,
)
from geno_hpo.audit.parts import cut_groups, label_counts, row_order
from geno_hpo.audit.view import View
from geno_hpo.data.dataset import Dataset
from geno_hpo.splits import Split

__all__ = ["audit"]


def audit(dataset: Dataset, split: Split, *, seed: int = 0) -> Audit:
    """Look for what could flatter a study.

    Parameters
    ----------
    dataset
        Labelled samples.
    split
        Its sealed test set and folds.
    seed
        Seed of what is sampled where the data are big.

    Notes
    -----
    The work is bounded: a second or two for 3,600 samples × 6,000 columns, a few seconds for
    whatever is bigger, of which a part is looked at and told. Nothing of the test set's labels
    is used but their counts.
    """
    view = View(dataset, split, seed)
    cluster = distinct_rows(dataset.codes)
    varying = varying_columns(dataset.codes)
    sampled: list[str] = []
    findings = (
        *identical_samples(view, cluster, len(varying)),
        *near_identical(view, cluster, varying, sampled),
        *relatives(view, cluster, varying, sampled),
        *shared_haplotypes(view),
        *cut_groups(view),
        *deciding_columns(view, varying, sampled),
        *missing_calls(view),
        *contradicting_labels(view, cluster),
        *label_counts(view),
        *row_order(view),
        *constant_columns(view, varying),
    )
    return Audit(findings, tuple(sampled))
