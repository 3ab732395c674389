"""Install size: what a package and all that it needs take on disk."""

from __future__ import annotations

import functools
import importlib.metadata
from collections.abc import Iterable
from pathlib import Path

from packaging.requirements import Requirement


def installed_bytes(packages: Iterable[str]) -> int:
    """Return the bytes of distributions and of everything that they require here.

    Parameters
    ----------
    packages : iterable of str
        Names of distributions; one that is not installed counts nothing.
    """
    names: set[str] = set()
    waiting = list(packages)
    while waiting:
        name = waiting.pop().lower().replace("_", "-")
        if name not in names:
            names.add(name)
            waiting += _required(name)
    return sum(_own_bytes(name) for name in names)


def versions(packages: Iterable[str]) -> tuple[str, ...]:
    """Return "name version" of each."""
    return tuple(f"{name} {importlib.metadata.version(name)}" for name in packages)


def _required(name: str) -> list[str]:
    try:
        lines = importlib.metadata.requires(name) or []
    except importlib.metadata.PackageNotFoundError:
        return []
    found = map(Requirement, lines)
    return [r.name for r in found if r.marker is None or r.marker.evaluate({"extra": ""})]


@functools.cache
def _own_bytes(name: str) -> int:
    try:
        files = importlib.metadata.files(name) or []
    except importlib.metadata.PackageNotFoundError:
        return 0
    paths = (Path(str(file.locate())) for file in files)
    return sum(path.stat().st_size for path in paths if path.is_file())
