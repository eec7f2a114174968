"""Learning curves of random configurations, recorded once and kept in ``benchmarks/results``.

    python -m benchmarks.curves primer wheat katG

trains configurations of the shipped space, none ended early, with the real engine over three folds.
`benchmarks.pruning` replays the curves, and `benchmarks.search` takes its goal from them.
A recording that was cut short goes on from its draft when the same command is said again;
``--stop`` makes do with what a draft holds. Seconds are the processor's, so that a busy machine
changes them little.
"""

from __future__ import annotations

import argparse
import json
import os
import sys
import tempfile
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from benchmarks import process
from benchmarks.cases import CASES
from benchmarks.launch import Arena
from benchmarks.machine import ROOT, describe
from geno_hpo.errors import TrialFailed

if TYPE_CHECKING:
    from geno_hpo.evaluation.network import NetworkEvaluation
    from geno_hpo.space import Parameters
    from geno_hpo.training.protocol import EpochReport

__all__ = ["FOLDS", "RECORDINGS", "Curves", "Recording", "describe_curves", "record"]

FOLDER = ROOT / "benchmarks" / "results"
FOLDS = 3
SEED = 99


@dataclass(frozen=True)
class Recording:
    """What is recorded of a case; `samples` None takes all that there are."""

    configurations: int
    epochs: int
    samples: int | None = None


RECORDINGS = {
    "primer": Recording(200, 30),
    "wheat": Recording(200, 30),
    "katG": Recording(60, 20, 600),
}


@dataclass(frozen=True)
class Curves:
    """Scores and seconds of configurations that all ran to their end.

    Parameters
    ----------
    case, note, metric
        Which data, what they, the folds and the space are, and what the score is.
    scores
        ``(configurations, epochs, folds)``; NaN from the epoch on at which a trial failed.
    seconds
        ``(configurations, epochs)`` of the processor, one thread; the first epoch's hold the
        compiling of the function. 0 where no epoch was trained.
    """

    case: str
    note: str
    metric: str
    scores: NDArray[np.float32]
    seconds: NDArray[np.float32]

    def __post_init__(self) -> None:
        if self.scores.ndim != 3 or self.scores.shape[:2] != self.seconds.shape:
            raise ValueError(f"{self.scores.shape} scores do not fit {self.seconds.shape} seconds")

    @property
    def means(self) -> NDArray[np.float64]:
        """``(configurations, epochs)`` mean over the folds, as it is reported."""
        means: NDArray[np.float64] = self.scores.astype(np.float64).mean(axis=2)
        return means

    def save(self, path: Path) -> None:
        """Write to `path` (npz)."""
        about = json.dumps([self.case, self.note, self.metric])
        with path.open("wb") as stream:
            np.savez_compressed(
                stream, scores=self.scores, seconds=self.seconds, about=np.asarray(about)
            )

    @classmethod
    def load(cls, path: Path) -> Curves:
        """What `save` wrote."""
        with np.load(path) as held:
            case, note, metric = json.loads(str(held["about"]))
            return cls(case, note, metric, held["scores"], held["seconds"])

    @classmethod
    def kept(cls, case: str) -> Curves:
        """The recording that the repository keeps.

        Raises
        ------
        FileNotFoundError
            There is none; the message says how it is made.
        """
        path = FOLDER / f"curves-{case}.npz"
        if not path.exists():
            raise FileNotFoundError(f"{path} is missing: python -m benchmarks.curves {case}")
        return cls.load(path)


def record(case: str, recording: Recording, draft: Path, *, train: bool = True) -> Curves:
    """Train what `draft` does not hold yet, on all cores, and give all of it.

    Parameters
    ----------
    draft
        File of finished configurations, a JSON line each.
    train
        False trains nothing: the draft is all.

    Raises
    ------
    ValueError
        The draft is empty, or of other data, another space or other epochs.
    """
    study = {
        "split": {"folds": FOLDS, "seed": 1},
        "budget": {"trials": recording.configurations, "epochs": recording.epochs},
        "pruner": {"name": "none"},
        "seed": SEED,
    }
    with tempfile.TemporaryDirectory(prefix="geno-bench-") as folder:
        arena = Arena(Path(folder), CASES[case], study, shipped=True, samples=recording.samples)
        data, space = arena.prepared.fingerprint, arena.plan.space.fingerprint
        of = f"{data} {space} {recording.epochs}"
        if train:
            done = {each["number"] for each in _read(draft, of)}
            missing = [n for n in range(recording.configurations) if n not in done]
            sides = os.cpu_count() or 1
            specs = [
                {
                    "root": folder,
                    "fingerprint": data,
                    "of": of,
                    "numbers": missing[side::sides],
                    "draft": str(draft.resolve()),
                }
                for side in range(sides)
            ]
            with ThreadPoolExecutor(sides) as pool:
                one_thread = {"OMP_NUM_THREADS": "1"}
                list(pool.map(lambda s: process.run("benchmarks.curves", s, **one_thread), specs))
        note, metric = describe_curves(arena, case), arena.plan.metric
    found = sorted(_read(draft, of), key=lambda each: each["number"])
    if not found:
        raise ValueError(f"{draft} holds no configuration")
    scores = np.full((len(found), recording.epochs, FOLDS), np.nan, np.float32)
    seconds = np.zeros((len(found), recording.epochs), np.float32)
    for row, each in enumerate(found):
        if each["scores"]:
            scores[row, : len(each["scores"])] = each["scores"]
        seconds[row, : len(each["seconds"])] = each["seconds"]
    return Curves(case, note, metric, scores, seconds)


