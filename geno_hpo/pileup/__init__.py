"""Aligned reads (BAM, CRAM) → the consensus of gene regions as codes ``(positions,)``.

`alignment` opens a file and checks its index, `counts` makes depths ``(positions, 6)`` of a
region, `consensus` applies the rules, `write` the output that the readers of sequences take, and
`encode` is the whole way.
"""

from geno_hpo.pileup.alignment import Reference, open_alignment, place_regions
from geno_hpo.pileup.consensus import Called, Rules, call_region
from geno_hpo.pileup.counts import Counts, count_region
from geno_hpo.pileup.encode import HEADS, Encoding, encode_alignments, save, table_rows
from geno_hpo.pileup.write import Sample

__all__ = [
    "HEADS",
    "Called",
    "Counts",
    "Encoding",
    "Reference",
    "Rules",
    "Sample",
    "call_region",
    "count_region",
    "encode_alignments",
    "open_alignment",
    "place_regions",
    "save",
    "table_rows",
]
