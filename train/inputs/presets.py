"""Views: the representations that models are declared with, from songs, pictures or a table."""

from __future__ import annotations

import dataclasses

from genrekit.artifact.sections import InputSpec, Layout, Normalisation, Windowing
from genrekit.errors import ConfigError
from genrekit.features.config import FeatureConfig

from ..data.datasets import TABLE_COLUMNS, DataSource
from .representation import MEL_PICTURE, PICTURE, PICTURE_SIZE, Representation

PLOT_SIZE = 224  # pixels per side
WHOLE_S = 29.95  # of a track of GTZAN: 1290 frames, and every track has them
COEFFICIENTS = 13
PICTURE_S = 30.0  # music in a picture of `spectrograms/`
PICTURE_FRAMES = 256  # its columns


def image_of(source: DataSource) -> Representation:
    """Choose the image that can be made of a source.

    Raises
    ------
    ConfigError
        For a table: it holds no time and no frequency.
    """
    if source.kind == "features":
        raise ConfigError("an image model cannot learn from a feature table; use --model mlp")
    if source.kind == "audio":
        return log_mel_image()
    return mel_of_db_image() if source.image_recipe == "stft_5s" else picture()


def vector_of(source: DataSource) -> Representation:
    """Choose the 57 features, from songs or from a table.

    Raises
    ------
    ConfigError
        For pictures.
    """
    if source.kind == "images":
        raise ConfigError("the 57 features cannot be computed from pictures; use --model resnet18")
    # The table describes whole tracks, and its model must be given the same.
    return feature_vector(window_s=3.0 if source.kind == "audio" else 30.0)


def series_of(source: DataSource) -> Representation:
    """Choose the MFCCs of whole tracks.

    Raises
    ------
    ConfigError
        Unless there are songs.
    """
    _require_songs(source, "a series of MFCCs")
    return mfcc_series()


def segments_of(source: DataSource) -> Representation:
    """Choose the MFCCs of 3 s segments.

    Raises
    ------
    ConfigError
        Unless there are songs.
    """
    _require_songs(source, "MFCCs")
    return mfcc_segments()


def image_and_series_of(source: DataSource) -> Representation:
    """Choose a mel spectrogram and the MFCCs of whole tracks.

    Raises
    ------
    ConfigError
        Unless there are songs.
    """
    _require_songs(source, "a series of MFCCs")
    return plot_and_series("mel_plot")


def log_mel_image(n_mels: int = 64) -> Representation:
    """Log-mel images of 3 s windows, half overlapping.

    Every level is absolute (`top_db` is None), so that a live stream gives the same images.
    """
    features = FeatureConfig(n_mels=n_mels, top_db=None)
    return _image("log_mel", features, window_s=3.0, hop_s=1.5, bands=n_mels)


def mel_of_db_image(n_mels: int = 96, f_max_hz: float | None = None) -> Representation:
    """Mel-pooled decibels of 5 s windows: what pictures of 5 s spectrograms hold.

    The frames are those of `matplotlib.mlab.specgram(NFFT=2048)`: no padding, hop 1920.
    """
    features = FeatureConfig(
        hop_length=1_920, padding="none", n_mels=n_mels, f_max_hz=f_max_hz, top_db=None
    )
    return _image("mel_of_db", features, window_s=5.0, hop_s=5.0, bands=n_mels)


def picture() -> Representation:
    """Whole pictures of a track, scaled to one size; their making is unknown to the runtime."""
    spec = _spec(PICTURE, "channel_band_frame", (1, PICTURE_SIZE, PICTURE_SIZE))
    windowing = Windowing(window_s=30.0, hop_s=30.0, short="wrap")
    return Representation(features=FeatureConfig(), inputs=(spec,), windowing=windowing)


