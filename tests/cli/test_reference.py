"""The reference's pages are what the program gives, and tell every key, parameter and command."""

from __future__ import annotations

from pathlib import Path

import pytest
from typer.testing import CliRunner

from geno_hpo.cli.app import app
from geno_hpo.cli.reference import pages
from geno_hpo.config import StudyConfig, schema_page
from geno_hpo.models import FAMILIES
from geno_hpo.models.training import TRAINING

FOLDER = Path(__file__).parent.parent.parent / "docs" / "reference"
PAGES = pages(app)


@pytest.mark.parametrize("name", PAGES)
def test_a_page_is_what_the_program_gives(name: str) -> None:
    assert (FOLDER / name).read_text(encoding="utf-8") == PAGES[name], (
        f"docs/reference/{name} is not what the program gives: geno-hpo reference docs/reference"
    )


@pytest.mark.parametrize("key", [key for key in StudyConfig.model_fields if key != "name"])
def test_the_study_page_tells_each_key(key: str) -> None:
    assert f"\n| `{key}` |" in PAGES["study.md"]


def test_keys_of_inner_blocks_stand_under_their_path() -> None:
    part = PAGES["study.md"].partition("## `split.groups`\n")[2].partition("\n## ")[0]
    assert "| `by` | clones, kinship, clusters | required |" in part


def test_the_parameters_page_tells_each_parameter_of_each_family() -> None:
    for name, family in FAMILIES.items():
        part = PAGES["hyperparameters.md"].partition(f"## `{name}`\n")[2].partition("\n## ")[0]
        for parameter in family.parameters:
            assert f"| `{parameter.name}` |" in part, f"{name}: {parameter.name}"
    assert all(f"| `{each.name}` |" in PAGES["hyperparameters.md"] for each in TRAINING)


@pytest.mark.parametrize("line", ["geno-hpo run", "geno-hpo data list", "geno-hpo space schema"])
def test_the_commands_page_tells_a_command(line: str) -> None:
    assert f"\n## {line}\n" in PAGES["commands.md"]


def test_no_row_of_a_table_is_broken() -> None:
    for name, text in PAGES.items():
        width = 0
        for line in text.splitlines():
            bars = line.replace("\\|", "").count("|")
            if line.startswith("|"):
                assert bars == (width or bars), f"{name}: {line}"
            width = bars if line.startswith("|") else 0


@pytest.mark.parametrize(("kind", "page"), [("study", "study.md"), ("space", "space.md")])
def test_schema_as_markdown(kind: str, page: str) -> None:
    result = CliRunner().invoke(app, ["space", "schema", kind, "--markdown"])
    assert result.exit_code == 0
    assert result.stdout == PAGES[page]


def test_pages_are_written(tmp_path: Path) -> None:
    result = CliRunner().invoke(app, ["reference", str(tmp_path / "reference")])
    assert result.exit_code == 0
    assert {path.name for path in (tmp_path / "reference").iterdir()} == set(PAGES)


def test_a_block_within_itself_is_told_once() -> None:
    tree = {
        "properties": {"root": {"$ref": "#/$defs/Node"}},
        "$defs": {
            "Node": {
                "description": "A node.",
                "type": "object",
                "required": ["name"],
                "properties": {
                    "name": {"type": "string", "description": "Its a|b."},
                    "children": {"type": "array", "items": {"$ref": "#/$defs/Node"}},
                },
            }
        },
    }
    assert schema_page(tree, "Tree", "A tree.") == (
        "# Tree\n\nA tree.\n\n"
        "| key | value | default | meaning |\n|---|---|---|---|\n"
        "| `root` | a block |  | A node. |\n\n"
        "## `root`\n\nA node.\n\n"
        "| key | value | default | meaning |\n|---|---|---|---|\n"
        "| `name` | text | required | Its a\\|b. |\n"
        "| `children` | list of a block |  |  |\n"
    )
