"""Progress as a notebook shows it, and nothing elsewhere."""

from __future__ import annotations

import pytest

from geno_hpo.notebook import Cell, bar, in_notebook
from geno_hpo.study.progress import PartProgress, Progress


def part(name: str, best: float | None, failed: int = 0) -> PartProgress:
    return PartProgress(name, 10, 3, 1, failed, 2, 4, best, 1, "cnn", 2.0)


@pytest.mark.parametrize(
    ("left", "said"),
    [(None, "search: 8 of 20 trials<br>"), (200.0, "8 of 20 trials, some 3 min left<br>")],
)
def test_a_bar_tells_the_whole_and_each_part(left: float | None, said: str) -> None:
    text = bar(Progress("search", (part("network", 0.91234), part("ridge", None, 1)), left))
    assert '<progress value="8" max="20"></progress>' in text
    assert said in text
    assert "network: 4 of 10, best 0.912" in text
    assert text.endswith("ridge: 4 of 10, 1 failed</div>")


def test_nothing_is_shown_outside_of_a_notebook(capsys: pytest.CaptureFixture[str]) -> None:
    assert not in_notebook()
    Cell(print).watch(Progress("search", (part("network", 0.9),), None))
    assert capsys.readouterr() == ("", "")
