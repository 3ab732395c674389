"""Examples: songs in folders of genres, and what the packaged model hears in them."""

from __future__ import annotations

import contextlib
import dataclasses
import hashlib
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path

import numpy as np

from ..arrays import Float32
from ..classify.classifier import GenreClassifier
from ..errors import ConfigError, DataError, GenreKitError
from ..files import cache_folder, read_bounded, write_whole
from ..library.finding import find_songs
from .npz import pack, unpack

WINDOWS = 6  # of one song that are learned from, spread over it
_COLUMNS = ("name", "digest", "genre", "artist", "strangeness")
_MAX_CACHED_BYTES = 1 << 22
_MAX_KEPT_BYTES = 1 << 28  # fifty thousand songs


@dataclasses.dataclass(frozen=True, kw_only=True, slots=True)
class Example:
    """A song to learn from.

    Parameters
    ----------
    name : str
        Its file, below the folder of songs.
    digest : str
        Of its content and the model that heard it: the same song has the same, wherever it lies.
    genre : str
    artist : str
        What must not be divided between learning and judging: the folder between genre and
        song, or the song itself.
    embedding : float32, shape (windows, values)
    strangeness : float
        Mean over the windows; 0 where the model has no rule.
    """

    name: str
    digest: str
    genre: str
    artist: str
    embedding: Float32
    strangeness: float


Progress = Callable[[int, int], None]


def find_examples(folder: Path) -> list[tuple[Path, str, str]]:
    """List songs below a folder of genres: file, genre, artist.

    Raises
    ------
    DataError
        If there is no folder with songs.
    FileError
        If a folder cannot be listed.
    """
    try:
        genres = sorted(
            path for path in folder.iterdir() if path.is_dir() and not path.name.startswith(".")
        )
    except OSError as error:
        raise DataError(f"{folder}: {error.strerror}: must be a folder of genres") from error
    found = []
    for genre in genres:
        for path in find_songs([genre], recursive=True):
            inner = path.relative_to(genre).parts
            artist = f"{genre.name}/{inner[0]}" if len(inner) > 1 else str(path)
            found.append((path, genre.name, artist))
    if not found:
        raise DataError(f"{folder}: needs folders with songs, one a genre")
    return found


def hear_examples(
    classifier: GenreClassifier, folder: Path, on_progress: Progress
) -> tuple[list[Example], list[str]]:
    """Embed all songs below a folder; what is known from before is read from the cache.

    Parameters
    ----------
    classifier : GenreClassifier
    folder : Path
        <genre>/<song> or <genre>/<artist>/.../<song>.
    on_progress : callable
        Told songs done and songs in all.

    Returns
    -------
    list of Example
        No song twice: a copy would be judged by a head that has heard it.
    list of str
        Why songs were left out, a line each.

    Raises
    ------
    ConfigError
        If the model gives no embedding.
    DataError
        If a genre has no song that can be read.
    """
    if classifier.card.embedding is None:
        raise ConfigError(f"{classifier.artifact.path}: this model gives no embedding to teach on")
    found = find_examples(folder)
    heard: dict[str, Example] = {}
    faults: list[str] = []
    for done, (path, genre, artist) in enumerate(found):
        on_progress(done, len(found))
        try:
            digest = _digest(path, classifier.card.model_sha256)
            if digest in heard:
                faults.append(f"{path}: the same song as {folder / heard[digest].name}")
                continue
            embedding, strangeness = _hear(classifier, classifier.card.embedding, path, digest)
        except (GenreKitError, OSError) as error:
            faults.append(" ".join(str(error).split()))
            continue
        heard[digest] = Example(
            name=str(path.relative_to(folder)),
            digest=digest,
            genre=genre,
            artist=artist,
            embedding=embedding,
            strangeness=strangeness,
        )
    on_progress(len(found), len(found))
    examples = list(heard.values())
    lost = {genre for _, genre, _ in found} - {example.genre for example in examples}
    if lost:
        name = sorted(lost)[0]
        fault = next((f for f in faults if str(folder / name) in f), faults[0])
        raise DataError(f"{folder / name}: no song there can be learned from: {fault}")
    return examples, faults


def write_examples(path: Path, examples: Sequence[Example], model_sha256: str) -> None:
    """Keep examples in one file, so that more can be added to them later."""
    arrays = {name: np.array([getattr(e, name) for e in examples]) for name in _COLUMNS}
    arrays["model"] = np.array(model_sha256)
    arrays["windows"] = np.array([len(e.embedding) for e in examples])
    arrays["embedding"] = np.concatenate([e.embedding for e in examples])
    write_whole(path, pack(arrays))


def read_examples(path: Path, model_sha256: str) -> list[Example]:
    """Read examples back.

    Raises
    ------
    FileError
        If there are none.
    DataError
        If they are damaged, or were heard by another model.
    """
    data = read_bounded(path, _MAX_KEPT_BYTES)
    try:
        arrays = unpack(data)
        if str(arrays["model"]) != model_sha256:
            raise DataError("was heard by another packaged model; teach from all songs")
        windows = arrays["windows"].tolist()
        rows = _finite(arrays["embedding"])
        if min(windows, default=0) < 1 or sum(windows) != len(rows):
            raise DataError("its windows are not its songs'")
        parts = np.split(rows, np.cumsum(windows)[:-1])
        columns = (arrays[name].tolist() for name in _COLUMNS)
        return [
            Example(**dict(zip(_COLUMNS, values, strict=True)), embedding=part)
            for *values, part in zip(*columns, parts, strict=True)
        ]
    except DataError as error:
        raise DataError(f"{path}: {error}") from error
    except (ValueError, TypeError, KeyError, IndexError) as error:
        raise DataError(f"{path}: not the songs of an earlier 'genrekit teach'") from error


def _hear(
    classifier: GenreClassifier, output: str, song: Path, digest: str
) -> tuple[Float32, float]:
    """Return a song's embedding and strangeness, from the cache if they are there and whole."""
    cached = cache_folder() / "embeddings" / digest[:2] / f"{digest}.npz"
    with contextlib.suppress(DataError, KeyError, ValueError, TypeError, OSError):
        arrays = unpack(read_bounded(cached, _MAX_CACHED_BYTES))
        return _finite(arrays["embedding"]), float(arrays["strangeness"])
    card = classifier.card
    outputs = classifier.outputs(song)
    embedding = outputs[output]
    chosen = np.unique(np.linspace(0, len(embedding) - 1, WINDOWS).round().astype(int))
    strange = float(outputs[card.unknown.output].mean()) if card.unknown else 0.0
    with contextlib.suppress(OSError):  # a cache that cannot be written costs time, no more
        write_whole(
            cached, pack({"embedding": embedding[chosen], "strangeness": np.array(strange)})
        )
    return embedding[chosen], strange


def _finite(embedding: Float32) -> Float32:
    if embedding.ndim != 2 or not len(embedding) or not np.isfinite(embedding).all():
        raise DataError("damaged: an embedding must be rows of finite numbers")
    return embedding.astype(np.float32)


def _digest(song: Path, model_sha256: str) -> str:
    """Digest what is in a song and who hears it."""
    digest = hashlib.sha256(f"{model_sha256} {WINDOWS} ".encode())
    with song.open("rb") as file:
        for block in iter(lambda: file.read(1 << 20), b""):
            digest.update(block)
    return digest.hexdigest()


def genres_of(examples: Iterable[Example]) -> tuple[str, ...]:
    """Return the genres, sorted."""
    return tuple(sorted({example.genre for example in examples}))
