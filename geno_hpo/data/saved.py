"""A data set in a folder, which workers map into memory."""

from __future__ import annotations

import json
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np

from geno_hpo.data.dataset import Dataset, Locus, Origin, Target, Truth
from geno_hpo.data.mapped import save_codes

__all__ = ["load_dataset", "save_dataset"]

SCORES = "truth.scores.npy"


def save_dataset(dataset: Dataset, folder: Path) -> None:
    """Write a data set to `folder`."""
    folder.mkdir(parents=True, exist_ok=True)
    save_codes(dataset.codes, folder / "codes.npy")
    np.save(folder / "target.npy", dataset.target.values)
    for name, group in dataset.groups.items():
        np.save(folder / f"group.{name}.npy", group.astype(np.str_))
    truth = None if dataset.truth is None else asdict(dataset.truth)
    if truth is not None and (scores := truth.pop("scores")) is not None:
        np.save(folder / SCORES, scores)
    meta: dict[str, Any] = {
        "name": dataset.name,
        "kind": dataset.kind,
        "ids": dataset.ids,
        "axis": dataset.axis,
        "task": dataset.target.task,
        "target_names": dataset.target.names,
        "classes": dataset.target.classes,
        "counts": dataset.target.counts,
        "groups": list(dataset.groups),
        "loci": [asdict(locus) for locus in dataset.loci],
        "origin": asdict(dataset.origin),
        "truth": truth,
        "fingerprint": dataset.fingerprint,
    }
    (folder / "dataset.json").write_text(json.dumps(meta))


def load_dataset(folder: Path) -> Dataset:
    """Read what `save_dataset` wrote; codes are memory-mapped and shared between processes.

    They are mapped copy-on-write: TensorFlow reads the pages in place, and takes no array
    that says it cannot be written.
    """
    meta = json.loads((folder / "dataset.json").read_text())
    truth = meta["truth"]
    return Dataset(
        name=meta["name"],
        kind=meta["kind"],
        ids=tuple(meta["ids"]),
        codes=np.load(folder / "codes.npy", mmap_mode="c"),
        axis=tuple(meta["axis"]),
        target=Target(
            task=meta["task"],
            values=np.load(folder / "target.npy"),
            names=tuple(meta["target_names"]),
            classes=tuple(meta["classes"]),
            counts=meta.get("counts", False),
        ),
        groups={name: np.load(folder / f"group.{name}.npy") for name in meta["groups"]},
        loci=tuple(Locus(**{**x, "genome": tuple(x["genome"])}) for x in meta["loci"]),
        origin=Origin(**{**meta["origin"], "notes": tuple(meta["origin"]["notes"])}),
        truth=_truth(truth, folder / SCORES) if truth else None,
    )


def _truth(found: dict[str, Any], scores: Path) -> Truth:
    return Truth(
        positions=tuple(found["positions"]),
        oracle=found["oracle"],
        outputs=found["outputs"],
        motifs=found["motifs"],
        copies=tuple((sample, start, stop) for sample, start, stop in found["copies"]),
        scores=np.load(scores) if scores.is_file() else None,
    )
