"""What a trained network looks at, and whether that can be believed.

- `saliency`: gradient × deviation from the cohort's mean; codons named; restarts averaged.
- `integrated`: integrated gradients from the mean input, with their completeness.
- `mutagenesis`: every substitution in turn. `permutation`: shuffled variants.
- `motifs`, `known`: motifs from attributions and filters, against known ones.
- `agreement`: rank correlations with an untrained network and between restarts.
- `recovery`: how well a simulation's truth was found.
- `explain`: all of these for one restart, within stated bounds of work (`questions`), as an
  `explained`. `variation`: how a cohort's sequences differ. `track`: saliency of any network of the
  study, a fold's included.

Attributions are ``(samples, positions)``, summed over the symbols of a position.
"""

from geno_hpo.interpret.agreement import rank_correlation
from geno_hpo.interpret.explain import explain
from geno_hpo.interpret.explained import Explained
from geno_hpo.interpret.integrated import completeness_gap, integrated_gradients
from geno_hpo.interpret.known import KnownMotif, consensus_motif, read_motifs
from geno_hpo.interpret.motifs import Alignment, Found, compare_motifs, find_motifs
from geno_hpo.interpret.mutagenesis import substitutions
from geno_hpo.interpret.permutation import permutation_importance
from geno_hpo.interpret.recovery import average_precision, peaks_on_copies
from geno_hpo.interpret.saliency import (
    attribute,
    contributions,
    position_scores,
    rank_codons,
    summarise,
)
from geno_hpo.interpret.track import saliency_track

__all__ = [
    "Alignment",
    "Explained",
    "Found",
    "KnownMotif",
    "attribute",
    "average_precision",
    "compare_motifs",
    "completeness_gap",
    "consensus_motif",
    "contributions",
    "explain",
    "find_motifs",
    "integrated_gradients",
    "peaks_on_copies",
    "permutation_importance",
    "position_scores",
    "rank_codons",
    "rank_correlation",
    "read_motifs",
    "saliency_track",
    "substitutions",
    "summarise",
]
