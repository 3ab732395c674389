"""Fixtures of the benchmarks' tests."""

from __future__ import annotations

from ..runtime.conftest import artifact, card, model_path  # noqa: F401 - fixtures
