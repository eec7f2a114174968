"""The exceptions of geno_hpo: one tree, so that callers catch what they can answer.

Every message shows the rule, the value that broke it, and the place. The command line turns
the branch into its exit code: 2 for input the user can mend, 1 for everything else.
"""

from __future__ import annotations

from dataclasses import dataclass

__all__ = [
    "BundleError",
    "ConfigError",
    "DataError",
    "DownloadError",
    "Fault",
    "GenoHpoError",
    "InputError",
    "PluginError",
    "SpaceError",
    "StorageError",
    "StudyChangedError",
    "StudyStopped",
    "TrialFailed",
]


class GenoHpoError(Exception):
    """Anything geno_hpo raises on purpose."""

    exit_code = 1


class InputError(GenoHpoError):
    """Something the user gave is wrong and the user can mend it."""

    exit_code = 2


@dataclass(frozen=True)
class Fault:
    """One thing wrong in a file.

    Parameters
    ----------
    message
        The rule and the value that broke it.
    key
        Dotted path of the key, such as ``budget.trials``; empty for the whole file.
    file, line
        Where it stands; `line` counts from 1, and is 0 where no line applies.
    """

    message: str
    key: str = ""
    file: str = ""
    line: int = 0

    def __str__(self) -> str:
        place = f"{self.file}:{self.line}" if self.file and self.line else self.file
        subject = f"{self.key}: {self.message}" if self.key else self.message
        return f"{subject} ({place})" if place else subject


class ConfigError(InputError):
    """One or more faults in a study or space file, all told at once."""

    def __init__(self, faults: list[Fault] | tuple[Fault, ...]) -> None:
        self.faults = tuple(faults)
        head = "" if len(self.faults) == 1 else f"{len(self.faults)} faults:\n  "
        super().__init__(head + "\n  ".join(str(fault) for fault in self.faults))


class SpaceError(InputError):
    """A search space that can draw a configuration no model can be built from."""


class DataError(InputError):
    """A data file that does not say what it should."""


class BundleError(InputError):
    """An exported bundle that is missing, damaged, of a newer format, or not made for the input."""


class PluginError(InputError):
    """A family, baseline, metric or reader of another package that breaks the rules for it."""


class DownloadError(InputError):
    """A catalogue file could not be had: no network, or its checksum differs."""


class StudyChangedError(InputError):
    """The study file no longer describes the trials that the storage holds."""


class StorageError(GenoHpoError):
    """The trial storage or the tracking store cannot be read or written."""


class StudyStopped(GenoHpoError):  # noqa: N818 - asked for, and done
    """Somebody asked the study to stop; it ends like one that was interrupted."""

    exit_code = 130


class TrialFailed(GenoHpoError):  # noqa: N818 - what happened, as the storage says it
    """A trial ended without a score; the study goes on.

    Parameters
    ----------
    kind
        ``"invalid"`` (no model can be built), ``"non-finite"`` (the loss left the numbers),
        ``"memory"`` (out of memory) or ``"error"`` (anything else).
    """

    def __init__(self, kind: str, message: str) -> None:
        self.kind = kind
        super().__init__(message)
