"""The single door to data: what a study file names → `Dataset`.

Every reader gives the same frozen `Dataset`, labelled samples only. Catalogue entries are
fetched first; the embedded cohort is simulated on the spot.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from geno_hpo.config import CatalogueData, DataConfig, ReaderData, SequenceData
from geno_hpo.data.catalogue import entry
from geno_hpo.data.dataset import Dataset, Task
from geno_hpo.data.genotypes import Asked
from geno_hpo.data.named import Question, open_entry
from geno_hpo.data.own_reader import read_by_package
from geno_hpo.data.sequence_files import sequence_form
from geno_hpo.data.sequences import read_sequences
from geno_hpo.data.variant_files import read_variants

__all__ = ["open_dataset"]


def open_dataset(
    config: DataConfig,
    *,
    target: str | Sequence[str],
    task: Task,
    positive: str | None = None,
    root: Path = Path(),
    seed: int = 1,
    scratch: Path | None = None,
) -> Dataset:
    """Read the data of a study.

    Parameters
    ----------
    config
        The study's ``data``.
    target
        Target column or columns.
    task
        What kind of target it is.
    positive
        Label of the positive class of a binary target.
    root
        Folder that relative paths count from: the one that holds ``studies/``.
    seed
        The study's seed. Only simulated data are drawn from it, unless their options give one.
    scratch
        Folder for matrices that are larger than memory should hold; None for the system's
        temporary one. Its files go with the data set.

    Returns
    -------
    Dataset
        Its samples all have a label; what was left out stands in ``origin.notes``.

    Raises
    ------
    InputError
        The catalogue, a locus, a target or an option is unknown.
    DataError
        A file does not say what it should.
    PluginError
        A reader of another package is none.
    DownloadError
        A catalogue file could not be had.
    """
    names = (target,) if isinstance(target, str) else tuple(target)
    if isinstance(config, CatalogueData):
        found = entry(config.catalogue)
        question = Question(names, task, positive, config.loci, config.options, seed)
        return open_entry(found, question).labelled()
    if isinstance(config, SequenceData):
        return read_sequences(
            root / config.sequences,
            root / config.labels if config.labels is not None else None,
            target=names,
            task=task,
            positive=positive,
            id_column=config.id,
            groups=config.groups,
            form=sequence_form(config, root, seed),
        ).labelled()
    if isinstance(config, ReaderData):
        return read_by_package(config, names, task, positive, root, seed)
    asked = Asked(names, task, config.groups, scratch)
    return read_variants(config, asked, positive=positive, root=root)
