"""The packaged models on pretrained weights: genres and tags, from wheel and songs to card.

Everything is chosen and measured by cross-validation over artists among songs that are not of
artist fold 2, on which nothing here looks.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from genrekit.arrays import Float64, Int64
from genrekit.artifact.card import Card
from genrekit.artifact.container import Artifact, read_artifact, write_artifact
from genrekit.audio.decoding import Audio, load_audio
from genrekit.classify.classifier import GenreClassifier
from genrekit.classify.verification import verify
from genrekit.engines.registry import load_engine
from genrekit.errors import AudioError, DataError
from genrekit.train.data.musicnn import TAGS
from genrekit.train.evaluation.metrics import Share, share
from genrekit.train.inputs.degradation import DEGRADATIONS
from genrekit.train.synth.not_music import not_music

from ..writing.cards import provisional, with_reference
from .calibration import calibration_error, fit_temperature, track_probabilities
from .cards import FOLDS, Measured, bare_card, genre_card, tag_card, unknown_rule
from .graph import build_graph
from .gtzan import Song, find_songs
from .heads import Linear, Strangeness, fit_genres, fit_strangeness
from .reduction import Reduced

LOST = 0.015  # of held-out songs, by the rule for unknown sounds; 2 % are allowed
_MOST_WINDOWS = 10  # of one song in a fit, so that a long one does not outweigh ten clips
Say = Callable[[str], None]


@dataclasses.dataclass(frozen=True, kw_only=True, slots=True)
class Heard:
    """Embeddings of one song, as the device computes them.

    Parameters
    ----------
    song : Song
    clean : float64, shape (windows, values)
    degraded : tuple of float64, each of shape (windows, values)
        In the order of `DEGRADATIONS`.
    """

    song: Song
    clean: Float64
    degraded: tuple[Float64, ...]


def make_models(network: Reduced, data: Path, out: Path, *, say: Say = print) -> dict[str, Any]:
    """Fit and write `default.onnx` and `tags.onnx`.

    Parameters
    ----------
    network : Reduced
    data : Path
        GTZAN with `clips/`, `genres_original/` and `splits/`.
    out : Path
        Folder of the files.
    say : callable
        Told what happens.

    Returns
    -------
    dict
        What was measured, for the log.

    Raises
    ------
    DataError
        If the data are not laid out as expected, or a file fails its own verification.
    """
    tags = Linear(weight=network.tag_weight, bias=network.tag_bias)
    songs = find_songs(data)
    labels = tuple(sorted({song.genre for song in songs}))
    say(f"{len(songs)} songs and clips of {len({s.artist for s in songs})} artists, embedding")
    classifier = GenreClassifier(_backbone(network))
    heard = [_hear(classifier, song, seed) for seed, song in enumerate(songs)]
    say("sounds that are no music, embedding")
    others = {name: _embed(classifier, audio) for name, audio in not_music()}
    say("cross-validation over artists")
    measured = _cross_validate(heard, others, tags, labels)
    truth = _truth(heard, labels)
    head = _fit_head(heard, tags, truth, len(labels)).cooled(measured.temperature)
    rule = _fit_rule(heard, list(others.values()))
    card = genre_card(measured, labels)
    default = _write(out / "default.onnx", build_graph(network, head, rule), card)
    tag_model = _write(out / "tags.onnx", build_graph(network, None, rule), tag_card(card))
    return {
        "songs": len(songs),
        "sounds_that_are_no_music": len(others),
        "bytes": {"default": default.size, "tags": tag_model.size},
        **dataclasses.asdict(measured),
    }


def _cross_validate(
    heard: Sequence[Heard], others: dict[str, Float64], tags: Linear, labels: tuple[str, ...]
) -> Measured:
    from sklearn.model_selection import StratifiedGroupKFold

    truth = _truth(heard, labels)
    folds = StratifiedGroupKFold(FOLDS, shuffle=True, random_state=0)
    artists = [item.song.artist for item in heard]
    logits: list[Float64] = [np.zeros((0, len(labels)))] * len(heard)
    strange = np.zeros(len(heard))
    fold_of = np.zeros(len(heard), int)
    known = np.zeros(len(heard), bool)
    robust = {name: np.zeros(len(heard), bool) for name in DEGRADATIONS}
    for fold, (fitted, held_out) in enumerate(folds.split(artists, truth, artists)):
        part = [heard[i] for i in fitted]
        head = _fit_head(part, tags, truth[fitted], len(labels))
        rule = _fit_rule(part, list(others.values()))
        for i in held_out:
            logits[i] = head.logits(heard[i].clean)
            strange[i] = rule.measure(heard[i].clean).mean()
            fold_of[i] = fold
            known[i] = truth[i] in truth[fitted]
            for name, windows in zip(DEGRADATIONS, heard[i].degraded, strict=True):
                said = track_probabilities([head.logits(windows)], 1.0)[0].argmax()
                robust[name][i] = said == truth[i]
    probabilities = np.zeros((len(heard), len(labels)))
    for fold in range(FOLDS):
        own = np.flatnonzero(fold_of == fold)
        # A genre that a fold had no example of says nothing about confidence.
        rest = np.flatnonzero((fold_of != fold) & known)
        temperature = fit_temperature([logits[i] for i in rest], truth[rest])
        probabilities[own] = track_probabilities([logits[i] for i in own], temperature)
    right = probabilities.argmax(axis=1) == truth
    clip = np.array([item.song.clip for item in heard])
    error, error_ci95 = calibration_error(probabilities[known], truth[known])
    threshold = float(np.quantile(strange, 1.0 - LOST))
    return Measured(
        clips=_share(right[clip]),
        songs=_share(right[~clip]),
        temperature=fit_temperature([logits[i] for i in np.flatnonzero(known)], truth[known]),
        calibrated_on=int(known.sum()),
        error=error,
        error_ci95=error_ci95,
        threshold=threshold,
        kept=_share(strange <= threshold),
        rejected=_rejected(heard, others, threshold),
        robust={name: _share(values) for name, values in robust.items()},
    )


def _rejected(heard: Sequence[Heard], others: dict[str, Float64], threshold: float) -> Share:
    """Judge each half of the sounds by a rule that was shown the other."""
    order = np.random.default_rng(0).permutation(len(others))
    half = np.zeros(len(others), bool)
    half[order[: len(others) // 2]] = True
    windows = list(others.values())
    told = []
    for side in (True, False):
        rule = _fit_rule(heard, [w for w, h in zip(windows, half, strict=True) if h == side])
        unseen = (w for w, h in zip(windows, half, strict=True) if h != side)
        told += [rule.measure(w).mean() > threshold for w in unseen]
    return _share(np.array(told))


def _fit_head(heard: Sequence[Heard], tags: Linear, truth: Int64, n_labels: int) -> Linear:
    """Fit the genres on songs as they are and as phones and rooms leave them."""
    parts, labels = [], []
    for item, label in zip(heard, truth, strict=True):
        # Twice as they are: what most people play it.
        for windows in (item.clean, item.clean, *item.degraded):
            parts.append(windows[:_MOST_WINDOWS])
            labels += [label] * len(parts[-1])
    return fit_genres(np.concatenate(parts), tags, np.array(labels), n_labels)


def _fit_rule(heard: Sequence[Heard], others: Sequence[Float64]) -> Strangeness:
    music = np.concatenate([item.clean[:_MOST_WINDOWS] for item in heard])
    degraded = [w[:_MOST_WINDOWS] for item in heard for w in (item.clean, *item.degraded)]
    return fit_strangeness(music, np.concatenate(degraded), np.concatenate(others))


def _hear(classifier: GenreClassifier, song: Song, seed: int) -> Heard:
    audio = load_audio(song.path)
    rng = np.random.default_rng(seed)
    degraded = (
        Audio(change(audio.samples, audio.sample_rate, rng), audio.sample_rate)
        for change in DEGRADATIONS.values()
    )
    return Heard(
        song=song,
        clean=_embed(classifier, audio),
        degraded=tuple(_embed(classifier, item) for item in degraded),
    )


def _embed(classifier: GenreClassifier, audio: Audio) -> Float64:
    try:
        return classifier.embed(audio).astype(np.float64)
    except AudioError as error:
        raise DataError(f"nothing to learn from: {error}") from error


def _backbone(network: Reduced) -> Artifact:
    """Return the network with its own tags in memory, to embed with; its rule means nothing."""
    size = len(network.embedding_scale)
    nothing = Linear(weight=np.zeros((size, 1)), bias=np.zeros(1))
    rule = Strangeness(centre=np.zeros(size), whitening=np.zeros((size, 1)), towards=nothing)
    card = bare_card(name="backbone", labels=TAGS["MSD"], task="tags", accuracy=(), unknown=None)
    card = dataclasses.replace(card, unknown=unknown_rule(0.0, share(1, 1)))
    return provisional(Path("backbone"), "onnx", build_graph(network, None, rule), card)


def _write(path: Path, model: bytes, card: Card) -> Artifact:
    engine = load_engine(provisional(path, "onnx", model, card))
    artifact = read_artifact(write_artifact(path, model, with_reference(card, engine)).path)
    if not verify(artifact).passed:
        raise DataError(f"{path}: fails its own verification")
    return artifact


def _truth(heard: Sequence[Heard], labels: tuple[str, ...]) -> Int64:
    return np.array([labels.index(item.song.genre) for item in heard])


def _share(right: Any) -> Share:
    return share(int(np.sum(right)), len(right))
