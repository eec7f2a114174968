"""A finished study → a bundle: its winner's restarts, what was fitted, and where all came from.

Everything is taken from what the study left: the restarts' Keras files, the fits to the development
part, the winner's predictions of its validation folds (for the thresholds). The test set is not
looked at.
"""

from __future__ import annotations

import platform
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from geno_hpo import __version__
from geno_hpo.bundle import FORMAT, Contents, Manifest, write_bundle
from geno_hpo.compare import best_threshold
from geno_hpo.config import SequenceData, VariantData
from geno_hpo.errors import BundleError
from geno_hpo.evaluation.fits import Fits
from geno_hpo.evaluation.inputs import FittedInputs, Inputs
from geno_hpo.evaluation.shape import chosen, model_shape
from geno_hpo.preprocess import Neighbours
from geno_hpo.study.bundled import encoding_of
from geno_hpo.study.files import final_path
from geno_hpo.study.final import FinalFit, finished_fits
from geno_hpo.study.finished import Finished, load_finished
from geno_hpo.study.identity import code_version
from geno_hpo.study.paths import Project
from geno_hpo.training.setup import chosen_backend

__all__ = ["export_finished", "export_study"]

HALF = 0.5
PACKAGES = ("keras", "tensorflow", "numpy")

Array = NDArray[Any]


def export_study(project: Project, name: str, folder: Path, *, genotypes: bool = False) -> Manifest:
    """Write the bundle of a finished study.

    Parameters
    ----------
    project, name
        The study.
    folder
        Where to; a bundle that lies there is replaced.
    genotypes
        Whether the bundle may carry genotypes of the training samples (without their ids), which
        a study that imputes by neighbours cannot predict without.

    Raises
    ------
    InputError
        The study is not finished.
    BundleError
        A file of it is gone, the folder cannot be written, or genotypes may not be carried and
        the study imputes by neighbours.
    """
    return export_finished(load_finished(project, name), folder, genotypes=genotypes)


def export_finished(finished: Finished, folder: Path, *, genotypes: bool = False) -> Manifest:
    """Write the bundle; see `export_study`."""
    fits = [
        (fit, trial.value)
        for fit, trial in finished_fits(finished.plan, finished.pools).values()
        if fit.kind == "network"
    ]
    files = {f"models/restart-{fit.restart}.keras": _keras_file(finished, fit) for fit, _ in fits}
    first = fits[0][0]
    inputs = _fitted(finished, first)
    encoding, limits, top = encoding_of(finished, inputs)
    facts = {
        **_facts(finished, first),
        "width": len(next(iter(encoding.values()))),
        "top": top,
        "limits": limits,
        "models": [
            {"file": name, "seed": fit.seed, "test_score": score}
            for name, (fit, score) in zip(files, fits, strict=True)
        ],
    }
    plan = finished.plan
    texts = {"study.yaml": plan.text}
    texts |= {f"search_spaces/{space.name}.yaml": space.text for space in plan.space.spaces}
    return write_bundle(
        Contents(facts, files, encoding, _preprocess(inputs, genotypes), texts), folder
    )


def _keras_file(finished: Finished, fit: FinalFit) -> Path:
    path = final_path(finished.plan.work, fit.name).with_suffix(".keras")
    if not path.is_file():
        raise BundleError(
            f"the model of restart {fit.restart} is recorded, but its file {path} is gone: it was "
            "trained on another machine, or removed"
        )
    return path


def _fitted(finished: Finished, fit: FinalFit) -> FittedInputs:
    """What was learnt from the development part, as the winner's restarts had it."""
    plan, prepared = finished.plan, finished.prepared
    fits = Fits(plan.fits, prepared.fingerprint)
    inputs = Inputs(prepared.dataset, prepared.split, plan.settings, fits, most=plan.most_selected)
    settings = chosen(plan.settings, fit.params, prepared.dataset)
    return inputs.fit(prepared.split.development, settings)


