"""The sizes of installations, from wheels made here and from this environment."""

from __future__ import annotations

import importlib.metadata
import platform
import shutil
import zipfile
from pathlib import Path

import pytest
from packaging.requirements import Requirement

from genrekit.benchmarks.footprint.dependency_size import (
    SETS,
    Environment,
    Footprint,
    Package,
    Wheels,
    closure,
    measure,
    table,
)
from genrekit.errors import DataError


def make_wheel(folder: Path, name: str, size: int, *requires: str) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / f"{name}-1.0-py3-none-any.whl"
    lines = ["Metadata-Version: 2.1", f"Name: {name}", "Version: 1.0"]
    lines += [f"Requires-Dist: {requirement}" for requirement in requires]
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as wheel:
        wheel.writestr(f"{name}/__init__.py", b"#" * size)
        wheel.writestr(f"{name}-1.0.dist-info/METADATA", "\n".join(lines) + "\n")
    return path


def test_wheels_count_as_they_unpack_with_what_their_machine_requires(tmp_path: Path) -> None:
    folder = tmp_path / "footprint" / "aarch64"
    top = make_wheel(
        folder,
        "top",
        10_000,
        "middle[fast]>=1",
        "never; platform_machine == 'x86_64'",
        "nvidia-nothing",
    )
    make_wheel(folder, "middle", 500, "extra_one; extra == 'fast'", "no; extra == 'slow'")
    make_wheel(folder, "extra_one", 7, "top")
    marks = {"platform_machine": "aarch64"}
    found = list(closure(["top"], Wheels("aarch64", tmp_path), marks))
    assert {package.name for package in found} == {"top", "middle", "extra_one"}
    shutil.unpack_archive(top, tmp_path / "unpacked", "zip")
    unpacked = (tmp_path / "unpacked").rglob("*")
    size = sum(path.stat().st_size for path in unpacked if path.is_file())
    assert next(p.installed_bytes for p in found if p.name == "top") == size


def test_this_environment_counts_as_its_files_do() -> None:
    package, _ = Environment().find(Requirement("numpy"))
    files = importlib.metadata.files("numpy") or []
    paths = [Path(str(file.locate())) for file in files if file.suffix != ".pyc"]
    on_disk = sum(path.stat().st_size for path in paths if path.exists())
    # pip does not record the sizes of what it writes itself.
    assert package.installed_bytes == pytest.approx(on_disk, rel=0.01)
    assert package.version == importlib.metadata.version("numpy")
    with pytest.raises(DataError, match="pip install"):
        Environment().find(Requirement("no-such-distribution"))


@pytest.mark.skipif(platform.machine() != "x86_64", reason="measures this environment")
def test_the_runtime_and_an_engine_are_a_tenth_of_librosa_and_torch(tmp_path: Path) -> None:
    ours = measure("x86_64", "genrekit[onnx]", tmp_path)
    peers = measure("x86_64", "librosa + torch", tmp_path)
    assert {"numpy", "onnxruntime", "genrekit"} <= {package.name for package in ours.packages}
    assert {"numpy", "librosa", "torch", "scipy"} <= {package.name for package in peers.packages}
    assert ours.installed_bytes * 10 < peers.installed_bytes
    assert list(SETS)[-1] == "librosa + torch"  # which the table compares with


def test_the_table_compares_within_an_architecture() -> None:
    def footprint(architecture: str, name: str, size: int) -> Footprint:
        packages = (Package("p", "1", size),)
        return Footprint(architecture=architecture, name=name, measured="wheels", packages=packages)

    text = table(
        [
            footprint("a", "ours", 10_000_000),
            footprint("a", "theirs", 30_000_000),
            footprint("b", "ours", 10_000_000),
            footprint("b", "theirs", 70_000_000),
        ]
    )
    assert [line.split()[4] for line in text.splitlines()[1:]] == ["3x", "1x", "7x", "1x"]
