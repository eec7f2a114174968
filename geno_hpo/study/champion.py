"""The winner in MLflow's registry, and whether it becomes the champion.

The newest version is the *candidate*. It becomes the *champion* only by winning twice on the sealed
test set: the study's verdict against its best baseline is *better*, and, where there is a champion,
the paired comparison of their answers on the same test samples is *better* as well. With other test
samples nothing is compared and nothing moves.
"""

from __future__ import annotations

import hashlib
import json
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from geno_hpo import __version__
from geno_hpo.bundle import Manifest, open_bundle
from geno_hpo.bundle.served import answer_columns, example, input_columns
from geno_hpo.compare import compare_models
from geno_hpo.outcome import TestPredictions
from geno_hpo.study.export import export_finished
from geno_hpo.study.finished import Finished
from geno_hpo.tracking import Tracking
from geno_hpo.tracking.registry import CANDIDATE, CHAMPION, ModelCard, Registry, model_name

__all__ = ["register_winner"]

LOADER = "geno_hpo.bundle.served"


def register_winner(
    finished: Finished,
    tracking: Tracking,
    run: str,
    test: TestPredictions,
    network: str,
    comparison: Mapping[str, Any] | None,
) -> str:
    """Log and register the winner's bundle, unless it is there; say in a sentence what was done.

    Parameters
    ----------
    finished
        The study.
    tracking, run
        The open store and the study's run.
    test, network
        Test predictions, and the winning family.
    comparison
        The study's verdict on network and best baseline; None where it has no baseline.

    Raises
    ------
    BundleError
        A restart's model file is gone.
    """
    registry = Registry(tracking, model_name(finished.plan.config.name))
    with tempfile.TemporaryDirectory() as folder:
        manifest = export_finished(finished, Path(folder) / "bundle")
        digest = _digest(manifest)
        if (known := registry.find(digest)) is not None:
            return f"model {registry.name} version {known} is registered already"
        version = registry.add(run, _card(Path(folder) / "bundle", manifest, digest))
        evidence = Path(folder) / f"{digest}.npz"
        np.savez_compressed(
            evidence,
            allow_pickle=False,
            ids=np.array(test.ids),
            truth=test.truth,
            predictions=test.models[network],
        )
        registry.keep_evidence(run, evidence)
        better, reason = _against_baseline(comparison)
        if better and registry.champion() is not None:
            better, reason = _judge(finished, registry, test, network, Path(folder))
    registry.point(CANDIDATE, version)
    registry.tell(version, "champion_because" if better else "not_champion_because", reason)
    if better:
        registry.point(CHAMPION, version)
        return f"model {registry.name} version {version} is the champion: {reason}"
    return f"model {registry.name} version {version} is a candidate, not the champion: {reason}"


def _against_baseline(comparison: Mapping[str, Any] | None) -> tuple[bool, str]:
    """Whether the network beats the best baseline, and why not."""
    if comparison is None:
        return False, "the study has no baseline that it could beat"
    return comparison["verdict"] == "better", str(comparison["sentence"])


def _digest(manifest: Manifest) -> str:
    """Of what decides a bundle's answers: models, what was fitted, thresholds, encoding."""
    decides = {
        name: checksum
        for name, checksum in manifest.files.items()
        if name.endswith((".keras", ".npz"))
    }
    told = [sorted(decides.items()), [each.model_dump() for each in manifest.thresholds]]
    return hashlib.sha256(json.dumps(told).encode()).hexdigest()[:16]


def _card(folder: Path, manifest: Manifest, digest: str) -> ModelCard:
    bundle = open_bundle(folder)
    versions = manifest.versions
    simulated = bool(manifest.provenance.get("simulated"))
    scores = [model.test_score for model in manifest.models if model.test_score is not None]
    return ModelCard(
        folder=folder,
        loader=LOADER,
        digest=digest,
        inputs=input_columns(bundle),
        input_type="string" if manifest.kind == "sequence" else "double",
        outputs=answer_columns(bundle),
        example=example(bundle),
        requirements=[
            f"geno-hpo=={__version__}",
            *(f"{name}=={versions[name]}" for name in ("keras", "tensorflow", "numpy")),
        ],
        tags={
            "study": manifest.name,
            "family": manifest.family,
            "metric": manifest.metric,
            "test_score": f"{np.mean(scores):.6f}" if scores else "",
            "simulated": str(simulated).lower(),
            "data_fingerprint": str(manifest.provenance["data_fingerprint"]),
            "code_version": str(manifest.provenance["code_version"]),
        },
        description=manifest.question,
    )


def _judge(
    finished: Finished,
    registry: Registry,
    test: TestPredictions,
    network: str,
    folder: Path,
) -> tuple[bool, str]:
    """Whether the winner takes the present champion's place, and why."""
    champion = registry.champion()
    if champion is None:
        return True, "there is no other"
    version, run, digest = champion
    file = registry.evidence(run, f"{digest}.npz", folder) if digest else None
    if file is None:
        return False, f"the test predictions of version {version} are gone"
    with np.load(file, allow_pickle=False) as arrays:
        old: dict[str, NDArray[Any]] = dict(arrays)
    same = old["ids"].tolist() == list(test.ids) and np.array_equal(
        old["truth"], test.truth, equal_nan=True
    )
    if not same:
        return False, f"version {version} was tested on other samples, so they cannot be compared"
    split = finished.prepared.split
    found = compare_models(
        test.truth,
        test.models[network],
        old["predictions"],
        finished.metric,
        names=(f"the {network} found now", f"the champion (version {version})"),
        seed=finished.plan.config.seed,
        groups=None if split.groups is None else split.groups[split.test],
    )
    return found.verdict == "better", found.sentence
