"""Cards of the models on pretrained weights, and what cross-validation measured for them."""

from __future__ import annotations

import dataclasses

from genrekit.artifact.card import LATER_VERSION, Card
from genrekit.artifact.sections import (
    Accuracy,
    Calibration,
    Compression,
    InputSpec,
    Normalisation,
    Reference,
    Training,
    Unknown,
    Windowing,
)
from genrekit.classify.reference import SIGNAL
from genrekit.errors import DataError
from genrekit.features.config import FeatureConfig
from genrekit.train.data.musicnn import NOTICE, TAGS
from genrekit.train.evaluation.metrics import Share

from .graph import BANDS, EMBEDDING, FRAMES, INPUT, LOGITS, STRANGENESS

FEATURES = FeatureConfig(
    sample_rate=16_000,
    n_fft=512,
    hop_length=256,
    n_mels=BANDS,
    top_db=None,
    compression="log10",
    compression_gain=10_000.0,
    remove_offset=True,
    level_rms=0.15,
    silence_rms=10.0 ** (-70.0 / 20.0),
)
WINDOW_S = 186 * 256 / 16_000  # 187 frames
FOLDS = 8  # over artists
TAG_THRESHOLD = 0.1  # the weights' own scale: their tags are rare, and so are high probabilities
_LICENCE = (
    "Apache-2.0 for what genrekit adds; the weights are musicnn's (ISC, see the notice); the "
    "songs that the head learned from are research data, no licence"
)
_DATA = (
    "weights of musicnn, taught by the tags of a part of the Million Song Dataset; the head by "
    "clips of 2 to 3 s and songs of GTZAN, without artist fold 2"
)
_LIMITS = (
    "GTZAN is research data of Western music from before 2002, and the million songs may hold its "
    "artists: 'unheard' is said of the head alone. Blues of unheard artists is its weakest genre. "
    "What is no music is mostly told as unknown, not always."
)


@dataclasses.dataclass(frozen=True, kw_only=True, slots=True)
class Measured:
    """What cross-validation over artists says.

    Parameters
    ----------
    clips, songs : Share
        Right, of clips of 2 to 3 s and of songs of 30 s.
    temperature : float
    calibrated_on : int
        Held-out tracks whose genre their fold had examples of.
    error : float
    error_ci95 : tuple of float
        Expected calibration error of all held-out tracks, each fold's temperature fitted on the
        other folds.
    threshold : float
        Of strangeness.
    kept : Share
        Held-out songs that stay below it.
    rejected : Share
        Sounds that are no music, each judged by a rule that was shown the other half of them.
    robust : dict of str to Share
        Held-out songs and clips that are named right after each degradation.
    """

    clips: Share
    songs: Share
    temperature: float
    calibrated_on: int
    error: float
    error_ci95: tuple[float, float]
    threshold: float
    kept: Share
    rejected: Share
    robust: dict[str, Share]


def genre_card(measured: Measured, labels: tuple[str, ...]) -> Card:
    """Return the card of the genres, all but its reference and hashes."""
    accuracy = (
        _accuracy("audio: clips of 2 to 3 s, artists unheard by the head", measured.clips),
        _accuracy("audio: songs of 30 s, artists unheard by the head", measured.songs),
    )
    card = bare_card(
        name="genrekit-default",
        labels=labels,
        task="single-label-classification",
        accuracy=accuracy,
        unknown=unknown_rule(measured.threshold, measured.kept),
    )
    return dataclasses.replace(
        card,
        calibration=Calibration(
            temperature=measured.temperature,
            error=measured.error,
            ci95=measured.error_ci95,
            n=measured.calibrated_on,
        ),
    )


def tag_card(genres: Card) -> Card:
    """Return the card of the tags, whose rule for unknown sounds is that of the genres."""
    card = bare_card(
        name="genrekit-tags", labels=TAGS["MSD"], task="tags", accuracy=(), unknown=genres.unknown
    )
    training = dataclasses.replace(
        card.training,
        data="weights of musicnn, taught by the tags of a part of the Million Song Dataset",
        split="the authors' own",
    )
    return dataclasses.replace(card, training=training)


def bare_card(
    *,
    name: str,
    labels: tuple[str, ...],
    task: str,
    accuracy: tuple[Accuracy, ...],
    unknown: Unknown | None,
) -> Card:
    """Return what the cards of all models on this network have in common."""
    spec = InputSpec(
        name=INPUT,
        feature="log_mel",
        layout="channel_band_frame",
        shape=(1, BANDS, FRAMES),
        dtype="float32",
        normalisation=Normalisation(kind="none"),
    )
    tags = task == "tags"
    return Card(
        schema=LATER_VERSION,
        name=name,
        task="tags" if tags else "single-label-classification",
        labels=labels,
        features=FEATURES,
        inputs=(spec,),
        output=LOGITS,
        windowing=Windowing(window_s=WINDOW_S, hop_s=WINDOW_S / 2, short="wrap"),
        aggregation="mean-probability",
        training=Training(
            architecture="musicnn, its dead filters folded away, and a linear head",
            data=_DATA,
            synthetic=False,
            split=f"{FOLDS} folds over artists; this file's head learned from all of them",
            seed=0,
            accuracy=accuracy,
        ),
        compression=Compression(
            steps=("dead filters folded away, exactly", "int8 weights"),
            source_bytes=3_170_000,
            label_agreement=None,
            agreement_n=0,
        ),
        licence=_LICENCE,
        intended_use="Naming tags of a song." if tags else "Naming one of ten genres of a song.",
        limits=_LIMITS,
        reference=Reference(
            signal=SIGNAL, probes=(), logits=(0.0,) * len(labels), logit_tolerance=1.0
        ),
        model_sha256="",
        card_sha256="",
        embedding=EMBEDDING,
        unknown=unknown,
        thresholds=(TAG_THRESHOLD,) * len(labels) if tags else (),
        notice=NOTICE,
    )


def unknown_rule(threshold: float, kept: Share) -> Unknown:
    """Return the rule for unknown sounds, as a card says it."""
    return Unknown(
        output=STRANGENESS,
        threshold=threshold,
        rule="distance to the embeddings of music, with a step towards sounds that are none",
        kept=_accuracy("songs and clips of artists unheard by the rule", kept),
    )


def _accuracy(split: str, measured: Share) -> Accuracy:
    if measured.value is None or measured.ci95 is None:
        raise DataError(f"{split}: nothing was measured")
    return Accuracy(split=split, n=measured.n, accuracy=measured.value, ci95=measured.ci95)
