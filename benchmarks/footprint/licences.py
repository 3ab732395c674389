"""Licences: what every package that genrekit may install says of its own licence.

`python -m genrekit.benchmarks.footprint.licences` follows the requirements of genrekit and of its
extras through what is installed here, and prints a Markdown table; `--extra` narrows it. Packages
whose metadata name no licence are listed on standard error: look into their files.
"""

from __future__ import annotations

import argparse
import dataclasses
import importlib.metadata
import sys
from collections.abc import Iterable

from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

COMMAND = "python -m genrekit.benchmarks.footprint.licences"
ROOT = "genrekit"
_CLASSIFIER = "License :: "
_LONGEST = 60  # some packages put the whole text into the field for its name


@dataclasses.dataclass(frozen=True, kw_only=True, slots=True)
class Licence:
    """A package, its version, and what its metadata say; empty where they say nothing."""

    package: str
    version: str
    licence: str


def licences(extras: Iterable[str] | None = None) -> list[Licence]:
    """Return the licence of every installed package that genrekit needs, sorted by name.

    Parameters
    ----------
    extras : iterable of str, optional
        All of genrekit's by default.
    """
    if extras is None:
        extras = importlib.metadata.metadata(ROOT).get_all("Provides-Extra") or []
    found: dict[str, Licence] = {}
    seen: set[tuple[str, str]] = set()
    waiting = [(ROOT, extra) for extra in ("", *extras)]
    while waiting:
        name, extra = waiting.pop()
        if (name, extra) in seen:
            continue
        seen.add((name, extra))
        try:
            package = importlib.metadata.distribution(name)
        except importlib.metadata.PackageNotFoundError:
            continue  # of another platform, or of an extra that is not installed
        if name != ROOT:
            found[name] = Licence(package=name, version=package.version, licence=_stated(package))
        for text in package.requires or []:
            requirement = Requirement(text)
            if requirement.marker is None or requirement.marker.evaluate({"extra": extra}):
                needed = canonicalize_name(requirement.name)
                waiting += [(needed, wanted) for wanted in ("", *requirement.extras)]
    return [found[name] for name in sorted(found)]


def _stated(package: importlib.metadata.Distribution) -> str:
    """Return a package's licence: the SPDX expression, else the classifiers, else its own words."""
    metadata = package.metadata
    if expressions := metadata.get_all("License-Expression"):
        return str(expressions[0])
    classifiers = [
        text.rpartition(" :: ")[2]
        for text in metadata.get_all("Classifier") or []
        if text.startswith(_CLASSIFIER) and text != "License :: OSI Approved"
    ]
    words = " ".join(" ".join(metadata.get_all("License") or []).split())
    return ", ".join(classifiers) or words[:_LONGEST]


def table(rows: list[Licence]) -> str:
    """Render as Markdown."""
    lines = ["| package | version | licence |", "|---|---|---|"]
    lines += [f"| {row.package} | {row.version} | {row.licence or 'NOT STATED'} |" for row in rows]
    return "\n".join(lines) + "\n"


def main() -> None:
    """Run the command."""
    parser = argparse.ArgumentParser(prog=COMMAND, description="List licences.")
    parser.add_argument("--extra", action="append", metavar="NAME", help="default: all extras")
    rows = licences(parser.parse_args().extra)
    print(table(rows), end="")
    silent = [row.package for row in rows if not row.licence]
    if silent:
        print(f"genrekit: no licence stated by {', '.join(silent)}", file=sys.stderr)


if __name__ == "__main__":
    main()
