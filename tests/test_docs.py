"""What README and docs show can be used: study files load, command lines exist, links lead on."""

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

ROOT = Path(__file__).parent.parent
PAGES = (ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md")))
STUDIES = (ROOT / "README.md", ROOT / "docs" / "data.md")
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
    text = page.read_text()
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
    words = shlex.split(line)[1:]
    command: Any = COMMAND
    while words and words[0] in getattr(command, "commands", {}):
        command = command.commands[words.pop(0)]
    if not words:
        return
    assert not hasattr(command, "commands") or words[0].startswith("-"), f"no command {words[0]}"
    if words == ["--help"]:
        return
    command.make_context("geno-hpo", words)


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
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
