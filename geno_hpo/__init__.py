"""geno_hpo: hyperparameter-optimisation experiments for genomic deep learning."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from geno_hpo.api import Study

__version__ = "0.1.0"
__all__ = ["Study", "__version__"]


def __getattr__(name: str) -> Any:
    """Import the Python interface when it is asked for: the command line need not wait for it."""
    if name == "Study":
        from geno_hpo.api import Study

        return Study
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
