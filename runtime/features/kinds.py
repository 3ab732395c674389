"""Every kind of feature by its name, for cards, streams and the command line."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Iterator
from typing import TypeAlias

import numpy as np

from ..arrays import Float32
from ..errors import ConfigError
from . import descriptors
from .cepstrum import cepstrum, mfcc
from .chroma import PITCH_CLASSES, chroma_stft, peak_tuning, spectral_peaks
from .config import FeatureConfig
from .level import level_window
from .loudness import loudness
from .mel import compress, decibels, log_mel, mel_spectrogram, pooled_decibels
from .stft import magnitude_blocks, pad_samples, power_spectrogram

# `tabular`, the plots and what they need are imported on their first use: a device that runs
# log-mel models starts faster without them.

_FromSamples: TypeAlias = Callable[[Float32, FeatureConfig], Float32]
_FromSpectra: TypeAlias = Callable[[Float32, FeatureConfig], Float32]


@dataclasses.dataclass(frozen=True, kw_only=True, slots=True)
class FeatureKind:
    """One kind of feature.

    Parameters
    ----------
    from_samples : callable
        Samples and configuration to an array of shape (frames, columns), or (columns,) for a
        kind that describes the clip as a whole.
    columns : callable
        Configuration to the columns' names.
    per_frame : bool
        Whether there is one row per frame; else it describes the clip as a whole.
    from_power : callable or None
        Power spectra and configuration to the same array, where nothing else is needed.
    """

    from_samples: _FromSamples
    columns: Callable[[FeatureConfig], tuple[str, ...]]
    per_frame: bool = True
    from_power: _FromSpectra | None = None


def extract(kind: str, samples: Float32, config: FeatureConfig) -> Float32:
    """Compute a feature of a clip.

    Parameters
    ----------
    kind : str
        One of `KINDS`, or a plot as in `plots`.
    samples : float32, shape (samples,)
        Mono at `config.sample_rate`, full scale = 1.0.
    config : FeatureConfig

    Returns
    -------
    float32, shape (frames, columns); for `tabular` (57,)

    Raises
    ------
    ConfigError
        If the kind is unknown.
    AudioError
        If the feature is not defined for the samples: none, not finite, or too short.

    Examples
    --------
    >>> import numpy as np
    >>> from genrekit.features.config import FeatureConfig
    >>> second = np.sin(2 * np.pi * 440 * np.arange(22_050) / 22_050).astype(np.float32)
    >>> extract("mfcc", second, FeatureConfig()).shape
    (44, 13)
    """
    return find(kind).from_samples(level_window(samples, config), config)


def from_power(kind: str, power: Float32, config: FeatureConfig) -> Float32:
    """Compute a feature from power spectra.

    Parameters
    ----------
    kind : str
        One for which `streams(kind, config)` holds, if frames are to come in parts.
    power : float32, shape (frames, n_fft // 2 + 1)

    Returns
    -------
    float32, shape (frames, columns)

    Raises
    ------
    ConfigError
        If the kind is unknown or needs more than power spectra.
    """
    function = find(kind).from_power
    if function is None:
        able = ", ".join(name for name, entry in KINDS.items() if entry.from_power)
        raise ConfigError(f"feature {kind!r}: cannot be computed from power spectra; {able} can")
    return function(power, config)


def streams(kind: str, config: FeatureConfig) -> bool:
    """Whether each frame of a feature depends on nothing but its own power spectrum."""
    below_maximum = config.compression == "decibels" and config.top_db is not None
    return find(kind).from_power is not None and not below_maximum and not config.levels_windows


def columns(kind: str, config: FeatureConfig) -> tuple[str, ...]:
    """Return the names of a feature's columns.

    Raises
    ------
    ConfigError
        If the kind is unknown.
    """
    return find(kind).columns(config)


def find(kind: str) -> FeatureKind:
    """Return the entry of a kind.

    Raises
    ------
    ConfigError
        If the kind is unknown.
    """
    if "@" in kind:
        return _plot(kind)
    if kind not in KINDS:
        raise ConfigError(f"feature {kind!r:.80}: unknown; the kinds are {', '.join(KINDS)}")
    return KINDS[kind]


def _plot(kind: str) -> FeatureKind:
    from .plots import find_plot

    draw, size = find_plot(kind)
    return FeatureKind(
        from_samples=lambda samples, config: draw(samples, config, size),
        columns=lambda _: _numbered("row", size),
        per_frame=False,
    )


def _log_mel(samples: Float32, config: FeatureConfig) -> Float32:
    return compress(mel_spectrogram(samples, config), config)


def _mfcc(samples: Float32, config: FeatureConfig) -> Float32:
    return cepstrum(_log_mel(samples, config), config.n_mfcc)


def _mel_of_db(samples: Float32, config: FeatureConfig) -> Float32:
    return pooled_decibels(power_spectrogram(samples, config), config)


def _log_power(power: Float32, config: FeatureConfig) -> Float32:
    return decibels(power, amin=config.amin, top_db=config.top_db)


def _loudness(samples: Float32, config: FeatureConfig) -> Float32:
    return loudness(power_spectrogram(samples, config), config)


def _mfcc_levels(samples: Float32, config: FeatureConfig) -> Float32:
    level = descriptors.rms(samples, config)[:, None]
    return np.concatenate([_mfcc(samples, config), level, _loudness(samples, config)], axis=1)


def _chroma(samples: Float32, config: FeatureConfig) -> Float32:
    padded = pad_samples(samples, config)

    def powers() -> Iterator[Float32]:
        for _, magnitude in magnitude_blocks(padded, config):
            yield np.square(magnitude)

    # The tuning is known only after all frames: a second transform costs less than keeping
    # the spectra of a clip of any length.
    peaks = [spectral_peaks(power, config) for power in powers()]
    hz, height = (np.concatenate(parts) for parts in zip(*peaks, strict=True))
    tuning = peak_tuning(hz, height)
    return np.concatenate([chroma_stft(power, config, tuning) for power in powers()])


def _tabular(samples: Float32, config: FeatureConfig) -> Float32:
    from .tabular import tabular

    return tabular(samples, config)


def _tabular_columns(config: FeatureConfig) -> tuple[str, ...]:
    del config
    from .tabular import FEATURE_NAMES

    return FEATURE_NAMES


def _of_samples(name: str, function: _FromSamples) -> FeatureKind:
    """Return the entry of a descriptor of the samples in each frame."""
    return FeatureKind(
        from_samples=lambda samples, config: function(samples, config)[:, None],
        columns=lambda _: (name,),
    )


def _of_magnitude(name: str, function: _FromSpectra) -> FeatureKind:
    """Return the entry of a descriptor of the magnitude of each frame."""

    def from_samples(samples: Float32, config: FeatureConfig) -> Float32:
        padded = pad_samples(samples, config)
        parts = [function(block, config) for _, block in magnitude_blocks(padded, config)]
        return np.concatenate(parts)[:, None]

    return FeatureKind(from_samples=from_samples, columns=lambda _: (name,))


def _numbered(stem: str, count: int) -> tuple[str, ...]:
    return tuple(f"{stem}{i}" for i in range(1, count + 1))


KINDS: dict[str, FeatureKind] = {
    "log_mel": FeatureKind(
        from_samples=_log_mel,
        from_power=log_mel,
        columns=lambda config: _numbered("mel", config.n_mels),
    ),
    "mfcc": FeatureKind(
        from_samples=_mfcc,
        from_power=mfcc,
        columns=lambda config: _numbered("mfcc", config.n_mfcc),
    ),
    "mel_of_db": FeatureKind(
        from_samples=_mel_of_db,
        from_power=pooled_decibels,
        columns=lambda config: _numbered("mel", config.n_mels),
    ),
    "log_power": FeatureKind(
        from_samples=lambda samples, config: _log_power(power_spectrogram(samples, config), config),
        from_power=_log_power,
        columns=lambda config: _numbered("bin", config.n_bins),
    ),
    "loudness": FeatureKind(
        from_samples=_loudness, from_power=loudness, columns=lambda _: ("loudness",)
    ),
    # What MFCCs leave out: how loud it is, to a meter and to an ear.
    "mfcc_levels": FeatureKind(
        from_samples=_mfcc_levels,
        columns=lambda config: (*_numbered("mfcc", config.n_mfcc), "rms", "loudness"),
    ),
    "waveform": FeatureKind(
        from_samples=descriptors.waveform,
        columns=lambda config: _numbered("part", config.n_mfcc),
    ),
    "chroma": FeatureKind(from_samples=_chroma, columns=lambda _: PITCH_CLASSES),
    "rms": _of_samples("rms", descriptors.rms),
    "zero_crossing_rate": _of_samples("zero_crossing_rate", descriptors.zero_crossing_rate),
    "spectral_centroid": _of_magnitude("spectral_centroid", descriptors.spectral_centroid),
    "spectral_bandwidth": _of_magnitude("spectral_bandwidth", descriptors.spectral_bandwidth),
    "spectral_rolloff": _of_magnitude("spectral_rolloff", descriptors.spectral_rolloff),
    "tabular": FeatureKind(from_samples=_tabular, columns=_tabular_columns, per_frame=False),
}
