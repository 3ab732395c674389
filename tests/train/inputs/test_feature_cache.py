from __future__ import annotations

import ast
import dataclasses
import os
import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import soundfile

import genrekit
from genrekit.features.kinds import extract
from genrekit.files import cache_folder
from genrekit.train.inputs import feature_cache as cache
from genrekit.train.inputs.feature_cache import (
    Recipe,
    extract_songs,
    read_features,
    song_features,
)
from genrekit.train.inputs.presets import feature_vector, log_mel_image


def _recipe(n_mels: int = 64) -> Recipe:
    representation = log_mel_image(n_mels)
    return Recipe(
        feature="log_mel", config=representation.features, windowing=representation.windowing
    )


def _imported_files(path: Path, root: Path) -> set[Path]:
    """Modules of the runtime that a module imports."""
    found = set()
    for node in ast.walk(ast.parse(path.read_text("utf-8"))):
        if isinstance(node, ast.ImportFrom) and node.level:
            folder = path.parents[node.level - 1].joinpath(*(node.module or "").split("."))
            names = [folder.with_suffix(".py")] if node.module else []
            names += [folder / f"{alias.name}.py" for alias in node.names]
            found |= {name for name in names if name.is_file()}
    assert all(name.is_relative_to(root) for name in found)
    return found


def test_the_hashed_sources_are_what_features_import() -> None:
    root = Path(genrekit.__path__[0])
    reached: set[Path] = set()
    waiting = {root / "audio" / "decoding.py", root / "features" / "kinds.py"}
    while waiting:
        module = waiting.pop()
        reached.add(module)
        waiting |= _imported_files(module, root) - reached
    assert {path.relative_to(root).parts[0] for path in reached} == set(cache.FEATURE_SOURCES)


def test_cached_features_are_those_of_the_runtime(songs: Path) -> None:
    path = songs / "tones" / "tones.00000.wav"
    samples = soundfile.read(path, dtype="float32")[0]
    expected = extract("log_mel", samples, _recipe().config)
    np.testing.assert_array_equal(read_features(song_features(path, _recipe())), expected)


def test_the_57_features_are_computed_per_window(songs: Path) -> None:
    representation = feature_vector(3.0)
    recipe = Recipe(
        feature="tabular", config=representation.features, windowing=representation.windowing
    )
    path = songs / "noise" / "noise.00000.wav"
    samples = soundfile.read(path, dtype="float32")[0]
    features = read_features(song_features(path, recipe))
    assert features.shape == (1, 57)  # one whole window in 4 s
    np.testing.assert_array_equal(features[0], extract("tabular", samples[:66_150], recipe.config))


def test_a_song_shorter_than_a_window_is_repeated_as_the_card_says(tmp_path: Path) -> None:
    second = np.random.default_rng(0).uniform(-0.5, 0.5, 22_050).astype(np.float32)
    soundfile.write(tmp_path / "short.wav", second, 22_050, subtype="FLOAT")
    features = read_features(song_features(tmp_path / "short.wav", _recipe()))
    expected = extract("log_mel", np.tile(second, 3), _recipe().config)
    np.testing.assert_allclose(features, expected, atol=1e-4)


def test_what_is_on_disk_is_not_computed_again(
    songs: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("GENREKIT_CACHE", str(tmp_path / "cache"))
    path = tmp_path / "song.wav"
    shutil.copy(songs / "tones" / "tones.00001.wav", path)
    first = song_features(path, _recipe())
    stamp = first.stat().st_mtime_ns
    moved = path.rename(tmp_path / "renamed.wav")
    assert song_features(moved, _recipe()) == first
    assert first.stat().st_mtime_ns == stamp


def test_another_song_configuration_or_code_is_another_key(monkeypatch: pytest.MonkeyPatch) -> None:
    keys = {_recipe().key("a"), _recipe().key("b"), _recipe(32).key("a")}
    moved = dataclasses.replace(_recipe().windowing, hop_s=1.0)
    assert dataclasses.replace(_recipe(), windowing=moved).key("a") in keys  # the same frames
    monkeypatch.setattr(cache, "code_version", lambda: "another")
    keys.add(_recipe().key("a"))
    assert len(keys) == 4


def test_processes_compute_what_one_process_does_and_name_what_they_cannot(
    songs: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("GENREKIT_CACHE", str(tmp_path / "cache"))
    broken = tmp_path / "broken.wav"
    broken.write_bytes(b"RIFF\x00\x00\x00\x00WAVEjunk")
    paths = [*sorted((songs / "noise").iterdir()), broken]
    seen: list[tuple[int, int]] = []
    outcomes = extract_songs(
        paths, _recipe(), jobs=2, on_progress=lambda done, total: seen.append((done, total))
    )
    assert seen == [(i + 1, 7) for i in range(7)]
    assert isinstance(outcomes[-1], str)
    assert "broken.wav" in outcomes[-1]
    for path, outcome in zip(paths[:-1], outcomes[:-1], strict=True):
        assert isinstance(outcome, Path)
        # Not to the bit: BLAS sums in another order with another number of threads.
        np.testing.assert_allclose(read_features(outcome), _recipe().compute(path), atol=1e-4)


def test_the_cache_lies_where_the_environment_says(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", "/x")
    monkeypatch.setenv("GENREKIT_CACHE", "/own")
    assert cache_folder() == Path("/own")
    monkeypatch.delenv("GENREKIT_CACHE")
    assert cache_folder() == Path("/x/genrekit")
    monkeypatch.delenv("XDG_CACHE_HOME")
    monkeypatch.setenv("HOME", "/home/someone")
    assert cache_folder() == Path("/home/someone/.cache/genrekit")


def test_the_environment_is_as_before_after_a_pool(songs: Path) -> None:
    before = os.environ.get("OMP_NUM_THREADS")
    extract_songs(sorted((songs / "clicks").iterdir()), _recipe(), jobs=2)
    assert os.environ.get("OMP_NUM_THREADS") == before


def test_processes_that_die_are_one_clear_line(songs: Path) -> None:
    # Spawned processes import the main script again; one read from stdin cannot be.
    code = f"""
from pathlib import Path
from genrekit.errors import DataError
from genrekit.train.inputs.feature_cache import Recipe, extract_songs
from genrekit.train.inputs.presets import log_mel_image
plan = log_mel_image()
recipe = Recipe(feature="log_mel", config=plan.features, windowing=plan.windowing)
try:
    extract_songs(sorted(Path({str(songs / "tones")!r}).iterdir()), recipe, jobs=2)
except DataError as error:
    print(error)
"""
    done = subprocess.run([sys.executable, "-"], input=code, capture_output=True, text=True)
    assert "was killed" in done.stdout
    assert "--jobs 1" in done.stdout
