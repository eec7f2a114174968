"""What a study's name means: a file of ``studies/``, and perhaps another target than it names.

``inh`` is ``studies/inh.yaml`` as it stands. ``wheat.e2`` is ``studies/wheat.yaml`` with ``target:
e2``, unless a file ``wheat.e2.yaml`` exists; it is a study of its own, with its own trials and
report. So one file serves every trait or drug of a data set.
"""

from __future__ import annotations

from pathlib import Path

from geno_hpo.config.names import find_named
from geno_hpo.config.study import StudyConfig, load_study
from geno_hpo.errors import InputError

__all__ = ["ask_study", "with_target"]


def with_target(name: str, target: str | None) -> str:
    """Name of the study that asks the question of `name` for another target."""
    return name if target is None else f"{name}.{target}"


def ask_study(name: str, root: Path) -> tuple[Path, StudyConfig]:
    """Find and load the study that a name means.

    Parameters
    ----------
    name
        A file's name without suffix, a path that ends in ``.yaml``, or either's name with
        ``.TARGET`` after it.
    root
        Project folder, with ``studies/`` and ``search_spaces/``.

    Returns
    -------
    tuple
        The file, and what it says; under a target of its own, published results are those that
        name this target or none.

    Raises
    ------
    InputError
        No such study, or several targets in the file.
    ConfigError
        Everything that is wrong with the file.
    """
    folder = root / "studies"
    try:
        path = find_named("study", name, folder)
    except InputError as unknown:
        base, _, target = name.rpartition(".")
        try:
            path = find_named("study", base, folder)
        except InputError:
            raise unknown from None
        return path, _retargeted(load_study(path, root=root), target, path)
    return path, _told(load_study(path, root=root))


def _retargeted(config: StudyConfig, target: str, path: Path) -> StudyConfig:
    if len(config.targets) > 1:
        raise InputError(
            f"study {config.name} predicts {len(config.targets)} targets at once, so that none can "
            f"be named after it, got {config.name}.{target} ({path})"
        )
    changed = config.model_copy(update={"name": with_target(config.name, target), "target": target})
    return _told(changed)


def _told(config: StudyConfig) -> StudyConfig:
    """`config` with its question about its target, and the published results for it."""
    target = config.targets[0] if len(config.targets) == 1 else None
    published = tuple(each for each in config.published if each.target in (None, target))
    return config.model_copy(
        update={
            "question": config.question.replace("{target}", target or ", ".join(config.targets)),
            "published": published if target is not None else config.published,
        }
    )
