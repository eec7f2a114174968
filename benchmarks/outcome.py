"""What a benchmark finds: tables of plain values, and notes on what they mean."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

__all__ = ["Outcome", "Size", "Table"]

Size = Literal["full", "quick", "smallest"]
Cell = str | int | float | None


@dataclass(frozen=True)
class Table:
    """Rows of plain values under named columns.

    Raises
    ------
    ValueError
        A row has not one value a column.
    """

    title: str
    columns: tuple[str, ...]
    rows: Sequence[Sequence[Cell]]

    def __post_init__(self) -> None:
        for row in self.rows:
            if len(row) != len(self.columns):
                raise ValueError(f"{self.title}: {len(self.columns)} columns, got {list(row)}")

    def text(self) -> str:
        """The table as Markdown, aligned to be read as it is."""
        body = [[_shown(cell) for cell in row] for row in self.rows]
        lines = [list(self.columns), *body]
        widths = [max(len(line[i]) for line in lines) for i in range(len(self.columns))]

        def line(cells: Sequence[str]) -> str:
            pairs = enumerate(zip(cells, widths, strict=True))
            padded = [c.rjust(w) if i else c.ljust(w) for i, (c, w) in pairs]
            return "| " + " | ".join(padded) + " |"

        rule = ["-" * w if i == 0 else "-" * (w - 1) + ":" for i, w in enumerate(widths)]
        return "\n".join([f"{self.title}\n", line(self.columns), line(rule), *map(line, body)])

    def plain(self) -> dict[str, Any]:
        """For JSON: one dictionary a row."""
        rows = [dict(zip(self.columns, row, strict=True)) for row in self.rows]
        return {"title": self.title, "rows": rows}


@dataclass(frozen=True)
class Outcome:
    """Tables, notes that belong beside them, and the settings of this size."""

    tables: tuple[Table, ...]
    notes: tuple[str, ...] = ()
    settings: dict[str, Any] = field(default_factory=dict)

    def text(self) -> str:
        """What is printed."""
        notes = "\n".join(f"- {note}" for note in self.notes)
        return "\n\n".join([*(table.text() for table in self.tables), *([notes] if notes else [])])

    def plain(self) -> dict[str, Any]:
        """For JSON."""
        return {
            "settings": self.settings,
            "tables": [table.plain() for table in self.tables],
            "notes": list(self.notes),
        }


def _shown(cell: Cell) -> str:
    if cell is None:
        return "–"
    if isinstance(cell, float):
        return f"{cell:.0f}" if abs(cell) >= 1000 else f"{cell:.3g}"
    return str(cell)
