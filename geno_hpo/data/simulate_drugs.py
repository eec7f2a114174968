"""*Simulated* cohort of 13 drugs over 18 loci, with co-resistance and labels that are missing.

Codes are ``(isolates, 18 × 240)``: drawn stretches that bear the names of *M. tuberculosis*
resistance loci; nothing of the sequence is real. Resistance is acquired drug class by drug class,
as in the field: isoniazid first, then rifampicin, then the others; so labels go together, and a
model can profit from confusing them. Some loci act on several drugs (gyrBA, rrs-rrl, fabG1-inhA).
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from geno_hpo.data.clonal_tree import ClonalTree, grow_tree
from geno_hpo.data.dataset import Dataset, Locus, Target
from geno_hpo.data.oracle import outputs_truth
from geno_hpo.data.simulated import drawn_by, sample_names
from geno_hpo.errors import DataError

__all__ = ["DRUGS", "LOCI", "simulate_drugs"]

DRUGS = (
    *("inh", "rif", "emb", "pza", "str", "levo", "moxi", "oflx", "cip"),
    *("amk", "kan", "cap", "eth"),
)
LOCI = (
    *("acpM-kasA", "aftB-ubiA", "clpC", "eis", "embCAB", "ethAR", "fabG1-inhA", "gid", "gyrBA"),
    *("katG", "oxyR-ahpC", "panD", "pncA", "rpoBC", "rpsA", "rpsL", "rrs-rrl", "tlyA"),
)

_QUINOLONES = ("levo", "moxi", "oflx", "cip")
# Steps in the order in which they are acquired; each takes one of these changes: locus, drugs it
# makes resistant to, weight.
_STEPS: tuple[tuple[tuple[str, tuple[str, ...], float], ...], ...] = (
    (
        ("katG", ("inh",), 6.0),
        ("fabG1-inhA", ("inh", "eth"), 2.0),
        ("oxyR-ahpC", ("inh",), 0.5),
        ("acpM-kasA", ("inh",), 0.5),
    ),
    (("rpoBC", ("rif",), 1.0),),
    (("embCAB", ("emb",), 5.0), ("aftB-ubiA", ("emb",), 1.0)),
    (
        ("pncA", ("pza",), 6.0),
        ("rpsA", ("pza",), 1.0),
        ("clpC", ("pza",), 1.0),
        ("panD", ("pza",), 1.0),
    ),
    (("rpsL", ("str",), 4.0), ("gid", ("str",), 2.0)),
    (("gyrBA", _QUINOLONES, 1.0),),
    (
        ("rrs-rrl", ("amk", "kan", "cap"), 4.0),
        ("eis", ("kan",), 1.0),
        ("tlyA", ("cap",), 1.0),
    ),
    (("ethAR", ("eth",), 1.0),),
)
_LENGTH = 240  # bases of each locus
_CHANGES = 4  # causal positions of each locus
_GO_ON = 0.8  # chance that the next class is acquired too
_SKIP = 0.1  # chance that a class on the way is not
_ERROR = 0.03
_TESTED = {"inh": 0.98, "rif": 0.98, "emb": 0.9, "pza": 0.8, "str": 0.8}
_TESTED_SECOND = 0.45  # share tested for each of the other drugs


def simulate_drugs(seed: int = 1, isolates: int = 1500) -> Dataset:
    """Simulate resistance to 13 drugs; nothing in it is real.

    Parameters
    ----------
    seed
        Seed of everything drawn.
    isolates
        Number of isolates, at least 300.

    Returns
    -------
    Dataset
        Multilabel target with NaN where a drug was not tested, groups ``lineage`` and ``clone``.
        The oracle knows each isolate's causal changes; its AUC is told for each drug, with their
        mean. Labels are wrong for 3 % of isolates, which no score of the sequence can know.

    Raises
    ------
    DataError
        `isolates` is below 300.
    """
    if isolates < 300:
        raise DataError(f"a simulated 13-drug cohort has at least 300 isolates, got {isolates}")
    rng = np.random.default_rng([seed, 301])
    columns = len(LOCI) * _LENGTH
    reference = rng.integers(0, 4, columns).astype(np.int8)
    causal = {
        locus: number * _LENGTH + np.sort(rng.choice(_LENGTH, _CHANGES, replace=False))
        for number, locus in enumerate(LOCI)
    }
    allele = (reference + rng.integers(1, 4, columns)) % 4
    tree = grow_tree(rng, isolates)
    codes = _drift(rng, reference, tree, np.concatenate(list(causal.values())))
    states = np.zeros((isolates, len(DRUGS)), bool)
    for carriers in tree.resistance:
        _acquire(rng, carriers, codes, states, causal, allele)

    tested = np.array([_TESTED.get(drug, _TESTED_SECOND) for drug in DRUGS])
    labels = (states ^ (rng.random(states.shape) < _ERROR)).astype(np.float32)
    labels[rng.random(states.shape) >= tested] = np.nan
    missing = float(np.isnan(labels).mean())
    return Dataset(
        name="drugs_simulated",
        kind="sequence",
        ids=sample_names(isolates),
        codes=codes,
        axis=tuple(f"{locus}:{base}" for locus in LOCI for base in range(1, _LENGTH + 1)),
        target=Target("multilabel", labels, DRUGS),
        groups={
            "lineage": np.array([f"L{number + 1}" for number in tree.lineage]),
            "clone": np.array([f"C{number + 1:04d}" for number in tree.clone]),
        },
        loci=tuple(
            Locus(locus, number * _LENGTH, (number + 1) * _LENGTH)
            for number, locus in enumerate(LOCI)
        ),
        origin=drawn_by(
            __name__,
            seed,
            "sequence, isolates and resistance",
            f"{missing:.0%} of the labels are missing: not every isolate was tested",
        ),
        truth=outputs_truth(
            tuple(sorted(int(column) for each in causal.values() for column in each)),
            states.astype(np.float64),
            labels.astype(np.float64),
            DRUGS,
        ),
    )


def _drift(
    rng: np.random.Generator,
    reference: NDArray[np.int8],
    tree: ClonalTree,
    causal: NDArray[np.int64],
) -> NDArray[np.int8]:
    """Sequences with the tree's neutral substitutions, none at a causal position."""
    codes = np.repeat(reference[None], len(tree.lineage), axis=0)
    neutral = np.setdiff1d(np.arange(len(reference)), causal)
    for carriers in tree.events:
        column = int(rng.choice(neutral))
        codes[carriers, column] = (int(reference[column]) + int(rng.integers(1, 4))) % 4
    return codes


def _acquire(
    rng: np.random.Generator,
    carriers: NDArray[np.int64],
    codes: NDArray[np.int8],
    states: NDArray[np.bool_],
    causal: dict[str, NDArray[np.int64]],
    allele: NDArray[np.int64],
) -> None:
    """Let one clone acquire class after class, until it stops."""
    for step in _STEPS:
        if rng.random() >= _SKIP:
            weights = np.array([weight for _, _, weight in step])
            locus, drugs, _ = step[int(rng.choice(len(step), p=weights / weights.sum()))]
            column = int(rng.choice(causal[locus]))
            codes[carriers, column] = allele[column]
            for drug in drugs:
                states[carriers, DRUGS.index(drug)] = True
        if rng.random() >= _GO_ON:
            return
