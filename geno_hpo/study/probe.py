"""The probe: which layout of workers and threads trains most replica-epochs a second.

The workers that start anyway are the first layout; the next layout's processes start beside them.
Each traces the study's middling configurations and says that it is *ready*. Then the launcher lets
one layout after the other *go*: all its workers train at once, each tells its *rate*, and the sum
is the layout's. As long as a layout beats the one before it, the next one is tried. At the end the
launcher writes what was *chosen*; workers of that layout go on to the search with everything they
have loaded, the others leave. Everything passes through small files in one folder.
"""

from __future__ import annotations

import os
import time
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

from geno_hpo.errors import GenoHpoError
from geno_hpo.models import Parameters
from geno_hpo.space import SearchSpace
from geno_hpo.space.tree import Float, Int, Searched, Value
from geno_hpo.study.layout import Choice, Layout

if TYPE_CHECKING:
    from geno_hpo.evaluation.network import NetworkEvaluation

__all__ = ["Probe", "middling", "take_part"]

POLL_SECONDS = 0.02
WINDOW_SECONDS = 1.5
"""How long a layout is timed."""
READY_SECONDS = 90.0
"""How long all processes of a layout may take to load TensorFlow and trace."""
RATE_SECONDS = 30.0
BETTER = 1.05
"""How much faster another layout must be: timing a second scatters by some per cent."""
FAMILIES = 3
"""Search spaces that are probed at most, the first ones."""


def middling(space: SearchSpace) -> list[Parameters]:
    """The middle of each family's space: of every list the middle value, of every range too."""

    def middle(node: Searched) -> Value:
        if isinstance(node, Int | Float):
            return node.default
        return node.values[len(node.values) // 2]

    return [each.configure(middle) for each in space.spaces[:FAMILIES]]


def take_part(
    folder: Path,
    evaluation: NetworkEvaluation,
    space: SearchSpace,
    threads: int,
    stop: Callable[[], bool],
) -> bool:
    """Let this worker be probed; whether its layout was chosen, so that it goes on to the search.

    Parameters
    ----------
    folder
        The probe's files.
    evaluation, space
        What is trained.
    threads
        Threads of this worker, by which its layout is known.
    stop
        True once the worker should end.
    """
    from geno_hpo.evaluation.pace import Pace

    chosen = folder / "chosen"
    if not chosen.exists():
        mine, rate = f"{threads}-{os.getpid()}", 0.0
        try:
            pace = Pace(evaluation, middling(space))
            pace.warm()
            _write(folder / f"{mine}.ready", "")
            if _await(lambda: (folder / f"{threads}.go").exists() or chosen.exists(), stop):
                rate = 0.0 if chosen.exists() else pace.rate(WINDOW_SECONDS)
        except GenoHpoError as error:  # a configuration that cannot be trained here: no rate
            _write(folder / f"{mine}.ready", str(error))
        _write(folder / f"{mine}.rate", str(rate))
    return _await(chosen.exists, stop) and int(chosen.read_text()) == threads


class Probe:
    """The launcher's side.

    Parameters
    ----------
    folder
        A new folder for the probe's files.
    begin
        Starts the workers of a layout.
    lives
        Whether every worker that was started still runs.
    """

    def __init__(
        self, folder: Path, begin: Callable[[Layout], None], lives: Callable[[], bool]
    ) -> None:
        self._folder = folder
        self._begin = begin
        self._lives = lives
        folder.mkdir(parents=True)

    def choose(self, layouts: tuple[Layout, ...]) -> Choice | None:
        """Find the best of two or more layouts; the first one's workers are started already.

        Every worker is told in the end which layout it is: the first one where nothing could be
        timed, which gives None.
        """
        best, rates = layouts[0], dict[Layout, float]()
        begun = time.monotonic()
        try:
            self._begin(layouts[1])
            if not (self._ready(layouts[0]) and self._ready(layouts[1])):
                return None
            rates[best] = self._time(best)
            for layout in layouts[1:]:
                if layout != layouts[1]:
                    self._begin(layout)
                    if not self._ready(layout):
                        break
                rates[layout] = self._time(layout)
                if rates[layout] <= BETTER * rates[best]:
                    break
                best = layout
        finally:
            _write(self._folder / "chosen", str(best.threads))
        if not rates[best]:
            return None
        others = (f"{_said(rate)} for {layout}" for layout, rate in rates.items() if layout != best)
        return Choice(
            best,
            f"{best}: {_said(rates[best])} replica-epochs a second in a probe of "
            f"{time.monotonic() - begun:.0f} s, against {' and '.join(others)}",
        )

    def _ready(self, layout: Layout) -> bool:
        """Wait for a layout's workers; False where one ended or they take too long."""
        return self._await(layout, "ready", READY_SECONDS)

    def _time(self, layout: Layout) -> float:
        """Let a layout's workers train at once; replica-epochs a second of all, 0 on failure."""
        _write(self._folder / f"{layout.threads}.go", "")
        if not self._await(layout, "rate", RATE_SECONDS):
            return 0.0
        rates = [float(path.read_text()) for path in self._files(layout, "rate")]
        return sum(rates) if all(rates) else 0.0

    def _await(self, layout: Layout, what: str, seconds: float) -> bool:
        deadline = time.monotonic() + seconds
        while len(self._files(layout, what)) < layout.workers:
            if time.monotonic() > deadline or not self._lives():
                return False
            time.sleep(POLL_SECONDS)
        return True

    def _files(self, layout: Layout, what: str) -> list[Path]:
        return list(self._folder.glob(f"{layout.threads}-*.{what}"))


def _said(rate: float) -> str:
    return f"{rate:.0f}" if rate >= 10 else f"{rate:.2g}"


def _write(path: Path, text: str) -> None:
    draft = path.with_suffix(f".{os.getpid()}.tmp")
    draft.write_text(text)
    draft.replace(path)


def _await(arrived: Callable[[], bool], stop: Callable[[], bool]) -> bool:
    """Wait until something has arrived; False when told to stop before."""
    while not arrived():
        if stop():
            return False
        time.sleep(POLL_SECONDS)
    return True
