"""Models in MLflow's registry: a version a bundle, under the study's name, and the champion.

A model is a folder that MLflow loads through a module of this package (``loader_module``), so that
it holds no pickle. It is logged to the study's run; the version points to it.
"""

from __future__ import annotations

import os
import tempfile
import warnings
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from geno_hpo.tracking.store import Tracking

__all__ = ["CANDIDATE", "CHAMPION", "ModelCard", "Registry", "model_name"]

CANDIDATE = "candidate"
"""Alias of the newest version."""
CHAMPION = "champion"
"""Alias of the version that has proved to be the best; there may be none."""
DIGEST_TAG = "bundle"
EVIDENCE = "evidence"
MOST_COLUMNS = 2000
"""Columns up to which a model's signature is written down."""


@dataclass(frozen=True)
class ModelCard:
    """What is registered.

    Parameters
    ----------
    folder
        The bundle.
    loader
        Module whose ``_load_pyfunc`` opens it.
    digest
        Tells equal bundles.
    inputs, outputs
        Names of columns, and the type of all inputs (``string`` or ``double``).
    example
        A row that the model takes.
    requirements
        Packages that it needs.
    tags, description
        Of the version.
    """

    folder: Path
    loader: str
    digest: str
    inputs: Sequence[str]
    input_type: str
    outputs: Sequence[str]
    example: Mapping[str, list[Any]]
    requirements: Sequence[str]
    tags: Mapping[str, str] = field(default_factory=dict)
    description: str = ""


@contextmanager
def _as_default(uri: str) -> Iterator[None]:
    """Make a store MLflow's default for a while; its variable is afterwards as it was before."""
    import mlflow

    variable = "MLFLOW_TRACKING_URI"
    before = os.environ.get(variable)
    mlflow.set_tracking_uri(uri)
    try:
        yield
    finally:
        mlflow.set_tracking_uri(None)
        if before is not None:
            os.environ[variable] = before


def model_name(study: str) -> str:
    """Name of a study's model: MLflow takes no dot, so ``wheat.e2`` is ``wheat-e2``."""
    return study.replace(".", "-")


class Registry:
    """Versions of one study's model, and its aliases.

    Parameters
    ----------
    tracking
        The open store.
    name
        The model's name.
    """

    def __init__(self, tracking: Tracking, name: str) -> None:
        self._tracking = tracking
        self._client = tracking.client
        self.name = name

    def find(self, digest: str) -> str | None:
        """The version of an equal bundle, if there is one."""
        for version in self._client.search_model_versions(f"name = '{self.name}'"):
            if version.tags.get(DIGEST_TAG) == digest:
                return str(version.version)
        return None

    def champion(self) -> tuple[str, str, str] | None:
        """Version, run and digest of the champion; None where there is none."""
        from mlflow.exceptions import MlflowException

        try:
            found = self._client.get_model_version_by_alias(self.name, CHAMPION)
        except MlflowException:
            return None
        return str(found.version), str(found.run_id), str(found.tags.get(DIGEST_TAG, ""))

    def add(self, run: str, card: ModelCard) -> str:
        """Log a model to a run and register it as the next version; returns its number."""
        with _as_default(self._tracking.uri):  # MLflow's registry opens a client of its own
            return self._add(run, card)

    def _add(self, run: str, card: ModelCard) -> str:
        from mlflow.entities import LoggedModelOutput
        from mlflow.exceptions import MlflowException

        logged = self._client.create_logged_model(
            self._tracking.experiment_id, name=self.name, source_run_id=run
        )
        with tempfile.TemporaryDirectory() as folder:
            _save(card, Path(folder) / "model")
            self._client.log_model_artifacts(logged.model_id, str(Path(folder) / "model"))
        self._client.finalize_logged_model(logged.model_id, "READY")
        self._client.log_outputs(run, [LoggedModelOutput(logged.model_id, step=0)])
        try:
            self._client.get_registered_model(self.name)
        except MlflowException:
            self._client.create_registered_model(self.name, description=card.description)
        version = self._client.create_model_version(
            self.name,
            source=logged.artifact_location,
            run_id=run,
            model_id=logged.model_id,
            tags={DIGEST_TAG: card.digest, **card.tags},
            description=card.description,
        )
        return str(version.version)

    def keep_evidence(self, run: str, file: Path) -> None:
        """Keep test predictions with a run, for comparison with later versions."""
        self._client.log_artifact(run, str(file), EVIDENCE)

    def evidence(self, run: str, name: str, into: Path) -> Path | None:
        """Fetch what `keep_evidence` kept; None where it is gone."""
        if f"{EVIDENCE}/{name}" not in {
            each.path for each in self._client.list_artifacts(run, EVIDENCE)
        }:
            return None
        return Path(self._client.download_artifacts(run, f"{EVIDENCE}/{name}", str(into)))

    def point(self, alias: str, version: str) -> None:
        """Let an alias point to a version."""
        self._client.set_registered_model_alias(self.name, alias, version)

    def tell(self, version: str, key: str, value: str) -> None:
        """Set a tag of a version, and add what it says to the version's description."""
        self._client.set_model_version_tag(self.name, version, key, value)
        known = self._client.get_model_version(self.name, version).description or ""
        self._client.update_model_version(self.name, version, f"{known}\n\n{value}".strip())


def _save(card: ModelCard, path: Path) -> None:
    """Write the model's folder: the bundle, signature, example and requirements."""
    import pandas as pd

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # MLflow's, of its own types and calls to pandas
        from mlflow import pyfunc
        from mlflow.models import ModelSignature
        from mlflow.types import ColSpec, Schema

        signature = None
        if len(card.inputs) <= MOST_COLUMNS:
            inputs = Schema([ColSpec(card.input_type, name) for name in card.inputs])
            outputs = Schema([ColSpec("double", name) for name in card.outputs])
            signature = ModelSignature(inputs=inputs, outputs=outputs)
        pyfunc.save_model(
            str(path),
            loader_module=card.loader,
            data_path=str(card.folder),
            signature=signature,
            input_example=pd.DataFrame(dict(card.example)),
            pip_requirements=list(card.requirements),
        )
