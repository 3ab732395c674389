"""genrekit: name the genre of a song, on a small device.

    >>> import genrekit
    >>> genrekit.load().card.labels[:3]
    ('blues', 'classical', 'country')

What is named here is public; each name is fetched when it is first used, so that importing the
package costs next to nothing. What runs on the device needs NumPy alone; `genrekit.train`,
`genrekit.export` and `genrekit.benchmarks` are extras for a PC.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from .artifact.card import Card as Card
    from .artifact.container import read_card as read_card
    from .audio.decoding import Audio as Audio
    from .audio.decoding import load_audio as load_audio
    from .classify.classifier import GenreClassifier as GenreClassifier
    from .classify.classifier import load as load
    from .classify.prediction import Prediction as Prediction
    from .classify.verification import verify as verify
    from .errors import GenreKitError as GenreKitError
    from .features.config import FeatureConfig as FeatureConfig
    from .features.kinds import extract as extract

    __version__: str

# Public name -> the module that holds it.
_HOME = {
    "Audio": "audio.decoding",
    "Card": "artifact.card",
    "FeatureConfig": "features.config",
    "GenreClassifier": "classify.classifier",
    "GenreKitError": "errors",
    "Prediction": "classify.prediction",
    "extract": "features.kinds",
    "load": "classify.classifier",
    "load_audio": "audio.decoding",
    "read_card": "artifact.container",
    "verify": "classify.verification",
}

__all__ = [
    "Audio",
    "Card",
    "FeatureConfig",
    "GenreClassifier",
    "GenreKitError",
    "Prediction",
    "__version__",
    "extract",
    "load",
    "load_audio",
    "read_card",
    "verify",
]


def __getattr__(name: str) -> object:
    if name == "__version__":
        from importlib.metadata import version

        return version("genrekit")
    if name not in _HOME:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(importlib.import_module(f"{__name__}.{_HOME[name]}"), name)


def __dir__() -> list[str]:
    return sorted(__all__)
