"""Footprint: bytes that an installation takes, ours beside librosa and torch.

`python -m genrekit.benchmarks.footprint.dependency_size` adds up the files of each set of packages
with all that they require, for x86-64 and aarch64: from this environment where it is of that kind,
else from the wheels that pip downloads (kept in the cache). Byte-compiled files are left out, and
so are CUDA's libraries, gigabytes that pip installs beside torch even on a Raspberry Pi.
"""

from __future__ import annotations

import argparse
import dataclasses
import importlib.metadata
import os
import platform
import subprocess
import sys
import zipfile
from collections.abc import Iterator, Mapping, Sequence
from email.parser import Parser
from pathlib import Path
from typing import Literal

from packaging.markers import default_environment
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name, parse_wheel_filename

from genrekit.documents import write_document
from genrekit.errors import DataError, GenreKitError

ARCHITECTURES = ("x86_64", "aarch64")
SETS: dict[str, tuple[str, ...]] = {
    "genrekit": ("numpy",),
    "genrekit[tflite]": ("numpy", "ai-edge-litert"),
    "genrekit[onnx]": ("numpy", "onnxruntime"),
    "librosa + torch": ("librosa", "torch"),
}
_LEFT_OUT = ("nvidia-", "cuda-", "triton")  # CUDA's libraries, and the compiler for them
_PYTHON = "3.11"
# Raspberry Pi OS 12 has glibc 2.36; pip takes a platform by its very name.
_MANYLINUX = (*(f"manylinux_2_{minor}" for minor in range(36, 16, -1)), "manylinux2014")
_ROOT = Path(__file__).parents[2]  # of the four folders, installed or not
_FOLDERS = ("runtime", "train", "export", "benchmarks")


@dataclasses.dataclass(frozen=True, slots=True)
class Package:
    """One distribution, as it lies on the disk."""

    name: str
    version: str
    installed_bytes: int


@dataclasses.dataclass(frozen=True, kw_only=True, slots=True)
class Footprint:
    """What one set of packages takes on one architecture.

    Parameters
    ----------
    architecture, name : str
    measured : str
        "environment" or "wheels".
    packages : tuple of Package
        The largest first.
    """

    architecture: str
    name: str
    measured: str
    packages: tuple[Package, ...]

    @property
    def installed_bytes(self) -> int:
        """Sum over the packages."""
        return sum(package.installed_bytes for package in self.packages)


@dataclasses.dataclass(frozen=True, kw_only=True, slots=True)
class Footprints:
    """All sets on all architectures, for one version of Python."""

    kind: Literal["genrekit-footprint"] = "genrekit-footprint"
    schema: int = 1
    python: str
    sets: tuple[Footprint, ...]


class Environment:
    """Distributions that are installed beside this Python."""

    measured = "environment"

    def find(self, requirement: Requirement) -> tuple[Package, list[str]]:
        """Return a distribution and what it requires."""
        try:
            found = importlib.metadata.distribution(requirement.name)
        except importlib.metadata.PackageNotFoundError as error:
            raise DataError(
                f"{requirement.name} is not installed here: pip install {requirement.name!r}"
            ) from error
        size = sum(file.size or 0 for file in found.files or () if file.suffix != ".pyc")
        return Package(found.name, found.version, size), list(found.requires or ())


class Wheels:
    """Wheels for another architecture, downloaded by pip once."""

    measured = "wheels"

    def __init__(self, architecture: str, cache: Path) -> None:
        self._architecture = architecture
        self._folder = cache / "footprint" / architecture
        self._folder.mkdir(parents=True, exist_ok=True)

    def find(self, requirement: Requirement) -> tuple[Package, list[str]]:
        """Return a wheel's distribution and what it requires."""
        wheel = self._cached(requirement) or self._download(requirement)
        _, version, *_ = parse_wheel_filename(wheel.name)
        with zipfile.ZipFile(wheel) as archive:
            members = archive.infolist()
            size = sum(member.file_size for member in members)
            metadata = next(m for m in members if m.filename.endswith(".dist-info/METADATA"))
            fields = Parser().parsestr(archive.read(metadata).decode("utf-8"))
        return Package(requirement.name, str(version), size), fields.get_all("Requires-Dist", [])

    def _cached(self, requirement: Requirement) -> Path | None:
        for wheel in sorted(self._folder.glob("*.whl")):
            name, version, *_ = parse_wheel_filename(wheel.name)
            if name == canonicalize_name(requirement.name) and version in requirement.specifier:
                return wheel
        return None

    def _download(self, requirement: Requirement) -> Path:
        constraints = _ROOT / "constraints.txt"
        version = f"{requirement.name}{requirement.specifier}"
        command = [
            *(sys.executable, "-m", "pip", "download", "--quiet", "--no-deps"),
            *("--only-binary=:all:", "--python-version", _PYTHON, "--implementation", "cp"),
            *(w for name in _MANYLINUX for w in ("--platform", f"{name}_{self._architecture}")),
            *(("--constraint", str(constraints)) if constraints.exists() else ()),
            *("--dest", str(self._folder), version),
        ]
        result = subprocess.run(command, capture_output=True, text=True)  # noqa: S603 - pip itself
        wheel = self._cached(requirement)
        if wheel is None:
            reason = (result.stderr.strip().splitlines() or ["no wheel came"])[-1]
            raise DataError(f"{requirement} for {self._architecture}: {reason}")
        return wheel


