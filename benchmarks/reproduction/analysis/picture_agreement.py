"""Picture agreement: whether a model trained on pictures says the same of the songs themselves.

The songs stand beside the pictures. Pictures of `stft_5s` are compared with what the runtime
computes from the first 5 s; those of `spectrograms`, which no runtime computes, with pictures
drawn anew by their recipe.
"""

from __future__ import annotations

import dataclasses
from pathlib import Path

import numpy as np
from PIL import Image
from scipy.signal import spectrogram

from genrekit.arrays import Float32
from genrekit.audio.decoding import load_audio
from genrekit.export.writing.comparison import torch_logits
from genrekit.features.kinds import extract
from genrekit.features.mel import band_weights
from genrekit.train.data.datasets import audio_source, open_dataset
from genrekit.train.evaluation.metrics import share
from genrekit.train.inputs.representation import Representation
from genrekit.train.runs.run import Run

from ..collection import SONGS
from ..rows import Finding

PIXELS = 256  # per side of a picture of `spectrograms`
_SILENCE = 1e-20  # power


def picture_agreement(run: Run) -> list[Finding]:
    """Compare the labels that a track's picture and its song are given.

    Returns
    -------
    list of Finding
        One; none where no songs stand beside the pictures.
    """
    places = [Path(run.settings.data.path).parent / name for name in SONGS]
    place = next((folder for folder in places if folder.is_dir()), None)
    if place is None:
        return []
    known = run.dataset.by_id()
    songs = [song for song in open_dataset(audio_source(place)).tracks if song.id in known]
    seen = run.windowed([known[song.id] for song in songs])
    heard = dataclasses.replace(
        seen, features={song.id: (_features(song.path, run.representation),) for song in songs}
    )
    logits = torch_logits(run.load_model())
    same = 0
    for song in songs:
        labels = [logits(shown.windows(song.id)).mean(axis=0).argmax() for shown in (seen, heard)]
        same += int(labels[0] == labels[1])
    counted = share(same, len(songs))
    return [
        Finding(
            metric="same label from picture and song",
            value=counted.value or 0.0,
            n=counted.n,
            ci95=counted.ci95,
            note="from the runtime's own features"
            if run.representation.deployable
            else "from pictures drawn anew",
        )
    ]


def drawn_anew(samples: Float32, sample_rate: int) -> Float32:
    """Draw a picture as those of `spectrograms` were.

    Parameters
    ----------
    samples : float32, shape (n,)
    sample_rate : int

    Returns
    -------
    float32, shape (PIXELS, PIXELS)
        Columns first, bottom to top, 0..1 in 256 steps.

    References
    ----------
    `scipy.signal.spectrogram` with its defaults: segments of 256 samples, of which 32 overlap,
    under a Tukey window. Decibels, scaled to their own range, then resized: by areas, which leaves
    them as rough as the collection's pictures are, or nearly so; how those were is not known.
    """
    _, _, power = spectrogram(samples, sample_rate)
    level = np.log10(np.maximum(power, _SILENCE))
    grey = (level - level.min()) / max(float(np.ptp(level)), _SILENCE)
    image = Image.fromarray(np.round(255 * grey).astype(np.uint8))
    pixels = np.asarray(image.resize((PIXELS, PIXELS), Image.Resampling.BOX), np.float32)
    return np.ascontiguousarray(pixels.T / np.float32(255))


def _features(song: Path, representation: Representation) -> Float32:
    config = representation.features
    samples = load_audio(song, config.sample_rate).samples
    if representation.deployable:
        feature = representation.inputs[0].feature
        return extract(feature, samples[: representation.window_samples], config)
    picture = drawn_anew(samples, config.sample_rate)
    return picture @ band_weights(picture.shape[1], config).T
