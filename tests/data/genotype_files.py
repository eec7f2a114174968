"""One toy of genotypes, written in every format by means that the readers do not use."""

from __future__ import annotations

import gzip
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import h5py
import numpy as np
import pandas as pd
import pysam
import rdata

IDS = ("s1", "s2", "s3", "s4", "s5")
NAMES = ("rs1", "rs2", "rs3", "rs4")
CODES = np.array(
    [[0, 1, 2, 0], [1, -1, 0, 0], [2, 1, -1, 0], [0, 0, 1, 0], [1, 2, 2, 1]], dtype=np.int8
)
"""(5 samples, 4 variants): A is the reference, G the counted allele."""
CHROMOSOMES = ("1", "1", "2", "2")
POSITIONS = (100, 200, 50, 60)
LABELS = "id,sick,height\ns5,1,1.5\ns1,0,0.5\ns2,1,2.5\ns9,1,1\ns3,0,\ns4,0,1\n"

Write = Callable[[Path], dict[str, Any]]
"""Writes into a folder; gives the data block without its labels."""


def table(
    cells: Sequence[str], *, header: bool = True, ids: bool = True, between: str = ","
) -> str:
    """A text table; `cells` are those for 0, 1, 2 and not called."""
    rows = [["id", *NAMES][0 if ids else 1 :]] if header else []
    for sample, codes in zip(IDS, CODES, strict=True):
        rows.append(([sample] if ids else []) + [cells[code] for code in codes])
    return "".join(between.join(row) + "\n" for row in rows)


def vcf_text(calls: Sequence[str] = ("0/0", "0/1", "1/1", "./.")) -> str:
    lines = ["##fileformat=VCFv4.2"]
    lines += [f"##contig=<ID={name},length=1000>" for name in ("1", "2")]
    lines.append('##FORMAT=<ID=GT,Number=1,Type=String,Description="Genotype">')
    lines.append(
        "\t".join(["#CHROM POS ID REF ALT QUAL FILTER INFO FORMAT", *IDS]).replace(" ", "\t")
    )
    for column, name in enumerate(NAMES):
        site = [CHROMOSOMES[column], str(POSITIONS[column]), name, "A", "G", ".", ".", ".", "GT"]
        lines.append("\t".join([*site, *(calls[code] for code in CODES[:, column])]))
    return "\n".join(lines) + "\n"


def bed_bytes(codes: np.ndarray) -> bytes:
    """PLINK's packing: two bits a call, four samples a byte, each variant on its own."""
    bits = {2: 0b00, 1: 0b10, 0: 0b11, -1: 0b01}
    content = bytearray(b"\x6c\x1b\x01")
    for column in codes.T:
        for start in range(0, len(column), 4):
            byte = 0
            for place, code in enumerate(column[start : start + 4]):
                byte |= bits[int(code)] << (2 * place)
            content.append(byte)
    return bytes(content)


def write_plink(folder: Path) -> dict[str, Any]:
    (folder / "x.bed").write_bytes(bed_bytes(CODES))
    sites = zip(CHROMOSOMES, NAMES, POSITIONS, strict=True)
    (folder / "x.bim").write_text("".join(f"{c}\t{n}\t0\t{p}\tG\tA\n" for c, n, p in sites))
    people = [f"F{i % 2} {s} 0 0 {i % 3} {i % 2 + 1}\n" for i, s in enumerate(IDS)]
    (folder / "x.fam").write_text("".join(people))
    return {"variants": "x.bed"}


def write_h5(folder: Path) -> dict[str, Any]:
    with h5py.File(folder / "x.h5", "w") as file:
        file.create_dataset("genotypes", data=CODES, chunks=(2, 2), compression="gzip")
        file["samples"] = [name.encode() for name in IDS]
        file["variants"] = [name.encode() for name in NAMES]
        file["chromosomes"] = [name.encode() for name in CHROMOSOMES]
    return {"variants": "x.h5"}


