"""Picture systems: what is learned from the pictures and the table of all of GTZAN's tracks.

The songs themselves are at hand for few tracks, their spectrograms and features for all. All that
was chosen here was chosen on the validation tracks of the filtered split, and by cross-validation
over artists inside its training and validation tracks.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from genrekit.train.inputs import presets
from genrekit.train.inputs.representation import Representation

from .analysis.picture_agreement import picture_agreement
from .collection import Material
from .systems import System

_FITTED = {"crops_per_track": 1, "warp": True}
_NARROW = "quarter of the channels, 64 x 128 pixels"


def declare_pictures() -> tuple[System, ...]:
    """Declare them, in the order of what they are made from; ensembles come last."""
    return (
        _system("table-mlp", "57 features of 30 s -> MLP", "table", "mlp"),
        _system("table-svm", "57 features of 30 s -> SVM", "table", "svm"),
        _system("table-trees", "57 features of 30 s -> XGBoost", "table", "boosted_trees"),
        _system(
            "table-discriminant",
            "57 features of 30 s -> shrunken linear discriminant",
            "table",
            "discriminant",
        ),
        _system(
            "stft-texture",
            "5 s picture -> texture -> shrunken linear discriminant",
            "stft_5s",
            "texture_discriminant",
        ),
        _system(
            "stft-small-cnn",
            "5 s picture -> small CNN",
            "stft_5s",
            "small_cnn",
            changes={**_FITTED, "epochs": 60, "patience": 60},
        ),
        _system(
            "stft-resnet18",
            "5 s picture -> ResNet18",
            "stft_5s",
            "resnet18",
            changes={**_FITTED, "epochs": 40, "patience": 40},
        ),
        _system(
            "spectrogram-texture",
            "30 s picture -> texture -> shrunken linear discriminant",
            "spectrograms",
            "texture_discriminant",
            represent=presets.mel_picture,
        ),
        _system(
            "spectrogram-small-cnn",
            "30 s picture -> small CNN",
            "spectrograms",
            "small_cnn",
            represent=_half_pictures,
            changes={**_FITTED, "epochs": 60, "patience": 60},
        ),
        _system(
            "spectrogram-resnet18",
            "30 s picture -> ResNet18",
            "spectrograms",
            "resnet18",
            represent=_half_pictures,
            changes={**_FITTED, "epochs": 40, "patience": 40},
        ),
        _system(
            "spectrogram-vgg16",
            "30 s picture -> VGG-16",
            "spectrograms",
            "vgg16_quarter",
            represent=_half_pictures,
            changes={**_FITTED, "epochs": 14, "patience": 14},
            note=_NARROW,
        ),
        _mean(
            "spectrogram-vgg16-trees",
            "mean of VGG-16 on 30 s pictures and XGBoost on the table",
            ("spectrogram-vgg16", "table-trees"),
            report_value=0.65,
        ),
        _mean(
            "texture-ensemble",
            "mean of the discriminants on 5 s, on 30 s and on the table",
            ("stft-texture", "spectrogram-texture", "table-discriminant"),
            against=("spectrogram-texture",),
        ),
        _mean(
            "picture-ensemble",
            "mean of the three discriminants and both small CNNs",
            (
                *("stft-texture", "spectrogram-texture", "table-discriminant"),
                *("stft-small-cnn", "spectrogram-small-cnn"),
            ),
            against=("texture-ensemble",),
        ),
    )


def _system(
    name: str,
    title: str,
    material: Material,
    model: str,
    *,
    represent: Callable[[], Representation] | None = None,
    changes: dict[str, Any] | None = None,
    note: str = "",
) -> System:
    return System(
        name=name,
        title=title,
        material=material,
        model=model,
        represent=represent,
        changes=changes or {},
        measure=None if material == "table" else picture_agreement,
        note=note,
    )


def _mean(
    name: str,
    title: str,
    members: tuple[str, ...],
    *,
    against: tuple[str, ...] = (),
    report_value: float | None = None,
) -> System:
    return System(
        name=name,
        title=title,
        material="spectrograms",
        members=members,
        against=against,
        report_value=report_value,
    )


def _half_pictures() -> Representation:
    """Half a picture at a time, so that training sees another part of it in every epoch."""
    return presets.mel_picture(window_s=presets.PICTURE_S / 2)
