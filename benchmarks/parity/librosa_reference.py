"""Checks of our features against librosa 0.11's, one clip at a time.

Conventions: continuous features deviate by their largest difference over a clip, in dB or
relative to librosa's value; discrete ones (rolloff, tempo) count the values that differ.
"""

from __future__ import annotations

import contextlib
import dataclasses
import functools
import math
import sys
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np

from genrekit.arrays import Float32, Float64
from genrekit.errors import DataError, DependencyError
from genrekit.features.config import FeatureConfig
from genrekit.features.hpss.separation import separate
from genrekit.features.kinds import extract
from genrekit.features.mel import mel_spectrogram
from genrekit.features.stft import stft
from genrekit.features.tempo import tempo_bpm

CONFIG = FeatureConfig()


@dataclasses.dataclass(frozen=True, kw_only=True, slots=True)
class Deviation:
    """How far one clip is from its reference.

    Parameters
    ----------
    worst : float
        Largest deviation, in the check's unit.
    wrong, count : int
        Values that differ at all where that is bounded, of so many.
    """

    worst: float
    wrong: int = 0
    count: int = 1


@dataclasses.dataclass(frozen=True, kw_only=True, slots=True)
class Bound:
    """How far a feature may be from its reference.

    Parameters
    ----------
    unit : str
        Of the deviation.
    most : float
        Largest deviation; infinite where only the share of differing values counts.
    most_wrong : float
        Largest share of differing values, over all clips.
    """

    unit: str
    most: float = math.inf
    most_wrong: float = 1.0


@dataclasses.dataclass(frozen=True, kw_only=True, slots=True)
class Check:
    """A comparison of one clip with librosa, and its bound."""

    compare: Callable[[Float32], Deviation]
    bound: Bound


def relative(value: Any, reference: Any) -> Deviation:
    """Compare elementwise, relative to the reference; 0 matches only 0."""
    scale = np.maximum(np.abs(np.asarray(reference, np.float64)), np.finfo(np.float32).tiny)
    return Deviation(worst=float(np.max(_distance(value, reference) / scale)))


def absolute(value: Any, reference: Any) -> Deviation:
    """Compare elementwise, in the values' own unit."""
    return Deviation(worst=float(np.max(_distance(value, reference))))


def on_grid(value: Any, reference: Any, step: float) -> Deviation:
    """Compare values that are multiples of `step`, counting the steps between them."""
    steps = np.rint(_distance(value, reference) / step)
    return Deviation(worst=float(steps.max()), wrong=int(np.count_nonzero(steps)), count=steps.size)


def equal(value: float, reference: Any) -> Deviation:
    """Compare one number that is either the same, up to rounding, or another."""
    deviation = relative(value, reference)
    return dataclasses.replace(deviation, wrong=int(deviation.worst > 1e-6))


def _distance(value: Any, reference: Any) -> Float64:
    value, reference = np.asarray(value, np.float64), np.asarray(reference, np.float64)
    if value.size != reference.size:
        raise DataError(f"shape {value.shape}: librosa gives {reference.shape}")
    if not np.isfinite(value).all():
        raise DataError("a feature is not finite")
    distance: Float64 = np.abs(value - reference.reshape(value.shape))
    return distance


@functools.cache
def librosa() -> Any:
    """Import the judge.

    Raises
    ------
    DependencyError
        If it is not installed.
    """
    try:
        import librosa as module
        import librosa.feature
    except ImportError as error:
        raise DependencyError("librosa is not installed: pip install 'genrekit[bench]'") from error
    return module


@contextlib.contextmanager
def numpy_fft() -> Iterator[None]:
    """Hide SciPy's FFT, which librosa has loaded, as on a device without SciPy."""
    hidden = sys.modules.pop("scipy.fft", None)
    try:
        yield
    finally:
        if hidden is not None:
            sys.modules["scipy.fft"] = hidden


