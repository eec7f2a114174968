"""How trials fail, and what a study does about it.

=============  ==========================================  ========================================
kind           what happened                               what follows
=============  ==========================================  ========================================
invalid        no model can be built from a configuration  another configuration takes its place
non-finite     loss or predictions left the numbers        another configuration takes its place
memory         out of memory with the smallest batch tried another configuration takes its place
error          an error in the code, with its traceback    another configuration takes its place
lost worker    killed, hung or cut off, over and over      taken over three times, then replaced
=============  ==========================================  ========================================

A worker that is told to stop (SIGTERM, Ctrl-C, ``geno-hpo stop``) fails nothing: its trial waits
for the next worker, with its checkpoint.
"""

from __future__ import annotations

import traceback
from collections import Counter
from dataclasses import dataclass
from typing import Any

from optuna.trial import TrialState

from geno_hpo.errors import GenoHpoError, TrialFailed
from geno_hpo.study.paths import masked

__all__ = ["FAILURES_ALLOWED", "Failure", "is_replaced"]

FAILURES_ALLOWED = 5
"""Failed trials of one part after which, with none complete, the study stops; and how many
failures beyond the budget's tenth are replaced."""
TRACE_LETTERS = 4000


@dataclass(frozen=True)
class Failure:
    """Why a trial failed: its kind, one sentence, and the traceback of an error in code."""

    kind: str
    message: str
    trace: str = ""

    @classmethod
    def of(cls, error: Exception) -> Failure:
        """Tell an error's kind."""
        if isinstance(error, TrialFailed):
            return cls(error.kind, masked(str(error)))
        if isinstance(error, GenoHpoError):
            return cls("invalid", masked(str(error)))
        if isinstance(error, MemoryError):
            return cls("memory", masked(str(error)) or "out of memory")
        trace = masked("".join(traceback.format_exception(error)))
        return cls("error", masked(f"{type(error).__name__}: {error}"), trace)

    @property
    def reason(self) -> str:
        """Kind and sentence."""
        return f"{self.kind}: {self.message}"

    @property
    def attributes(self) -> dict[str, Any]:
        """What the storage keeps of it."""
        return {"reason": self.reason} | (
            {"traceback": self.trace[-TRACE_LETTERS:]} if self.trace else {}
        )


def is_replaced(tally: Counter[TrialState]) -> bool:
    """Whether another trial takes the place of one that has just failed."""
    failed = tally[TrialState.FAIL]
    hopeless = failed >= FAILURES_ALLOWED and not tally[TrialState.COMPLETE]
    return not hopeless and failed <= FAILURES_ALLOWED + sum(tally.values()) // 10
