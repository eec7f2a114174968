"""Two studies at once on one machine, as two users of it start them."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from pathlib import Path

import pytest

from geno_hpo.study.layout import cores, count
from geno_hpo.study.shares import fair_part
from geno_hpo.study.status import read_status
from tests.cluster.crowd import PATIENCE, tell
from tests.conftest import STUDY, write_project

pytestmark = pytest.mark.cluster
HERE = Path(__file__).parents[2]


def threads_of(study: str) -> int:
    """Threads of all workers of a study in the list of processes."""
    total = 0
    for path in Path("/proc").glob("[0-9]*/cmdline"):
        try:
            words = path.read_bytes().decode(errors="replace").split("\0")
        except OSError:
            continue
        if words[1:4] == ["-m", "geno_hpo", "worker"] and words[4] == study:
            total += int(words[words.index("--threads") + 1])
    return total


def test_two_studies_at_once_share_the_cores(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("GENO_HPO_STORAGE", raising=False)
    monkeypatch.delenv("MLFLOW_TRACKING_URI", raising=False)
    study = STUDY.replace("ridge: {trials: 2}", "ridge: false").replace("workers: 1\n", "")
    study = study.replace("control: {trials: 1}", "control: false").replace("seeds: 2", "seeds: 1")
    root = write_project(tmp_path / "project", study.replace("trials: 4", "trials: 3"))
    for name in ("share_one", "share_two"):
        (root / "studies" / f"{name}.yaml").write_text((root / "studies/tiny.yaml").read_text())

    def start(name: str) -> subprocess.Popen[bytes]:
        with (root / f"{name}.log").open("wb") as log:
            return subprocess.Popen(
                [sys.executable, "-m", "geno_hpo", "run", name, "--plain", "--root", str(root)],
                cwd=HERE,
                stdout=log,
                stderr=log,
                env=os.environ | {"PYTHONPATH": str(HERE)},
            )

    def words(name: str) -> str:
        return (root / f"{name}.log").read_text()

    all_cores = cores()
    began = time.monotonic()
    runs = [start("share_one")]
    try:
        while threads_of("share_one") < all_cores:
            assert runs[0].poll() is None, words("share_one")
            assert time.monotonic() - began < PATIENCE
            time.sleep(0.2)
        share, others = fair_part(root / "mlruns", all_cores)
        assert (share, others) == (max(all_cores // 2, 1), 1)
        runs.append(start("share_two"))
        most = 0
        while any(run.poll() is None for run in runs):
            most = max(most, threads_of("share_two"))
            assert time.monotonic() - began < 2 * PATIENCE, words("share_one") + words("share_two")
            time.sleep(0.5)
        seconds = time.monotonic() - began
    finally:
        for run in runs:
            run.terminate()
            run.wait()
    assert [run.returncode for run in runs] == [0, 0], words("share_one") + words("share_two")
    said = f"1 other study at work on this machine: this one takes {count(share, 'core')}"
    assert said in words("share_two")
    assert 1 <= most <= share
    for name in ("share_one", "share_two"):
        assert read_status(root, name).phase == "done"
    assert fair_part(root / "mlruns", all_cores) == (all_cores, 0), "nobody is left behind"
    tell(
        f"two studies | {all_cores} cores: the first took all, the second said «{said}»; both "
        f"ended with their report, {seconds:.0f} s together"
    )
