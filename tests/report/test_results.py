"""Many studies in one table."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from geno_hpo.errors import InputError
from geno_hpo.report.results import read_summaries, results_page
from geno_hpo.report.summary import plain

from . import example


def write(folder: Path, name: str, **changes: object) -> None:
    summary = plain(example.binary().summary) | {"study": name} | changes
    (folder / name).mkdir(parents=True)
    (folder / name / "summary.json").write_text(json.dumps(summary))


def test_a_row_for_each_study_and_each_output(tmp_path: Path) -> None:
    told = {"what": "CNN", "value": 0.9, "source": "Somebody 2020"}
    write(tmp_path, "b", published=[told | {"target": None}])
    write(
        tmp_path,
        "a",
        target=["x", "y"],
        published=[told | {"target": "x"}],
        outputs=[
            {
                "name": "x",
                "samples": 90,
                "score": 0.81,
                "ci": [0.7, 0.9],
                "baseline": 0.8,
                "oracle": 0.83,
            },
            {
                "name": "y",
                "samples": 80,
                "score": None,
                "ci": None,
                "baseline": None,
                "oracle": None,
            },
        ],
    )
    write(tmp_path, "a@2")
    found = read_summaries(tmp_path, ())
    assert [summary["study"] for summary in found] == ["a", "b"]
    page = results_page(found)
    rows = [line for line in page.splitlines() if line.startswith("| `")]
    assert len(rows) == 4
    assert all(line.count(" | ") == rows[0].count(" | ") for line in rows[:2])
    assert "0.900 (CNN, Somebody 2020)" in rows[1]
    assert "Somebody" not in rows[0]
    assert "| x | 0.810 [0.700 to 0.900] | 0.800 |" in rows[2]
    assert "| y | – [–] | – |" in rows[3]
    assert [summary["study"] for summary in read_summaries(tmp_path, ["b"])] == ["b"]


def test_what_is_not_there_is_told(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="holds no finished study"):
        read_summaries(tmp_path, ())
    with pytest.raises(InputError, match=r"no report of gone, more in .*: geno-hpo run gone"):
        read_summaries(tmp_path, ["gone", "more"])
