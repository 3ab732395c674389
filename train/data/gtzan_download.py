"""GTZAN: the real collection, fetched through mirdata and laid out for the kit.

mirdata knows where the archive lies and the checksums of the archive and of every file in it.
No licence covers the music: it is for research, and never part of what this kit ships.

References
----------
Tzanetakis, Cook: "Musical genre classification of audio signals", IEEE Transactions on Speech
and Audio Processing 10(5), 2002. Bittner et al.: "mirdata: software for reproducible usage of
datasets", ISMIR 2019.
"""

from __future__ import annotations

import hashlib
import shutil
import tarfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

from genrekit.errors import DataError, DependencyError

FOLDER = "genres_original"  # as Kaggle's copy calls it
_STAGING = ".download"
_ARCHIVE = "all"  # mirdata's name for the songs
_UNPACKED = Path("gtzan_genre", "genres")


def fetch_gtzan(out: Path, *, say: Callable[[str], None] = print) -> int:
    """Fetch GTZAN into `out/genres_original/<genre>/`.

    Nothing stands there before every file's checksum was verified. An archive that came whole
    is not fetched again; one that broke off is.

    Parameters
    ----------
    out : Path
    say : callable
        Told what happens.

    Returns
    -------
    int
        Songs.

    Raises
    ------
    DependencyError
        Without mirdata.
    DataError
        If the archive cannot be had, or is not what mirdata knows; with what to do.
    """
    target = out / FOLDER
    if target.exists():
        raise DataError(f"{target}: exists; remove it to fetch GTZAN again")
    staging = out / _STAGING
    dataset = _open(staging)
    remote = dataset.remotes[_ARCHIVE]
    archive = staging / (remote.destination_dir or "") / remote.filename
    by_hand = f"run the same command again, or put the archive at {archive}"
    if archive.is_file() and _md5(archive) != remote.checksum:
        say(f"{archive}: broken off or altered; fetched anew")
        archive.unlink()
    try:
        dataset.download(partial_download=[_ARCHIVE])
    except (OSError, EOFError, tarfile.TarError) as error:
        raise DataError(f"GTZAN from {remote.url}: {str(error).strip()}; {by_hand}") from error
    missing, altered = dataset.validate(verbose=False)
    for what, names in (("missing", _songs(missing)), ("altered", _songs(altered))):
        if names:
            raise DataError(
                f"GTZAN: {len(names)} songs of the archive are {what}, {names[0]} first; remove "
                f"{staging} and {by_hand}"
            )
    (staging / _UNPACKED).replace(target)
    shutil.rmtree(staging)
    return sum(1 for path in target.glob("*/*") if path.is_file())


def _open(staging: Path) -> Any:
    try:
        import mirdata
    except ImportError as error:
        raise DependencyError(
            "fetching GTZAN needs mirdata: pip install 'genrekit[gtzan]'"
        ) from error
    return mirdata.initialize("gtzan_genre", data_home=str(staging))


def _songs(by_kind: dict[str, dict[str, list[str]]]) -> list[str]:
    """Return the songs among what mirdata complains of; annotations are not fetched."""
    paths = [path for files in by_kind.get("tracks", {}).values() for path in files]
    return sorted(path for path in paths if str(_UNPACKED) in path)


def _md5(path: Path) -> str:
    with path.open("rb") as file:
        # Not against forgers: it is the checksum that mirdata publishes.
        return hashlib.file_digest(file, lambda: hashlib.md5(usedforsecurity=False)).hexdigest()
