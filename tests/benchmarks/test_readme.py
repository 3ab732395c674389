"""The page that documents the JSON names every member of it, and no other."""

from __future__ import annotations

import dataclasses
import re
import typing
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from genrekit.bench.results import BenchDocument

PAGE = Path(__file__).parents[2] / "benchmarks" / "README.md"


def fields(kind: Any) -> Iterator[str]:
    """Names of the fields of a dataclass and of all dataclasses within."""
    for name, hint in typing.get_type_hints(kind).items():
        yield name
        for inner in (hint, *typing.get_args(hint)):
            if dataclasses.is_dataclass(inner):
                yield from fields(inner)


def test_every_member_of_the_json_is_described() -> None:
    section = PAGE.read_text("utf-8").split("## The JSON")[1]
    named = set(re.findall(r"`([a-z0-9_.\[\]]+)`", section))
    described = {part.removesuffix("[]") for name in named for part in name.split(".")}
    members = set(fields(BenchDocument))
    # An accuracy's members are the card's, which the runtime documents.
    members -= {"split", "accuracy", "ci95"}
    assert members - described == set()