def closure(
    wanted: Sequence[str], source: Environment | Wheels, environment: Mapping[str, str]
) -> Iterator[Package]:
    """Yield the packages named and all that they require, each once.

    Parameters
    ----------
    wanted : sequence of str
        Requirements.
    source : Environment or Wheels
    environment : mapping of str to str
        Values of the markers (PEP 508) on the machine in question.
    """
    seen: set[tuple[str, str]] = set()
    told: set[str] = set()
    queue = [Requirement(text) for text in wanted]
    while queue:
        requirement = queue.pop()
        name = canonicalize_name(requirement.name)
        extras = {"", *requirement.extras}
        if all((name, extra) in seen for extra in extras) or name.startswith(_LEFT_OUT):
            continue
        seen |= {(name, extra) for extra in extras}
        package, requires = source.find(requirement)
        if name not in told:
            told.add(name)
            yield package
        for text in requires:
            further = Requirement(text)
            if further.marker is None or any(
                further.marker.evaluate({**environment, "extra": extra}) for extra in extras
            ):
                queue.append(further)


def measure(architecture: str, name: str, cache: Path) -> Footprint:
    """Add up one of `SETS` on one of `ARCHITECTURES`."""
    here = platform.machine() == architecture
    source = Environment() if here else Wheels(architecture, cache)
    marks = {str(key): str(value) for key, value in default_environment().items()}
    marks["platform_machine"] = architecture
    if not here:
        marks |= {"python_version": _PYTHON, "python_full_version": f"{_PYTHON}.0"}
    packages = list(closure(SETS[name], source, marks))
    if name.startswith("genrekit"):
        packages.append(Package("genrekit", importlib.metadata.version("genrekit"), _own_bytes()))
    packages.sort(key=lambda package: -package.installed_bytes)
    return Footprint(
        architecture=architecture, name=name, measured=source.measured, packages=tuple(packages)
    )


def _own_bytes() -> int:
    """Return the bytes of the four folders that genrekit's wheel holds."""
    return sum(
        path.stat().st_size
        for folder in _FOLDERS
        for path in (_ROOT / folder).rglob("*")
        if path.is_file() and "__pycache__" not in path.parts
    )


def _cache() -> Path:
    given = os.environ.get("GENREKIT_CACHE")
    base = os.environ.get("XDG_CACHE_HOME", str(Path.home() / ".cache"))
    return Path(given) if given else Path(base) / "genrekit"


def table(found: Sequence[Footprint]) -> str:
    """Return the sizes, and how many times smaller than the last set of its architecture."""
    lines = [f"{'':<10} {'installed':<18} {'packages':>8} {'MB':>8} {'smaller':>8}  largest"]
    for item in found:
        peer = [other for other in found if other.architecture == item.architecture][-1]
        ratio = peer.installed_bytes / item.installed_bytes
        largest = ", ".join(
            f"{package.name} {package.installed_bytes / 1e6:.0f}" for package in item.packages[:3]
        )
        lines.append(
            f"{item.architecture:<10} {item.name:<18} {len(item.packages):>8} "
            f"{item.installed_bytes / 1e6:>8.1f} {ratio:>7.0f}x  {largest}"
        )
    return "\n".join(lines)


def main(argv: Sequence[str] | None = None) -> int:
    """Measure every set on every architecture and print them; return 1 if one cannot be."""
    parser = argparse.ArgumentParser(prog="python -m genrekit.benchmarks.footprint.dependency_size")
    parser.add_argument("--json", type=Path, metavar="FILE", help="write the result")
    args = parser.parse_args(argv)
    try:
        found = tuple(
            measure(architecture, name, _cache()) for architecture in ARCHITECTURES for name in SETS
        )
        if args.json:
            write_document(args.json, Footprints(python=_PYTHON, sets=found))
    except GenreKitError as error:
        sys.stderr.write(f"footprint: {error}\n")
        return 1
    sys.stdout.write(table(found) + "\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