def mel_picture(n_mels: int = 64, window_s: float = PICTURE_S) -> Representation:
    """Pictures of 30 s of decibels over linear frequency, pooled into mel bands.

    Parameters
    ----------
    n_mels : int
    window_s : float
        Of the 30 s; windows overlap by half.
    """
    frames = round(PICTURE_FRAMES * window_s / PICTURE_S)
    spec = _spec(MEL_PICTURE, "channel_band_frame", (1, n_mels, frames))
    # A picture is cut by its own columns: the hop says how many samples one stands for.
    column = round(PICTURE_S * FeatureConfig().sample_rate / PICTURE_FRAMES)
    features = FeatureConfig(hop_length=column, n_fft=4_096, n_mels=n_mels, top_db=None)
    windowing = Windowing(window_s=window_s, hop_s=window_s / 2, short="wrap")
    return Representation(features=features, inputs=(spec,), windowing=windowing)


def feature_vector(window_s: float) -> Representation:
    """Kaggle's 57 features of segments that long, side by side."""
    spec = _spec("tabular", "vector", (TABLE_COLUMNS,))
    spec = dataclasses.replace(spec, normalisation=Normalisation(kind="none"))
    return Representation(
        features=FeatureConfig(padding="reflect", n_mfcc=20),
        inputs=(spec,),
        windowing=Windowing(window_s=window_s, hop_s=window_s, short="wrap"),
    )


def plot(name: str, size: int = PLOT_SIZE) -> Representation:
    """See one plot of a whole track, as `genrekit.features.plots` draws it."""
    return _whole_track(_plot_spec(name, size))


def mfcc_series() -> Representation:
    """See a whole track as the report does: 1290 frames of 13 coefficients."""
    return _whole_track(_series_spec())


def plot_and_series(name: str, size: int = PLOT_SIZE) -> Representation:
    """See a plot and the series of the same track."""
    return _whole_track(_plot_spec(name, size), _series_spec())


def mfcc_segments(feature: str = "mfcc", seconds: float = 3.0) -> Representation:
    """See segments side by side: 13 coefficients by 130 frames for 3 s.

    Parameters
    ----------
    feature : {"mfcc", "mfcc_levels", "waveform"}
        The coefficients; those with RMS and loudness; the waveform in as many parts.
    seconds : float
        Of one segment.
    """
    extra = 2 if feature == "mfcc_levels" else 0
    return _image(
        feature, _mfcc_config(), window_s=seconds, hop_s=seconds, bands=COEFFICIENTS + extra
    )


def _require_songs(source: DataSource, what: str) -> None:
    if source.kind != "audio":
        raise ConfigError(f"{what} can only be computed from songs, not from {source.kind}")


def _mfcc_config() -> FeatureConfig:
    return FeatureConfig(n_mfcc=COEFFICIENTS, top_db=None)


def _whole_track(*inputs: InputSpec) -> Representation:
    windowing = Windowing(window_s=WHOLE_S, hop_s=WHOLE_S, short="wrap")
    return Representation(features=_mfcc_config(), inputs=inputs, windowing=windowing)


def _plot_spec(name: str, size: int) -> InputSpec:
    return _spec(f"{name}@{size}", "channel_band_frame", (1, size, size))


def _series_spec() -> InputSpec:
    config = _mfcc_config()
    frames = config.n_frames(round(WHOLE_S * config.sample_rate))
    return _spec("mfcc", "frame_band", (frames, COEFFICIENTS))


def _spec(feature: str, layout: Layout, shape: tuple[int, ...]) -> InputSpec:
    return InputSpec(
        name=feature.partition("@")[0],
        feature=feature,
        layout=layout,
        shape=shape,
        dtype="float32",
        normalisation=Normalisation(kind="window"),
    )


def _image(
    feature: str,
    features: FeatureConfig,
    *,
    window_s: float,
    hop_s: float,
    bands: int,
) -> Representation:
    frames = features.n_frames(round(window_s * features.sample_rate))
    spec = _spec(feature, "channel_band_frame", (1, bands, frames))
    windowing = Windowing(window_s=window_s, hop_s=hop_s, short="wrap")
    return Representation(features=features, inputs=(spec,), windowing=windowing)
