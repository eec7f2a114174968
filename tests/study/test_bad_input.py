"""What a study refuses before a trial is wasted: files, data, spaces; each with its message."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from geno_hpo.errors import InputError
from geno_hpo.study.paths import Project
from geno_hpo.study.plan import load_plan
from geno_hpo.study.prepared import prepare


def edit(root: Path, file: str, old: str, new: str) -> None:
    path = root / file
    text = path.read_text()
    assert old in text
    path.write_text(text.replace(old, new, 1))


def wide_kernel(root: Path) -> None:
    edit(root, "search_spaces/tiny.yaml", "family: mlp", "family: cnn")
    edit(
        root,
        "search_spaces/tiny.yaml",
        "layers: 1\n  neurons: {choice: [4, 8]}",
        "conv_layers: 1\n  kernel: {int: [24, 48], step: 8}",
    )


def spoil_letter(fasta: Path) -> None:
    """Write J at position 12 of sample s3."""
    lines = fasta.read_text().splitlines()
    row = lines.index(">s3") + 1
    lines[row] = lines[row][:11] + "J" + lines[row][12:]
    fasta.write_text("\n".join(lines))


CASES: dict[str, tuple[Callable[[Path], None], str]] = {
    "target column missing": (
        lambda root: edit(root, "studies/tiny.yaml", "target: resistant", "target: resistent"),
        r"resistent.*resistant",
    ),
    "one class": (
        lambda root: (
            (root / "data/labels.csv").write_text(
                "id,resistant\n" + "".join(f"s{i},1\n" for i in range(240))
            )
            and None
        ),
        r"resistant.*one class|only.*class",
    ),
    "labels for nobody": (
        lambda root: (root / "data/labels.csv").write_text("id,resistant\nx1,0\nx2,1\n") and None,
        r"no.*(id|common)",
    ),
    "labels missing a sequence are counted, a duplicate is refused": (
        lambda root: edit(root, "data/labels.csv", "s1,", "s0,"),
        r"s0",
    ),
    "unequal lengths": (
        lambda root: edit(root, "data/genes.fasta", ">s1\n", ">s1\nAC"),
        r"(?s)32.*30|30.*32",
    ),
    "a letter outside the alphabet": (
        lambda root: spoil_letter(root / "data/genes.fasta"),
        r"J.*s3.*12|s3.*12.*J",
    ),
    "an empty FASTA": (
        lambda root: (root / "data/genes.fasta").write_text("") and None,
        r"empty",
    ),
    "an empty label table": (
        lambda root: (root / "data/labels.csv").write_text("") and None,
        r"empty",
    ),
    "a file that is not there": (
        lambda root: (root / "data/genes.fasta").unlink(),
        r"genes\.fasta",
    ),
    "a kernel wider than the sequence": (wide_kernel, r"kernel.*length 30|kernel.*30"),
    "an unknown family": (
        lambda root: edit(root, "search_spaces/tiny.yaml", "family: mlp", "family: mpl"),
        r"mpl.*mlp|mlp.*mpl",
    ),
    "an unknown hyperparameter": (
        lambda root: edit(root, "search_spaces/tiny.yaml", "neurons:", "neuron:"),
        r"neuron.*neurons",
    ),
    "an unknown space": (
        lambda root: edit(root, "studies/tiny.yaml", "spaces: [tiny]", "spaces: [tyny]"),
        r"tyny.*tiny",
    ),
    "an unknown catalogue name": (
        lambda root: edit(
            root,
            "studies/tiny.yaml",
            "data: {sequences: data/genes.fasta, labels: data/labels.csv}",
            "data: {catalogue: katg_simulate}",
        ),
        r"katg_simulate.*katg_simulated",
    ),
    "an unknown group": (
        lambda root: edit(
            root, "studies/tiny.yaml", "split: {folds: 3,", "split: {group: lineage, folds: 3,"
        ),
        r"lineage",
    ),
    "more folds than members of a class": (
        lambda root: (
            (root / "data/labels.csv").write_text(
                "id,resistant\n" + "".join(f"s{i},{int(i < 2)}\n" for i in range(240))
            )
            and None
        ),
        r"class",
    ),
    "a metric of another task": (
        lambda root: edit(root, "studies/tiny.yaml", "task: binary", "task: binary\nmetric: r2"),
        r"metric.*r2",
    ),
    "selected positions of a sequence": (
        lambda root: edit(
            root, "search_spaces/tiny.yaml", "layers: 1", "layers: 1\n  select: {choice: [3, 9]}"
        ),
        r"select belongs to variant tables, got 3 with sequences",
    ),
    "balanced classes of a trait": (
        lambda root: edit(
            root,
            "studies/tiny.yaml",
            "task: binary",
            "task: regression\npreprocess: {class_weight: balanced}",
        ),
        r"class_weight.*is for classes; this study's task is regression",
    ),
    "NaN in a SNP table": (
        lambda root: (
            (root / "data/snps.csv").write_text("id,rs1,rs2,resistant\na,0,inf,1\nb,1,2,0\n"),
            edit(
                root,
                "studies/tiny.yaml",
                "data: {sequences: data/genes.fasta, labels: data/labels.csv}",
                "data: {variants: data/snps.csv}",
            ),
        )[1],
        r"inf.*rs2|rs2.*inf",
    ),
}


@pytest.mark.parametrize("case", CASES, ids=str)
def test_refused_with_the_reason(project_root: Path, case: str) -> None:
    spoil, message = CASES[case]
    spoil(project_root)
    with pytest.raises(InputError, match=message):
        prepare(load_plan(Project(project_root), "tiny"))
    assert not (project_root / "mlruns" / "work" / "tiny" / "prepared.json").exists()
