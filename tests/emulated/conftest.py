"""Emulated Raspberry Pis: a folder of Debian's ARM packages under qemu's user mode.

It proves that the same wheel gives the same results there; it says nothing about speed.
"""

from __future__ import annotations

import dataclasses
import hashlib
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
# A Raspberry Pi 4 as its kernel describes it; onnxruntime's CPU detection reads this.
_CORE = """\
processor\t: {index}
BogoMIPS\t: 108.00
Features\t: {features}
CPU implementer\t: 0x41
CPU architecture: 8
CPU variant\t: 0x0
CPU part\t: 0xd08
CPU revision\t: 3

"""
_SYSTEM = (
    *("libc6", "libexpat1", "zlib1g", "libffi8", "libstdc++6", "libgcc-s1", "liblzma5"),
    *("libbz2-1.0", "libsqlite3-0", "libuuid1", "libcrypt1"),
)


@dataclasses.dataclass(frozen=True)
class Board:
    """A kind of Pi.

    Parameters
    ----------
    name : str
        Debian's architecture.
    machine : str
        The kernel's name of it.
    qemu : str
        The emulator's program.
    cpu : str
        qemu's name of the processor.
    features : str
        As in /proc/cpuinfo.
    packages : tuple of str
        Debian packages beyond Python itself.
    wheels : tuple of str
        Packages from the index, for its platform.
    release : str
        Of Debian, on which Raspberry Pi OS 12 (bookworm) and 13 (trixie) stand.
    python : str
        That release's.
    """

    name: str
    machine: str
    qemu: str
    cpu: str
    features: str
    packages: tuple[str, ...] = ()
    wheels: tuple[str, ...] = ()
    release: str = "bookworm"
    python: str = "3.11"

    def debian_packages(self) -> list[str]:
        """Return all that is unpacked, Python included."""
        python = self.python
        names = (*_SYSTEM, f"python{python}-minimal", f"libpython{python}-minimal")
        names += (f"libpython{python}-stdlib", *self.packages)
        return [f"{name}:{self.name}" for name in names]


PI_4 = Board(
    name="arm64",
    machine="aarch64",
    qemu="qemu-aarch64-static",
    cpu="cortex-a72",
    features="fp asimd evtstrm crc32 cpuid",
    packages=("libssl3",),
    wheels=("numpy", "onnxruntime", "ai-edge-litert"),
)
PI_4_TRIXIE = dataclasses.replace(PI_4, packages=("libssl3t64",), release="trixie", python="3.13")
# Raspberry Pi OS 12, 32 bits: NumPy from Debian, and no inference engine exists for it.
PI_32 = Board(
    name="armhf",
    machine="armv7l",
    qemu="qemu-arm-static",
    cpu="cortex-a7",
    features="half thumb fastmult vfp edsp neon vfpv3 tls vfpv4 idiva idivt vfpd32 lpae evtstrm",
    packages=("libssl3", "python3-numpy", "libblas3", "liblapack3", "libgfortran5"),
)


class Pi:
    """A board with the kit installed; `genrekit` runs its command line there."""

    def __init__(self, board: Board, root: Path, site: Path, cache: Path) -> None:
        self.board = board
        self._root = root
        self._site = site
        self._cache = cache

    def python(self, *arguments: object, status: int | None = 0) -> str:
        """Run Python on the board and return its standard output; None allows any status."""
        environment = {
            "PATH": os.environ["PATH"],
            "QEMU_CPU": self.board.cpu,
            "PYTHONHOME": str(self._root / "usr"),
            "PYTHONPATH": f"{self._site}:{self._root}/usr/lib/python3/dist-packages",
            "PYTHONDONTWRITEBYTECODE": "1",
            "XDG_CACHE_HOME": str(self._cache),  # its own: it must hear songs itself
            "OPENBLAS_NUM_THREADS": "1",
        }
        interpreter = self._root / f"usr/bin/python{self.board.python}"
        result = subprocess.run(
            [self.board.qemu, "-L", str(self._root), str(interpreter), *map(str, arguments)],
            cwd="/",
            env=environment,
            capture_output=True,
            text=True,
        )
        assert status is None or result.returncode == status, result.stdout + result.stderr
        return result.stdout

    def genrekit(self, *arguments: object, status: int | None = 0) -> str:
        """Run the command line on the board."""
        return self.python("-m", "genrekit", *arguments, status=status)


def _cache() -> Path:
    given = os.environ.get("GENREKIT_CACHE")
    base = os.environ.get("XDG_CACHE_HOME", str(Path.home() / ".cache"))
    return Path(given) if given else Path(base) / "genrekit"


def _call(*command: object, cwd: Path) -> None:
    result = subprocess.run(
        [str(word) for word in command], cwd=cwd, capture_output=True, text=True
    )
    assert result.returncode == 0, f"{command}: {result.stdout}{result.stderr}"


