"""What the audit finds on every set of the catalogue, split as a study would by default.

Files are taken from the folder that ``GENO_HPO_DATA_MIRROR`` names, or from the cache, or
downloaded. Smaller sizes look at simulated sets alone.
"""

from __future__ import annotations

import time

from benchmarks.outcome import Outcome, Size, Table
from geno_hpo.audit import audit
from geno_hpo.config import CatalogueData
from geno_hpo.data.catalogue import Entry, entries
from geno_hpo.data.dataset import Dataset
from geno_hpo.data.source import open_dataset
from geno_hpo.splits import make_split

COLUMNS = ("set", "samples", "features", "severity", "check", "what", "audit seconds")
SMALL = {
    "quick": ("katg_simulated", "motif_simulated", "trait_simulated", "ancestry_simulated"),
    "smallest": ("motif_simulated",),
}


def run(size: Size) -> Outcome:
    """Read, split and audit one set after another."""
    rows: list[tuple[str | int | float | None, ...]] = []
    for entry in entries():
        if entry.reader and (size == "full" or entry.name in SMALL[size]):
            rows += found(entry)
    notes = (
        "each set with its example target; a fifth sealed for the test, five stratified folds",
        "notes of the audit, such as constant columns, are left out; seconds are without reading",
    )
    return Outcome((Table("Findings on the catalogue", COLUMNS, rows),), notes)


def found(entry: Entry) -> list[tuple[str | int | float | None, ...]]:
    """A row for each serious finding and warning, or one that says there is none."""
    dataset: Dataset = open_dataset(
        CatalogueData(catalogue=entry.name),
        target=entry.target,
        task=entry.task,  # type: ignore[arg-type]
    )
    split = make_split(dataset)
    begun = time.perf_counter()
    told = audit(dataset, split)
    seconds = round(time.perf_counter() - begun, 1)
    size = (entry.name, dataset.samples, dataset.features)
    rows: list[tuple[str | int | float | None, ...]] = [
        (*size, each.severity, each.check, each.what, seconds)
        for each in told.findings
        if each.severity != "note"
    ]
    return rows or [(*size, "none", "", "", seconds)]
