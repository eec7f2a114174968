import json
from pathlib import Path

import numpy as np
import pytest

from geno_hpo.report import check_summary
from geno_hpo.report.summary import KEYS, NESTED_KEYS, plain

from . import example

PAGE = Path(__file__).parents[2] / "docs" / "summary.md"


def documented(text):
    lines = text.splitlines()
    rows = [line.strip("|").split(" | ") for line in lines if line.startswith("| `")]
    return {row[0].strip(" `"): (row[1].strip(), row[2].strip()) for row in rows}


def test_page_and_code_name_the_same_keys():
    plain_study, nested = PAGE.read_text(encoding="utf-8").split("## Nested cross-validation")
    assert documented(plain_study) == KEYS
    assert documented(nested) == NESTED_KEYS


@pytest.mark.parametrize("make", [example.binary, example.multiclass, example.regression])
def test_examples_are_as_documented(make):
    check_summary(make().summary)


def change(path, value):
    summary = json.loads(json.dumps(plain(example.binary().summary)))
    *parents, last = path.split(".")
    place = summary
    for key in parents:
        place = place[int(key)] if key.isdigit() else place[key]
    if value is KeyError:
        del place[last]
    else:
        place[last] = value
    return summary


@pytest.mark.parametrize(
    ("path", "value", "match"),
    [
        ("metric", KeyError, "metric is missing"),
        ("best.cv_mean", None, "best.cv_mean must be float, got None"),
        ("best.cv_mean", float("nan"), "best.cv_mean must be float"),
        ("trials.asked", True, "trials.asked must be int, got True"),
        ("leaderboard.0.kind", KeyError, r"leaderboard\[\].kind is missing"),
        ("leaderboard.1.test_ci", ["a"], r"leaderboard\[\].test_ci must be floats"),
        ("data.extra", 1, "data.extra is not documented"),
        ("published", [3], r"published\[\] must be an object, got 3"),
        ("comparison.ci", KeyError, "comparison.ci is missing"),
    ],
)
def test_faults_are_named(path, value, match):
    with pytest.raises(ValueError, match=match):
        check_summary(change(path, value))


@pytest.mark.parametrize("path", ["comparison", "control", "seal", "leaderboard.0.test"])
def test_what_may_be_null_may_be_null(path):
    check_summary(change(path, None))


def test_all_faults_are_told_at_once():
    summary = change("metric", KeyError) | {"task": 3, "surprise": 1}
    with pytest.raises(ValueError, match=r"surprise.*metric|metric.*surprise") as caught:
        check_summary(summary)
    assert "task must be str" in str(caught.value)


def test_plain_makes_json():
    value = {"a": np.float32(0.5), "b": (np.int64(3), np.nan), "c": np.arange(2), 4: np.bool_(True)}
    assert plain(value) == {"a": 0.5, "b": [3, None], "c": [0, 1], "4": True}
    json.dumps(plain(value), allow_nan=False)