def _by_both_ffts(kind: str, samples: Float32, config: FeatureConfig, reference: Any) -> Deviation:
    with numpy_fft():
        alone = absolute(extract(kind, samples, config), reference)
    beside_scipy = absolute(extract(kind, samples, config), reference)
    return max(alone, beside_scipy, key=lambda deviation: deviation.worst)


def _log_mel(samples: Float32) -> Deviation:
    bands = librosa().feature.melspectrogram(y=samples, sr=CONFIG.sample_rate)
    return _by_both_ffts("log_mel", samples, CONFIG, librosa().power_to_db(bands).T)


def _mfcc(n_mfcc: int, samples: Float32) -> Deviation:
    config = dataclasses.replace(CONFIG, n_mfcc=n_mfcc)
    reference = librosa().feature.mfcc(y=samples, sr=CONFIG.sample_rate, n_mfcc=n_mfcc).T
    return _by_both_ffts("mfcc", samples, config, reference)


def _chroma(samples: Float32) -> Deviation:
    reference = librosa().feature.chroma_stft(y=samples, sr=CONFIG.sample_rate).T
    return relative(extract("chroma", samples, CONFIG), reference)


def _rms(samples: Float32) -> Deviation:
    return relative(extract("rms", samples, CONFIG), librosa().feature.rms(y=samples).T)


def _zero_crossing_rate(samples: Float32) -> Deviation:
    reference = librosa().feature.zero_crossing_rate(samples).T
    return relative(extract("zero_crossing_rate", samples, CONFIG), reference)


def _spectral_centroid(samples: Float32) -> Deviation:
    reference = librosa().feature.spectral_centroid(y=samples, sr=CONFIG.sample_rate).T
    return relative(extract("spectral_centroid", samples, CONFIG), reference)


def _spectral_bandwidth(samples: Float32) -> Deviation:
    reference = librosa().feature.spectral_bandwidth(y=samples, sr=CONFIG.sample_rate).T
    return relative(extract("spectral_bandwidth", samples, CONFIG), reference)


def _spectral_rolloff(samples: Float32) -> Deviation:
    reference = librosa().feature.spectral_rolloff(y=samples, sr=CONFIG.sample_rate).T
    bin_hz = CONFIG.sample_rate / CONFIG.n_fft
    return on_grid(extract("spectral_rolloff", samples, CONFIG), reference, bin_hz)


def _hpss(samples: Float32) -> Deviation:
    parts = separate(stft(samples, CONFIG), CONFIG, samples.size)
    references = librosa().effects.hpss(samples)
    return relative([part.var() for part in parts], [part.var() for part in references])


def _tempo(samples: Float32) -> Deviation:
    reference, _ = librosa().beat.beat_track(y=samples, sr=CONFIG.sample_rate)
    return equal(tempo_bpm(mel_spectrogram(samples, CONFIG), CONFIG), reference)


DECIBELS = Bound(unit="dB", most=1e-3)
FRAMES = Bound(unit="relative", most=1e-4)
VARIANCES = Bound(unit="relative", most=1e-3)
BINS = Bound(unit="bins", most=1.0, most_wrong=1e-4)
TEMPO = Bound(unit="relative", most_wrong=1 / 60)

CHECKS = {
    "log-mel": Check(compare=_log_mel, bound=DECIBELS),
    "MFCC (13)": Check(compare=functools.partial(_mfcc, 13), bound=DECIBELS),
    "MFCC (20)": Check(compare=functools.partial(_mfcc, 20), bound=DECIBELS),
    "chroma": Check(compare=_chroma, bound=FRAMES),
    "RMS": Check(compare=_rms, bound=FRAMES),
    "zero-crossing rate": Check(compare=_zero_crossing_rate, bound=FRAMES),
    "spectral centroid": Check(compare=_spectral_centroid, bound=FRAMES),
    "spectral bandwidth": Check(compare=_spectral_bandwidth, bound=FRAMES),
    "spectral rolloff": Check(compare=_spectral_rolloff, bound=BINS),
    "HPSS variances": Check(compare=_hpss, bound=VARIANCES),
    "tempo": Check(compare=_tempo, bound=TEMPO),
}
