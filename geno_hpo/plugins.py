"""Families, baselines, metrics and readers that other installed packages bring by entry points.

A package names them in its ``pyproject.toml``, in the groups ``geno_hpo.families``,
``geno_hpo.baselines``, ``geno_hpo.metrics`` and ``geno_hpo.readers`` (docs/reference/extend.md).
Names are read from the packages' metadata; code is imported when a name is first used. What is
wrong with one stops whoever uses it, with the package named, and nobody else.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import cache
from importlib.metadata import EntryPoint, entry_points
from typing import Any, Generic, TypeVar

from geno_hpo.errors import PluginError

__all__ = ["KINDS", "Plugin", "Registry", "find_plugin", "plugins", "takes"]

KINDS = {
    "families": "model family",
    "baselines": "baseline",
    "metrics": "metric",
    "readers": "reader",
}
"""Groups of entry points, without ``geno_hpo.`` before them, and what one is called."""

T = TypeVar("T")


@dataclass(frozen=True, eq=False)
class Plugin:
    """A name that a package brings.

    Parameters
    ----------
    kind
        One of `KINDS`.
    name
        As study and space files say it.
    package
        The package and its version.
    entry
        Where its object is.
    """

    kind: str
    name: str
    package: str
    entry: EntryPoint = field(repr=False)

    def __str__(self) -> str:
        return f"{KINDS[self.kind]} {self.name!r} of {self.package} ({self.entry.value})"

    def load(self) -> Any:
        """Import the object.

        Raises
        ------
        PluginError
            The package cannot be imported, or has no such object.
        """
        try:
            return self.entry.load()
        except Exception as error:  # a package may fail in any way while it is imported
            lines = str(error).splitlines() or [""]
            raise PluginError(
                f"{self} cannot be loaded: {type(error).__name__}: {lines[0]}"
            ) from error

    def refuse(self, rule: str) -> PluginError:
        """Give the error that tells which rule it breaks."""
        return PluginError(f"{self}: {rule}")


@cache
def plugins(kind: str) -> dict[str, tuple[Plugin, ...]]:
    """Give the names that packages bring, each with the packages that do; none is imported."""
    found: dict[str, dict[str, Plugin]] = {}
    for entry in entry_points(group=f"geno_hpo.{kind}"):
        package = f"{entry.dist.name} {entry.dist.version}" if entry.dist else "unknown"
        # A package may be found twice, by two folders of the search path.
        found.setdefault(entry.name, {})[package] = Plugin(kind, entry.name, package, entry)
    return {name: tuple(each.values()) for name, each in sorted(found.items())}


def find_plugin(kind: str, name: str, built_in: object = ()) -> Plugin | None:
    """Give the plugin of this name; None where no package brings it.

    Parameters
    ----------
    kind, name
        What is asked for.
    built_in
        Container of the names that geno_hpo has itself.

    Raises
    ------
    PluginError
        Two packages bring it, or a package brings a name that is built in.
    """
    found = plugins(kind).get(name, ())
    if not found:
        return None
    if name in built_in:  # type: ignore[operator]
        raise found[0].refuse(f"the name {name!r} is built in; its package must choose another")
    if len(found) > 1:
        raise PluginError(
            f"{KINDS[kind]} {name!r} is brought by {' and '.join(each.package for each in found)}; "
            "uninstall all but one"
        )
    return found[0]


class Registry(Mapping[str, T], Generic[T]):
    """What is built in, and behind it what packages bring.

    Parameters
    ----------
    kind
        One of `KINDS`.
    built_in
        By name.
    check
        ``check(plugin, object)``: returns the object, or raises what `Plugin.refuse` gives.
    """

    def __init__(
        self, kind: str, built_in: Mapping[str, T], check: Callable[[Plugin, Any], T]
    ) -> None:
        self.kind = kind
        self.built_in = built_in
        self._check = check
        self._checked: dict[Plugin, T] = {}

    def plugin(self, name: str) -> Plugin | None:
        """Give the plugin of this name, without importing it; None for what is built in.

        Raises
        ------
        PluginError
            Two packages bring it, or a package brings a name that is built in.
        """
        return find_plugin(self.kind, name, self.built_in)

    def __getitem__(self, name: str) -> T:
        plugin = self.plugin(name)
        if plugin is None:
            return self.built_in[name]
        if plugin not in self._checked:
            self._checked[plugin] = self._check(plugin, plugin.load())
        return self._checked[plugin]

    def __iter__(self) -> Iterator[str]:
        yield from self.built_in
        yield from (name for name in plugins(self.kind) if name not in self.built_in)

    def __contains__(self, name: object) -> bool:
        return name in self.built_in or name in plugins(self.kind)

    def __len__(self) -> int:
        return sum(1 for _ in self)


def takes(function: object, *names: str) -> bool:
    """Whether a function can be called with arguments that stand for these, in this order."""
    if not callable(function):
        return False
    try:
        signature = inspect.signature(function)
    except (TypeError, ValueError):  # compiled functions tell none
        return True
    try:
        signature.bind(*names)
    except TypeError:
        return False
    return True
