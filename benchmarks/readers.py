"""Seconds and peak memory from a large PLINK file to a split data set, against the matrix' bytes.

A bed file of random genotypes is written, read by a process of its own as a study reads it (rare
variants counted and left out, codes in a mapped file), fingerprinted, saved, split, loaded as a
worker loads it, and passed over once in training batches. Then the file is deleted.
"""

from __future__ import annotations

import re
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from benchmarks import process
from benchmarks.outcome import Outcome, Size, Table

if TYPE_CHECKING:
    from geno_hpo.data.dataset import Dataset

__all__ = ["run"]

SHAPES: dict[Size, tuple[tuple[int, int], ...]] = {
    "full": ((3000, 1_000_000), (500_000, 10_000)),
    "quick": ((1000, 100_000),),
    "smallest": ((60, 500),),
}
ALLOWED = 1.3
"""Peak memory allowed, as a multiple of the matrix that is used."""
RARE = 0.1
"""Share of the variants that are made rare, and so left out."""
MIN_MAF = 0.01
BATCH = 32 * 2**20
"""Cells of a training batch."""


def run(size: Size) -> Outcome:
    """Write, read and delete one file of each shape."""
    rows: list[tuple[str, str, float, int, float]] = []
    notes = [
        "Peak: resident memory above that after imports, pages of mapped files included.",
        f"Allowed: {ALLOWED} times the matrix that is used.",
        "The engine and the baselines copy codes of their own; that is not measured here.",
        f"{RARE:.0%} of the variants are rarer than min_maf {MIN_MAF:g} and left out.",
    ]
    for samples, variants in SHAPES[size]:
        with tempfile.TemporaryDirectory(prefix="geno-readers-") as name:
            folder = Path(name)
            begun = time.perf_counter()
            write_bed(folder / "x.bed", samples, variants)
            notes.append(
                f"{samples} × {variants}: a bed file of "
                f"{(folder / 'x.bed').stat().st_size / 1e6:.0f} MB, written in "
                f"{time.perf_counter() - begun:.0f} s."
            )
            spec = {"folder": name, "samples": samples}
            found = process.run("benchmarks.readers", spec)
        used = found["bytes"]
        for step, seconds, peak in found["steps"]:
            shape = f"{samples} × {variants}"
            rows.append((shape, step, seconds, round(peak / 1e6), peak / used))
        notes.append(f"{samples} × {variants}: {used / 1e6:.0f} MB of codes used.")
    columns = ("file", "step", "seconds", "peak MB", "of the matrix")
    return Outcome((Table("From a bed file to a split data set", columns, rows),), tuple(notes))


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


def resident_bytes(field: str) -> int:
    """A line of ``/proc/self/status``: ``VmRSS`` now, ``VmHWM`` at most since the last reset."""
    text = Path("/proc/self/status").read_text()
    found = re.search(rf"{field}:\s+(\d+) kB", text)
    return int(found.group(1)) * 1024 if found else 0


def one_pass(dataset: Dataset, train: NDArray[np.intp]) -> NDArray[np.float32]:
    """Fit a linear model to all variants by one step a batch, rows read from the mapped codes."""
    order = np.random.default_rng(0).permutation(train)
    weights = np.zeros(dataset.features, np.float32)
    size = max(1, BATCH // dataset.features)
    for start in range(0, len(order), size):
        rows = np.sort(order[start : start + size])
        batch = dataset.codes[rows].astype(np.float32)
        residual = dataset.target.values[rows, 0] - batch @ weights
        weights += 1e-9 * (residual @ batch)
    return weights


def work(spec: dict[str, Any], _: Path) -> dict[str, Any]:
    """Take the steps of a study, one by one, with the peak memory of each."""
    from geno_hpo.config import VariantData
    from geno_hpo.data.dataset import Dataset
    from geno_hpo.data.source import open_dataset
    from geno_hpo.splits import make_split

    folder = Path(spec["folder"])
    warm = folder / "warm"
    warm.mkdir()
    write_bed(warm / "x.bed", 40, 50)
    config = VariantData(variants=Path("x.bed"), min_maf=MIN_MAF, groups=("family",))

    def read(root: Path) -> Dataset:
        scratch = folder / "scratch"
        return open_dataset(config, target="phenotype", task="binary", root=root, scratch=scratch)

    read(warm)
    steps: list[tuple[str, float, int]] = []
    before = resident_bytes("VmRSS")

    def measured(name: str, act: Callable[[], Any]) -> Any:
        Path("/proc/self/clear_refs").write_text("5")
        begun = time.perf_counter()
        result = act()
        seconds = time.perf_counter() - begun
        steps.append((name, round(seconds, 1), resident_bytes("VmHWM") - before))
        return result

    held: list[Dataset] = [measured("open, count, leave out, read", lambda: read(folder))]
    used = held[0].codes.nbytes
    measured("fingerprint", lambda: held[0].fingerprint)
    measured("save", lambda: held[0].save(folder / "saved"))
    held.clear()
    loaded = measured("load, as a worker does", lambda: Dataset.load(folder / "saved"))
    split = measured(
        "split",
        lambda: make_split(loaded, kind="stratified", folds=3, test=0.2, group=None, seed=1),
    )
    measured("one pass over a training part", lambda: one_pass(loaded, split.folds[0].train))
    return {"steps": steps, "bytes": used}


if __name__ == "__main__":
    process.side(work)
