"""Names out of a list that installed packages may lengthen, such as metrics and baselines."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from pydantic import GetCoreSchemaHandler, GetJsonSchemaHandler
from pydantic_core import CoreSchema, PydanticCustomError, core_schema

from geno_hpo.plugins import plugins

__all__ = ["Known"]


@dataclass(frozen=True)
class Known:
    """Annotation of a text field: one of these names, or one that a package brings.

    Parameters
    ----------
    kind
        Kind of plugin, see `geno_hpo.plugins.KINDS`.
    built_in
        Names that need no package.
    """

    kind: str
    built_in: tuple[str, ...] = ()

    @property
    def names(self) -> list[str]:
        """All names, those that are built in first."""
        return list(dict.fromkeys((*self.built_in, *plugins(self.kind))))

    def _check(self, value: object) -> str:
        if isinstance(value, str) and value in self.names:
            return value
        raise PydanticCustomError("unknown_name", "unknown name", {"known": self.names})

    def __get_pydantic_core_schema__(self, _: Any, __: GetCoreSchemaHandler) -> CoreSchema:
        """Check against the names as they are when a file is read."""
        return core_schema.no_info_plain_validator_function(self._check)

    def __get_pydantic_json_schema__(
        self, _: CoreSchema, __: GetJsonSchemaHandler
    ) -> dict[str, Any]:
        """Give editors the names of this installation."""
        return {"type": "string", "enum": self.names} if self.names else {"type": "string"}
