"""Seconds and peak memory from a large PLINK file to a trained network, against the matrix' bytes.

A bed file of random genotypes is written, read by a process of its own as a study reads it (rare
variants counted and left out, codes in a mapped file), fingerprinted, saved, split, audited, loaded
as a worker loads it, and small networks are trained on all folds for an epoch by what a study's
workers use. Then the file is deleted.
"""

from __future__ import annotations

import gc
import tempfile
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from benchmarks import process
from benchmarks.outcome import Outcome, Size, Table
from benchmarks.resident import Peak, resident_bytes

if TYPE_CHECKING:
    from geno_hpo.data.dataset import Dataset
    from geno_hpo.evaluation.network import NetworkEvaluation

__all__ = ["run"]


class Shape(NamedTuple):
    """A file, and what is selected for each training; None trains on all variants."""

    samples: int
    variants: int
    selects: tuple[int | None, ...]


SHAPES: dict[Size, tuple[Shape, ...]] = {
    "full": (Shape(3000, 1_000_000, (1000,)), Shape(500_000, 10_000, (1000, None))),
    "quick": (Shape(1500, 300_000, (1000,)), Shape(60_000, 6000, (1000, None))),
    "smallest": (Shape(60, 500, (100, None)),),
}
ALLOWED = 1.3
"""Peak memory allowed, as a multiple of the matrix that is used."""
RARE = 0.1
"""Share of the variants that are made rare, and so left out."""
MIN_MAF = 0.01
NETWORK: dict[str, bool | int | float | str] = {
    "family": "mlp",
    "layers": 1,
    "neurons": 32,
    "batch_size": 64,
    "learning_rate": 1e-3,
}
FOLDS = 3
THREADS = 2


def run(size: Size) -> Outcome:
    """Write, read and delete one file of each shape."""
    rows: list[tuple[str, str, float, int, int, float]] = []
    notes = [
        "Private: the most memory of the process's own. Resident: pages of mapped files with it.",
        "Both are above what stood after imports and a first tiny training.",
        f"Of the matrix: private memory and the matrix, over the matrix; {ALLOWED} is allowed.",
        f"{RARE:.0%} of the variants are rarer than min_maf {MIN_MAF:g} and left out.",
        f"Trained: {FOLDS} folds of a perceptron of 32 neurons, one epoch, on {THREADS} threads.",
    ]
    for shape in SHAPES[size]:
        said = f"{shape.samples} × {shape.variants}"
        with tempfile.TemporaryDirectory(prefix="geno-readers-") as name:
            folder = Path(name)
            begun = time.perf_counter()
            write_bed(folder / "x.bed", shape.samples, shape.variants)
            notes.append(
                f"{said}: a bed file of {(folder / 'x.bed').stat().st_size / 1e6:.0f} MB, written "
                f"in {time.perf_counter() - begun:.0f} s."
            )
            spec = {"folder": name, "selects": shape.selects}
            found = process.run("benchmarks.readers", spec)
        used = found["bytes"]
        for step, seconds, private, resident in found["steps"]:
            megabytes = (round(private / 1e6), round(resident / 1e6))
            rows.append((said, step, seconds, *megabytes, (private + used) / used))
        notes.append(f"{said}: {used / 1e6:.0f} MB of codes used.")
    columns = ("file", "step", "seconds", "private MB", "resident MB", "of the matrix")
    return Outcome((Table("From a bed file to a trained network", columns, rows),), tuple(notes))