def write_turned_h5(folder: Path) -> dict[str, Any]:
    with h5py.File(folder / "x.hdf5", "w") as file:
        file["calls/dosage"] = np.where(CODES < 0, np.nan, CODES).T
        file["who"] = list(IDS)
        file["what"] = list(NAMES)
    arrays = {"genotypes": "/calls/dosage", "samples": "who", "variants": "what"}
    return {"variants": "x.hdf5", "arrays": arrays}


def write_rdata(folder: Path) -> dict[str, Any]:
    values = np.where(CODES < 0, np.nan, CODES)
    matrix = pd.DataFrame(values, columns=list(NAMES))
    objects = {"toy.X": matrix, "toy.sets": np.array([1, 2, 1, 2, 1]), "who": np.array(IDS)}
    rdata.write_rda(folder / "x.RData", objects)
    return {"variants": "x.RData", "arrays": {"samples": "who"}}


def _text(name: str, content: str, **options: Any) -> Write:
    def write(folder: Path) -> dict[str, Any]:
        path = folder / name
        coded = content.encode()
        path.write_bytes(gzip.compress(coded) if name.endswith(".gz") else coded)
        return {"variants": name, **options}

    return write


def _packed(name: str, mode: str) -> Write:
    def write(folder: Path) -> dict[str, Any]:
        (folder / "plain.vcf").write_text(vcf_text())
        with (
            pysam.VariantFile(str(folder / "plain.vcf")) as source,
            pysam.VariantFile(str(folder / name), mode, header=source.header) as sink,
        ):
            for record in source:
                sink.write(record)
        return {"variants": name}

    return write


def _npz(order: str, turned: bool) -> Write:
    def write(folder: Path) -> dict[str, Any]:
        matrix = np.array(CODES.T if turned else CODES, order=order)  # type: ignore[call-overload]
        np.savez_compressed(folder / "x.npz", genotypes=matrix, samples=IDS, variants=NAMES)
        return {"variants": "x.npz"}

    return write


def _parquet(cells: Sequence[Any]) -> Write:
    def write(folder: Path) -> dict[str, Any]:
        frame = pd.DataFrame([[cells[code] for code in row] for row in CODES], columns=list(NAMES))
        frame.insert(0, "id", IDS)
        frame.to_parquet(folder / "x.parquet")
        return {"variants": "x.parquet"}

    return write


LETTERS = ("AA", "AG", "GG", "--")
FORMATS: dict[str, Write] = {
    "csv": _text("x.csv", table(("0", "1", "2", "-1"))),
    "tsv, NA, gz": _text("x.tsv.gz", table(("0", "1.0", " 2", "NA"), between="\t")),
    "semicolons, byte order mark, CRLF": _text(
        "x.csv", "\ufeff" + table(("0", "1", "2", ""), between=";").replace("\n", "\r\n")
    ),
    "letters": _text("x.csv", table(LETTERS)),
    "letters with a stroke": _text("x.csv", table(("A/A", "G/A", "G/G", "-/-"))),
    "own missing code": _text("x.csv", table(("0", "1", "2", "9")), missing=["9"]),
    "between spaces": _text("x.txt", table(("0", "1", "2", "NA"), between="  "), format="plain"),
    "parquet": _parquet((0, 1, 2, -1)),
    "parquet, real": _parquet((0.0, 1.0, 2.0, np.nan)),
    "parquet, letters": _parquet(("AA", "GA", "GG", None)),
    "plink": write_plink,
    "vcf": _text("x.vcf", vcf_text()),
    "vcf, phased": _text("x.vcf", vcf_text(("0|0", "1|0", "1|1", ".|."))),
    "vcf, half calls": _text("x.vcf", vcf_text(("0/0", "0/1", "1/1", "./1"))),
    "vcf.gz by gzip": _text("x.vcf.gz", vcf_text()),
    "vcf.gz by bgzip": _packed("x.vcf.gz", "wz"),
    "bcf": _packed("x.bcf", "wb"),
    "hdf5": write_h5,
    "hdf5, turned, other names": write_turned_h5,
    "npz": _npz("C", turned=False),
    "npz, Fortran": _npz("F", turned=False),
    "npz, turned": _npz("C", turned=True),
    "npz, turned, Fortran": _npz("F", turned=True),
    "rdata": write_rdata,
}
"""Every format of genotypes."""
