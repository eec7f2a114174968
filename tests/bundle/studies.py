"""Two tiny studies, run in this process: drugs by two gene regions, a trait by selected SNPs."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from geno_hpo.metrics import METRICS
from geno_hpo.study.final import enqueue_final
from geno_hpo.study.finished import Finished, load_finished
from geno_hpo.study.launch import Launch
from geno_hpo.study.parts import open_pools
from geno_hpo.study.paths import Project
from geno_hpo.study.record import Record
from geno_hpo.study.worker import Worker
from geno_hpo.training.setup import configure
from tests.conftest import SPACE

REST = """\
spaces: [tiny]
split: {folds: 2, test: 0.25}
budget: {trials: 2, epochs: 4, patience: 4}
pruner: {name: none}
sampler: {name: random}
baselines: false
final: {seeds: 2}
control: false
workers: 1
audit: 'off'
"""
DRUGS = f"""\
question: Which drugs does an isolate resist?
data: {{sequences: data/cohort.csv, labels: data/drugs.csv}}
target: [inh, rif]
task: multilabel
{REST}"""
TRAIT = f"""\
question: Do letters tell the yield?
data: {{variants: data/letters.csv}}
target: yield
task: regression
preprocess: {{impute: mean, select: 6}}
{REST}"""
BASES = "ACGT"
LOCI = {"katG": (1000, 40, "-"), "rpoB": (2000, 30, "+")}
"""Start from 0, length and strand of each region."""
VARIANTS = 15


def reference() -> dict[str, str]:
    """Letters of each region in reading order."""
    rng = np.random.default_rng(3)
    return {name: "".join(rng.choice(list(BASES), size)) for name, (_, size, _) in LOCI.items()}


def isolates(samples: int, seed: int) -> tuple[dict[str, dict[str, str]], np.ndarray]:
    """Letters by region and sample, and labels ``(samples, 2)``: base 5 of each region decides."""
    rng = np.random.default_rng(seed)
    labels = (rng.random((samples, 2)) < 0.5).astype(float)
    found: dict[str, dict[str, str]] = {}
    for column, (locus, text) in enumerate(reference().items()):
        found[locus] = {}
        for sample in range(samples):
            letters = list(text)
            if labels[sample, column]:
                letters[5] = BASES[(BASES.index(text[5]) + 1) % 4]
            if rng.random() < 0.3:
                letters[int(rng.integers(10, len(text)))] = "N"
            found[locus][f"s{sample}"] = "".join(letters)
    labels[rng.random(labels.shape) < 0.05] = np.nan
    return found, labels


def one_hot_rows(loci: dict[str, dict[str, str]], samples: list[str] | None = None) -> str:
    """The table that ``geno-hpo encode`` writes for several samples."""
    lines = ["sample,locus,position,A,C,G,T"]
    for sample in samples or list(next(iter(loci.values()))):
        for locus, texts in loci.items():
            start, size, strand = LOCI[locus]
            places = range(start, start + size)
            for place, letter in zip(
                places if strand == "+" else places[::-1], texts[sample], strict=True
            ):
                cells = ",".join(str(int(letter == base)) for base in BASES)
                lines.append(f"{sample},{locus},{place + 1},{cells}")
    return "\n".join(lines) + "\n"


def dosages(samples: int = 90, seed: int = 4) -> np.ndarray:
    """Copies of G, ``(samples, variants)``, −1 not called; the first two decide the trait."""
    rng = np.random.default_rng(seed)
    found = rng.binomial(2, rng.uniform(0.2, 0.5, VARIANTS), (samples, VARIANTS))
    found[rng.random(found.shape) < 0.05] = -1
    return found


def letters_table(codes: np.ndarray, trait: np.ndarray | None = None) -> str:
    """A table of two letters, A and G, with the trait where it is given."""
    text = {-1: "NA", 0: "AA", 1: "AG", 2: "GG"}
    head = ["id", *(f"rs{i}" for i in range(codes.shape[1]))]
    lines = [",".join(head + (["yield"] if trait is not None else []))]
    for number, row in enumerate(codes):
        cells = [f"p{number}", *(text[int(code)] for code in row)]
        lines.append(",".join(cells + ([f"{trait[number]:.3f}"] if trait is not None else [])))
    return "\n".join(lines) + "\n"


def write_studies(root: Path) -> Path:
    """Write both studies and their data."""
    for folder in ("studies", "search_spaces", "data"):
        (root / folder).mkdir(parents=True, exist_ok=True)
    (root / "studies" / "drugs.yaml").write_text(DRUGS)
    (root / "studies" / "trait.yaml").write_text(TRAIT)
    (root / "search_spaces" / "tiny.yaml").write_text(SPACE)
    loci, labels = isolates(80, seed=1)
    (root / "data" / "cohort.csv").write_text(one_hot_rows(loci))
    rows = [
        ",".join([f"s{i}", *("" if np.isnan(x) else str(int(x)) for x in row)])
        for i, row in enumerate(labels)
    ]
    (root / "data" / "drugs.csv").write_text("\n".join(["id,inh,rif", *rows]) + "\n")
    codes = dosages()
    trait = np.maximum(codes, 0)[:, :2].sum(axis=1) * 10 + np.random.default_rng(6).normal(
        50, 1, len(codes)
    )
    (root / "data" / "letters.csv").write_text(letters_table(codes, trait))
    return root


def run_study(root: Path, name: str) -> Finished:
    """Search and final fits of a study, by one worker in this process."""
    configure(1)
    launch = Launch(Project(root), name, workers=1)
    maximise = METRICS[launch.plan.metric].maximise
    pools = open_pools(launch.plan, launch.storage, maximise=maximise, create=True)
    record = Record(pools["network"].study)
    record.agree(launch.plan)
    launch._prepare(record)
    for part, asked in launch.plan.budgets.items():
        pools[part].fill(asked)
    record.set(phase="search")
    Worker(launch.plan, maximise=maximise).run()
    record.open_seal(2, "0.1.0")
    enqueue_final(launch.plan, pools)
    record.set(phase="final")
    Worker(launch.plan, maximise=maximise).run()
    record.set(phase="done")
    return load_finished(Project(root), name)
