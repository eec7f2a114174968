"""Aligned reads (BAM, CRAM) → the consensus of gene regions as codes ``(positions,)``.

`open_alignment` checks the file and its index, `count` makes depths ``(positions, 6)`` of a
region, `call` applies the `Rules`, `write` the output that the readers of sequences take.
"""

from geno_hpo.pileup.alignment import Reference, open_alignment, place_regions
from geno_hpo.pileup.consensus import Called, Rules, call_region
from geno_hpo.pileup.counts import Counts, count_region
from geno_hpo.pileup.write import Sample, write_fasta, write_fasta_folder, write_folder, write_table

__all__ = [
    "Called",
    "Counts",
    "Reference",
    "Rules",
    "Sample",
    "call_region",
    "count_region",
    "open_alignment",
    "place_regions",
    "write_fasta",
    "write_fasta_folder",
    "write_folder",
    "write_table",
]
