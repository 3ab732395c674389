"""FeatureConfig: every number that turns a waveform into features."""

from __future__ import annotations

import dataclasses
from typing import Literal

from ..errors import ConfigError
from ..strict_json import canonical_json, decode, later, parse_json

Padding = Literal["zero", "reflect", "none"]
Compression = Literal["decibels", "log10"]


@dataclasses.dataclass(frozen=True, kw_only=True, slots=True)
class FeatureConfig:
    """Parameters of the feature front end; part of every artifact's card.

    The defaults are librosa 0.11's, except that frames come first in every array.

    Parameters
    ----------
    sample_rate : int
        Hz; audio at another rate is resampled to it.
    n_fft : int
        Samples per frame, even.
    hop_length : int
        Samples between frame starts.
    padding : {"zero", "reflect", "none"}
        What stands before the first and after the last sample, n_fft // 2 long, so that
        frame t is centred on sample t * hop_length; "none" keeps whole frames only.
    n_mels : int
        Mel bands (Slaney scale, area-normalised triangles).
    f_min_hz, f_max_hz : float
        Edges of the lowest and highest band; `f_max_hz=None` is half the sample rate.
    n_mfcc : int
        Cepstral coefficients kept, at most `n_mels`.
    amin : float
        Smallest power before the logarithm; 1e-10 is -100 dB.
    top_db : float or None
        Floor below the maximum of the whole clip; None leaves it out. A clip's maximum is
        known only at its end, so a model that is to run live must be trained with None.
    roll_percent : float
        Share of the energy below the spectral rolloff.
    compression : {"decibels", "log10"}
        Of mel bands: 10 log10(max(x, amin)), or log10(1 + compression_gain * x), which has no
        floor and no use for `amin` and `top_db`.
    compression_gain : float
    remove_offset : bool
        Subtract a window's mean from it first: a microphone may have a constant offset.
    level_rms : float or None
        Bring a window to this RMS first, so that loud and quiet recordings look alike; None
        leaves the level.
    silence_rms : float
        With `level_rms`, a window of a lower RMS counts as digital silence: zeros.
    """

    sample_rate: int = 22_050
    n_fft: int = 2_048
    hop_length: int = 512
    padding: Padding = "zero"
    n_mels: int = 128
    f_min_hz: float = 0.0
    f_max_hz: float | None = None
    n_mfcc: int = 13
    amin: float = 1e-10
    top_db: float | None = 80.0
    roll_percent: float = 0.85
    compression: Compression = later("decibels")
    compression_gain: float = later(1.0)
    remove_offset: bool = later(False)
    level_rms: float | None = later(None)
    silence_rms: float = later(0.0)

    def __post_init__(self) -> None:
        _require(
            8_000 <= self.sample_rate <= 192_000, "sample_rate", self.sample_rate, "8000..192000 Hz"
        )
        _require(
            16 <= self.n_fft <= 32_768 and self.n_fft % 2 == 0,
            "n_fft",
            self.n_fft,
            "even, 16..32768",
        )
        _require(
            0 < self.hop_length <= self.n_fft,
            "hop_length",
            self.hop_length,
            f"1..n_fft={self.n_fft}",
        )
        _require(
            self.padding in ("zero", "reflect", "none"),
            "padding",
            self.padding,
            "zero, reflect or none",
        )
        _require(1 <= self.n_mels <= 512, "n_mels", self.n_mels, "1..512")
        nyquist = self.sample_rate / 2
        _require(
            0.0 <= self.f_min_hz < self.f_top_hz,
            "f_min_hz",
            self.f_min_hz,
            f"0..{self.f_top_hz} Hz",
        )
        _require(self.f_top_hz <= nyquist, "f_max_hz", self.f_top_hz, f"at most {nyquist} Hz")
        _require(1 <= self.n_mfcc <= self.n_mels, "n_mfcc", self.n_mfcc, f"1..n_mels={self.n_mels}")
        _require(0.0 < self.amin <= 1.0, "amin", self.amin, "above 0, at most 1")
        _require(
            self.top_db is None or 0.0 < self.top_db <= 300.0,
            "top_db",
            self.top_db,
            "0..300 dB, or None",
        )
        _require(
            0.0 < self.roll_percent < 1.0, "roll_percent", self.roll_percent, "between 0 and 1"
        )
        _require(
            self.compression in ("decibels", "log10"),
            "compression",
            self.compression,
            "decibels or log10",
        )
        _require(
            0.0 < self.compression_gain <= 1e9,
            "compression_gain",
            self.compression_gain,
            "above 0, at most 1e9",
        )
        _require(
            self.level_rms is None or 0.0 < self.level_rms <= 1.0,
            "level_rms",
            self.level_rms,
            "above 0, at most 1, or None",
        )
        _require(0.0 <= self.silence_rms < 1.0, "silence_rms", self.silence_rms, "0..1")

    @property
    def f_top_hz(self) -> float:
        """Upper edge of the highest mel band, in Hz."""
        return self.sample_rate / 2 if self.f_max_hz is None else self.f_max_hz

    @property
    def levels_windows(self) -> bool:
        """Whether a window's samples are changed, by offset or level, before its features."""
        return self.remove_offset or self.level_rms is not None

    @property
    def n_bins(self) -> int:
        """Bins of one spectrum: n_fft // 2 + 1."""
        return self.n_fft // 2 + 1

    def n_frames(self, n_samples: int) -> int:
        """Frames that `n_samples` samples give."""
        if self.padding == "none":
            return max(0, 1 + (n_samples - self.n_fft) // self.hop_length)
        return 1 + n_samples // self.hop_length

    def to_json(self) -> str:
        """Return the canonical JSON document."""
        return canonical_json(self)

    @classmethod
    def from_json(cls, text: str) -> FeatureConfig:
        """Parse a document; an unknown or missing key is an error.

        Raises
        ------
        ConfigError
        """
        return decode(cls, parse_json(text, "feature configuration"), "feature configuration")


def _require(fits: bool, name: str, value: object, bound: str) -> None:
    if not fits:
        raise ConfigError(f"{name}={value}: must be {bound}")
