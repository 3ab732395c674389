"""Examples: songs in folders of genres, and what the packaged model hears in them."""

from __future__ import annotations

import dataclasses
import hashlib
import io
import os
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path

import numpy as np

from ..arrays import Float32
from ..classify.classifier import GenreClassifier
from ..errors import ConfigError, DataError, GenreKitError
from ..files import read_bounded, write_whole
from ..library.finding import find_songs

WINDOWS = 6  # of one song that are learned from, spread over it
_MAX_CACHED_BYTES = 1 << 22
_MAX_KEPT_BYTES = 1 << 30


@dataclasses.dataclass(frozen=True, kw_only=True, slots=True)
class Example:
    """A song to learn from.

    Parameters
    ----------
    name : str
        Its file, below the folder of songs.
    genre : str
    artist : str
        What must not be divided between learning and judging: the folder between genre and
        song, or the song itself.
    embedding : float32, shape (windows, values)
    strangeness : float
        Mean over the windows; 0 where the model has no rule.
    """

    name: str
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
        If there are no two genres with songs.
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
    if len({genre for _, genre, _ in found}) < 2:
        raise DataError(f"{folder}: needs at least two folders with songs, one a genre")
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
    list of str
        Why songs were left out, a line each.

    Raises
    ------
    DataError
        If a genre has no song that can be read.
    """
    found = find_examples(folder)
    examples: list[Example] = []
    faults: list[str] = []
    for done, (path, genre, artist) in enumerate(found):
        on_progress(done, len(found))
        try:
            embedding, strangeness = _hear(classifier, path)
        except (GenreKitError, OSError) as error:
            if isinstance(error, ConfigError):
                raise
            faults.append(" ".join(str(error).split()))
            continue
        name = str(path.relative_to(folder))
        examples.append(
            Example(
                name=name,
                genre=genre,
                artist=artist,
                embedding=embedding,
                strangeness=strangeness,
            )
        )
    on_progress(len(found), len(found))
    lost = {genre for _, genre, _ in found} - {example.genre for example in examples}
    if lost:
        raise DataError(f"{folder / sorted(lost)[0]}: no song there can be read: {faults[0]}")
    return examples, faults


def write_examples(path: Path, examples: Sequence[Example], model_sha256: str) -> None:
    """Keep examples in one file, so that more can be added to them later."""
    buffer = io.BytesIO()
    np.savez(
        buffer,
        model=np.array(model_sha256),
        name=np.array([e.name for e in examples]),
        genre=np.array([e.genre for e in examples]),
        artist=np.array([e.artist for e in examples]),
        strangeness=np.array([e.strangeness for e in examples]),
        windows=np.array([len(e.embedding) for e in examples]),
        embedding=np.concatenate([e.embedding for e in examples]),
    )
    write_whole(path, buffer.getvalue())


def read_examples(path: Path, model_sha256: str) -> list[Example]:
    """Read examples back.

    Raises
    ------
    DataError
        If there are none, they are damaged, or were heard by another model.
    """
    try:
        data = read_bounded(path, _MAX_KEPT_BYTES)
        with np.load(io.BytesIO(data), allow_pickle=False) as kept:
            arrays = {name: kept[name] for name in kept.files}
        if str(arrays["model"]) != model_sha256:
            raise DataError(f"{path}: was heard by another packaged model; teach from all songs")
        ends = np.cumsum(arrays["windows"])[:-1]
        rows = np.split(arrays["embedding"].astype(np.float32), ends)
        columns = (arrays[name] for name in ("name", "genre", "artist", "strangeness"))
        return [
            Example(
                name=str(name),
                genre=str(genre),
                artist=str(artist),
                embedding=embedding,
                strangeness=float(strange),
            )
            for name, genre, artist, strange, embedding in zip(*columns, rows, strict=True)
        ]
    except (ValueError, KeyError, EOFError, OSError) as error:
        if isinstance(error, GenreKitError):
            raise
        raise DataError(f"{path}: not the songs of an earlier 'genrekit teach'") from error


def _hear(classifier: GenreClassifier, song: Path) -> tuple[Float32, float]:
    card = classifier.card
    if card.embedding is None:
        raise ConfigError(f"{classifier.artifact.path}: this model gives no embedding to teach on")
    cached = _cache_file(song, card.model_sha256)
    if cached.is_file():
        with np.load(io.BytesIO(read_bounded(cached, _MAX_CACHED_BYTES)), allow_pickle=False) as a:
            return a["embedding"], float(a["strangeness"])
    outputs = classifier.outputs(song)
    embedding = outputs[card.embedding]
    chosen = np.unique(np.linspace(0, len(embedding) - 1, WINDOWS).round().astype(int))
    strange = float(outputs[card.unknown.output].mean()) if card.unknown else 0.0
    buffer = io.BytesIO()
    np.savez(buffer, embedding=embedding[chosen], strangeness=np.array(strange))
    cached.parent.mkdir(parents=True, exist_ok=True)
    write_whole(cached, buffer.getvalue())
    return embedding[chosen], strange


def _cache_file(song: Path, model_sha256: str) -> Path:
    """Name the cache's file by what is in the song and who heard it."""
    digest = hashlib.sha256(f"{model_sha256} {WINDOWS} ".encode())
    with song.open("rb") as file:
        for block in iter(lambda: file.read(1 << 20), b""):
            digest.update(block)
    base = os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache"
    name = digest.hexdigest()
    return Path(base, "genrekit", "embeddings", name[:2], f"{name}.npz")


def genres_of(examples: Iterable[Example]) -> tuple[str, ...]:
    """Return the genres, sorted."""
    return tuple(sorted({example.genre for example in examples}))
