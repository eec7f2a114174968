"""The page: sections drawn by templates into one file that needs no network."""

from __future__ import annotations

import base64
import json
import os
import tempfile
from functools import cache
from importlib.resources import files
from pathlib import Path
from typing import Any

from geno_hpo.errors import StorageError
from geno_hpo.outcome import StudyOutcome
from geno_hpo.report.blocks import Block, Figure, Panel, Section
from geno_hpo.report.logo import GLYPHS
from geno_hpo.report.sections import SECTIONS
from geno_hpo.report.sections.answer import Answer, answer
from geno_hpo.report.summary import plain
from geno_hpo.report.tables import as_csv, tables
from geno_hpo.report.words import metric_label

__all__ = ["draw", "render", "store", "write"]

# A table up to this size is also inside the page, so that the page alone gives it.
EMBEDDED = 120_000


def write(outcome: StudyOutcome, folder: Path) -> Path:
    """Write page, pictures, tables and summary; each file is whole or not there.

    Parameters
    ----------
    outcome
        What the study found.
    folder
        Where to; made if need be, older files of the same names are replaced.

    Returns
    -------
    Path
        ``report.html``, written last.

    Raises
    ------
    StorageError
        The folder cannot be written.
    """
    from geno_hpo.report.pictures import pictures
    from geno_hpo.report.stills import stills

    sections = _sections(outcome)
    first = answer(outcome)
    label = metric_label(outcome.summary["metric"])
    content = {
        **{f"{name}.csv": as_csv(table).encode() for name, table in tables(outcome).items()},
        **pictures(outcome.curves, outcome.summary["study"], label),
        **stills([*first.blocks, *(block for section in sections for block in section.blocks)]),
    }
    return store(outcome.summary, content, _drawn(outcome, first, sections), folder)


def store(summary: dict[str, Any], others: dict[str, bytes], page: str, folder: Path) -> Path:
    """Write summary, other files by name, and the page last; return the page's path.

    Raises
    ------
    StorageError
        The folder cannot be written.
    """
    content = {"summary.json": _json(summary).encode(), **others, "report.html": page.encode()}
    try:
        folder.mkdir(parents=True, exist_ok=True)
        for name, data in content.items():
            (folder / name).parent.mkdir(exist_ok=True)
            _replace(folder / name, data)
    except OSError as error:
        raise StorageError(f"the report cannot be written to {folder}: {error}") from error
    return folder / "report.html"


def render(outcome: StudyOutcome) -> str:
    """Return the page as text."""
    return _drawn(outcome, answer(outcome), _sections(outcome))


def _sections(outcome: StudyOutcome) -> list[Section]:
    return [section for make in SECTIONS if (section := make(outcome)) is not None]


def _drawn(outcome: StudyOutcome, first: Answer, sections: list[Section]) -> str:
    csv = {name: as_csv(table) for name, table in tables(outcome).items()}
    return draw(first, sections, outcome.summary, csv, pictures=True)


def draw(
    first: Answer,
    sections: list[Section],
    summary: dict[str, Any],
    csv: dict[str, str],
    *,
    pictures: bool,
) -> str:
    """Draw a page.

    Parameters
    ----------
    first, sections
        The first screen, and the chapters below it.
    summary
        The content of ``summary.json``.
    csv
        Text of each CSV file beside the page, by name.
    pictures
        Whether every figure lies beside the page as PNG, SVG and CSV, too.
    """
    figures = _figures([*first.blocks, *(block for part in sections for block in part.blocks)])
    return str(
        _template().render(
            answer=first,
            sections=sections,
            pictures=pictures,
            summary=plain(summary),
            styles=_resource("page.css"),
            script=_resource("page.js"),
            plotly=_plotly() if figures else "",
            figures=_script_safe(json.dumps(figures, separators=(",", ":"))),
            csv=csv,
            glyphs=GLYPHS,
            stills=pictures,
            embedded={name: _data_uri(text) for name, text in csv.items() if len(text) < EMBEDDED},
        )
    )


def _figures(blocks: list[Block]) -> dict[str, Any]:
    """Traces and layout of every panel by its id on the page; ``choices`` by figure."""
    drawn = [block for block in blocks if isinstance(block, Figure)]
    found: dict[str, Any] = {
        f"{block.name}-{place}": _panel(panel)
        for block in drawn
        for place, panel in enumerate(block.panels)
    }
    choices = {
        block.name: [
            {"text": choice.text, "panels": [_panel(panel) for panel in choice.panels]}
            for choice in block.choices
        ]
        for block in drawn
        if block.choices
    }
    return found | ({"choices": choices} if choices else {})


def _panel(panel: Panel) -> dict[str, Any]:
    return {
        "data": plain(list(panel.traces)),
        "layout": plain(panel.layout) | {"height": panel.height},
    }


def _json(summary: dict[str, Any]) -> str:
    return json.dumps(plain(summary), indent=2, ensure_ascii=False, allow_nan=False) + "\n"


def _script_safe(text: str) -> str:
    """JSON inside a script element: nothing may close it or open a comment."""
    return text.replace("<", "\\u003c").replace(">", "\\u003e").replace("&", "\\u0026")


def _data_uri(text: str) -> str:
    return "data:text/csv;charset=utf-8;base64," + base64.b64encode(text.encode()).decode()


@cache
def _plotly() -> str:
    from plotly.offline import get_plotlyjs

    return str(get_plotlyjs())


def _resource(name: str) -> str:
    return files("geno_hpo.report").joinpath("templates", name).read_text(encoding="utf-8")


@cache
def _template() -> Any:
    from jinja2 import Environment, PackageLoader, StrictUndefined

    environment = Environment(
        loader=PackageLoader("geno_hpo.report", "templates"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    return environment.get_template("page.html.j2")


def _replace(path: Path, data: bytes) -> None:
    """Write beside the target, then rename over it."""
    handle, draft = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
    try:
        with os.fdopen(handle, "wb") as stream:
            stream.write(data)
        Path(draft).chmod(0o644)
        Path(draft).replace(path)
    except BaseException:
        Path(draft).unlink(missing_ok=True)
        raise
