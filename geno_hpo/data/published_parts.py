"""Two catalogue sets of sequences whose publication names parts: chromatin_sim4, tfbs_chipseq.

The parts come together as one data set ``(samples, bases)``; the group ``published_part`` says
which part a sample was in, so that it can be kept apart.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from geno_hpo import encoding
from geno_hpo.data.dataset import Dataset, Origin, Target
from geno_hpo.data.fasta import read_fasta
from geno_hpo.data.tables import require_file
from geno_hpo.errors import DataError

__all__ = ["read_chromatin_sim4", "read_tfbs_chipseq"]

_SIM4 = {"valid": "pwm_seq_200bp_valid_set.txt", "test": "pwm_seq_200bp_test_set.txt"}
_CLASSES = ("0", "1", "2", "3")


def read_chromatin_sim4(folder: Path) -> Dataset:
    """Read simulated regulatory sequences of four classes, ``(2000, 200)``.

    Raises
    ------
    DataError
        A row that is not class, tab, sequence.
    """
    labels: list[float] = []
    texts: list[str] = []
    ids: list[str] = []
    parts: list[str] = []
    for part, file in _SIM4.items():
        path = folder / file
        require_file(path, "sequences")
        for line, row in enumerate(path.read_text().splitlines(), start=1):
            label, _, text = row.partition("\t")
            if label not in _CLASSES or not text:
                raise DataError(f"a row is a class (0 to 3), a tab, a sequence ({path}:{line})")
            labels.append(float(label))
            texts.append(text.strip())
            ids.append(f"{part}{line:04d}")
            parts.append(part)
    target = Target("multiclass", np.array(labels, np.float32)[:, None], ("class",), _CLASSES)
    return _sequences("chromatin_sim4", ids, texts, target, {"published_part": parts})


def read_tfbs_chipseq(folder: Path) -> Dataset:
    """Read ChIP-seq peaks and their shuffled negatives, ``(20544, 101)``.

    The groups are ``published_part``, ``chromosome``, and ``region``: a peak and the shuffled
    sequence made from it.

    Raises
    ------
    DataError
        Sequences and targets that do not fit each other.
    """
    values: list[NDArray[np.float32]] = []
    texts: list[str] = []
    ids: list[str] = []
    parts: list[str] = []
    for part in ("test", "valid"):
        found = read_fasta(folder / f"{part}.fa")
        path = folder / f"{part}.target"
        require_file(path, "targets")
        try:
            table = np.loadtxt(path, dtype=np.float32, ndmin=2)
        except ValueError as error:
            raise DataError(f"{path} is no table of numbers: {error}") from error
        if table.shape != (len(found), 2) or not (table.sum(axis=1) == 1).all():
            raise DataError(
                f"{path} should have one row of 0 and 1 for each of {len(found)} sequences, got "
                f"shape {table.shape}"
            )
        values.append(table[:, :1])
        texts.extend(found.values())
        ids.extend(found)
        parts.extend([part] * len(found))
    shuffled = np.array([name.endswith("_shuf") for name in ids])
    bound = np.concatenate(values)
    if not np.array_equal(bound[:, 0] == 0, shuffled):
        raise DataError(f"{folder}: a target says bound where the name says shuffled, or the other")
    regions = [name.removesuffix("_shuf") for name in ids]
    return _sequences(
        "tfbs_chipseq",
        ids,
        texts,
        Target("binary", bound, ("bound",), ("shuffled", "bound")),
        {
            "published_part": parts,
            "chromosome": [name.partition(":")[0] for name in regions],
            "region": regions,
        },
    )


def _sequences(
    name: str,
    ids: Sequence[str],
    texts: Sequence[str],
    target: Target,
    groups: dict[str, list[str]],
) -> Dataset:
    encoded = encoding.encode_alignment(texts, ids, ambiguous=True, gaps=False)
    part, counts = np.unique(groups["published_part"], return_counts=True)
    notes = [
        "published parts: "
        + ", ".join(f"{each} {number}" for each, number in zip(part, counts, strict=True))
    ]
    if encoded.ambiguous:
        notes.append(f"{encoded.ambiguous} ambiguous letters read as unknown")
    return Dataset(
        name=name,
        kind="sequence",
        ids=tuple(ids),
        codes=encoded.codes,
        axis=tuple(str(position + 1) for position in range(encoded.codes.shape[1])),
        target=target,
        groups={key: np.array(cells) for key, cells in groups.items()},
        origin=Origin(source="the published parts together", notes=tuple(notes)),
    )
