"""Bundles made by hand, with no models in them: enough for everything but the answer itself."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np

from geno_hpo import encoding
from geno_hpo.bundle import FORMAT, Bundle, Contents, open_bundle, write_bundle

REFERENCE = "ACGTACGTAC" + "TTTTGGGG"
LIMITS = {"unknown": 0.3, "locus": 0.5, "mismatch": 0.2}


def facts(**changed: Any) -> dict[str, Any]:
    """Manifest of a bundle of two loci, 10 and 8 positions, for two drugs."""
    return {
        "format": FORMAT,
        "name": "toy",
        "kind": "sequence",
        "task": "multilabel",
        "targets": ["inh", "rif"],
        "thresholds": [
            {"target": name, "value": 0.5, "source": "one half"} for name in ("inh", "rif")
        ],
        "width": 18,
        "symbols": 4,
        "loci": [
            {"name": "katG", "start": 0, "stop": 10},
            {"name": "rpoB", "start": 10, "stop": 18},
        ],
        "limits": LIMITS,
        "models": [{"file": "models/restart-1.keras", "seed": 1}],
        "family": "mlp",
        "params": {},
        "epochs": 1,
        "provenance": {"simulated": True},
        "versions": {},
        **changed,
    }


def write_toy(folder: Path, genome: np.ndarray | None = None, **changed: Any) -> Bundle:
    """Write and open it; `genome` are the columns' places, none by default."""
    model = folder.parent / "weights.bin"
    model.write_bytes(b"no model")
    told = facts(**changed)
    reference = encoding.encode(REFERENCE)[: told["width"]]
    places = np.full(told["width"], -1) if genome is None else genome
    arrays = {"reference": reference, "genome": places.astype(np.int64)}
    write_bundle(Contents(told, {"models/restart-1.keras": model}, arrays, {}), folder)
    return open_bundle(folder)


def write_snps(folder: Path, pairs: list[tuple[str, str]], **changed: Any) -> Bundle:
    """Write and open a bundle of variants ``rs0``, ``rs1`` … that count the first of each pair."""
    model = folder.parent / "weights.bin"
    model.write_bytes(b"no model")
    k = len(pairs)
    told = facts(
        kind="variants",
        task="regression",
        targets=["yield"],
        thresholds=[],
        width=k,
        symbols=1,
        loci=[],
        limits={"unknown": 0.3, "locus": 1.0},
    )
    counted, other = zip(*pairs, strict=True)
    arrays = {
        "names": np.array([f"rs{i}" for i in range(k)]),
        "counted": np.array(counted, dtype=np.str_),
        "other": np.array(other, dtype=np.str_),
        "dosage": np.linspace(0.2, 1.8, k, dtype=np.float32),
    }
    fitted = {name: np.zeros(k, np.float32) for name in ("fill", "mean")}
    fitted |= {"scale": np.ones(k, np.float32)}
    fitted |= {"target_mean": np.zeros(1, np.float32), "target_scale": np.ones(1, np.float32)}
    contents = Contents({**told, **changed}, {"models/restart-1.keras": model}, arrays, fitted)
    write_bundle(contents, folder)
    return open_bundle(folder)
