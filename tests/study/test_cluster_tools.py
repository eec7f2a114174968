"""Places on GPUs, shares of a machine, and batch scripts."""

from __future__ import annotations

import json
import os
import subprocess
from pathlib import Path

import jsonschema
import pytest
from ruamel.yaml import YAML

from geno_hpo.errors import GenoHpoError, InputError
from geno_hpo.study.gpus import Place, places, visible_gpus
from geno_hpo.study.paths import Project, StudyKey
from geno_hpo.study.shares import fair_part, telling
from geno_hpo.study.slurm import SlurmJob, check_shared, submit

DOCS = Path(__file__).parents[2] / "docs" / "cluster"


@pytest.mark.parametrize(
    ("workers", "per_gpu", "gpus", "expected"),
    [
        (3, 1, {}, [Place()] * 3),
        (2, 1, {"0": 80_000, "1": 80_000}, [Place("0"), Place("1")]),
        (4, 1, {"0": 80_000, "1": 80_000}, [Place("0"), Place("1")]),
        (3, 2, {"0": 1000, "1": 2000}, [Place("0", 450), Place("1", 900), Place("0", 450)]),
    ],
)
def test_workers_have_places(
    workers: int, per_gpu: int, gpus: dict[str, int], expected: list[Place]
) -> None:
    assert places(workers, per_gpu, gpus) == expected


def test_a_place_is_told_to_its_worker_by_variables() -> None:
    assert Place().environment == {}
    assert Place("1").environment == {"CUDA_VISIBLE_DEVICES": "1"}
    told = Place("1", 450).environment
    assert told == {"CUDA_VISIBLE_DEVICES": "1", "GENO_HPO_GPU_MEMORY_MB": "450"}


@pytest.mark.parametrize(
    ("visible", "expected"),
    [
        (None, {"0": 81559, "1": 40960}),
        ("1", {"1": 40960}),
        ("GPU-b,GPU-a", {"GPU-b": 40960, "GPU-a": 81559}),
        ("", {}),
        ("-1", {}),
    ],
)
def test_only_visible_gpus_are_used(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    visible: str | None,
    expected: dict[str, int],
) -> None:
    program = tmp_path / "nvidia-smi"
    program.write_text("#!/bin/sh\necho '0, GPU-a, 81559'\necho '1, GPU-b, 40960'\n")
    program.chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}:{os.environ['PATH']}")
    monkeypatch.delenv("CUDA_VISIBLE_DEVICES", raising=False)
    if visible is not None:
        monkeypatch.setenv("CUDA_VISIBLE_DEVICES", visible)
    assert visible_gpus() == expected


def test_two_studies_share_a_machine(tmp_path: Path) -> None:
    assert fair_part(tmp_path, 8) == (8, 0)
    with telling(tmp_path, 8):
        (mine,) = (tmp_path / "running").rglob("*.json")
        other = mine.with_name("1.json")
        told = json.loads(mine.read_text())
        other.write_text(json.dumps({**told, "cores": 8}))
        assert fair_part(tmp_path, 8) == (4, 1), "half of it, though none is free"
        other.write_text(json.dumps({**told, "cores": 3}))
        assert fair_part(tmp_path, 8) == (5, 1), "what is free"
        dead = subprocess.Popen(["true"])
        dead.wait()
        host = told["launcher"].rpartition(":")[0]
        other.write_text(json.dumps({"launcher": f"{host}:{dead.pid}", "cores": 8}))
        assert fair_part(tmp_path, 8) == (8, 0), "of one that was killed nothing is left"
        assert not other.exists()
    assert not mine.exists()


def job(**options: object) -> SlurmJob:
    return SlurmJob(Path("/lab/project"), StudyKey("inh"), **{"workers": 16, **options})


