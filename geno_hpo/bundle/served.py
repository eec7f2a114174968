"""A bundle behind MLflow's ``pyfunc``: rows of raw sequences or dosages in, answers out.

MLflow loads a model by calling `_load_pyfunc` of this module; MLflow itself is not imported, and
nothing is unpickled. The table has a column a locus with its letters (``sequence`` where the study
named none), or a column a variant with its dosage (empty: not called). The answer has a row a
sample, in order: for each output its probability (or value), ``NAME.spread`` and ``NAME.call`` (−1:
cannot tell); for several classes ``p.CLASS`` and ``call``.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from geno_hpo import encoding
from geno_hpo.bundle.folder import Bundle, open_bundle
from geno_hpo.bundle.network import Ensemble
from geno_hpo.bundle.predict import CANNOT_TELL, Predicted, predict
from geno_hpo.bundle.samples import Samples
from geno_hpo.bundle.sequences import samples_of_texts
from geno_hpo.bundle.variants import samples_of_genotypes
from geno_hpo.data.genotypes import Block, Genotypes, Index, as_dosages
from geno_hpo.data.texts import Texts
from geno_hpo.errors import BundleError

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["SEQUENCE", "Served", "answer_columns", "example", "input_columns"]

SEQUENCE = "sequence"
REQUEST = Path("the request")


def _load_pyfunc(path: str) -> Served:
    """What MLflow calls."""
    return Served(open_bundle(Path(path)))


class Served:
    """A bundle that answers tables.

    Parameters
    ----------
    bundle
        An opened bundle.
    """

    def __init__(self, bundle: Bundle) -> None:
        self.bundle = bundle
        self._ensemble = Ensemble(bundle)

    def predict(self, model_input: pd.DataFrame, params: Any = None) -> pd.DataFrame:  # noqa: ARG002
        """Answers for the rows of a table, see the module.

        Raises
        ------
        BundleError
            A column that is missing, letters or dosages that are none, another species.
        """
        import pandas as pd

        samples = self._samples(model_input)
        rows = [
            _row(self.bundle, each, number)
            for each in predict(self.bundle, samples, ensemble=self._ensemble)
            for number in range(len(each.ids))
        ]
        return pd.DataFrame(rows, columns=answer_columns(self.bundle), index=model_input.index)

    def _samples(self, table: pd.DataFrame) -> Samples:
        wanted = input_columns(self.bundle)
        known = set(table.columns)
        missing = [name for name in wanted if name not in known]
        if missing:
            raise BundleError(
                f"a table must have the columns {', '.join(wanted[:5])}"
                f"{' …' if len(wanted) > 5 else ''}; {len(missing)} are missing, the first is "
                f"{missing[0]!r}"
            )
        ids = tuple(f"row {number}" for number in range(1, len(table) + 1))
        if self.bundle.manifest.kind == "sequence":
            names = [locus.name for locus in self.bundle.manifest.stretches]
            loci = {
                name: dict(zip(ids, map(str, table[name or SEQUENCE]), strict=True))
                for name in names
            }
            return samples_of_texts(self.bundle, Texts(REQUEST, loci))
        codes = as_dosages(table[wanted].to_numpy(dtype=float), REQUEST)

        def blocks(rows: Index, columns: Index) -> Iterator[Block]:
            yield 0, 0, codes[np.ix_(rows, columns)]

        genotypes = Genotypes(REQUEST, ids, tuple(wanted), blocks)
        return samples_of_genotypes(self.bundle, genotypes)


def input_columns(bundle: Bundle) -> list[str]:
    """Columns that a table must have."""
    if bundle.manifest.kind == "variants":
        return [str(name) for name in bundle.encoding["names"].tolist()]
    return [locus.name or SEQUENCE for locus in bundle.manifest.stretches]


def answer_columns(bundle: Bundle) -> list[str]:
    """Columns of the answer."""
    manifest = bundle.manifest
    if manifest.task == "multiclass":
        return [*(f"p.{name}" for name in manifest.classes), "call"]
    parts = ("", ".spread") if manifest.task == "regression" else ("", ".spread", ".call")
    return [f"{target}{part}" for target in manifest.targets for part in parts]


def example(bundle: Bundle) -> dict[str, list[Any]]:
    """One sample: the reference, or the study's mean dosages as whole numbers."""
    if bundle.manifest.kind == "variants":
        found = np.rint(bundle.encoding["dosage"]).astype(float).tolist()
        return {name: [value] for name, value in zip(input_columns(bundle), found, strict=True)}
    reference = bundle.encoding["reference"]
    return {
        locus.name or SEQUENCE: [encoding.decode(reference[locus.start : locus.stop])]
        for locus in bundle.manifest.stretches
    }


def _row(bundle: Bundle, found: Predicted, number: int) -> list[float]:
    mean, spread, calls = found.mean[number], found.spread[number], found.calls[number]
    if bundle.manifest.task == "multiclass":
        return [*map(float, mean), float(calls[0])]
    parts = [mean, spread] if bundle.manifest.task == "regression" else [mean, spread, calls]
    values = np.stack([np.asarray(part, dtype=float) for part in parts], axis=1)
    if bundle.manifest.task == "regression":
        values[calls == CANNOT_TELL] = np.nan
    return [float(value) for value in values.ravel()]
