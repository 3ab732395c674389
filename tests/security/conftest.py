"""Fixtures of the tests against hostile input."""

from __future__ import annotations

from ..runtime.conftest import artifact, card, model_path, tflite_artifact  # noqa: F401 - fixtures