def test_the_scripts_of_an_array_and_its_leader() -> None:
    asked = job(gpus=1, threads=4, partition="gpu", time="12:00:00")
    for line in (
        "#SBATCH --array=0-15",
        "#SBATCH --cpus-per-task=4",
        "#SBATCH --gres=gpu:1",
        "#SBATCH --partition=gpu",
        "#SBATCH --time=12:00:00",
        "#SBATCH --requeue",
        "#SBATCH --signal=B:USR1@90",
    ):
        assert line in asked.crew.splitlines()
    assert "geno_hpo worker inh --stay --threads 4 --root /lab/project" in asked.crew
    assert "geno_hpo run inh --workers 0 --plain --root /lab/project" in asked.leader
    assert "gres" not in asked.leader
    for script in (asked.crew, asked.leader):
        subprocess.run(["bash", "-n"], input=script, text=True, check=True)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"workers": 0}, "workers must be at least 1, got 0"),
        ({"gpus": -1}, "gpus must be at least 0, got -1"),
        ({"partition": "a b\n#SBATCH"}, "partition must be letters"),
        ({"time": "soon"}, "time must be like 90, 12:00:00 or 2-0, got 'soon'"),
    ],
)
def test_what_slurm_would_refuse_is_told(options: dict[str, object], message: str) -> None:
    with pytest.raises(InputError, match=message):
        job(**options)


def test_files_are_not_shared_between_machines(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("GENO_HPO_STORAGE", raising=False)
    with pytest.raises(InputError, match="GENO_HPO_STORAGE names none"):
        check_shared(Project(tmp_path))
    monkeypatch.setenv("GENO_HPO_STORAGE", "postgresql+psycopg://lab@host/lab")
    monkeypatch.delenv("MLFLOW_TRACKING_URI", raising=False)
    with pytest.raises(InputError, match="MLFLOW_TRACKING_URI names none"):
        check_shared(Project(tmp_path))
    monkeypatch.setenv("MLFLOW_TRACKING_URI", "http://host:5000")
    check_shared(Project(tmp_path))


def test_without_slurm_that_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", "/nowhere")
    with pytest.raises(GenoHpoError, match="no sbatch on this machine; say --dry-run"):
        submit("#!/bin/bash")


JOB_SCHEMA = {
    "type": "object",
    "required": ["apiVersion", "kind", "metadata", "spec"],
    "properties": {
        "apiVersion": {"const": "batch/v1"},
        "kind": {"const": "Job"},
        "metadata": {"type": "object", "required": ["name"]},
        "spec": {
            "type": "object",
            "required": ["template"],
            "properties": {
                "completionMode": {"enum": ["Indexed", "NonIndexed"]},
                "completions": {"type": "integer"},
                "parallelism": {"type": "integer"},
                "backoffLimit": {"type": "integer"},
                "template": {
                    "type": "object",
                    "properties": {
                        "spec": {
                            "type": "object",
                            "required": ["containers", "restartPolicy"],
                            "properties": {
                                "restartPolicy": {"enum": ["OnFailure", "Never"]},
                                "terminationGracePeriodSeconds": {"type": "integer"},
                                "containers": {"type": "array", "minItems": 1},
                                "volumes": {"type": "array"},
                            },
                            "additionalProperties": False,
                        }
                    },
                    "additionalProperties": False,
                },
            },
            "additionalProperties": False,
        },
    },
    "additionalProperties": False,
}
"""The part of Kubernetes' schema of batch/v1 Job that the manifest uses."""


def test_the_kubernetes_manifest_is_of_its_schema() -> None:
    manifest = YAML(typ="safe").load((DOCS / "kubernetes.yaml").read_text())
    assert (manifest["apiVersion"], manifest["kind"]) == ("v1", "List")
    for item in manifest["items"]:
        jsonschema.validate(item, JOB_SCHEMA)
    leader, crew = (
        item["spec"]["template"]["spec"]["containers"][0]["command"] for item in manifest["items"]
    )
    assert leader[:2] == ["geno-hpo", "run"]
    assert crew[:2] == ["geno-hpo", "worker"]
    assert "--stay" in crew


def test_the_compose_file_binds_to_loopback() -> None:
    services = YAML(typ="safe").load((DOCS / "compose.yaml").read_text())["services"]
    for service in services.values():
        for port in service["ports"]:
            assert port.startswith("${BIND:-127.0.0.1}:")


def test_the_servers_script_is_a_script() -> None:
    subprocess.run(["bash", "-n", str(DOCS / "servers")], check=True)