def _codename() -> str:
    text = Path("/etc/os-release").read_text()
    return next(x.split("=")[1] for x in text.splitlines() if x.startswith("VERSION_CODENAME="))


def _foreign_release(board: Board, folder: Path) -> list[str]:
    """Read another release's index from this system's own mirror; return apt's options for it."""
    choice = (f"Codename: {_codename()}", "Created-By: Packages")
    listed = subprocess.run(
        ["apt-get", "indextargets", "--format", "$(REPO_URI)", *choice],
        capture_output=True,
        text=True,
        check=True,
    )
    uri = listed.stdout.splitlines()[0]
    (folder / "lists/partial").mkdir(parents=True)
    source = folder / "release.list"
    source.write_text(f"deb [arch={board.name}] {uri} {board.release} main\n")
    settings = {
        "Dir::Etc::SourceList": source,
        "Dir::Etc::SourceParts": "-",
        "Dir::State::Lists": folder / "lists",
        "APT::Architecture": board.name,
    }
    options = [word for key, value in settings.items() for word in ("-o", f"{key}={value}")]
    _call("apt-get", *options, "update", "-qq", cwd=folder)
    return options


def _assemble(board: Board) -> Path:
    """Unpack the board's packages and wheels, once for each list of them."""
    key = hashlib.sha256(f"{board}{_CORE}{_SYSTEM}2".encode()).hexdigest()[:16]
    done = _cache() / "pi" / f"{board.name}-{key}"
    if done.is_dir():
        return done
    folder = done.with_name(f"{done.name}.{os.getpid()}.tmp")
    (folder / "debs").mkdir(parents=True)
    options = _foreign_release(board, folder) if board.release != _codename() else []
    packages = board.debian_packages()
    _call("apt-get", *options, "download", "-qq", *packages, cwd=folder / "debs")
    for package in sorted((folder / "debs").glob("*.deb")):
        _call("dpkg", "-x", package, folder / "rootfs", cwd=folder)
    shutil.rmtree(folder / "debs")
    if not (folder / "rootfs/lib").exists():  # where the loader is asked for
        (folder / "rootfs/lib").symlink_to("usr/lib")
    cpus = folder / "rootfs/sys/devices/system/cpu"
    cpus.mkdir(parents=True)
    for name in ("possible", "present", "online"):
        (cpus / name).write_text("0-3\n")
    (folder / "rootfs/proc").mkdir()
    cores = [_CORE.format(index=index, features=board.features) for index in range(4)]
    (folder / "rootfs/proc/cpuinfo").write_text("".join(cores))
    (folder / "site").mkdir()
    if board.wheels:
        platforms = ("manylinux_2_28", "manylinux_2_27", "manylinux_2_17", "manylinux2014")
        _call(
            sys.executable, "-m", "pip", "install", "--quiet", "--target", folder / "site",
            "--only-binary=:all:", "--python-version", board.python, "--implementation", "cp",
            *(word for name in platforms for word in ("--platform", f"{name}_aarch64")),
            "--constraint", ROOT / "constraints.txt", *board.wheels,
            cwd=folder,
        )  # fmt: skip
    # Debian keeps its BLAS in folders that update-alternatives links.
    for library in (folder / "rootfs/usr/lib").glob("*/*/lib*.so.3"):
        link = library.parents[1] / library.name
        if not link.exists():
            link.symlink_to(library.relative_to(link.parent))
    folder.rename(done)
    return done


@pytest.fixture(scope="session")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("wheel")
    _call(sys.executable, "-m", "build", "--wheel", "--outdir", folder, ROOT, cwd=folder)
    (path,) = folder.glob("*.whl")
    return path


def _install(board: Board, wheel: Path, site: Path) -> Pi:
    """Put the wheel as built, and nothing else of ours, on a board."""
    folder = _assemble(board)
    shutil.unpack_archive(wheel, site, "zip")
    # PYTHONPATH takes several folders, `site` first.
    path = Path(f"{site}:{folder / 'site'}")
    return Pi(board, folder / "rootfs", path, site.with_name(f"{site.name}-cache"))


@pytest.fixture(scope="session", params=[PI_4, PI_32], ids=lambda board: board.name)
def pi(request: pytest.FixtureRequest, wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Pi:
    """Each board of Raspberry Pi OS 12 in turn."""
    board: Board = request.param
    return _install(board, wheel, tmp_path_factory.mktemp(f"site-{board.name}"))


@pytest.fixture(scope="session")
def trixie(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Pi:
    """Raspberry Pi OS 13: a newer Python."""
    return _install(PI_4_TRIXIE, wheel, tmp_path_factory.mktemp("site-trixie"))