def describe_curves(arena: Arena, case: str) -> str:
    """What curves of this arena are of: recordings with the same words can be compared."""
    return f"{arena.note}; {FOLDS} folds, shipped {CASES[case].shipped} space"


def _read(draft: Path, of: str) -> list[dict[str, Any]]:
    if not draft.exists():
        return []
    lines: list[dict[str, Any]] = [json.loads(line) for line in draft.read_text().splitlines()]
    if any(line["of"] != of for line in lines):
        raise ValueError(f"{draft} holds curves of other data, another space or other epochs")
    return lines


def work(spec: dict[str, Any], _: Path) -> dict[str, Any]:
    """One process of a recording: train its configurations, and add a line for each."""
    from geno_hpo.training.setup import configure

    configure(1)
    process.warm_up()
    from geno_hpo.evaluation.network import NetworkEvaluation
    from geno_hpo.study.paths import Project
    from geno_hpo.study.plan import load_plan
    from geno_hpo.study.prepared import load_prepared

    plan = load_plan(Project(Path(spec["root"])), "bench")
    prepared = load_prepared(plan, spec["fingerprint"])
    evaluation = NetworkEvaluation(prepared.dataset, prepared.split, plan.settings, plan.metric)
    for number in spec["numbers"]:
        params = plan.space.draw(np.random.default_rng([SEED, number]))
        curve = _train(evaluation, params, plan.config.budget.epochs, seed=number)
        with Path(spec["draft"]).open("a") as stream:
            stream.write(json.dumps({"of": spec["of"], "number": number, **curve}) + "\n")
    return {}


def _train(
    evaluation: NetworkEvaluation, params: Parameters, epochs: int, seed: int
) -> dict[str, Any]:
    """Folds' scores and processor seconds of each epoch, and why the trial failed if it did."""
    scores: list[list[float]] = []
    clock = [time.process_time()]

    def report(epoch: EpochReport) -> bool:
        scores.append([round(score, 5) for score in epoch.fold_scores])
        clock.append(time.process_time())
        return False

    failed = ""
    try:
        evaluation.trial(params, epochs=epochs, patience=None, seed=seed, report=report)
    except TrialFailed as failure:
        failed = str(failure)
        clock.append(time.process_time())
    seconds = [round(float(lap), 4) for lap in np.diff(clock)]
    return {"scores": scores, "seconds": seconds, "failed": failed}


def main() -> int:
    """Record the cases that were named; all of them without a name."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.curves", description=__doc__)
    parser.add_argument("cases", nargs="*", metavar="CASE", help=f"default: {' '.join(CASES)}")
    parser.add_argument("--stop", action="store_true", help="keep what the draft holds")
    parser.add_argument("--out", type=Path, default=FOLDER)
    options = parser.parse_args()
    wrong = [name for name in options.cases if name not in CASES]
    if wrong:
        parser.error(f"no case {', '.join(wrong)}; there are {', '.join(CASES)}")
    options.out.mkdir(parents=True, exist_ok=True)
    for case in options.cases or CASES:
        draft = options.out / f"curves-{case}.tmp"
        curves = record(case, RECORDINGS[case], draft, train=not options.stop)
        path = options.out / f"curves-{case}.npz"
        curves.save(path)
        about = {**asdict(RECORDINGS[case]), "recorded": len(curves.scores), "note": curves.note}
        text = json.dumps({**about, "machine": describe()}, indent=2, default=str)
        path.with_suffix(".json").write_text(text + "\n")
        print(f"{case}: {len(curves.scores)} configurations in {path}", flush=True)
    return 0


if __name__ == "__main__":
    if len(sys.argv) == 2 and sys.argv[1].endswith("spec.json"):
        process.side(work)
    else:
        sys.exit(main())
