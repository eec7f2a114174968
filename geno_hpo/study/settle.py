"""Which layout a launch takes: the one known from before, the usual one, or what a probe finds.

What a probe found before on this machine, for this study, or this shape of data and search space,
is taken. A search that is reckoned to be shorter than `WORTH_SECONDS` is not worth a probe and
takes the usual layout; any other one is probed once.
"""

from __future__ import annotations

from collections.abc import Callable

from geno_hpo.study.crew import Crew
from geno_hpo.study.gpus import places, visible_gpus
from geno_hpo.study.layout import Choice, Choices, Layout, count, layouts, reckoned_seconds
from geno_hpo.study.plan import StudyPlan
from geno_hpo.study.prepared import Prepared
from geno_hpo.study.probe import Probe
from geno_hpo.study.record import Record
from geno_hpo.study.storage import Pool

__all__ = ["Settler"]

WORTH_SECONDS = 600.0
"""Reckoned length from which on a search is worth a probe of its layout."""


class Settler:
    """Settles the layout of one launch: how many workers of how many threads.

    Parameters
    ----------
    plan
        The study.
    crew
        The launch's workers on this machine.
    say
        Called with one plain sentence that tells the layout and why.
    cores
        Cores that the launch may use.
    workers
        How many are asked for; None takes the study's ``workers``, else as many as train most.
        0: workers on other machines do all of it.
    per_gpu
        Workers on each GPU, where there are GPUs.
    """

    def __init__(
        self,
        plan: StudyPlan,
        crew: Crew,
        say: Callable[[str], None],
        *,
        cores: int,
        workers: int | None,
        per_gpu: int,
    ) -> None:
        self._plan, self._crew, self._say, self._cores = plan, crew, say, cores
        self.serves = workers == 0
        fixed = workers or plan.config.workers
        self._layouts = self._possible(fixed, per_gpu)
        self._choices = Choices(plan.project.mlruns / "layouts.json", cores, fixed)
        known = self._choices.get(self._choices.of_study(plan))
        self.layout = self._layouts[0]
        if known is not None and len(self._layouts) > 1:
            self.layout = known.layout

    def settle(self, record: Record, prepared: Prepared, networks: Pool) -> None:
        """Choose the layout while workers of the present one load TensorFlow."""
        study = self._choices.of_study(self._plan)
        shape = self._choices.of_shape(self._plan, prepared)
        known = self._choices.get(study) or self._choices.get(shape)
        done = sum(trial.state.is_finished() for trial in networks.trials())
        to_do = max(self._plan.budgets["network"] - done, 0)
        length = reckoned_seconds(self._plan, prepared, to_do, self._cores)
        if self.serves:
            self._say(
                f"no worker on this machine; elsewhere say: geno-hpo worker {self._plan.key} --stay"
            )
        elif len(self._layouts) == 1:
            self._say(f"{self.layout}: no other layout fits {count(self._cores, 'core')}")
        elif known is not None:
            self._choices.keep(known, study)
            self._say(f"{known.why} (probed before)")
            if known.layout != self.layout:
                self._crew.stop()
                self.layout = known.layout
                self._crew.start(self.layout)
        elif length < WORTH_SECONDS:
            self._say(
                f"{self.layout}, without a probe: the search is reckoned to take "
                f"{max(length / 60, 1):.0f} min at most, a probe pays from "
                f"{WORTH_SECONDS / 60:.0f} min on"
            )
        else:
            self._say("timing how many workers and threads train fastest here (once)")
            choice = self._probe(record)
            if choice is None:
                self._say(f"{self.layout}: the probe could not time another layout")
            else:
                self._choices.keep(choice, study, shape)
                self._say(choice.why)

    def _probe(self, record: Record) -> Choice | None:
        """Time the layouts; workers of the others leave."""
        folder = self._plan.probe(self._crew.session)
        probe = Probe(folder, self._crew.start, lambda: self._crew.alive)
        record.set(phase="probing")
        choice = probe.choose(self._layouts)
        self.layout = self._layouts[0] if choice is None else choice.layout
        self._crew.keep(self.layout)
        return choice

    def _possible(self, fixed: int | None, per_gpu: int) -> tuple[Layout, ...]:
        """Layouts that may be tried; where there are GPUs, one worker a place on them."""
        if self.serves:
            return (Layout(0, 1),)
        gpus = visible_gpus()
        if not gpus:
            return layouts(self._cores, fixed)
        workers = len(places(fixed or len(gpus) * per_gpu, per_gpu, gpus))
        return (Layout(workers, max(self._cores // workers, 1)),)
