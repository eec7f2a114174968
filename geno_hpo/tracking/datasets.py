"""Data sets as MLflow shows them: name, digest, source and size, as ``mlflow.data`` reads them."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any

from geno_hpo.data.dataset import Dataset

__all__ = ["DatasetTag"]

SOURCE_TAG = "mlflow.source.name"
CONTEXT_TAG = "mlflow.data.context"


@dataclass(frozen=True)
class DatasetTag:
    """A data set as MLflow shows it: name, digest, where it comes from, and its shape."""

    name: str
    digest: str
    source: str
    profile: str

    @classmethod
    def of(cls, dataset: Dataset) -> DatasetTag:
        """Tell of a study's data set."""
        size = {
            "num_rows": dataset.samples,
            "num_elements": dataset.samples * dataset.features,
            "features": dataset.features,
            "simulated": dataset.origin.simulated,
        }
        return cls(dataset.name, dataset.fingerprint, dataset.origin.source, json.dumps(size))

    def entity(self, context: str) -> Any:
        """MLflow's ``DatasetInput``, with what the data were used for."""
        from mlflow.data.code_dataset_source import CodeDatasetSource
        from mlflow.entities import Dataset as Entity
        from mlflow.entities import DatasetInput, InputTag

        source = CodeDatasetSource({SOURCE_TAG: self.source})
        entity = Entity(
            name=self.name,
            digest=self.digest,
            source_type=source._get_source_type(),
            source=source.to_json(),
            profile=self.profile,
        )
        return DatasetInput(dataset=entity, tags=[InputTag(CONTEXT_TAG, context)])
