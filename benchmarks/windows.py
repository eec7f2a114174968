"""Each distinct window once: seconds of a training step, plain and over distinct windows.

Networks are the tutorial's and the two published ones for resistance of *M. tuberculosis* (Green et
al. 2022), trained by the engine on one thread; both ways alternate in one process. Seconds are
those of the processor, which other programs on the machine do not change.
"""

from __future__ import annotations

import os
import time
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from benchmarks.outcome import Outcome, Size, Table

__all__ = ["run"]

Codes = NDArray[np.int8]
Data = tuple[Codes, tuple[int, ...]]
TUTORIAL = "tutorial"
PUBLISHED = "published"
JOINED = "published, loci joined"
MIRROR = "GENO_HPO_DATA_MIRROR"
PLAIN_BYTES = {"full": 2**30, "quick": 2**27, "smallest": 2**27}
"""What the first convolution of a plain step may give; larger batches are reckoned from smaller."""
MORE = 4
"""Steps over distinct windows for each plain one: what an epoch begins with weighs less."""
STEP = (
    "a step: forward, gradient and Adam on one batch; the median over rounds in which the two ways "
    "take turns. An epoch: all isolates once, without validation"
)
RECKONED = (
    "where the plain batch is smaller than the batch, its step is multiplied by the quotient: one "
    "activation would take too much memory or time. Its optimizer's part is then counted too often"
)
STRANGERS = "unrelated sequences are told apart at once; both ways are then the same"
_PUBLISHED = {
    "family": "cnn",
    "conv_layers": 2,
    "convolutions": 2,
    "padding": "valid",
    "filters": 64,
    "growth": "halved",
    "kernel": 12,
    "later_kernel": 3,
    "pool": 3,
    "pooling_head": "flat",
    "dense_layers": 2,
    "neurons": 256,
}
PARAMS: dict[str, dict[str, Any]] = {
    TUTORIAL: {"family": "cnn", "filters": 32, "kernel": 8, "pool": 2, "neurons": 32},
    PUBLISHED: {**_PUBLISHED, "loci": "stacked"},
    JOINED: {**_PUBLISHED, "loci": "joined"},
}


@dataclass(frozen=True)
class Case:
    """A data set (codes, and lengths of its loci), networks that train on it, and batch sizes."""

    name: str
    data: Callable[[], Data]
    networks: tuple[str, ...]
    batches: tuple[int, ...]
    steps: int = 2
    rounds: int = 2


def run(size: Size, case: str | None = None) -> Outcome:
    """Measure; `case`: only those whose name holds this."""
    from geno_hpo.training.setup import configure

    configure(1)
    cases, notes = _cases(size)
    steps: list[tuple[str | int | float, ...]] = []
    built = []
    for each in cases:
        if case is not None and case not in each.name:
            continue
        data = each.data()
        for network in each.networks:
            built.append(_dictionary(each.name, data, network))
            most = PLAIN_BYTES[size]
            steps += [_steps(each, data, network, batch, most) for batch in each.batches]
    table = Table(
        "A training step, processor seconds",
        (
            *("case", "network", "batch", "plain batch", "plain s", "windows s"),
            *("plain epoch s", "windows epoch s", "ratio", "told"),
        ),
        steps,
    )
    made = Table(
        "The dictionary of distinct windows",
        (
            *("case", "network", "isolates", "columns", "differing %"),
            *("build s", "kept MB", "windows of all", "distinct"),
        ),
        built,
    )
    return Outcome((table, made), tuple(notes))


def _cases(size: Size) -> tuple[list[Case], list[str]]:
    both = (TUTORIAL, PUBLISHED)

    def simulated(isolates: int, batches: tuple[int, ...], networks: tuple[str, ...]) -> Case:
        return Case(f"katG simulated, {isolates}", lambda: _simulated(isolates), networks, batches)

    notes = [STEP, RECKONED, STRANGERS]
    strangers = Case("random DNA, 2000 × 200", lambda: _random(2000, 200), (TUTORIAL,), (64,))
    if size == "smallest":
        return [simulated(100, (16,), (TUTORIAL,)), strangers], notes
    cases = [simulated(1000, (64, 256), both), strangers]
    if size == "full":
        cases = [
            simulated(1000, (64, 256, 1000), both),
            simulated(3600, (64, 256, 1024), both),
            simulated(20_000, (64, 256, 1024), both),
            strangers,
        ]
    if os.environ.get(MIRROR):
        batches = (64, 256, 1024) if size == "full" else (64, 256)
        rounds = 2 if size == "full" else 1
        cases += [
            Case("18 loci, tb_wdnn", _loci, (PUBLISHED,), batches, 1, rounds),
            Case("18 loci, tb_wdnn", _loci, (JOINED,), batches[:1], 1, rounds),
            Case("tfbs_chipseq", _tfbs, (TUTORIAL,), (64,)),
        ]
    else:
        notes.append(f"18 loci and tfbs_chipseq left out: {MIRROR} names no folder")
    return cases, notes


