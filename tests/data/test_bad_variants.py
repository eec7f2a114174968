"""Every bad genotype file a newcomer may bring, in each format, with what is answered."""

from __future__ import annotations

import gzip
import os
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any

import h5py
import numpy as np
import pysam
import pytest

from geno_hpo.config import VariantData
from geno_hpo.data.genotypes import Asked
from geno_hpo.data.variant_files import read_variants
from geno_hpo.errors import InputError
from tests.data.genotype_files import (
    CODES,
    FORMATS,
    IDS,
    LABELS,
    NAMES,
    bed_bytes,
    table,
    vcf_text,
    write_h5,
    write_plink,
)

TABLE = table(("0", "1", "2", "NA"))
VCF = vcf_text()
Make = Callable[[Path], dict[str, Any]]


def text(content: str | bytes, name: str = "x.csv", **options: Any) -> Make:
    """Write one file."""

    def make(folder: Path) -> dict[str, Any]:
        coded = content.encode() if isinstance(content, str) else content
        (folder / name).write_bytes(coded)
        return {"variants": name, **options}

    return make


def with_labels(labels: str | None, make: Make, **options: Any) -> Make:
    """Write other labels beside a good file."""

    def write(folder: Path) -> dict[str, Any]:
        block = {**make(folder), **options}
        if labels is None:
            return {**block, "labels": None}
        (folder / "z.csv").write_text(labels)
        return {**block, "labels": "z.csv"}

    return write


def plink(**changes: Callable[[bytes], bytes]) -> Make:
    """Write the toy as PLINK files and change some."""

    def make(folder: Path) -> dict[str, Any]:
        block = write_plink(folder)
        for suffix, change in changes.items():
            path = folder / f"x.{suffix}"
            path.write_bytes(change(path.read_bytes()))
        return block

    return make


def h5(**arrays: Any) -> Make:
    """Write the toy as HDF5 with other datasets; None leaves one out."""

    def make(folder: Path) -> dict[str, Any]:
        block = write_h5(folder)
        with h5py.File(folder / "x.h5", "r+") as file:
            for name, values in arrays.items():
                del file[name]
                if values is not None:
                    file[name] = values
        return block

    return make


def npz(**arrays: Any) -> Make:
    """Write the toy as npz with other arrays."""

    def make(folder: Path) -> dict[str, Any]:
        kept: dict[str, Any] = {"genotypes": CODES, "samples": IDS, "variants": NAMES, **arrays}
        np.savez(folder / "x.npz", **{k: v for k, v in kept.items() if v is not None})
        return {"variants": "x.npz"}

    return make


def damaged(write: str, change: Callable[[bytes], bytes]) -> Make:
    """Write a good file and change its bytes."""

    def make(folder: Path) -> dict[str, Any]:
        block = FORMATS[write](folder)
        path = folder / block["variants"]
        path.write_bytes(change(path.read_bytes()))
        return block

    return make


def indexed(regions: list[str], *, age: float | None = 0.0) -> Make:
    """Write a bgzipped VCF with an index so many seconds older than it, or none."""

    def make(folder: Path) -> dict[str, Any]:
        block = FORMATS["vcf.gz by bgzip"](folder)
        path = folder / block["variants"]
        if age is not None:
            pysam.tabix_index(str(path), preset="vcf", force=True)
            when = path.stat().st_mtime - age
            os.utime(f"{path}.tbi", (when, when))
        return {**block, "regions": regions}

    return make


def variant_list(
    names: str = "SNP_CN_3_G3T_x,INS_CF_4_i4C_x",
    *,
    loci: str = "locus,start,end\nkat,2,6\n",
    fasta: str = ">chr\nACGTACGT\n",
    cell: str = "1",
    **options: Any,
) -> Make:
    """Write a table of named variants, a reference and loci."""

    def make(folder: Path) -> dict[str, Any]:
        rows = "".join(f"{name},0,{cell}\n" for name in IDS)
        (folder / "v.csv").write_text(f"id,{names}\n{rows}")
        (folder / "loci.csv").write_text(loci)
        (folder / "r.fa").write_text(fasta)
        block = {"variants": "v.csv", "format": "variant_list"}
        return {**block, "reference": "r.fa", "loci": "loci.csv", **options}

    return make


