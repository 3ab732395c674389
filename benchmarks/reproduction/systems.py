"""Systems: the registry of what `genrekit reproduce` rebuilds; one declaration each.

The order is the report's. A system is a model on a material, or the mean of what other systems
say. What a declaration leaves out is the model's own default.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Sequence
from typing import Any

from genrekit.train.hyperparameters import Hyperparameters
from genrekit.train.inputs import presets
from genrekit.train.inputs.representation import Representation
from genrekit.train.models.registry import architecture
from genrekit.train.runs.run import Run

from .analysis.torch_int8_baseline import torch_int8
from .collection import Material
from .rows import Finding

BY_TRACK = "stratified"  # the report's 90/10, of which a ninth of the 90 chooses the epoch
BY_SEGMENT = "segments_80_20"
BY_FEATURES = "segments_70_20_10"
PLOT_EPOCHS = 30
SERIES_EPOCHS = 60
SEGMENT_EPOCHS = 8  # of the 9-layer CNN
PIXELS = 96  # per side of a plot: a sixth of the cost of 224
_OF_PLOTS = {"epochs": PLOT_EPOCHS, "patience": PLOT_EPOCHS}


@dataclasses.dataclass(frozen=True, kw_only=True, slots=True)
class System:
    """One row of the report.

    Parameters
    ----------
    name : str
        As given to `--only`.
    title : str
        For people.
    material : {"songs", "stft_5s", "spectrograms", "table"}
    model : str
        Name of an architecture; empty for a system that has `members`.
    represent : callable or None
        Gives what the model sees; by default what its architecture chooses for the material.
    changes : dict
        Hyperparameters that differ from the architecture's own.
    members : tuple of str
        Systems whose probabilities are averaged.
    measure : callable or None
        Finds more numbers in a finished run of it.
    against : tuple of str
        Systems that it is compared with in pairs, on the same test tracks.
    report_protocol : str
        The report's own way of dividing, or the nearest that selects nothing on test data.
    report_value : float or None
        Accuracy in the report.
    note : str
        What a reader must know of this row.
    """

    name: str
    title: str
    material: Material
    model: str = ""
    represent: Callable[[], Representation] | None = None
    changes: dict[str, Any] = dataclasses.field(default_factory=dict)
    members: tuple[str, ...] = ()
    measure: Callable[[Run], Sequence[Finding]] | None = None
    against: tuple[str, ...] = ()
    report_protocol: str = BY_TRACK
    report_value: float | None = None
    note: str = ""

    @property
    def hyperparameters(self) -> Hyperparameters:
        """The architecture's own, with this system's changes."""
        return dataclasses.replace(architecture(self.model).hyperparameters, **self.changes)


def declare(pixels: int = PIXELS, *, pretrained: bool = False) -> tuple[System, ...]:
    """Declare every system.

    Parameters
    ----------
    pixels : int
        Per side of a plot.
    pretrained : bool
        Whether ResNet18 begins with ImageNet's weights.
    """
    resnet18 = "resnet18_imagenet" if pretrained else "resnet18"

    def plotted(name: str, title: str, report_value: float | None) -> System:
        return System(
            name=f"{name}-resnet18",
            title=f"{title} -> ResNet18",
            material="songs",
            model=resnet18,
            represent=lambda: presets.plot(f"{name}_plot", pixels),
            changes={**_OF_PLOTS, "crops_per_track": 1},
            report_value=report_value,
            note=f"{pixels} x {pixels} pixels",
        )

    def segments(name: str, seconds: float, feature: str = "mfcc", **more: Any) -> System:
        return System(
            name=name,
            material="songs",
            model="segment_cnn",
            represent=lambda: presets.mfcc_segments(feature, seconds),
            # Every segment once per epoch; the report's 40 epochs take an hour each on a CPU.
            changes={"epochs": SEGMENT_EPOCHS},
            report_protocol=BY_SEGMENT,
            **more,
        )

    return (
        plotted("wave", "wave plot", 0.48),
        plotted("zcr", "zero-crossing-rate plot", 0.50),
        plotted("mel", "mel spectrogram", 0.84),
        plotted("mfcc", "MFCC plot", 0.70),
        plotted("log_power", "log-power STFT", None),
        System(
            name="mfcc-series-lstm",
            title="MFCC series, 1290 x 13 -> LSTM",
            material="songs",
            model="lstm",
            changes={"epochs": SERIES_EPOCHS, "patience": SERIES_EPOCHS},
            report_value=0.42,
        ),
        System(
            name="mel-mfcc-joint",
            title="mel spectrogram and MFCC series -> ResNet18 and LSTM, trained jointly",
            material="songs",
            model="image_and_series",
            represent=lambda: presets.plot_and_series("mel_plot", pixels),
            changes={**_OF_PLOTS, "learning_rate": 1.5e-3},
            against=("mel-resnet18", "mfcc-series-lstm"),
            note=f"{pixels} x {pixels} pixels; future work in the report",
        ),
        System(
            name="mel-mfcc-late",
            title="mel spectrogram -> ResNet18 and MFCC series -> LSTM, averaged",
            material="songs",
            members=("mel-resnet18", "mfcc-series-lstm"),
            against=("mel-resnet18", "mfcc-series-lstm", "mel-mfcc-joint"),
            note="late fusion of the two trained alone",
        ),
        segments(
            "mfcc-cnn-3s",
            3.0,
            title="MFCC of 3 s segments, 13 x 130 -> 9-layer CNN",
            report_value=0.95,
        ),
        segments("mfcc-cnn-6s", 6.0, title="MFCC of 6 s segments -> 9-layer CNN"),
        segments("mfcc-cnn-9s", 9.0, title="MFCC of 9 s segments -> 9-layer CNN"),
        segments(
            "mfcc-levels-cnn-3s",
            3.0,
            "mfcc_levels",
            title="MFCC, RMS and loudness of 3 s segments -> 9-layer CNN",
            against=("mfcc-cnn-3s",),
        ),
        segments(
            "raw-cnn-3s",
            3.0,
            "waveform",
            title="raw samples of 3 s segments -> 9-layer CNN",
            against=("mfcc-cnn-3s",),
            note="each hop's samples averaged to 13 values; the report: about half of processed",
        ),
        System(
            name="features-mlp",
            title="57 features of 3 s -> MLP with dropout",
            material="songs",
            model="mlp",
            report_protocol=BY_FEATURES,
            report_value=0.9274,
        ),
        System(
            name="features-svm",
            title="57 features of 3 s -> SVM",
            material="songs",
            model="svm",
            report_protocol=BY_FEATURES,
        ),
        System(
            name="features-neighbour",
            title="57 features of 3 s -> nearest neighbour (control)",
            material="songs",
            model="nearest_neighbour",
            report_protocol=BY_FEATURES,
        ),
        System(
            name="mel-resnet18-torch-int8",
            title="mel spectrogram -> ResNet18, quantized by torch itself",
            material="songs",
            members=("mel-resnet18",),
            measure=torch_int8,
            report_value=0.7374,
            note="baseline of the ONNX export; the accuracy is that before",
        ),
        System(
            name="mel-vgg16",
            title="mel spectrogram -> VGG-16",
            material="songs",
            model="vgg16_quarter",
            represent=lambda: presets.plot("mel_plot", 64),
            changes={**_OF_PLOTS, "crops_per_track": 1},
            note="64 x 64 pixels, a quarter of the channels",
        ),
        System(
            name="features-trees",
            title="57 features of 3 s -> gradient-boosted trees",
            material="songs",
            model="boosted_trees",
        ),
        System(
            name="vgg16-trees",
            title="VGG-16 and gradient-boosted trees, averaged (Bahuleyan 2018)",
            material="songs",
            members=("mel-vgg16", "features-trees"),
            against=("mel-vgg16", "features-trees"),
            report_value=0.65,
            note="the report's number is Bahuleyan's, on AudioSet",
        ),
    )
