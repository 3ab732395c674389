"""Report table: columns and cells that show one text and sort by another value."""

from __future__ import annotations

import dataclasses


@dataclasses.dataclass(frozen=True, slots=True)
class Cell:
    """What a cell shows, and what it is sorted by; None sorts last."""

    text: str
    value: float | str | None


@dataclasses.dataclass(frozen=True, slots=True)
class Table:
    """A table; the first column names the rows."""

    caption: str
    columns: tuple[str, ...]
    rows: tuple[tuple[Cell, ...], ...]


def word(text: str) -> Cell:
    """Return a cell of text."""
    return Cell(text, text)


def number(value: float | None, digits: str = ".3g", unit: str = "") -> Cell:
    """Return a cell of a number, empty where there is none."""
    return Cell("" if value is None else f"{value:{digits}}{unit}", value)


def size(count: int) -> Cell:
    """Return a cell of bytes."""
    return Cell(f"{count:,}", count)