def write_bed(path: Path, samples: int, variants: int, seed: int = 0) -> None:
    """Write random genotypes without missing ones; the first tenth of the variants is rare."""
    rng = np.random.default_rng(seed)
    pairs = np.array([0b00, 0b10, 0b11], dtype=np.uint8)
    common = np.array(
        [sum(int(pairs[digit]) << 2 * i for i, digit in enumerate(digits)) for digits in _digits()],
        dtype=np.uint8,
    )
    width = (samples + 3) // 4
    with path.open("wb") as stream:
        stream.write(b"\x6c\x1b\x01")
        for start in range(0, variants, step := max(1, 2**24 // width)):
            stop = min(variants, start + step)
            block = common[rng.integers(0, len(common), (stop - start, width), dtype=np.uint8)]
            block[: max(0, int(RARE * variants) - start)] = 0xFF
            stream.write(block.tobytes())
    path.with_suffix(".bim").write_text(
        "".join(f"{1 + i * 22 // variants}\trs{i}\t0\t{i + 1}\tG\tA\n" for i in range(variants))
    )
    path.with_suffix(".fam").write_text(
        "".join(f"F{i // 3} s{i} 0 0 0 {1 + i % 2}\n" for i in range(samples))
    )


def _digits() -> list[tuple[int, int, int, int]]:
    three = range(3)
    return [(a, b, c, d) for a in three for b in three for c in three for d in three]


def work(spec: dict[str, Any], _: Path) -> dict[str, Any]:
    """Take the steps of a study, one by one, with the peak memory of each."""
    from geno_hpo.audit import audit
    from geno_hpo.config import PreprocessConfig, VariantData
    from geno_hpo.data.saved import load_dataset, save_dataset
    from geno_hpo.data.source import open_dataset
    from geno_hpo.evaluation.fits import Fits
    from geno_hpo.evaluation.inputs import Inputs
    from geno_hpo.evaluation.network import NetworkEvaluation
    from geno_hpo.splits import Split, make_split
    from geno_hpo.training.setup import configure

    configure(THREADS)
    folder = Path(spec["folder"])
    warm = folder / "warm"
    warm.mkdir()
    write_bed(warm / "x.bed", 60, 50)
    config = VariantData(
        variants=Path("x.bed"), min_maf=MIN_MAF, max_missing=1.0, groups=("family",)
    )

    def read(root: Path) -> Dataset:
        scratch = folder / "scratch"
        return open_dataset(config, target="phenotype", task="binary", root=root, scratch=scratch)

    def divided(dataset: Dataset) -> Split:
        return make_split(dataset, kind="stratified", folds=FOLDS, test=0.2, group=None, seed=1)

    def fits(dataset: Dataset) -> Fits:
        return Fits(folder / "fits", f"{dataset.samples} × {dataset.features}")

    def trained(networks: NetworkEvaluation) -> None:
        networks.trial(NETWORK, epochs=1, patience=None, seed=1, report=lambda _: False)

    first = read(warm)
    few = PreprocessConfig(select=20)
    trained(NetworkEvaluation(first, divided(first), few, "auc", fits=fits(first)))
    gc.collect()
    steps: list[tuple[str, float, int, int]] = []
    before = {field: resident_bytes(field) for field in ("RssAnon", "VmRSS")}

    def measured(name: str, act: Callable[[], Any]) -> Any:
        begun = time.perf_counter()
        with Peak() as peak:
            result = act()
        seconds = round(time.perf_counter() - begun, 1)
        above = (peak.private - before["RssAnon"], peak.resident - before["VmRSS"])
        steps.append((name, seconds, *above))
        gc.collect()
        return result

    held: list[Dataset] = [measured("open, count, leave out, read", lambda: read(folder))]
    used = held[0].codes.nbytes
    measured("fingerprint", lambda: held[0].fingerprint)
    measured("save", lambda: save_dataset(held[0], folder / "saved"))
    held.clear()
    loaded = measured("load, as a worker does", lambda: load_dataset(folder / "saved"))
    split = measured("split", lambda: divided(loaded))
    measured("audit", lambda: audit(loaded, split))
    parts = [*(fold.train for fold in split.folds), split.development]
    for select in spec["selects"]:
        said = "all" if select is None else f"select {select}"
        settings = PreprocessConfig(select=select)
        inputs = Inputs(loaded, split, settings, fits(loaded))
        measured(f"fit the folds: {said}", partial(inputs.fit_all, parts, THREADS))
        networks = NetworkEvaluation(loaded, split, settings, "auc", fits=fits(loaded))
        measured(f"train an epoch: {said}", partial(trained, networks))
        del inputs, networks
    return {"steps": steps, "bytes": used}


if __name__ == "__main__":
    process.side(work)
