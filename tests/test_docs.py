"""What README and docs show can be used: study files load, commands exist, links lead on."""

from __future__ import annotations

import re
import shlex
from pathlib import Path
from typing import Any

import pytest
import typer
from ruamel.yaml import YAML

from geno_hpo.cli.app import app
from geno_hpo.config import load_study
from geno_hpo.data.catalogue import entries
from geno_hpo.metrics import METRICS, Metric

ROOT = Path(__file__).parent.parent
PAGES = (ROOT / "README.md", *sorted((ROOT / "docs").rglob("*.md")))
COURSE = sorted((ROOT / "docs" / "course").glob("*.md"))
TUTORIALS = [page for page in COURSE if page.name != "index.md"]
STUDIES = (ROOT / "README.md", ROOT / "docs" / "data.md", ROOT / "docs" / "index.md", *COURSE)
SITE: Any = YAML(typ="safe").load((ROOT / "mkdocs.yml").read_text())
REST = {
    "data": "{sequences: data/genes.fasta, labels: data/labels.csv}",
    "target": "resistant",
    "task": "binary",
    "spaces": "[mlp]",
}
"""What stands for the keys that an example leaves out."""
COMMAND = typer.main.get_command(app)


def named(page: Path, text: str, place: int) -> str:
    return f"{page.name}:{text.count(chr(10), 0, place) + 1}"


def blocks(page: Path, language: str) -> list[tuple[str, str]]:
    """Fenced blocks of a language, each with its place."""
    text = page.read_text()
    found = re.finditer(rf"^```{language}\n(.*?)^```$", text, re.DOTALL | re.MULTILINE)
    return [(named(page, text, match.start(1)), match.group(1)) for match in found]


def commands(page: Path) -> list[tuple[str, str]]:
    """Command lines of ``geno-hpo`` in fenced blocks and inline code, each with its place."""
    text = re.sub(r"\\\n", "  ", page.read_text())
    found = re.finditer(r"^geno-hpo .*$|`(?:\.venv/bin/)?(geno-hpo [^`]+)`", text, re.MULTILINE)
    return [
        (named(page, text, match.start()), " ".join((match.group(1) or match.group()).split()))
        for match in found
    ]


YAML_BLOCKS = [each for page in STUDIES for each in blocks(page, "yaml")]
COMMANDS = [each for page in PAGES for each in commands(page)]


@pytest.mark.parametrize("block", [pytest.param(text, id=place) for place, text in YAML_BLOCKS])
def test_an_example_of_a_study_file_loads(tmp_path: Path, block: str) -> None:
    given = YAML(typ="safe").load(block)
    rest = "".join(f"{key}: {value}\n" for key, value in REST.items() if key not in given)
    path = tmp_path / "example.yaml"
    path.write_text(block + rest)
    load_study(path, root=ROOT)


@pytest.mark.parametrize("line", [pytest.param(line, id=place) for place, line in COMMANDS])
def test_a_command_line_is_one_of_the_program(line: str) -> None:
    words = shlex.split(line, comments=True)[1:]
    if ">" in words:
        del words[words.index(">") :]
    command: Any = COMMAND
    while words and words[0] in getattr(command, "commands", {}):
        command = command.commands[words.pop(0)]
    if not words:
        return
    assert not hasattr(command, "commands") or words[0].startswith("-"), f"no command {words[0]}"
    if words in (["--help"], ["--install-completion"]):  # what is asked would be done
        return
    command.make_context("geno-hpo", words)


@pytest.mark.parametrize("page", COURSE, ids=lambda page: page.name)
def test_the_course_names_studies_and_sets_that_exist(page: Path) -> None:
    text = page.read_text()
    own = {"mine", "motif_try", "rif_try"}
    studies = {path.stem for path in (ROOT / "studies").glob("*.yaml")} | own
    named = re.findall(r"(?:make study NAME=|geno-hpo (?:run|train|audit|export) )([\w]+)", text)
    assert set(named) <= studies
    sets = set(re.findall(r"(?:geno-hpo data \w+ |catalogue: )(\w+)", text))
    assert sets <= {entry.name for entry in entries()}


@pytest.mark.parametrize("page", TUTORIALS, ids=lambda page: page.name)
def test_a_tutorial_ends_with_something_to_look_at_and_questions(page: Path) -> None:
    heads = re.findall(r"^## (.*)$", page.read_text(), re.MULTILINE)
    assert "Something to look at" in heads
    assert heads[-1] == "Questions"
    asked = page.read_text().rpartition("## Questions\n")[2]
    assert len(re.findall(r"^\d\. .*", asked, re.MULTILINE)) >= 4
    assert len(page.read_text().splitlines()) <= 150


@pytest.mark.parametrize("metric", METRICS.values(), ids=lambda metric: metric.name)
def test_the_page_on_metrics_tells_each_one(metric: Metric) -> None:
    text = (ROOT / "docs" / "reference" / "metrics.md").read_text()
    better = "larger" if metric.maximise else "smaller"
    assert f"| `{metric.name}` | {', '.join(metric.tasks)} | {better} |" in text


def test_the_site_shows_every_page() -> None:
    def leaves(node: Any) -> list[str]:
        if isinstance(node, str):
            return [node]
        inner = node.values() if isinstance(node, dict) else node
        return [leaf for each in inner for leaf in leaves(each)]

    shown = leaves(SITE["nav"])
    assert sorted(shown) == sorted(
        page.relative_to(ROOT / "docs").as_posix() for page in PAGES if page.name != "README.md"
    )


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.relative_to(ROOT).as_posix())
def test_links_lead_to_files_and_headings(page: Path) -> None:
    for target in re.findall(r"\]\(([^)\s]+)\)", page.read_text()):
        if target.startswith("http"):
            continue
        file, _, heading = target.partition("#")
        goal = page.parent / file if file else page
        assert goal.exists(), f"{page.name} links to {target}"
        if heading:
            heads = re.findall(r"^#+ (.*)$", goal.read_text(), re.MULTILINE)
            plain = {re.sub(r"[^\w\- ]", "", head).lower().replace(" ", "-") for head in heads}
            assert heading in plain, f"{page.name} links to {target}"


def test_examples_are_found() -> None:
    assert len(YAML_BLOCKS) > 20
    assert {line.split()[1] for _, line in COMMANDS} >= {
        "audit",
        "data",
        "encode",
        "space",
        "split",
    }
