"""Where a project keeps things: one root folder, the names below it, and the storage addresses.

``GENO_HPO_STORAGE`` (an SQLAlchemy address) and ``MLFLOW_TRACKING_URI`` replace the local
databases when several machines share a study.
"""

from __future__ import annotations

import os
import re
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import unquote

from geno_hpo.errors import StorageError

__all__ = ["Project", "StudyKey", "masked"]

ADDRESS = re.compile(r"(://[^:/@\s]*):([^@\s]*(?:@[^\s/@'\"]*(?=@))*)@")
"""Of an address with a password; an ``@`` in it should be written ``%40``, and sometimes is not."""
ADDRESSES = ("GENO_HPO_STORAGE", "MLFLOW_TRACKING_URI")
PASSWORDS = ("PGPASSWORD", "MLFLOW_TRACKING_PASSWORD", "MLFLOW_TRACKING_TOKEN")
SHORTEST_SECRET = 6
"""A shorter word may stand in a text by chance; in an address it is masked all the same."""
KEY = re.compile(r"(?P<name>.+?)(@(?P<generation>[1-9]\d*))?(~(?P<outer>[1-9]\d*))?")


@dataclass(frozen=True)
class StudyKey:
    """A study's name in the storage: its file's name and its generation.

    A study file that changes after trials exist starts a new *generation* (``--fresh``); the old
    one keeps its trials. Generation 1 is plain ``inh``, the next ``inh@2``. Each *outer fold* of
    a nested cross-validation is a study of its own: ``inh~1`` is the first, 0 means none.
    """

    name: str
    generation: int = 1
    outer: int = 0

    def __str__(self) -> str:
        name = self.name if self.generation == 1 else f"{self.name}@{self.generation}"
        return f"{name}~{self.outer}" if self.outer else name

    @property
    def exact(self) -> str:
        """The key with its generation told even if it is the first: no later one is meant."""
        return f"{self.name}@{self.generation}" + (f"~{self.outer}" if self.outer else "")

    @property
    def whole(self) -> StudyKey:
        """The study that an outer fold belongs to; itself where there is none."""
        return StudyKey(self.name, self.generation)

    def part(self, part: str) -> str:
        """Name of one part of the study in the storage (``inh:ridge``)."""
        return f"{self}:{part}"

    @classmethod
    def parse(cls, text: str) -> StudyKey:
        """Read ``inh``, ``inh@2``, ``inh~1`` or ``inh@2~1``."""
        found = KEY.fullmatch(text)
        if found is None:
            return cls(text)
        return cls(found["name"], int(found["generation"] or 1), int(found["outer"] or 0))


@dataclass(frozen=True)
class Project:
    """The folder that holds ``studies/``, ``search_spaces/``, ``mlruns/`` and ``reports/``."""

    root: Path

    @property
    def studies(self) -> Path:
        """Study files."""
        return self.root / "studies"

    @property
    def spaces(self) -> Path:
        """Search space files."""
        return self.root / "search_spaces"

    @property
    def mlruns(self) -> Path:
        """Databases, artifacts and work folders."""
        return self.root / "mlruns"

    def work(self, key: StudyKey) -> Path:
        """Prepared data, curves, final models and logs of one study."""
        return self.mlruns / "work" / str(key)

    def report(self, key: StudyKey) -> Path:
        """The study's report folder."""
        return self.root / "reports" / str(key)

    @property
    def storage_url(self) -> str:
        """Address of the trial storage."""
        local = f"sqlite:///{(self.mlruns / 'optuna.db').as_posix()}"
        return os.environ.get("GENO_HPO_STORAGE") or local

    @property
    def tracking_uri(self) -> str:
        """Address of the MLflow tracking store."""
        local = f"sqlite:///{(self.mlruns / 'mlflow.db').as_posix()}"
        return os.environ.get("MLFLOW_TRACKING_URI") or local

    @property
    def has_trials(self) -> bool:
        """Whether there is a storage to read; a local one is made by the first run only."""
        shared = not self.storage_url.startswith("sqlite:///")
        return shared or Path(self.storage_url.removeprefix("sqlite:///")).exists()

    def make_writable(self) -> None:
        """Create ``mlruns/`` and see that it can be written.

        Raises
        ------
        StorageError
            The folder is read-only or the disk is full.
        """
        probe = self.mlruns / ".writable"
        try:
            self.mlruns.mkdir(parents=True, exist_ok=True)
            probe.write_bytes(b"0" * 65536)
            probe.unlink()
        except OSError as error:
            raise StorageError(
                f"{self.mlruns} must be writable, for trials and runs are kept there: "
                f"{error.strerror or error}. Make it writable or free some space, "
                "then say the same command again: nothing is lost"
            ) from error


def masked(text: str) -> str:
    """`text` without passwords, for messages, logs and tags.

    Those of addresses in it are masked, and wherever they stand those that this process was given.
    """
    for secret in _secrets():
        text = text.replace(secret, "***")
    text = ADDRESS.sub(r"\1:***@", text)
    return re.sub(r"\b(password|passwd|token|secret)=[^&\s'\"]+", r"\1=***", text, flags=re.I)


def _secrets() -> list[str]:
    """Passwords that this process was given, as written and as meant, the longest first."""
    found = {os.environ.get(name, "") for name in PASSWORDS}
    for name in ADDRESSES:
        address = ADDRESS.search(os.environ.get(name, ""))
        if address is not None:
            found |= {address[2], unquote(address[2])}
    return sorted((one for one in found if len(one) >= SHORTEST_SECRET), key=len, reverse=True)