def ask(make: Make, **options: Any) -> Make:
    """Write the good file and ask for something else."""
    return lambda folder: {**make(folder), **options}


GOOD = text(TABLE)
CASES: dict[str, tuple[Make, str]] = {
    # text tables
    "ragged row": (text(TABLE + "s6,0,1\n"), r"x.csv:7 has 3 cells, the header has 5 columns"),
    "text in a cell": (text(TABLE.replace("s2,1", "s2,x")), r"'x' in column 'rs1' .*'s2' .*csv:3"),
    "infinite": (text(TABLE.replace("s2,1", "s2,-inf")), r"infinite value .*got '-inf' .*'rs1'"),
    "dosage 3": (text(TABLE.replace("s3,2", "s3,3")), r"got '3' in column 'rs1' of sample 's3'"),
    "sample twice": (text(TABLE + "s1,0,0,0,0\n"), r"sample id 's1' stands twice .*x.csv:7"),
    "variant twice": (text(TABLE.replace("rs2", "rs1")), r"has column 'rs1' twice"),
    "no id": (text(TABLE + ",0,0,0,0\n"), r"a row without an id .*x.csv:7"),
    "empty": (text(""), r"variants file .*x.csv is empty"),
    "only a header": (text("id,rs1\n"), r"has a header and no rows"),
    "mixed line ends, ragged": (
        text(TABLE.replace("\n", "\r\n", 2) + "s6,0,1\r\n"),
        r"x.csv:7 has 3 cells",
    ),
    "no text": (text(b"id,rs1\ns1,\xff\xfe\n"), r"is no readable text table"),
    "gz truncated": (
        text(gzip.compress(TABLE.encode())[:-9], "x.csv.gz"),
        r"x.csv.gz is no readable text table",
    ),
    "gz that is none": (text(b"\x1f\x8bnothing", "x.csv.gz"), r"x.csv.gz is no readable"),
    "three alleles": (
        text(table(("AA", "AG", "GG", "--")).replace("s1,AA", "s1,AT")),
        r"two alleles, got A, G, T in column 'rs1' of .*x.csv",
    ),
    "letters and numbers": (
        text(table(("AA", "AG", "GG", "--")).replace("s1,AA", "s1,0")),
        r"column 'rs1' of .* has letters in some rows and numbers in others",
    ),
    "no letters of DNA": (
        text(table(("AA", "AG", "GG", "--")).replace("s1,AA", "s1,AX")),
        r"two letters, .*got 'AX' in column 'rs1' of sample 's1'",
    ),
    "unknown format": (text("hello", "x.dat"), r"cannot be told .*`format:` table, plain"),
    "another format": (text(TABLE, format="plink"), r"bim file .*x.bim does not exist"),
    # labels
    "labels for nobody": (
        with_labels("id,sick\na,1\nb,0\n", GOOD),
        r"no id of .*x.csv is in .*z.csv: samples are called 's1' …, labels 'a' …",
    ),
    "label twice": (with_labels(LABELS + "s1,0,1\n", GOOD), r"'s1' stands twice .*lines 3 and 8"),
    "labels, byte order mark": (
        with_labels("\ufeffid,ill\ns1,1\n", GOOD),
        r"target column 'sick' is not in .*z.csv; its columns: id, ill",
    ),
    "no labels": (with_labels(None, write_h5), r"holds no labels: name their table in `labels`"),
    "phenotype of another name": (
        with_labels(None, plink()),
        r"without `labels` the one target of .*x.fam is phenotype, got sick",
    ),
    "no such group": (
        ask(with_labels(None, plink()), target=("phenotype",), groups=["clan"]),
        r"x.bed tells no group 'clan' \(its groups: family, sex\)",
    ),
    # choices
    "unknown sample": (
        ask(GOOD, samples=["s1", "s77"]),
        r"1 of 2: no sample of .* is called 's77'; the first is 's1'",
    ),
    "sample listed twice": (ask(GOOD, samples=["s1", "s1"]), r"'s1' is listed twice"),
    "list that is not there": (ask(GOOD, snps=["file:k.txt"]), r"list file .*k.txt does not exist"),
    "unknown variant": (ask(GOOD, snps=["rs9"]), r"no variant of .* is called 'rs9'; did you mean"),
    "chr1 for 1": (ask(plink(), chromosomes=["chr1"]), r"called 'chr1'; did you mean '1'\?"),
    "table without chromosomes": (ask(GOOD, chromosomes=["1"]), r"does not tell .*chromosomes"),
    "nothing left": (
        ask(plink(), chromosomes=["1"], snps=["rs3"]),
        r"no variant of .* is among `snps` and on `chromosomes` 1",
    ),
    "all too rare": (
        ask(GOOD, min_maf=0.5, snps=["rs1", "rs4"]),
        r"no variant of .*x.csv is left: 2 of 2 variants left out \(min_maf 0.5",
    ),
    "nothing called": (
        ask(text("id,rs1\n" + "".join(f"{i},NA\n" for i in IDS)), max_missing=0.5),
        r"is left: 1 of 1 variants left out \(max_missing 0.5",
    ),
    "option of another format": (ask(GOOD, regions=["1"]), r"'regions' is for vcf, not for table"),
    # PLINK
    "bed truncated": (plink(bed=lambda b: b[:-1]), r"x.bed has 10 bytes; .* make 11: it is trunc"),
    "bed too long": (plink(bed=lambda b: b + b"\0"), r"has 12 bytes; 5 samples .* longer than its"),
    "fam shorter": (
        plink(fam=lambda b: b.split(b"\n", 1)[0] + b"\n"),
        r"x.bed has 11 bytes; 1 samples in .fam and 4 variants in .bim make 7",
    ),
    "bim shorter": (
        plink(bim=lambda b: b.split(b"\n", 1)[1]),
        r"5 samples in .fam and 3 variants in .bim make 9: it is longer",
    ),
    "wrong magic": (plink(bed=lambda b: b"BM" + b[2:]), r"no PLINK bed .*begins with 424d01"),
    "sample order": (
        plink(bed=lambda b: b[:2] + b"\0" + b[3:]),
        r"in sample order .*6c1b00.*--make-bed",
    ),
    "bim ragged": (plink(bim=lambda b: b + b"3 rs9 0\n"), r"x.bim:5 has 3 columns, six"),
    "fam empty": (plink(fam=lambda b: b""), r"fam file .*x.fam is empty"),
    "fam id twice": (
        plink(fam=lambda b: b.replace(b"s2", b"s1")),
        r"sample 's1' stands 2 times in .*: samples 1, 2",
    ),
    "bed of another": (
        lambda folder: (
            write_plink(folder),
            (folder / "x.bed").write_bytes(bed_bytes(CODES[:, :2])),
            {"variants": "x.bed"},
        )[2],
        r"x.bed has 7 bytes; .* make 11",
    ),
    # VCF
    "vcf.gz truncated": (
        damaged("vcf.gz by bgzip", lambda b: b[:-30]),
        r"x.vcf.gz is truncated: the end mark of a bgzip file is missing",
    ),
    "vcf.gz by gzip truncated": (
        damaged("vcf.gz by gzip", lambda b: b[:-9]),
        r"x.vcf.gz is truncated or damaged",
    ),
    "bcf truncated": (damaged("bcf", lambda b: b[:-28]), r"x.bcf is truncated"),
    "no index": (indexed(["1"], age=None), r"`regions` need an index .*bcftools index"),
    "stale index": (indexed(["1"], age=3600), r"index x.vcf.gz.tbi is older than .*make it anew"),
    "contig chr1": (indexed(["chr1:1-9"]), r"no contig 'chr1'; did you mean '1'\? \(it has 1, 2"),
    "empty region": (indexed(["1:900-950"]), r"x.vcf.gz has no variant that can be used"),
    "no samples": (
        text("".join("\t".join(x.split("\t")[:8]) + "\n" for x in VCF.splitlines()), "x.vcf"),
        r"has no samples: a VCF with genotypes",
    ),
    "no genotypes": (
        text(VCF.replace("GT", "DP"), "x.vcf"),
        r"record 1 .*1:100\) has no genotypes",
    ),
    "triploid": (
        text(VCF.replace("1/1", "0/1/1"), "x.vcf"),
        r"one or two alleles, got '0/1/1' at 1:100 of sample 's3'",
    ),
    "three alleles refused": (
        text(VCF.replace("A\tG", "A\tG,T"), "x.vcf", multiallelic="refuse"),
        r"site 1:100 .* has the ALT alleles G,T: `multiallelic: split` or `drop`",
    ),
    "all multi-allelic": (
        text(VCF.replace("A\tG", "A\tG,T"), "x.vcf", multiallelic="drop"),
        r"no variant that can be used: 4 sites with several ALT alleles left out",
    ),
    "no VCF": (text("hello", "x.vcf"), r"x.vcf is no readable VCF or BCF"),
    # HDF5 and npz
    "no HDF5": (text("hello", "x.h5"), r"x.h5 is no readable HDF5 file"),
    "HDF5 truncated": (damaged("hdf5", lambda b: b[:900]), r"x.h5 is no readable HDF5 file"),
    "no matrix": (h5(genotypes=None), r"no array 'genotypes' .*`arrays` \(the file has"),
    "another length": (h5(samples=["a", "b"]), r"2 samples and 4 variants .* matrix is 5 × 4"),
    "HDF5 of 7": (
        h5(genotypes=np.where(CODES == 2, 7, CODES)),
        r"-1 or NaN where not called; got 7 in row 1, column 3 of .*x.h5",
    ),
    "HDF5 infinite": (
        h5(genotypes=np.where(CODES == 2, np.inf, CODES)),
        r"got inf in row 1, column 3",
    ),
    "HDF5 of text": (h5(genotypes=CODES.astype("S2")), r"genotypes are numbers, got an array"),
    "npz of objects": (
        npz(genotypes=CODES.astype(object)),
        r"'genotypes' of .* holds Python objects",
    ),
    "npz sample twice": (
        npz(samples=["a", "a", "b", "c", "d"]),
        r"sample 'a' stands 2 times in .*x.npz: samples 1, 2",
    ),
    "npz truncated": (damaged("npz", lambda b: b[:-40]), r"x.npz is no readable npz archive"),
    "npz without names": (npz(variants=None), r"no array 'variants' for the variants"),
    # Parquet and RData
    "no Parquet": (text("PAR1hello", "x.parquet"), r"is no readable Parquet table"),
    "no RData": (text("RDX2 hello", "x.RData"), r"x.RData is no readable RData file"),
    # variant lists
    "wrong reference base": (
        variant_list("SNP_CN_3_A3T_x,INS_CF_4_i4C_x"),
        r"names reference letters A at genome position 3, the reference has G: .* another ref",
    ),
    "no reference": (variant_list(reference=None), r"needs `reference` \(FASTA\) and `loci`"),
    "two contigs": (variant_list(fasta=">a\nACG\n>b\nACG\n"), r"has one; .* has 2: a, b"),
    "locus outside": (
        variant_list(loci="locus,start,end\nkat,2,60\n"),
        r"locus 'kat' \(2-60, 1-based\) lies outside .*r.fa, which has 8 bases .*loci.csv:2",
    ),
    "locus of text": (variant_list(loci="locus,start,end\nkat,x,6\n"), r"whole start .*csv:2"),
    "no variant inside": (
        variant_list(loci="locus,start,end\nkat,7,8\n"),
        r"v.csv has no variant inside the loci",
    ),
    "two copies": (variant_list(cell="2"), r"a call is 1 .*got 2 of sample 's1' in column 'INS_CF"),
    "unreadable name": (variant_list("SNP_CN_x_G3T,rs1"), r"name is KIND_CLASS_POSITION_CHANGE"),
}


@pytest.mark.parametrize(("make", "match"), CASES.values(), ids=CASES.keys())
def test_bad_files(tmp_path: Path, make: Make, match: str) -> None:
    (tmp_path / "y.csv").write_text(LABELS)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        block = {"labels": "y.csv", **make(tmp_path)}
        target = block.pop("target", ("sick",))
        config = VariantData.model_validate(block)
        with pytest.raises(InputError, match=match):
            read_variants(config, Asked(target, "binary", config.groups), root=tmp_path)
