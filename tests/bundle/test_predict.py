"""Calls, doubts and foreign samples, with an ensemble whose answers are given."""

from __future__ import annotations

import csv
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from geno_hpo import encoding
from geno_hpo.bundle import Batch, Bundle, Predicted, Samples, predict, write_predictions
from geno_hpo.errors import BundleError
from tests.bundle.toys import REFERENCE, write_snps, write_toy


class Given:
    """Answers by sample, two restarts that differ by 0.2."""

    batch = 2

    def __init__(self, *answers: list[float]) -> None:
        self.answers = iter(answers)

    def __call__(self, codes: np.ndarray) -> np.ndarray:
        rows = np.array([next(self.answers) for _ in codes])
        return np.stack([rows - 0.1, rows + 0.1]).astype(np.float32)


def samples_of(*texts: str) -> Samples:
    codes = np.stack([encoding.encode(text, ambiguous=True) for text in texts])

    def batches(size: int) -> Iterator[Batch]:
        for start in range(0, len(texts), size):
            ids = tuple(f"s{i}" for i in range(start, min(start + size, len(texts))))
            yield Batch(ids, codes[start : start + size])

    return Samples(len(texts), batches)


def answered(bundle: Bundle, samples: Samples, given: Any, **options: Any) -> list[Predicted]:
    return list(predict(bundle, samples, ensemble=given, **options))


def test_calls_come_from_the_threshold_and_doubt_from_what_is_unknown(tmp_path: Path) -> None:
    bundle = write_toy(tmp_path / "bundle")
    texts = [
        REFERENCE,
        REFERENCE[:10] + "NNNNN" + REFERENCE[15:],
        "NNNNNN" + REFERENCE[6:],
        "NNNN" + REFERENCE[4:],
    ]
    given = Given([0.5, 0.49], [0.9, 0.1], [0.9, 0.1], [0.9, 0.1])
    path = tmp_path / "out.csv"
    found = answered(bundle, samples_of(*texts), given)
    assert write_predictions(bundle.manifest, found, path) == 4
    with path.open(newline="") as stream:
        rows = list(csv.DictReader(stream))
    assert list(rows[0]) == ["sample", "drug", "probability", "spread", "call"]
    assert [row["call"] for row in rows] == [
        *("1", "0"),
        *["cannot tell"] * 2,  # 5 of 8 positions of rpoB, the limit is half
        *["cannot tell"] * 2,  # 6 of 18 positions in all, the limit is 30 %
        *("1", "0"),
    ]
    assert float(rows[0]["probability"]) == pytest.approx(0.5)
    assert float(rows[0]["spread"]) == pytest.approx(0.2 / np.sqrt(2))


def test_another_species_is_refused_or_left_out(tmp_path: Path) -> None:
    bundle = write_toy(tmp_path / "bundle")
    foreign = REFERENCE[:9] + "GGGGTTTTA"
    texts = [REFERENCE, foreign, REFERENCE.replace("TTTT", "TTTA")]
    with pytest.raises(BundleError, match=r"'s1' .* reference at 44\.4% .* the 20\.0% allowed"):
        answered(bundle, samples_of(*texts), Given([0.1, 0.1], [0.2, 0.2]))
    told: list[str] = []
    many: list[int] = []
    found = answered(
        bundle,
        samples_of(*texts),
        Given([0.1, 0.1], [0.2, 0.2]),
        leave_out=True,
        left_out=told.append,
        seen=many.append,
    )
    assert [each.ids for each in found] == [("s0",), ("s2",)]
    assert len(told) == 1
    assert sum(many) == 3
    lax = write_toy(tmp_path / "lax", limits={"unknown": 0.3, "locus": 0.5})
    assert len(answered(lax, samples_of(foreign), Given([0.1, 0.1]))) == 1


def test_several_classes_and_traits_have_tables_of_their_own(tmp_path: Path) -> None:
    classes = write_toy(
        tmp_path / "classes",
        task="multiclass",
        targets=["class"],
        classes=["east", "west", "north"],
        thresholds=[],
    )
    found = answered(classes, samples_of(REFERENCE), Given([0.2, 0.7, 0.1]))
    write_predictions(classes.manifest, found, tmp_path / "classes.csv")
    head, row = (tmp_path / "classes.csv").read_text().splitlines()
    assert head == "sample,call,probability,spread,p.east,p.west,p.north"
    assert row.startswith("s0,west,0.7")
    trait = write_snps(tmp_path / "trait", [("G", "A")])
    codes = np.array([[1], [-1]], dtype=np.int8)
    samples = Samples(2, lambda _: iter([Batch(("a", "b"), codes)]))
    found = answered(trait, samples, Given([55.0], [60.0]))
    write_predictions(trait.manifest, found, tmp_path / "trait.csv")
    lines = (tmp_path / "trait.csv").read_text().splitlines()
    assert lines[0] == "sample,target,value,spread,call"
    assert lines[1].startswith("a,yield,55,")
    assert [line.rsplit(",", 1)[1] for line in lines[1:]] == ["", "cannot tell"]
