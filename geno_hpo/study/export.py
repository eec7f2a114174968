"""A finished study → a bundle: its winner's restarts, what was fitted, and where all came from.

Everything is taken from what the study left: the restarts' Keras files, the fits to the development
part, the winner's predictions of its validation folds (for the thresholds). Limits of what a sample
may lack or differ by are learnt from the development part; the test set is not looked at.
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
from geno_hpo.data.dataset import Dataset
from geno_hpo.data.genotypes import Asked
from geno_hpo.data.variant_files import open_genotypes, recognise
from geno_hpo.errors import BundleError, GenoHpoError
from geno_hpo.evaluation.fits import Fits
from geno_hpo.evaluation.inputs import FittedInputs, Inputs
from geno_hpo.evaluation.shape import chosen, model_shape
from geno_hpo.preprocess import Neighbours
from geno_hpo.study.files import final_path
from geno_hpo.study.final import FinalFit, finished_fits
from geno_hpo.study.finished import Finished, load_finished
from geno_hpo.study.identity import code_version
from geno_hpo.study.paths import Project
from geno_hpo.training.setup import chosen_backend

__all__ = ["export_finished", "export_study"]

HALF = 0.5
LEAST_UNKNOWN = 0.10
LEAST_LOCUS = 0.25
LEAST_MISMATCH = 0.05
ROOM = 2.0
"""A limit is this many times what 99 of 100 development samples stay below."""
NO_SPECIES = 0.5
"""From this limit on, differences from the reference tell no species."""
BLOCK_BYTES = 2**26
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
    encoding, limits, top = _encoding(finished, inputs)
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


def _encoding(
    finished: Finished, inputs: FittedInputs
) -> tuple[dict[str, Array], dict[str, float | None], int]:
    """Arrays, limits, and the largest dosage of the development part."""
    dataset, development = finished.prepared.dataset, finished.prepared.split.development
    if inputs.variants is None:
        reference = _commonest(dataset, development)
        limits = _sequence_limits(dataset, development, reference)
        return {"reference": reference, "genome": _genome(dataset)}, limits, 2
    columns = inputs.variants.columns
    names = np.array([dataset.axis[column] for column in columns], dtype=np.str_)
    counted, other = _alleles(finished, names.tolist())
    dosage, unknown, top = _dosages(dataset, development, columns)
    arrays = {"names": names, "counted": counted, "other": other, "dosage": dosage}
    share = max(LEAST_UNKNOWN, ROOM * float(np.quantile(unknown, 0.99)))
    return arrays, {"unknown": min(1.0, share), "locus": 1.0, "mismatch": None}, top


def _commonest(dataset: Dataset, samples: NDArray[np.intp]) -> NDArray[np.int8]:
    """Commonest symbol of each position, −1 where none is known."""
    counts = np.zeros((5, dataset.features), dtype=np.int64)
    for rows in _blocks(samples, dataset.features):
        codes = np.asarray(dataset.codes[rows])
        for symbol in range(5):
            counts[symbol] += (codes == symbol).sum(axis=0)
    return np.where(counts.any(axis=0), counts.argmax(axis=0), -1).astype(np.int8)


def _sequence_limits(
    dataset: Dataset, samples: NDArray[np.intp], reference: NDArray[np.int8]
) -> dict[str, float | None]:
    stretches = [(locus.start, locus.stop) for locus in dataset.loci] or [(0, dataset.features)]
    whole, worst, differ = [], [], []
    for rows in _blocks(samples, dataset.features):
        codes = np.asarray(dataset.codes[rows])
        missing = codes < 0
        whole.append(missing.mean(axis=1))
        parts = [missing[:, start:stop].mean(axis=1) for start, stop in stretches]
        worst.append(np.max(parts, axis=0))
        known = ~missing & (reference >= 0)
        differ.append((known & (codes != reference)).sum(axis=1) / np.maximum(known.sum(axis=1), 1))

    def limit(shares: list[Array], least: float) -> float:
        return max(least, ROOM * float(np.quantile(np.concatenate(shares), 0.99)))

    mismatch = limit(differ, LEAST_MISMATCH)
    return {
        "unknown": min(1.0, limit(whole, LEAST_UNKNOWN)),
        "locus": min(1.0, limit(worst, LEAST_LOCUS)),
        "mismatch": mismatch if mismatch < NO_SPECIES else None,
    }


def _dosages(
    dataset: Dataset, samples: NDArray[np.intp], columns: NDArray[np.int32]
) -> tuple[NDArray[np.float32], NDArray[np.float64], int]:
    """Mean dosage of each column, share of each sample not called, and the largest dosage."""
    total, called = np.zeros(len(columns)), np.zeros(len(columns))
    unknown, top = [], 1
    for rows in _blocks(samples, dataset.features):
        codes = np.asarray(dataset.codes[rows])[:, columns]
        known = codes >= 0
        total += np.where(known, codes, 0).sum(axis=0)
        called += known.sum(axis=0)
        unknown.append(1 - known.mean(axis=1))
        top = max(top, int(codes.max()))
    mean = (total / np.maximum(called, 1)).astype(np.float32)
    return mean, np.concatenate(unknown), top


def _blocks(samples: NDArray[np.intp], width: int) -> list[NDArray[np.intp]]:
    step = max(1, BLOCK_BYTES // max(width, 1))
    return [samples[start : start + step] for start in range(0, len(samples), step)]


def _genome(dataset: Dataset) -> NDArray[np.int64]:
    places = np.full(dataset.features, -1, dtype=np.int64)
    for locus in dataset.loci:
        if locus.genome:
            places[locus.start : locus.stop] = locus.genome
    return places


def _alleles(finished: Finished, names: list[str]) -> tuple[Array, Array]:
    """Counted and other allele of each variant, from the study's own file; "" where unknown."""
    data, root = finished.plan.config.data, finished.plan.project.root
    nothing = np.full(len(names), "", dtype=np.str_)
    if not isinstance(data, VariantData):
        return nothing, nothing
    rooted = data.model_copy(update={"variants": root / data.variants})
    if rooted.variants.suffix in (".bim", ".fam"):
        rooted = rooted.model_copy(update={"variants": rooted.variants.with_suffix(".bed")})
    if rooted.labels is not None:
        rooted = rooted.model_copy(update={"labels": root / rooted.labels})
    try:
        kind = rooted.format or recognise(rooted.variants)
        rooted = rooted.model_copy(update={"format": kind})
        asked = Asked(finished.plan.config.targets, finished.plan.config.task, data.groups)
        found = open_genotypes(rooted, asked)
    except GenoHpoError:  # the file has gone since: the bundle tells no alleles
        return nothing, nothing
    told = dict(zip(found.names, found.alleles, strict=False))
    pairs = [told.get(name, ("", "")) for name in names]
    counted, other = zip(*pairs, strict=True)
    return np.array(counted, dtype=np.str_), np.array(other, dtype=np.str_)


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
