"""What a study's files say: configuration and search spaces, all faults told at once."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np

from geno_hpo.config import PreprocessConfig, ReaderData, StudyConfig, ask_study, is_shipped
from geno_hpo.errors import InputError
from geno_hpo.plugins import Plugin
from geno_hpo.space import SearchSpace, find_space, load_space
from geno_hpo.study.fingerprint import fingerprint
from geno_hpo.study.paths import Project, StudyKey
from geno_hpo.study.samplers import check_sampler

__all__ = ["StudyPlan", "load_plan"]

OUTER_SALT = 0x0DE5
CONTROL_SALT = 7919


@dataclass(frozen=True)
class StudyPlan:
    """What the study file and its search spaces say.

    Parameters
    ----------
    project, key
        Where it lives, and its name in the storage.
    config
        The validated study file.
    text
        The file as it stands.
    space
        The networks' search spaces.
    baselines
        One search space a baseline that the study asks for.
    shipped
        Files that the project does not have and the installed package brought.
    """

    project: Project
    key: StudyKey
    config: StudyConfig
    text: str
    space: SearchSpace
    baselines: dict[str, SearchSpace]
    shipped: tuple[str, ...] = ()

    @property
    def work(self) -> Path:
        """Work folder of the study."""
        return self.project.work(self.key)

    @property
    def nested(self) -> bool:
        """Whether this is a nested cross-validation as a whole, not one of its outer folds."""
        return self.config.split.outer is not None and not self.key.outer

    @property
    def seed(self) -> int:
        """Seed of search and final fits; every outer fold draws from its own."""
        seed, outer = self.config.seed, self.key.outer
        return (
            int(np.random.default_rng([seed, OUTER_SALT, outer]).integers(2**31)) if outer else seed
        )

    @property
    def fold_tag(self) -> dict[str, str]:
        """Tag of the outer fold in MLflow; empty where there is none."""
        return {"outer_fold": str(self.key.outer)} if self.key.outer else {}

    @property
    def metric(self) -> str:
        """Name of the score."""
        return str(self.config.metric)

    @property
    def costs(self) -> tuple[str, ...]:
        """What the search of networks keeps small beside its score, by name; mostly nothing."""
        return self.config.objectives[1:]

    @property
    def parts(self) -> dict[str, str]:
        """Every searched part and its name in the storage, in the order workers take them."""
        names = {"network": str(self.key)}
        names |= {name: self.key.part(name) for name in self.baselines}
        if self.config.control is not None:
            names["control"] = self.key.part("control")
        return names

    @property
    def permutations(self) -> int:
        """How many permutations of the labels the control has; 0 without a control."""
        return 0 if self.config.control is None else self.config.control.permutations

    def permutation(self, trial: int) -> int:
        """Which permutation, from 0, a trial of the control has by its number."""
        return trial % max(self.permutations, 1)

    def control_seed(self, permutation: int) -> int:
        """Seed of one of the control's permutations."""
        return self.seed + CONTROL_SALT + permutation

    @property
    def budgets(self) -> dict[str, int]:
        """Trials that each part asks for."""
        asked = {"network": self.config.budget.trials}
        asked |= {name: budget.trials for name, budget in self.config.baselines.items()}
        if self.config.control is not None:
            asked["control"] = self.config.control.trials * self.config.control.permutations
        return asked

    @property
    def promise(self) -> dict[str, Any]:
        """What a study that is done has met, as the storage keeps it."""
        budget = self.config.budget
        return {**self.budgets, "wall_time": budget.wall_time, **self.config.final.model_dump()}

    @property
    def settings(self) -> PreprocessConfig:
        """Preprocessing that is fitted inside the folds."""
        return self.config.preprocess

    @property
    def most_selected(self) -> int | None:
        """Largest number of variants that a space of networks or baselines selects."""
        found = [space.largest("select") for space in (self.space, *self.baselines.values())]
        return max((size for size in found if size is not None), default=None)

    @property
    def fits(self) -> Path:
        """Folder of the folds' fitted preprocessing."""
        return self.work / "folds"

    def probe(self, session: str) -> Path:
        """Folder of the probe of one launch."""
        return self.work / f"probe-{session}"

    @cached_property
    def definition(self) -> str:
        """Fingerprint of everything that decides what a trial means."""
        meaning = [
            self.config.definition(),
            self.space.fingerprint,
            {name: space.fingerprint for name, space in self.baselines.items()},
            *([self.packages] if self.packages else []),
        ]
        return fingerprint(meaning)

    @property
    def packages(self) -> dict[str, str]:
        """Package and version of each family, baseline, metric and reader that is not built in.

        Raises
        ------
        PluginError
            A name that two packages bring, or that is built in.
        """
        from geno_hpo.baselines import BASELINES
        from geno_hpo.data.own_reader import READERS
        from geno_hpo.metrics import METRICS
        from geno_hpo.models import FAMILIES

        data = self.config.data
        asked: list[Plugin | None] = [METRICS.plugin(self.metric)]
        asked += [BASELINES.plugin(name) for name in self.baselines]
        asked += [FAMILIES.plugin(name) for name in self.space.families]
        if isinstance(data, ReaderData):
            asked.append(READERS.plugin(data.reader))
        return {f"{one.kind}.{one.name}": one.package for one in asked if one is not None}


def load_plan(project: Project, name: str, generation: int = 1) -> StudyPlan:
    """Read a study and its spaces.

    Parameters
    ----------
    project, name
        Where it is; the name may tell a target, the generation and an outer fold
        (``wheat.e2``, ``inh@2~1``).
    generation
        Its generation, where the name does not tell it.

    Raises
    ------
    InputError
        There is no such study or outer fold, or a file has faults (all of them are told).
    """
    asked = StudyKey.parse(name)
    path, config = ask_study(asked.name, project.root)
    if asked.outer > (config.split.outer or 0):
        raise InputError(
            f"the outer fold must be one of split.outer ({config.split.outer or 'none'}), "
            f"got {asked.outer} ({path})"
        )
    if config.split.outer is not None:
        config = config.model_copy(update={"control": None})
    files = [find_space(space, project.spaces) for space in config.spaces]
    spaces = tuple(load_space(file) for file in files)
    rivals = {
        model: find_space(rival.space or model, project.spaces / "baselines")
        for model, rival in config.baselines.items()
    }
    baselines = {model: _rival(model, file) for model, file in rivals.items()}
    space = SearchSpace(spaces)
    check_sampler(config.sampler, space, config.budget.trials)
    return StudyPlan(
        project=project,
        key=StudyKey(config.name, max(generation, asked.generation), asked.outer),
        config=config,
        text=path.read_text(encoding="utf-8"),
        space=space,
        baselines=baselines,
        shipped=tuple(
            f"{file.parent.name}/{file.name}"
            for file in (path, *files, *rivals.values())
            if is_shipped(file)
        ),
    )


def _rival(model: str, file: Path) -> SearchSpace:
    """The search space of a baseline."""
    space = load_space(file)
    if space.family != model:
        raise InputError(
            f"the space of baseline {model} must be of family {model}, got {space.family} ({file})"
        )
    return SearchSpace((space,))