def _preprocess(inputs: FittedInputs, genotypes: bool) -> dict[str, Array]:
    arrays: dict[str, Array] = {}
    if (fitted := inputs.variants) is not None:
        arrays |= {"fill": fitted.fill, "mean": fitted.mean, "scale": fitted.scale}
        if fitted.neighbours is not None:
            arrays |= _donors(fitted.neighbours, genotypes)
    elif inputs.mean is not None:
        arrays["mean"] = inputs.mean
    if inputs.target is not None:
        arrays |= {"target_mean": inputs.target.mean, "target_scale": inputs.target.scale}
    return {name: np.asarray(array) for name, array in arrays.items()}


def _donors(neighbours: Neighbours, genotypes: bool) -> dict[str, Array]:
    """The training samples that missing dosages are told by, where they may be passed on."""
    if not genotypes:
        samples, variants = neighbours.donors.shape
        raise BundleError(
            "a study that imputes by neighbours (preprocess.impute: knn) predicts with the "
            f"genotypes of its {samples} training samples at {variants} variants. If they may be "
            "passed on, export with --with-genotypes (they are written without ids); else run the "
            "study with impute: mean or mode"
        )
    return {
        "donors": neighbours.donors,
        "neighbour_count": np.array(neighbours.count),
        "neighbour_weights": np.array(neighbours.weights),
    }


def _facts(finished: Finished, fit: FinalFit) -> dict[str, Any]:
    """Fields of the manifest that say what the study was."""
    plan, dataset = finished.plan, finished.prepared.dataset
    config, record = plan.config, finished.record
    seal = record.get("seal") or {}
    return {
        "format": FORMAT,
        "name": str(plan.key),
        "question": config.question,
        "kind": dataset.kind,
        "task": config.task,
        "targets": list(dataset.target.names),
        "classes": list(dataset.target.classes),
        "thresholds": _thresholds(finished),
        "symbols": model_shape(dataset, plan.settings).symbols,
        "loci": [
            {"name": each.name, "start": each.start, "stop": each.stop, "strand": each.strand}
            for each in dataset.loci
        ],
        "reading": _reading(plan.config.data),
        "family": fit.model,
        "params": {key: value for key, value in fit.params.items() if key != "family"},
        "epochs": fit.epochs,
        "metric": plan.metric,
        "notes": list(dataset.origin.notes),
        "provenance": {
            "data": dataset.name,
            "source": dataset.origin.source,
            "licence": dataset.origin.licence,
            "citation": dataset.origin.citation,
            "simulated": dataset.origin.simulated,
            "data_fingerprint": dataset.fingerprint,
            "split_fingerprint": finished.prepared.split.fingerprint,
            "definition": plan.definition,
            "code_version": seal.get("code_version") or code_version(plan.project.root),
            "seal_opened_at": seal.get("opened_at", ""),
            "exported_at": datetime.now(UTC).isoformat(timespec="seconds"),
        },
        "versions": {
            "geno_hpo": __version__,
            "python": platform.python_version(),
            **{package: version(package) for package in PACKAGES},
            **plan.packages,
            **({"jax": version("jax")} if chosen_backend() == "jax" else {}),
        },
    }


def _reading(data: Any) -> dict[str, Any]:
    """Options of the data block that decide how an input is read."""
    keep: tuple[str, ...] = ()
    if isinstance(data, SequenceData):
        keep = ("pad", "alphabet", "ambiguous")
    elif isinstance(data, VariantData):
        keep = ("format", "id", "missing", "header", "ids", "multiallelic", "arrays")
    return data.model_dump(mode="json", include=set(keep), exclude_defaults=True) if keep else {}


def _thresholds(finished: Finished) -> list[dict[str, Any]]:
    """Where to call 1: by Youden's J on the validation folds, else one half."""
    if finished.plan.config.task not in ("binary", "multilabel"):
        return []
    unseen = finished.unseen()
    found = []
    for output, target in enumerate(finished.prepared.dataset.target.names):
        value = float("nan")
        if unseen is not None:
            value = best_threshold(unseen[0][:, output], unseen[1][:, output])
        learnt = bool(np.isfinite(value))
        found.append(
            {
                "target": target,
                "value": value if learnt else HALF,
                "source": "learnt on the validation folds" if learnt else "one half",
            }
        )
    return found
