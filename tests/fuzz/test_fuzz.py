"""The committed corpus, every input that ever broke a bound, and almost-valid files."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import hypothesis
import pytest
from bounds import MAX_BYTES, BrokenBoundError, attempt, attempt_traced
from hypothesis import strategies as st
from strategies import ALMOST_VALID
from targets import CORPUS, REGRESSIONS, TARGETS

SEEDS = sorted(path for path in CORPUS.glob("*/*") if path.is_file())
BROKEN = sorted(path for path in REGRESSIONS.glob("*/*") if path.is_file())
# Valid, but the NumPy engine does not run it: ONNX Runtime does.
_REFUSED = {"shape.onnx"}


def test_every_target_has_seeds_and_a_strategy() -> None:
    assert set(TARGETS) == {path.parent.name for path in SEEDS} == set(ALMOST_VALID)


@pytest.mark.parametrize("path", SEEDS, ids=lambda path: f"{path.parent.name}/{path.name}")
def test_a_seed_is_taken(path: Path) -> None:
    assert attempt(TARGETS[path.parent.name], path.read_bytes()) == (path.name not in _REFUSED)


@pytest.mark.parametrize("path", BROKEN, ids=lambda path: f"{path.parent.name}/{path.name}")
def test_what_broke_a_bound_once_does_not_again(path: Path) -> None:
    attempt_traced(TARGETS[path.parent.name], path.read_bytes())


@pytest.mark.parametrize("name", sorted(TARGETS))
@hypothesis.given(data=st.data())
def test_an_almost_valid_file_is_taken_or_refused_in_one_line(
    name: str, data: st.DataObject
) -> None:
    attempt_traced(TARGETS[name], data.draw(ALMOST_VALID[name]))


def test_a_broken_bound_is_noticed() -> None:
    def hungry(data: bytes) -> None:
        bytearray(MAX_BYTES + len(data))

    def crashing(data: bytes) -> None:
        raise KeyError(data)

    with pytest.raises(BrokenBoundError, match="64 MB, over 64"):
        attempt_traced(hungry, b"x" * 4_096)
    with pytest.raises(KeyError):
        attempt(crashing, b"")


def test_the_fuzzer_runs_and_counts(tmp_path: Path) -> None:
    figures = tmp_path / "fuzz.json"
    program = Path(__file__).with_name("fuzz.py")
    command = [sys.executable, program, "--minutes", "0.1", "--target", "wav", "--json", figures]
    result = subprocess.run(command, capture_output=True, text=True)
    assert result.returncode == 0, result.stdout
    (target,) = json.loads(figures.read_text("utf-8"))["targets"].values()
    assert target["inputs"] > 100
    assert target["broken_bounds"] == 0
