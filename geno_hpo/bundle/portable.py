"""A bundle as a model that needs no geno-hpo: TensorFlow SavedModel, or ONNX.

The restarts become one model, what was fitted goes into its graph. Input ``inputs`` is float32:
``(batch, positions, symbols)`` one-hot, all zeros where a base is unknown, or ``(batch, variants)``
dosages of the counted allele, NaN where not called. Outputs ``mean`` and ``spread`` are
``(batch, units)``: what `geno_hpo.bundle.predict` gives, to rounding. ``model.json`` beside it says
what stands where. Nothing is checked any more: species, alleles, order, and what is unknown.
"""

from __future__ import annotations

import json
import shutil
import warnings
from pathlib import Path
from typing import Any, Literal

import numpy as np

from geno_hpo.bundle.folder import Bundle
from geno_hpo.bundle.network import Ensemble
from geno_hpo.errors import BundleError

__all__ = ["Format", "write_portable"]

Format = Literal["savedmodel", "onnx"]

ABOUT = "model.json"
INPUT = "inputs"
NAMES: dict[Format, str] = {"savedmodel": "saved_model", "onnx": "model.onnx"}
SYMBOLS = ("A", "C", "G", "T", "-")


def write_portable(bundle: Bundle, form: Format, folder: Path) -> Path:
    """Write the model and ``model.json`` into `folder`; return the model's path.

    Raises
    ------
    BundleError
        The bundle imputes by neighbours, which no graph holds; ONNX is asked for and its packages
        are missing, or cannot express a layer; the folder holds something else.
    """
    if "donors" in bundle.preprocess:
        raise BundleError(
            f"a bundle that imputes by neighbours cannot become {form}: its graph would look up "
            "training samples; run the study with impute: mean or mode"
        )
    if form == "onnx":
        _check_onnx()
    if folder.exists() and (not folder.is_dir() or _foreign(folder)):
        raise BundleError(f"{folder} holds other files and no {ABOUT}: name a new folder")
    draft = folder.with_name(f".{folder.name}.part")
    shutil.rmtree(draft, ignore_errors=True)
    try:
        draft.mkdir(parents=True)
        _save(together(bundle), draft / NAMES[form], form)
        text = json.dumps(_about(bundle, form), indent=2, ensure_ascii=False)
        (draft / ABOUT).write_text(text + "\n", encoding="utf-8")
        if folder.exists():
            shutil.rmtree(folder)
        draft.replace(folder)
    except OSError as error:
        raise BundleError(f"{folder} cannot be written: {error}") from error
    finally:
        shutil.rmtree(draft, ignore_errors=True)
    return folder / NAMES[form]


def together(bundle: Bundle) -> Any:
    """Make one Keras model of the restarts and of what was fitted.

    Raises
    ------
    BundleError
        A model that cannot be loaded.
    """
    import keras
    from keras import ops

    ensemble = Ensemble(bundle)
    arrays, variants = bundle.preprocess, bundle.manifest.kind == "variants"
    shape = (bundle.manifest.width,) if variants else ensemble.input_shape
    inputs = keras.Input(shape, name=INPUT)
    tensor = inputs
    if variants:
        called = ops.where(ops.isnan(inputs), arrays["fill"], inputs)
        tensor = (called - arrays["mean"]) / arrays["scale"]
    answers = []
    for number, model in enumerate(ensemble.models, start=1):
        model.name = f"restart_{number}"  # layers of one model have names of their own
        for layer in model.layers:
            if isinstance(layer, keras.layers.Normalization):
                # As arrays they are constants of the graph; tensors would be inputs in ONNX.
                layer.mean, layer.variance = np.array(layer.mean), np.array(layer.variance)
        answers.append(model(tensor))
    stacked, many = ops.stack(answers), len(answers)
    mean = ops.mean(stacked, axis=0)
    # The standard deviation of a sample; a single restart has none, and 0 stands for it.
    spread = ops.std(stacked, axis=0) * (many / max(many - 1, 1)) ** 0.5
    if bundle.manifest.task == "regression":
        mean = mean * arrays["target_scale"] + arrays["target_mean"]
        spread = spread * arrays["target_scale"]
    model = keras.Model(inputs, {"mean": mean, "spread": spread}, name="bundle")
    model(ops.zeros((1, *shape)))  # Keras exports only what was called once
    return model


def _check_onnx() -> None:
    try:
        import onnx  # noqa: F401
        import tf2onnx  # noqa: F401
    except ImportError as error:
        raise BundleError(
            f"ONNX needs packages that are not installed ({error.name}): "
            "pip install 'geno-hpo[onnx]'"
        ) from error


def _foreign(folder: Path) -> bool:
    return any(folder.iterdir()) and not (folder / ABOUT).is_file()


def _save(model: Any, path: Path, form: Format) -> None:
    with warnings.catch_warnings():
        # tf2onnx asks NumPy for a name that goes away.
        warnings.filterwarnings("ignore", "In the future `np.object`", FutureWarning)
        try:
            model.export(path, format="onnx" if form == "onnx" else "tf_saved_model", verbose=False)
        except OSError:
            raise
        except Exception as error:  # each converter has exceptions of its own
            lines = str(error).splitlines() or [type(error).__name__]
            raise BundleError(f"the model cannot be written as {form}: {lines[0]}") from error
    if form == "onnx":
        _name_input(path)


def _name_input(path: Path) -> None:
    """Call the input of an ONNX file `INPUT`, whatever the converter called it."""
    import onnx

    model = onnx.load(path)
    given, *others = model.graph.input
    if others:
        raise BundleError(
            f"the model cannot be written as onnx: it would have {1 + len(others)} inputs, for a "
            "layer holds tensors that are no weights"
        )
    if given.name != INPUT:
        model.graph.node.insert(0, onnx.helper.make_node("Identity", [INPUT], [given.name]))
        given.name = INPUT
        onnx.save(model, path)


def _about(bundle: Bundle, form: Format) -> dict[str, Any]:
    """What ``model.json`` says."""
    manifest = bundle.manifest
    if manifest.kind == "sequence":
        axes = f"(batch, {manifest.width} positions, {manifest.symbols} symbols)"
        inputs: dict[str, Any] = {
            "shape": axes,
            "symbols": SYMBOLS[: manifest.symbols],
            "unknown": "all zeros",
            "loci": [locus.model_dump() for locus in manifest.loci],
        }
    else:
        names, counted, other = (bundle.encoding[x].tolist() for x in ("names", "counted", "other"))
        inputs = {
            "shape": f"(batch, {manifest.width} variants)",
            "values": "copies of the counted allele: 0, 1, 2",
            "unknown": "NaN",
            "variants": names,
            "counted": counted,
            "other": other,
        }
    return {
        "study": manifest.name,
        "format": form,
        "task": manifest.task,
        "inputs": {"name": INPUT, "type": "float32", **inputs},
        "outputs": {
            "mean": "mean over the restarts: probabilities, or a trait's value",
            "spread": "standard deviation over the restarts",
        },
        "targets": manifest.targets,
        "classes": manifest.classes,
        "thresholds": [each.model_dump() for each in manifest.thresholds],
        "restarts": len(manifest.models),
        "not_checked": "species, alleles, order of positions and variants, share that is unknown",
        "provenance": manifest.provenance,
        "versions": manifest.versions,
    }
