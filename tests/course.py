"""A tutorial's commands, typed in a project of its own with budgets of a minute.

The project has copies of all studies and spaces. Budgets are cut down in the copies, simulated data
are drawn smaller, and ``make study NAME=x TARGET=y`` is typed as the command that it stands for.
Studies that a page writes down itself are found by their first words. What cannot be typed here is
named in `LEFT_OUT` with the reason.
"""

from __future__ import annotations

import io
import os
import re
import shlex
import shutil
import subprocess
import sys
from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
from ruamel.yaml import YAML

from geno_hpo.config import CatalogueData
from geno_hpo.config.blocks import BASELINES
from geno_hpo.data.source import open_dataset
from geno_hpo.encoding import decode

MIRROR = Path(os.environ["GENO_HPO_DATA_MIRROR"]) if "GENO_HPO_DATA_MIRROR" in os.environ else None
ROOT = Path(__file__).parent.parent
COURSE = ROOT / "docs" / "course"
PAGES = sorted(COURSE.glob("[1-8]-*.md"))
BUDGET = {"trials": 2, "epochs": 2, "patience": 2}
SMALLER = {
    "katg_simulated": {"isolates": 300},
    "drugs_simulated": {"isolates": 300},
    "motif_simulated": {"sequences": 300},
    "chromatin_simulated": {"sequences": 300},
}
"""Options of simulated sets that make them small."""
OWN = {
    "rif_try": "Do rpoBC and katG tell two resistances?",
    "motif_try": "Does a network see more than counts of short words?",
    "mine": "Does my gene predict resistance?",
}
"""Studies that a page writes down, by their questions."""
LEFT_OUT = {
    "make": "starts servers or an environment",
    "source": "changes the shell",
    "export": "sets a variable of the shell",
    "minimap2": "maps reads; the reads are mapped already",
    "samtools": "as minimap2",
    "geno-hpo ui": "serves until Ctrl-C",
    "geno-hpo launch": "needs a Slurm cluster",
    "geno-hpo worker": "joins a search that is at work",
    "geno-hpo pause": "as worker",
    "geno-hpo resume": "as worker",
    "geno-hpo status inh --watch": "watches a search that is at work",
    "geno-hpo data fetch": "downloads; the mirror is read in place",
    "geno-hpo enqueue": "needs a search at work, and another that is done",
}
"""Beginnings of lines that are not typed, and why."""


REFUSED = {
    "encode isolate_1.bam --regions target_loci.csv -o one_hot.csv": "counts from 0 or from 1",
}
"""Lines that a page shows to be refused, and a part of the reason."""


def blocks(page: Path, language: str) -> list[str]:
    """Fenced blocks of a language."""
    found = re.findall(rf"^```{language}\n(.*?)^```$", page.read_text(), re.DOTALL | re.MULTILINE)
    return list(found)


def lines(page: Path) -> list[list[str]]:
    """Command lines of the page's shell blocks, split into words."""
    found = [
        shlex.split(line, comments=True)
        for block in blocks(page, "bash")
        for line in block.replace("\\\n", " ").splitlines()
    ]
    return [words for words in found if words]


def typed(page: Path) -> Iterator[list[str]]:
    """Arguments of ``geno-hpo``, in the order of the page."""
    for words in lines(page):
        if words[:2] == ["make", "study"]:
            given = dict(word.split("=") for word in words[2:])
            target = f".{given['TARGET']}" if "TARGET" in given else ""
            yield ["run", given["NAME"] + target]
            continue
        line = " ".join(words)
        if any(line.startswith(left) for left in LEFT_OUT) and "--dry-run" not in words:
            continue
        if words[1] == "train":
            short = [word for before, word in pairwise(words) if "--epochs" not in (before, word)]
            yield [*short, "--epochs", "2"]
            continue
        if ">" in words:
            words = words[: words.index(">")]
        yield words[1:]


def write_project(folder: Path, page: Path) -> None:
    """Copy studies and spaces, and write what the page writes, all with small budgets."""
    shutil.copytree(ROOT / "search_spaces", folder / "search_spaces")
    (folder / "studies").mkdir()
    for path in (ROOT / "studies").glob("*.yaml"):
        (folder / "studies" / path.name).write_text(small(path.read_text()))
    text = page.read_text()
    for name, question in OWN.items():
        for block in blocks(page, "yaml"):
            if block.startswith(f"question: {question}"):
                (folder / "studies" / f"{name}.yaml").write_text(small(block))
    write_data(folder, text)
    if "isolate_1.bam" in text and MIRROR is not None:
        reads = MIRROR / "tb_reads" / "tbprofiler_test.bam"
        for name, path in {
            "isolate_1.bam": reads,
            "isolate_1.bam.bai": reads.with_name(reads.name + ".bai"),
            "target_loci.csv": MIRROR / "tb_loci" / "target_loci.csv",
            "H37Rv.fa": MIRROR / "tb_reference" / "H37Rv.fa",
        }.items():
            (folder / name).symlink_to(path)


def small(text: str) -> str:
    """The study file with a budget of a minute."""
    yaml = YAML()
    study: Any = yaml.load(text)
    study["budget"] = dict(BUDGET)
    study["pruner"] = {"name": "none"}
    study["final"] = {"seeds": 2}
    study["audit"] = "warn"
    if study.get("baselines", True) is not False:
        whole = dict.fromkeys(BASELINES, True) | dict(study.get("baselines", {}))
        study["baselines"] = {
            name: {"trials": 1} if given else False for name, given in whole.items()
        }
    if study.get("control", True) is not False:
        study["control"] = {"trials": 1, "epochs": 2}
    study["workers"] = 1
    data = study["data"]
    if data.get("catalogue") in SMALLER:
        data["options"] = {**data.get("options", {}), **SMALLER[data["catalogue"]]}
    stream = io.StringIO()
    yaml.dump(study, stream)
    return stream.getvalue()


def write_data(folder: Path, text: str) -> None:
    """Write the files that a page takes for given: samples to predict, sequences and labels."""
    if found := re.search(r"^```text\n(>with_the_motif.*?)^```$", text, re.S | re.M):
        (folder / "new.fasta").write_text(found.group(1))
    if "geno-hpo export tb13" in text:
        asked = CatalogueData(catalogue="drugs_simulated", options={"isolates": 300})
        data = open_dataset(asked, target="inh", task="binary")
        (folder / "new.fasta").write_text(f">new\n{decode(data.codes[0])}\n")
    if "isolate_1,R,L4,A" in text:
        files = folder / "data"
        files.mkdir()
        rng = np.random.default_rng(1)
        rows, records = ["id,resistant,lineage,hospital"], []
        for number in range(1, 161):
            letters = rng.choice(list("ACGT"), 300)
            label = "R" if letters[30] in "AC" else "S"
            rows.append(f"isolate_{number},{label},L{number % 8},{'AB'[number % 2]}")
            records.append(f">isolate_{number}\n{''.join(letters)}\n")
        (files / "labels.csv").write_text("\n".join(rows) + "\n")
        (files / "genes.fasta").write_text("".join(records))


def type_in(folder: Path, words: list[str]) -> subprocess.CompletedProcess[str]:
    """Type one command in the project."""
    paths = os.pathsep.join(filter(None, [str(ROOT), os.environ.get("PYTHONPATH")]))
    return subprocess.run(
        [sys.executable, "-m", "geno_hpo", *words],
        cwd=folder,
        capture_output=True,
        text=True,
        check=False,
        env=os.environ | {"PYTHONPATH": paths},
    )
