"""Document: a measurement as a JSON file whose `kind` and `schema` say what its members mean."""

from __future__ import annotations

import dataclasses
import datetime
import json
import os
from pathlib import Path
from typing import Any, TypeVar, cast

from .errors import ConfigError
from .files import read_bounded, write_whole
from .strict_json import decode, encode, parse_json

MAX_DOCUMENT_BYTES = 1 << 26

T = TypeVar("T")


def timestamp() -> str:
    """Return the time, in UTC to the second, as documents give it."""
    return datetime.datetime.now(datetime.UTC).isoformat(timespec="seconds")


def write_document(path: str | os.PathLike[str], document: Any) -> None:
    """Write a dataclass; `kind` and `schema` are among its members.

    Raises
    ------
    FileError
        If the file cannot be written.
    """
    text = json.dumps(encode(document), indent=1, ensure_ascii=False, allow_nan=False)
    write_whole(path, text + "\n")


def read_document(path: Path, form: type[T], *, command: str) -> T:
    """Read one back.

    Parameters
    ----------
    path : Path
    form : dataclass
        Its members `kind` and `schema` have defaults: what the document must say of itself.
    command : str
        That writes such documents.

    Raises
    ------
    ConfigError
        If it is another document, or of another schema version.
    FileError
        If it cannot be read.
    """
    expected = {field.name: field.default for field in dataclasses.fields(cast("Any", form))}
    document = parse_json(read_bounded(path, MAX_DOCUMENT_BYTES), str(path))
    if not isinstance(document, dict) or document.get("kind") != expected["kind"]:
        raise ConfigError(f"{path}: not written by '{command}'")
    if document.get("schema") != expected["schema"]:
        raise ConfigError(
            f"{path}: schema {document.get('schema')!r:.20}, this genrekit reads "
            f"{expected['schema']}: measure again"
        )
    return decode(form, document, str(path))
