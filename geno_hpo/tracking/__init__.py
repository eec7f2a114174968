"""MLflow: the only part of the package that knows it.

`Tracking` opens the store and makes experiments and runs; `RunLog` records one run through a
background writer, so that training never waits for a database.
"""

from geno_hpo.tracking.datasets import DatasetTag
from geno_hpo.tracking.runs import RunLog
from geno_hpo.tracking.store import PastRun, Tracking
from geno_hpo.tracking.views import views
from geno_hpo.tracking.writer import Writer

__all__ = ["DatasetTag", "PastRun", "RunLog", "Tracking", "Writer", "views"]
