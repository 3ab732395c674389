"""Parquet results: a journal of JSON lines beside the file, turned into a table at the end.

A Parquet file cannot grow row by row and survive a kill; its journal can. It is removed when the
table stands, and made again from the table when more songs are to be added.
"""

from __future__ import annotations

import importlib
import itertools
import json
import os
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType
from typing import Any

from ..errors import ConfigError, DependencyError, FileError
from ..files import whole_file
from .result_files import ResultsFile
from .result_rows import JsonRows, flat_columns

_BATCH_ROWS = 1_000
_TYPES = {"duration_s": "float64", "probability": "float64", "windows": "int64"}


class ParquetResults(ResultsFile):
    """Rows in a journal; `finish` makes the table.

    Parameters
    ----------
    path : path-like
        The table, `*.parquet`.
    labels : tuple of str
    model : str

    Raises
    ------
    DependencyError
        If pyarrow is not installed.
    ConfigError, FileError
        As for `ResultsFile`.
    """

    def __init__(self, path: str | os.PathLike[str], labels: tuple[str, ...], model: str) -> None:
        self.table = Path(path)
        self._columns = flat_columns(labels)
        self._arrow = _import_arrow("pyarrow")
        self._parquet = _import_arrow("pyarrow.parquet")
        journal = self.table.with_name(f"{self.table.name}.journal.jsonl")
        super().__init__(journal, JsonRows(), model)
        try:
            if self.table.exists() and not self.done:
                for row in self._stored_rows():
                    if row["model"] not in (model, None):
                        raise ConfigError(
                            f"{self.table}: has results of the model {row['model']}: "
                            "choose another --out"
                        )
                    self.write({name: value for name, value in row.items() if value is not None})
        except BaseException:
            self.close()
            self.path.unlink()
            raise

    def finish(self) -> None:
        """Write the table whole and remove the journal.

        Raises
        ------
        FileError
            If it cannot be written; the journal stays.
        """
        schema = self._schema()
        try:
            with (
                whole_file(self.table) as file,
                self._parquet.ParquetWriter(file, schema) as writer,
            ):
                for rows in _batches(self._journal_rows()):
                    writer.write_table(self._arrow.Table.from_pylist(rows, schema=schema))
            self.path.unlink()
        except (OSError, self._arrow.ArrowException) as error:
            raise FileError(
                f"{self.table}: cannot be written: {error}; the results are in {self.path}"
            ) from error

    def _schema(self) -> Any:
        types = {
            "file": "string",
            "label": "string",
            "reason": "string",
            "model": "string",
            "error": "string",
        }
        return self._arrow.schema(
            [
                (name, self._arrow.type_for_alias({**types, **_TYPES}.get(name, "float64")))
                for name in self._columns
            ]
        )

    def _journal_rows(self) -> Iterator[dict[str, Any]]:
        with self.path.open("rb") as lines:
            for line in lines:
                row = json.loads(line)
                # Arrow's text is UTF-8; a file name need not be.
                row["file"] = row["file"].encode("utf-8", "backslashreplace").decode()
                yield row

    def _stored_rows(self) -> Iterator[dict[str, Any]]:
        try:
            stored = self._parquet.ParquetFile(self.table)
            if not stored.schema_arrow.equals(self._schema()):
                raise ConfigError(
                    f"{self.table}: holds something else than results of these genres: "
                    "choose another --out"
                )
            for batch in stored.iter_batches(batch_size=_BATCH_ROWS):
                yield from batch.to_pylist()
        except self._arrow.ArrowException as error:
            raise ConfigError(
                f"{self.table}: not a Parquet file: {error}: choose another --out"
            ) from error


def _batches(rows: Iterator[dict[str, Any]]) -> Iterator[list[dict[str, Any]]]:
    while batch := list(itertools.islice(rows, _BATCH_ROWS)):
        yield batch


def _import_arrow(name: str) -> ModuleType:
    try:
        return importlib.import_module(name)
    except ImportError as error:
        raise DependencyError(
            "Parquet needs pyarrow: pip install pyarrow, or write .csv or .jsonl"
        ) from error
