"""Numbers that docs/data.md tells of the tests are those of the tests."""

from __future__ import annotations

import math
import re
from types import ModuleType

import pytest

from benchmarks.machine import ROOT
from tests.data import (
    genotype_files,
    test_bad_inputs,
    test_bad_sequences,
    test_bad_variants,
    test_sequence_formats,
)
from tests.pileup import test_encode
from tests.study import test_bad_input

PAGE = (ROOT / "docs" / "data.md").read_text(encoding="utf-8")


def cases(module: ModuleType, *names: str) -> int:
    """Tests that a module's functions become, each parametrised one as often as it has cases."""
    functions = [
        getattr(module, name)
        for name in names or [name for name in vars(module) if name.startswith("test_")]
    ]
    return sum(
        math.prod(
            len(list(mark.args[1]))
            for mark in getattr(function, "pytestmark", [])
            if mark.name == "parametrize"
        )
        for function in functions
    )


@pytest.mark.parametrize(
    ("what", "count"),
    [
        ("Sequences, tables, labels", cases(test_bad_inputs)),
        ("Formats of sequences, archives, data blocks", cases(test_bad_sequences)),
        ("Genotypes of every format", cases(test_bad_variants)),
        ("Data and study file together", cases(test_bad_input)),
        ("BAM, CRAM, regions, reference", cases(test_encode, "test_what_cannot_be_encoded")),
    ],
)
def test_cases_of_bad_input_are_counted_right(what: str, count: int) -> None:
    assert re.search(rf"^\| {what} \| {count} \|", PAGE, re.MULTILINE), f"{what}: {count}"


def test_the_contracts_ways_of_writing_are_counted_right() -> None:
    table = PAGE.partition("**One contract.**")[2].partition("\n\n**")[0]
    ways = [int(number) for number in re.findall(r"^\| `.* \| (\d+) \|", table, re.MULTILINE)]
    written = len(genotype_files.FORMATS) + len(test_sequence_formats.FORMATS)
    assert sum(ways) == written
    assert f"written in {written} ways" in table
