"""Result rows: what is written of each song, as JSON lines or CSV."""

from __future__ import annotations

import csv
import io
import json
from typing import Any, Protocol

from ..errors import ConfigError
from .jobs import Outcome


class RowFormat(Protocol):
    """How rows are written as bytes and read back."""

    head: bytes
    """What stands before the first row."""

    def encode(self, row: dict[str, Any]) -> bytes:
        """Return one row, its end included."""
        ...

    def ends_row(self, line: bytes, *, inside: bool) -> bool:
        """Tell whether a row ends with this line; `inside` if one was open before it."""
        ...

    def decode(self, row: bytes) -> dict[str, Any]:
        """Return at least `file` and, where the song was classified, `model`.

        Raises
        ------
        ConfigError
            If it is no such row.
        """
        ...


class JsonRows:
    """One JSON object per line, as `classify --json` prints them."""

    head = b""

    def encode(self, row: dict[str, Any]) -> bytes:
        """Return one line of ASCII: a name that is no valid UTF-8 keeps its bytes."""
        return json.dumps(row).encode("ascii") + b"\n"

    def ends_row(self, line: bytes, *, inside: bool) -> bool:
        """Tell whether the line is whole."""
        return line.endswith(b"\n") and not inside

    def decode(self, row: bytes) -> dict[str, Any]:
        """Parse one line."""
        try:
            document = json.loads(row)
        except (ValueError, RecursionError) as error:
            raise ConfigError(f"not JSON: {error}") from error
        if not isinstance(document, dict) or not isinstance(document.get("file"), str):
            raise ConfigError("no 'file' in it")
        return document


class CsvRows:
    """Comma-separated values (RFC 4180) under a head of `columns`."""

    def __init__(self, columns: tuple[str, ...]) -> None:
        self.columns = columns
        self.head = self._line(columns)

    def encode(self, row: dict[str, Any]) -> bytes:
        """Return one row; what it does not have is empty."""
        values = [row.get(column) for column in self.columns]
        return self._line(tuple("" if value is None else str(value) for value in values))

    def ends_row(self, line: bytes, *, inside: bool) -> bool:
        """Tell whether the line is whole and no quoted value goes on behind it."""
        return line.endswith(b"\n") and (line.count(b'"') % 2 == 1) == inside

    def decode(self, row: bytes) -> dict[str, Any]:
        """Parse one row."""
        text = row.decode("utf-8", "surrogateescape")
        try:
            (values,) = csv.reader(io.StringIO(text, newline=""), strict=True)
            return dict(zip(self.columns, values, strict=True))
        except (ValueError, csv.Error) as error:
            raise ConfigError(f"not a row of {len(self.columns)} values: {error}") from error

    @staticmethod
    def _line(values: tuple[str, ...]) -> bytes:
        text = io.StringIO(newline="")
        csv.writer(text).writerow(values)
        return text.getvalue().encode("utf-8", "surrogateescape")


def flat_columns(labels: tuple[str, ...]) -> tuple[str, ...]:
    """Return the columns of a table: one row per song, one probability per genre."""
    return (
        *("file", "label", "probability", "reason", "duration_s", "windows"),
        *(f"p_{label}" for label in labels),
        *("model", "error"),
    )


def flat_row(outcome: Outcome, model: str) -> dict[str, Any]:
    """Return one song as the row of a table; see `flat_columns`."""
    result = outcome.result
    if isinstance(result, str):
        return {"file": str(outcome.file), "error": result}
    return {
        "file": str(outcome.file),
        "label": result.label,
        "probability": result.probability,
        "reason": result.reason,
        "duration_s": result.duration_s,
        "windows": len(result.segments),
        **{f"p_{score.label}": score.probability for score in result.ranking},
        "model": model,
    }


def nested_row(outcome: Outcome, model: str) -> dict[str, Any]:
    """Return one song as `classify --json` prints it."""
    result = outcome.result
    if isinstance(result, str):
        return {"file": str(outcome.file), "error": result}
    return {"file": str(outcome.file), **result.to_dict(), "model": model}
