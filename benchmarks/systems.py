"""Systems: the registry of what `genrekit reproduce` rebuilds; one declaration each.

The order is the report's. A system is a model on a material, or the mean of what other systems
say. What a declaration leaves out is the model's own default.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from typing import Any

from genrekit.train import views
from genrekit.train.hyperparameters import Hyperparameters
from genrekit.train.models import architecture
from genrekit.train.representation import Representation

from .collection import Material

BY_TRACK = "stratified"  # the report's 90/10, of which a ninth of the 90 chooses the epoch
BY_SEGMENT = "segments_80_20"
BY_TABLE_ROW = "segments_70_20_10"
PIXELS = 96  # per side of a plot: a sixth of the cost of 224


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

    def plotted(name: str, title: str, report_value: float) -> System:
        return System(
            name=f"{name}-resnet18",
            title=f"{title} -> ResNet18",
            material="songs",
            model=resnet18,
            represent=lambda: views.plot(f"{name}_plot", pixels),
            changes={"crops_per_track": 1},
            report_value=report_value,
            note=f"{pixels} x {pixels} pixels",
        )

    return (
        plotted("wave", "wave plot", 0.48),
        plotted("zcr", "zero-crossing-rate plot", 0.50),
        plotted("mel", "mel spectrogram", 0.84),
        plotted("mfcc", "MFCC plot", 0.70),
        System(
            name="mfcc-segments-cnn-3s",
            title="MFCC of 3 s segments -> 9-layer CNN",
            material="songs",
            model="segment_cnn",
            changes={"epochs": 6, "crops_per_track": 3},
            report_protocol=BY_SEGMENT,
            report_value=0.95,
        ),
        System(
            name="features-mlp",
            title="57 features of 3 s -> MLP with dropout",
            material="songs",
            model="mlp",
            report_protocol=BY_TABLE_ROW,
            report_value=0.9274,
        ),
        System(
            name="features-neighbour",
            title="57 features of 3 s -> nearest neighbour (control)",
            material="songs",
            model="nearest_neighbour",
            report_protocol=BY_TABLE_ROW,
        ),
    )
