"""Hyperparameters: how a model is fitted."""

from __future__ import annotations

import dataclasses

from genrekit.errors import ConfigError


@dataclasses.dataclass(frozen=True, kw_only=True, slots=True)
class Hyperparameters:
    """How a model is fitted.

    Parameters
    ----------
    epochs : int
        At most; one epoch sees every training track `crops_per_track` times.
    batch_size : int
        Windows per step.
    learning_rate : float
        Peak of the one-cycle schedule.
    weight_decay : float
        AdamW's, decoupled.
    label_smoothing : float
        Share of each target spread evenly over all genres, 0 <= x < 1.
    mixup : float
        Both parameters of the Beta distribution that mixes pairs of windows; 0 is off.
    warp : bool
        Stretch, shift and equalise every training window at random.
    spec_augment : bool
        Blank a random stripe of bands and one of frames in every training window.
    crops_per_track : int
        Random windows per track and epoch; 0 is every window of every track once.
    patience : int
        Epochs without a better validation result before training stops.
    """

    epochs: int
    batch_size: int
    learning_rate: float
    weight_decay: float
    label_smoothing: float
    mixup: float
    warp: bool = False
    spec_augment: bool
    crops_per_track: int
    patience: int

    def __post_init__(self) -> None:
        for name in ("epochs", "batch_size", "patience"):
            if getattr(self, name) < 1:
                raise ConfigError(f"{name}={getattr(self, name)}: must be at least 1")
        if self.crops_per_track < 0:
            raise ConfigError(f"crops_per_track={self.crops_per_track}: must not be negative")
        if not 0.0 < self.learning_rate <= 1.0:
            raise ConfigError(f"learning_rate={self.learning_rate}: must be above 0, at most 1")
        if not 0.0 <= self.label_smoothing < 1.0:
            raise ConfigError(f"label_smoothing={self.label_smoothing}: must be in 0..1")
        if self.weight_decay < 0.0 or self.mixup < 0.0:
            raise ConfigError("weight_decay and mixup must not be negative")
