"""The data sets and search spaces of the benchmarks, written as an ordinary project folder.

`primer` and `wheat` are real files where ``GENO_HPO_DATA_MIRROR`` names a folder that holds them;
else data of the same size and form are simulated, and the case says so. `katG` is the catalogue's
simulated cohort.
"""

from __future__ import annotations

import csv
import os
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from ruamel.yaml import YAML

from benchmarks.machine import ROOT

__all__ = ["CASES", "Case", "write_project"]

MOTIF = "CGACCGAACTCC"
MIRROR = "GENO_HPO_DATA_MIRROR"

CNN = """
family: cnn
parameters:
  conv_layers: 1
  filters: {choice: [16, 32]}
  kernel: {choice: [8, 12]}
  pool: %d
  pooling_head: flat
  dense_layers: 1
  neurons: {choice: [16, 32]}
  dropout: {float: [0.1, 0.5], step: 0.1}
  batch_size: 32
  learning_rate: {float: [1.0e-4, 1.0e-2], log: true}
  optimizer: adam
"""

MLP = """
family: mlp
parameters:
  layers: {int: [1, 2]}
  neurons: {choice: [32, 64]}
  dropout: {float: [0.1, 0.5], step: 0.1}
  batch_size: 32
  learning_rate: {float: [1.0e-4, 1.0e-2], log: true}
  optimizer: adam
"""


@dataclass(frozen=True)
class Case:
    """A data set, its question, and a small space whose trials often share their shapes.

    Parameters
    ----------
    name
        As in the tables.
    write
        Writes the data below a folder, at most so many samples; gives the study file's ``data``
        block and a note on what the data are.
    question
        The study file's ``target`` and ``task`` entries.
    space
        The small space's text.
    shipped
        Name of the shipped space for the same family.
    """

    name: str
    write: Callable[[Path, int | None], tuple[dict[str, Any], str]]
    question: dict[str, Any]
    space: str
    shipped: str


def _mirrored(name: str) -> Path | None:
    mirror = os.environ.get(MIRROR)
    folder = Path(mirror) / name if mirror else None
    return folder if folder is not None and folder.is_dir() else None


def _primer(root: Path, samples: int | None) -> tuple[dict[str, Any], str]:
    folder = _mirrored("primer")
    if folder is not None:
        texts = (folder / "sequences.txt").read_text().split()[:samples]
        labels = [int(x) for x in (folder / "labels.txt").read_text().split()][:samples]
        note = f"primer: {len(texts)} sequences of 50 bases, published"
    else:
        rng = np.random.default_rng(1)
        drawn = rng.choice(list("ACGT"), (samples or 2000, 50))
        labels = [int(x) for x in rng.integers(0, 2, len(drawn))]
        for row, label in zip(drawn, labels, strict=True):
            if label:
                begin = int(rng.integers(0, 50 - len(MOTIF)))
                row[begin : begin + len(MOTIF)] = list(MOTIF)
        texts = ["".join(row) for row in drawn]
        note = f"primer: {len(texts)} sequences of 50 bases, SIMULATED ({MIRROR} is not set)"
    (root / "primer.fasta").write_text("".join(f">s{i}\n{t}\n" for i, t in enumerate(texts)))
    rows: list[list[Any]] = [["id", "bound"], *([f"s{i}", label] for i, label in enumerate(labels))]
    _write_csv(root / "primer.csv", rows)
    return {"sequences": "primer.fasta", "labels": "primer.csv"}, note


def _katg(_root: Path, samples: int | None) -> tuple[dict[str, Any], str]:
    isolates = samples or 1800
    return (
        {"catalogue": "katg_simulated", "options": {"isolates": isolates}},
        f"katG: {isolates} simulated isolates × 2,223 bases",
    )


def _wheat(root: Path, samples: int | None) -> tuple[dict[str, Any], str]:
    folder = _mirrored("wheat599")
    if folder is not None:
        markers = np.loadtxt(folder / "wheat.X", dtype=int)[:samples]
        trait = np.loadtxt(folder / "wheat.Y")[:samples, 0]
        note = f"wheat: {len(markers)} lines × {markers.shape[1]} markers, published"
    else:
        rng = np.random.default_rng(2)
        markers = (rng.random((samples or 599, 1279)) < rng.uniform(0.2, 0.8, 1279)).astype(int)
        effects = rng.normal(0, 1, 1279) * (rng.random(1279) < 0.1)
        genetic = markers @ effects
        trait = genetic + rng.normal(0, genetic.std(), len(markers))
        note = f"wheat: {len(markers)} lines × 1,279 markers, SIMULATED ({MIRROR} is not set)"
    header = ["id", "grain", *(f"m{j}" for j in range(markers.shape[1]))]
    lines = [[f"w{i}", trait[i], *markers[i]] for i in range(len(markers))]
    _write_csv(root / "wheat.csv", [header, *lines])
    return {"variants": "wheat.csv"}, note


def _write_csv(path: Path, rows: list[list[Any]]) -> None:
    with path.open("w", newline="", encoding="utf-8") as stream:
        csv.writer(stream).writerows(rows)


BINARY = {"target": "bound", "task": "binary", "positive": "1"}
CASES = {
    case.name: case
    for case in (
        Case("primer", _primer, BINARY, CNN % 2, "cnn"),
        Case("katG", _katg, {"target": "inh", "task": "binary"}, CNN % 8, "cnn"),
        Case("wheat", _wheat, {"target": "grain", "task": "regression"}, MLP, "mlp"),
    )
}


def write_project(
    root: Path,
    case: Case,
    *,
    study: dict[str, Any],
    shipped: bool = False,
    samples: int | None = None,
) -> str:
    """Write a project with one study, ``bench``, and give the note on its data.

    Parameters
    ----------
    root
        An existing, empty folder.
    study
        Entries of the study file beside data, question and spaces.
    shipped
        Take the shipped search space in place of the small one.
    samples
        At most so many samples; None takes all.
    """
    for folder in ("studies", "search_spaces"):
        (root / folder).mkdir()
    data, note = case.write(root, samples)
    space = (ROOT / "search_spaces" / f"{case.shipped}.yaml").read_text() if shipped else case.space
    (root / "search_spaces" / "bench.yaml").write_text(space)
    content = {
        "question": f"How fast is {case.name}?",
        "data": data,
        **case.question,
        "spaces": ["bench"],
        "baselines": False,
        "control": False,
        "final": {"seeds": 1},
        **study,
    }
    with (root / "studies" / "bench.yaml").open("w") as stream:
        YAML().dump(content, stream)
    return note
