"""A bundle as SavedModel and ONNX: read without geno-hpo, they answer as the bundle does."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from geno_hpo.bundle import Bundle, InputOptions, open_bundle, open_samples, predict
from geno_hpo.bundle.network import Ensemble
from geno_hpo.bundle.portable import Format, write_portable
from geno_hpo.errors import BundleError
from tests.bundle.studies import dosages, isolates, letters_table, one_hot_rows
from tests.bundle.toys import write_snps


def answers(path: Path, inputs: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Mean and spread as another program would get them."""
    if path.suffix == ".onnx":
        runtime = pytest.importorskip("onnxruntime")
        session = runtime.InferenceSession(path)
        assert [each.name for each in session.get_inputs()] == ["inputs"]
        mean, spread = session.run(["mean", "spread"], {"inputs": inputs})
        return mean, spread
    import tensorflow as tf

    model = tf.saved_model.load(path)  # its variables live as long as it does
    found = model.serve(inputs)
    return found["mean"].numpy(), found["spread"].numpy()


def asked(bundle: Bundle, path: Path) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Codes of a file's samples, and the bundle's own mean and spread."""
    samples = open_samples(bundle, (path,), InputOptions())
    codes = np.concatenate([batch.codes for batch in samples.batches(7)])
    found = list(predict(bundle, samples))
    mean = np.concatenate([each.mean for each in found])
    return codes, mean, np.concatenate([each.spread for each in found])


def inputs_of(bundle: Bundle, codes: np.ndarray) -> np.ndarray:
    if bundle.manifest.kind == "sequence":
        return Ensemble(bundle).inputs(codes)
    return np.where(codes < 0, np.nan, codes).astype(np.float32)


@pytest.mark.parametrize(
    ("study", "form"), [("drugs", "savedmodel"), ("drugs", "onnx"), ("trait", "onnx")]
)
def test_answers_equal_the_bundles(
    bundles: dict[str, Path], tmp_path: Path, study: str, form: Format
) -> None:
    if form == "onnx":
        pytest.importorskip("tf2onnx")
    bundle = open_bundle(bundles[study])
    path = tmp_path / "input.csv"
    path.write_text(
        one_hot_rows(isolates(20, seed=9)[0]) if study == "drugs" else letters_table(dosages(20))
    )
    codes, mean, spread = asked(bundle, path)
    assert (codes < 0).any(), "something is unknown"
    written = write_portable(bundle, form, tmp_path / "model")
    told = json.loads((tmp_path / "model" / "model.json").read_text())
    found = answers(written, inputs_of(bundle, codes))
    scale = max(1.0, float(np.abs(mean).max()))
    np.testing.assert_allclose(found[0], mean, rtol=0, atol=1e-5 * scale)
    np.testing.assert_allclose(found[1], spread, rtol=0, atol=1e-5 * scale)
    assert told["targets"] == list(bundle.manifest.targets)
    if study == "trait":
        assert told["inputs"]["variants"] == bundle.encoding["names"].tolist()
        assert told["inputs"]["counted"] == ["G"] * 6
    else:
        assert told["inputs"]["symbols"] == list("ACGT")
        assert [each["name"] for each in told["inputs"]["loci"]] == ["katG", "rpoB"]


def test_what_cannot_be_written_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    bundle = write_snps(tmp_path / "bundle", [("G", "A"), ("T", "C")])
    neighbours: dict[str, Any] = {"donors": np.zeros((3, 2), np.int8)}
    told = Bundle(bundle.folder, bundle.manifest, bundle.encoding, bundle.preprocess | neighbours)
    with pytest.raises(BundleError, match="imputes by neighbours cannot become savedmodel"):
        write_portable(told, "savedmodel", tmp_path / "out")
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "notes.txt").write_text("mine")
    with pytest.raises(BundleError, match=r"holds other files and no model\.json"):
        write_portable(bundle, "savedmodel", tmp_path / "mine")
    monkeypatch.setitem(__import__("sys").modules, "tf2onnx", None)
    with pytest.raises(BundleError, match=r"pip install 'geno-hpo\[onnx\]'"):
        write_portable(bundle, "onnx", tmp_path / "out")
