"""What a person sees while a study runs, where there is no terminal."""

from __future__ import annotations

import pytest

from geno_hpo.cli.display import Display
from geno_hpo.study.progress import PartProgress, Progress


def progress(complete: int) -> Progress:
    part = PartProgress("final", 23, complete, 0, 0, 1, 22 - complete, None, -1, "", 2.0)
    return Progress("final", (part,), 2.0 * (23 - complete))


def test_a_long_wait_is_told_now_and_then(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    clock = [1000.0]
    monkeypatch.setattr("geno_hpo.cli.display.time.monotonic", lambda: clock[0])
    shown = Display("inh", plain=True)
    for moment, complete in ((1011, 21), (1015, 22), (1022, 22), (1050, 22), (1083, 22)):
        clock[0] = moment
        shown.watch(progress(complete))
    assert capsys.readouterr().out.splitlines() == [
        "[        11 s] final fits 21/23; about 4 s to go",
        "[        22 s] final fits 22/23; about 2 s to go",
        "[  1 min 23 s] final fits 22/23; about 2 s to go",
    ]