def _steps(
    case: Case, data: Data, network: str, batch: int, most: int
) -> tuple[str | int | float, ...]:
    """One row: seconds of a step, plain and over distinct windows."""
    codes, loci = data
    batch = min(batch, len(codes))
    length = max(loci) if loci and PARAMS[network].get("loci") == "stacked" else codes.shape[1]
    plain_batch = max(1, min(batch, most // (4 * PARAMS[network]["filters"] * length)))
    plain = _trainer(data, network, plain_batch, case.steps, "never")
    distinct = _trainer(data, network, batch, MORE * case.steps, "auto")
    taken = [(plain(), distinct()) for _ in range(case.rounds)]
    slow = float(np.median([one[0] for one, _ in taken]))
    fast, told = float(np.median([one[0] for _, one in taken])), taken[0][1][1]
    slow *= batch / plain_batch
    epoch = len(codes) / batch
    return (
        *(case.name, network, batch, plain_batch, round(slow, 4), round(fast, 4)),
        *(round(slow * epoch, 2), round(fast * epoch, 2), round(slow / fast, 2), told),
    )


Trainer = Callable[[], tuple[float, str]]


def _trainer(data: Data, network: str, batch: int, steps: int, setting: Any) -> Trainer:
    """Something that trains, and gives the processor seconds of a step and how it was computed."""
    from geno_hpo.training.protocol import EpochReport, FitPlan, Replica
    from geno_hpo.training.tensorflow import TensorFlowEngine
    from geno_hpo.training.windows import Windows

    codes = data[0]
    coding, shape, mean = _form(data)
    windows = Windows(coding, shape, setting)
    labels = (np.arange(len(codes)) % 2).astype(np.float32)[:, None]
    engine = TensorFlowEngine(coding, labels, shape, lambda *_: 0.0, windows=windows)
    order = np.random.default_rng(1).permutation(len(codes))
    replica = Replica(np.resize(order, batch * steps), order[:0], 1, (mean,))
    params = {**PARAMS[network], "batch_size": batch, "learning_rate": 1e-4}
    plan = FitPlan(params, (replica,), epochs=2, restore="last")

    def train() -> tuple[float, str]:
        """The second epoch of two: the first one has compiled and drawn what is needed."""
        ended: list[float] = []

        def report(_: EpochReport) -> bool:
            ended.append(time.process_time())
            return False

        way = engine.fit(plan, report).way
        return (ended[1] - ended[0]) / steps, way

    return train


def _form(data: Data) -> tuple[Any, Any, Any]:
    """Coding, shape and mean of a data set."""
    from geno_hpo.models import ModelShape
    from geno_hpo.preprocess import sequence_mean
    from geno_hpo.training.one_hot import CentredCoding

    codes, loci = data
    symbols = 5 if int(codes.max()) >= 4 else 4
    shape = ModelShape("sequence", codes.shape[1], symbols, 1, "binary", loci)
    mean = sequence_mean(codes, np.arange(min(256, len(codes))), symbols)
    return CentredCoding(codes, symbols), shape, mean


def _dictionary(name: str, data: Data, network: str) -> tuple[str | int | float | None, ...]:
    """One row: what building the dictionary takes; nothing where it is not built."""
    from geno_hpo.models import build
    from geno_hpo.training.towers import read_tower
    from geno_hpo.training.windows import CLONAL
    from geno_hpo.windows import build_dictionary, difference_share

    codes = data[0]
    shape = _form(data)[1]
    share = difference_share(codes)
    first = (name, network, *codes.shape, round(100 * share, 2))
    if share > CLONAL:
        return (*first, *(None,) * 4)
    tower = read_tower(build(PARAMS[network], shape), shape)
    assert tower is not None
    begun = time.process_time()
    dictionary = build_dictionary(codes, tower.geometry)
    seconds = time.process_time() - begun
    levels = dictionary.levels[1:]
    return (
        *first,
        round(seconds, 2),
        round(dictionary.bytes / 2**20, 1),
        len(codes) * sum(rows.length for rows in levels),
        sum(rows.length + rows.size for rows in levels),
    )


@cache
def _simulated(isolates: int) -> Data:
    from geno_hpo.data.simulate import simulate_katg

    return simulate_katg(isolates=isolates).codes, ()


def _random(samples: int, length: int) -> Data:
    return np.random.default_rng(1).integers(0, 4, (samples, length)).astype(np.int8), ()


@cache
def _loci() -> Data:
    """The isolates of tb_wdnn as sequences of all 18 loci."""
    from geno_hpo.data.dataset import Origin
    from geno_hpo.data.tb_regions import known_regions
    from geno_hpo.data.tb_wdnn import read_tb_wdnn

    folder = Path(os.environ[MIRROR])
    data = read_tb_wdnn(
        folder / "tb_wdnn",
        folder / "tb_loci",
        target=("inh",),
        task="binary",
        loci=known_regions(),
        origin=Origin("tb_wdnn"),
    )
    return data.codes, tuple(locus.stop - locus.start for locus in data.loci)


@cache
def _tfbs() -> Data:
    """Bound and shuffled regions: no sequence is like another."""
    from geno_hpo.config import CatalogueData
    from geno_hpo.data.source import open_dataset

    source = CatalogueData(catalogue="tfbs_chipseq")
    return np.asarray(open_dataset(source, target="bound", task="binary").codes), ()
