"""The runtime still computes the vectors that it shares with the Android core."""

from __future__ import annotations

import base64
import importlib.util
import json
import sys
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
import pytest

FOLDER = Path(__file__).parents[1] / "golden"


def load_regenerator() -> ModuleType:
    """Import the script that wrote the vectors."""
    spec = importlib.util.spec_from_file_location("golden_regenerate", FOLDER / "regenerate.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module  # its dataclasses look themselves up
    spec.loader.exec_module(module)
    return module


REGENERATOR = load_regenerator()
INDEX: dict[str, Any] = json.loads((FOLDER / REGENERATOR.INDEX).read_text())
HOSTILE: list[dict[str, Any]] = json.loads((FOLDER / REGENERATOR.HOSTILE).read_text())


@pytest.fixture(scope="module")
def computed() -> dict[str, Any]:
    pytest.importorskip("onnxruntime", reason="logits need the extra 'onnx'")
    return dict(REGENERATOR.vectors(FOLDER))


def test_song_is_the_one_that_the_script_makes() -> None:
    assert (FOLDER / REGENERATOR.SONG).read_bytes() == REGENERATOR.make_song()


def test_no_vector_is_missing(computed: dict[str, Any]) -> None:
    assert list(computed) == list(INDEX)


@pytest.mark.parametrize("name", INDEX)
def test_vector_is_met(name: str, computed: dict[str, Any]) -> None:
    entry = INDEX[name]
    count = int(np.prod(entry["shape"]))
    data = (FOLDER / REGENERATOR.DATA).read_bytes()
    expected = np.frombuffer(data, "<f4", count, entry["offset"]).reshape(entry["shape"])
    np.testing.assert_allclose(
        computed[name].values, expected, rtol=entry["rtol"], atol=entry["atol"]
    )


def test_no_hostile_file_is_missing() -> None:
    made = [case.name for case in REGENERATOR.hostile(FOLDER)]
    assert made == [case["name"] for case in HOSTILE]


@pytest.mark.parametrize("case", HOSTILE, ids=lambda case: str(case["name"]))
def test_hostile_file_is_refused_with_the_same_words(case: dict[str, Any]) -> None:
    if "base64" in case:
        data = base64.b64decode(case["base64"])
    else:
        data = bytes([case["byte"]]) * case["count"]
    refused = REGENERATOR.Refused(case["name"], case["kind"], data)
    error, message = REGENERATOR.refusal(refused)
    assert error == case["error"]
    assert message.startswith(case["message"])
