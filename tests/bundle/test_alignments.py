"""Aligned reads without labels: the consensus at the places that the bundle keeps."""

from __future__ import annotations

import os
from pathlib import Path

import numpy as np
import pytest
from typer.testing import CliRunner

from geno_hpo import encoding
from geno_hpo.bundle import Contents, InputOptions, open_samples, write_bundle
from geno_hpo.cli.app import app
from geno_hpo.errors import BundleError
from geno_hpo.pileup import Reference
from geno_hpo.training.setup import configure
from tests.bundle.test_sequences import GENOME
from tests.bundle.toys import facts, write_toy
from tests.pileup.cases import plain, write_bam

MIRROR = Path(os.environ.get("GENO_HPO_DATA_MIRROR", ""))
needs_mirror = pytest.mark.skipif(
    not os.environ.get("GENO_HPO_DATA_MIRROR"), reason="GENO_HPO_DATA_MIRROR names no folder"
)
CONTIG = (("chr1", 300),)


def test_reads_are_called_at_the_bundles_places(tmp_path: Path) -> None:
    loci = [
        {"name": "katG", "start": 0, "stop": 10},
        {"name": "rpoB", "start": 10, "stop": 18, "strand": "-"},
    ]
    bundle = write_toy(tmp_path / "bundle", genome=GENOME, symbols=5, loci=loci)
    reads = plain(100, "ACGTACGTA", 6) + plain(200, "AAAACCCC", 6)
    paths = (
        write_bam(tmp_path / "a.bam", reads, CONTIG),
        write_bam(tmp_path / "b.bam", plain(102, "GTAC", 6), CONTIG),
    )
    samples = open_samples(bundle, paths, InputOptions())
    found = [
        (sample, encoding.decode(row))
        for batch in samples.batches(1)
        for sample, row in zip(batch.ids, batch.codes, strict=True)
    ]
    katg = "ACG-TACGTA"
    assert found[0] == ("a", katg + "GGGGTTTT"), "the locus's strand is the bundle's"
    assert found[1] == ("b", "NNG-TACNNN" + "N" * 8)
    assert "at least 5 reads" in samples.notes[0]


def test_listed_regions_stand_for_unknown_places(tmp_path: Path) -> None:
    bundle = write_toy(tmp_path / "bundle")
    path = write_bam(tmp_path / "a.bam", plain(100, "ACGTACGTAC", 6), CONTIG)
    listed = tmp_path / "gene.csv"
    listed.write_text("locus,start0,end\nrpoB,200,208\nkatG,100,110\n")
    samples = open_samples(bundle, (path,), InputOptions(regions=listed))
    (batch,) = samples.batches(4)
    assert encoding.decode(batch.codes[0]) == "ACGTACGTAC" + "N" * 8
    listed.write_text("locus,start0,end\nkatG,100,110\n")
    with pytest.raises(BundleError, match="1 are missing, the first is 'rpoB'"):
        open_samples(bundle, (path,), InputOptions(regions=listed))
    listed.write_text("locus,start0,end\nrpoB,200,209\nkatG,100,110\n")
    with pytest.raises(BundleError, match="locus 'rpoB' must have 8 positions"):
        open_samples(bundle, (path,), InputOptions(regions=listed))


DRUGS = (
    *("inh", "rif", "emb", "pza", "str", "levo", "moxi", "oflx", "cip"),
    *("amk", "kan", "cap", "eth"),
)


@needs_mirror
def test_the_exercise_with_thirteen_drugs(tmp_path: Path) -> None:
    """Real reads → one-hot table → 13 rows, by models that were never trained."""
    import keras

    configure(1)
    listed = MIRROR / "tb_loci" / "target_loci.csv"
    reads = MIRROR / "tb_reads" / "tbprofiler_test.bam"
    rows = [line.split(",") for line in listed.read_text().splitlines()[1:]]
    stops = np.cumsum([int(stop) - int(start) for _, start, stop in rows]).tolist()
    genome = Reference(MIRROR / "tb_reference" / "H37Rv.fa")
    text = "".join(genome.letters("", int(start), int(stop)) for _, start, stop in rows)
    keras.utils.set_random_seed(1)
    layers = [keras.Input((len(text), 4)), keras.layers.GlobalAveragePooling1D()]
    model = keras.Sequential([*layers, keras.layers.Dense(13, activation="sigmoid")])
    model.save(tmp_path / "model.keras")
    told = facts(
        targets=list(DRUGS),
        thresholds=[{"target": name, "value": 0.5, "source": "one half"} for name in DRUGS],
        width=len(text),
        loci=[
            {"name": name, "start": start, "stop": stop}
            for (name, *_), start, stop in zip(rows, [0, *stops[:-1]], stops, strict=True)
        ],
        limits={"unknown": 0.9, "locus": 1.0, "mismatch": 0.05},
    )
    encoded = {
        "reference": encoding.encode(text),
        "genome": np.concatenate([range(int(start), int(stop)) for _, start, stop in rows]),
    }
    files = {"models/restart-1.keras": tmp_path / "model.keras"}
    write_bundle(Contents(told, files, encoded, {}), tmp_path / "bundle")
    (tmp_path / "gene.csv").write_text(listed.read_text())
    runner = CliRunner()
    made = runner.invoke(
        app,
        [
            *("encode", str(reads), "--regions", str(tmp_path / "gene.csv")),
            *("--coordinates", "0", "-o", str(tmp_path / "one_hot.csv")),
        ],
    )
    assert made.exit_code == 0, made.output
    answers = []
    for path in (tmp_path / "one_hot.csv", reads):
        output = tmp_path / f"{path.suffix[1:]}_drug_predictions.csv"
        told_words = runner.invoke(
            app, ["predict", str(tmp_path / "bundle"), "-i", str(path), "-v", "-o", str(output)]
        )
        assert told_words.exit_code == 0, told_words.output
        assert "1 = resistant" in told_words.output
        lines = output.read_text().splitlines()
        assert lines[0] == "sample,drug,probability,spread,call"
        assert [line.split(",")[1] for line in lines[1:]] == list(DRUGS)
        assert {line.split(",")[4] for line in lines[1:]} <= {"0", "1"}
        answers.append([line.split(",", 1)[1] for line in lines[1:]])
    assert answers[0] == answers[1], "a table that was encoded, and the reads themselves"
