"""Artifacts and cards, sound and hostile."""

from __future__ import annotations

import contextlib
import dataclasses
import io
import json
import struct
import zipfile
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from genrekit.artifact import onnx_file, tflite_file
from genrekit.artifact.card import Card, parse_card
from genrekit.artifact.container import Artifact, read_artifact, write_artifact
from genrekit.artifact.protobuf import length_field
from genrekit.artifact.sections import InputSpec, Normalisation, Probe, Windowing
from genrekit.errors import ArtifactError, ConfigError, FileError, GenreKitError
from genrekit.features.config import FeatureConfig
from genrekit.strict_json import canonical_json, encode

FLATBUFFER = b"\x1c\0\0\0TFL3" + bytes(range(256))


def sealed(document: dict[str, Any]) -> bytes:
    """A card's JSON, its hash right, whatever else is wrong with it."""
    import hashlib

    document.pop("card_sha256", None)
    digest = hashlib.sha256(canonical_json(document).encode()).hexdigest()
    return canonical_json({**document, "card_sha256": digest}).encode()


def test_an_artifact_comes_back_as_it_went(artifact: Artifact) -> None:
    again = read_artifact(artifact.path)
    assert again == artifact
    assert again.size == artifact.path.stat().st_size


def test_onnx_itself_reads_the_card(artifact: Artifact) -> None:
    model = onnx.load(str(artifact.path))
    onnx.checker.check_model(model)
    (entry,) = (item for item in model.metadata_props if item.key == "genrekit.card")
    assert json.loads(entry.value)["labels"] == list(artifact.card.labels)


def test_any_zip_tool_reads_a_tflite_card(card: Card, tmp_path: Path) -> None:
    path = tmp_path / "model.tflite"
    written = write_artifact(path, FLATBUFFER, card)
    assert read_artifact(path) == written
    with zipfile.ZipFile(path) as archive:
        assert archive.testzip() is None
        assert archive.read("labels.txt").decode().split("\n") == list(card.labels)
        assert json.loads(archive.read("genrekit.json"))["name"] == card.name
    assert path.read_bytes().startswith(FLATBUFFER)


def test_the_same_model_and_card_give_the_same_bytes(card: Card, tmp_path: Path) -> None:
    for name in ("a.tflite", "b.tflite"):
        write_artifact(tmp_path / name, FLATBUFFER, card)
    assert (tmp_path / "a.tflite").read_bytes() == (tmp_path / "b.tflite").read_bytes()


def test_the_suffix_must_fit(card: Card, tmp_path: Path) -> None:
    with pytest.raises(ArtifactError, match=r"must be named \*\.tflite"):
        write_artifact(tmp_path / "model.onnx", FLATBUFFER, card)


def test_every_flipped_byte_is_noticed(artifact: Artifact, tmp_path: Path) -> None:
    data = artifact.path.read_bytes()
    target = tmp_path / "flipped.onnx"
    for position in range(0, len(data), 7):
        flipped = bytearray(data)
        flipped[position] ^= 0x10
        target.write_bytes(flipped)
        with pytest.raises(ArtifactError):
            read_artifact(target)


@pytest.mark.parametrize("kept", [0, 1, 7, 100, -1, -22, -23, -500])
@pytest.mark.parametrize("suffix", ["onnx", "tflite"])
def test_a_truncated_file_is_one_clear_line(
    suffix: str, kept: int, artifact: Artifact, card: Card, tmp_path: Path
) -> None:
    if suffix == "onnx":
        data = artifact.path.read_bytes()
    else:
        data = tflite_file.join(FLATBUFFER, card.sealed(FLATBUFFER).to_json().encode(), ("a",))
    target = tmp_path / f"cut.{suffix}"
    target.write_bytes(data[:kept])
    with pytest.raises(ArtifactError, match=r"cut\.") as caught:
        read_artifact(target)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"labels": ["blues", "blues", "disco"]}, "labels: 3, must be"),
        ({"labels": ["blues"]}, "labels: 1, must be"),
        ({"extra": 1}, "unknown or missing keys: 'extra'"),
        ({"schema": 3}, "schema 3 is unknown; this genrekit reads schemas up to 2: update it"),
        ({"schema": True}, "schema True is unknown"),
        ({"task": "regression"}, "task: 'regression' is not one of"),
        ({"inputs": []}, "inputs: 0, must be"),
        ({"output": 1}, "output: expected str"),
    ],
)
def test_a_card_that_breaks_the_schema_says_where(
    card: Card, change: dict[str, Any], message: str
) -> None:
    with pytest.raises(ArtifactError, match=message):
        parse_card(sealed({**encode(card), **change}))


def test_a_flipped_label_is_noticed(card: Card) -> None:
    text = card.sealed(b"").to_json()
    assert parse_card(text.encode()).labels == card.labels
    with pytest.raises(ArtifactError, match="its SHA-256 does not match"):
        parse_card(text.replace('"disco"', '"metal"').encode())


def test_bounds_of_inputs_are_checked() -> None:
    good: dict[str, Any] = {
        "name": "x",
        "feature": "log_mel",
        "layout": "channel_band_frame",
        "shape": (1, 64, 130),
        "dtype": "float32",
        "normalisation": Normalisation(kind="none"),
    }
    InputSpec(**good)
    for change, message in (
        ({"shape": (64, 130)}, "is no channel_band_frame"),
        ({"shape": (3, 64, 130)}, "3 channels"),
        ({"shape": (1, 1 << 20, 1 << 20)}, "values, over"),
        (
            {"normalisation": Normalisation(kind="fixed", mean=(0.0,) * 3, std=(1.0,) * 3)},
            "3 means",
        ),
    ):
        with pytest.raises(ConfigError, match=message):
            InputSpec(**{**good, **change})
    with pytest.raises(ConfigError, match="above 0"):
        Normalisation(kind="fixed", mean=(0.0,), std=(0.0,))
    with pytest.raises(ConfigError, match="2 positions, 1 values"):
        Probe(input="x", index=(0, 1), value=(0.0,), tolerance=1.0)


def test_two_cards_and_foreign_metadata(artifact: Artifact, tmp_path: Path) -> None:
    data = artifact.path.read_bytes()
    model, card = onnx_file.split(data)
    assert card is not None
    target = tmp_path / "two.onnx"
    target.write_bytes(onnx_file.join(data, card))
    with pytest.raises(ArtifactError, match="two cards"):
        read_artifact(target)
    other = length_field(14, length_field(1, b"author") + length_field(2, b"somebody"))
    assert onnx_file.split(model + other) == (model + other, None)


def test_a_file_of_endless_small_fields_is_not_walked_to_its_end() -> None:
    with pytest.raises(ArtifactError, match="over 10000 fields"):
        onnx_file.split(b"\x08\x01" * 2_000_000)


def test_a_zip_bomb_is_not_unpacked(tmp_path: Path) -> None:
    buffer = io.BytesIO(FLATBUFFER)
    with zipfile.ZipFile(buffer, "a", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("genrekit.json", b"0" * (64 << 20))
    target = tmp_path / "bomb.tflite"
    target.write_bytes(buffer.getvalue())
    with pytest.raises(ArtifactError, match=r"genrekit.json: 67108864 bytes, over"):
        read_artifact(target)


@pytest.mark.parametrize("method", [zipfile.ZIP_LZMA, zipfile.ZIP_BZIP2])
def test_other_compressions_are_refused_before_they_allocate(method: int) -> None:
    buffer = io.BytesIO(FLATBUFFER)
    with zipfile.ZipFile(buffer, "a", method) as archive:
        archive.writestr("genrekit.json", b"{}")
    data = buffer.getvalue()
    if method == zipfile.ZIP_LZMA:  # the dictionary that it asks for: 4 GiB
        at = data.index(b"genrekit.json") + len("genrekit.json") + 5
        data = data[:at] + b"\xff" * 4 + data[at + 4 :]
    with pytest.raises(ArtifactError, match=f"compression method {method} is refused"):
        tflite_file.split(data)


def test_a_directory_of_very_many_members_is_not_listed() -> None:
    entry = b"PK\x01\x02" + bytes(42)
    entries = entry * 300_000
    end = struct.pack("<4s8xLLH", b"PK\x05\x06", len(entries), len(FLATBUFFER), 0)
    with pytest.raises(ArtifactError, match="a directory of 13800000 bytes, over 65536"):
        tflite_file.split(FLATBUFFER + entries + end)
    locator = b"PK\x06\x07" + bytes(16)
    end = struct.pack("<4s8xLLH", b"PK\x05\x06", 0, len(FLATBUFFER), 0)
    with pytest.raises(ArtifactError, match="64-bit directory"):
        tflite_file.split(FLATBUFFER + locator + end)


def test_a_metadata_entry_of_very_many_fields_is_not_walked_to_its_end() -> None:
    entry = length_field(14, b"\x08\x01" * 2_000_000)
    with pytest.raises(ArtifactError, match="over 16 fields"):
        onnx_file.split(b"\x08\x01" + length_field(7, b"") + entry)


@pytest.mark.parametrize(
    ("features", "windowing"),
    [
        (FeatureConfig(sample_rate=192_000), Windowing(window_s=600.0, hop_s=600.0, short="wrap")),
        (FeatureConfig(hop_length=1), Windowing(window_s=3.0, hop_s=3.0, short="wrap")),
    ],
)
def test_a_window_too_large_for_a_small_machine_is_refused(
    card: Card, features: FeatureConfig, windowing: Windowing
) -> None:
    with pytest.raises(ConfigError, match="in its frames: must be at most"):
        dataclasses.replace(card, features=features, windowing=windowing)


@pytest.mark.parametrize("label", ["", "\x1b[2J", "jazz\n"])
def test_a_label_that_would_steer_a_terminal_is_refused(card: Card, label: str) -> None:
    with pytest.raises(ConfigError, match="is empty or cannot be printed"):
        dataclasses.replace(card, labels=(label, *card.labels[1:]))


def test_windows_that_overlap_absurdly_are_refused() -> None:
    with pytest.raises(ConfigError, match=r"hop_s=0\.02: must be 0\.03\.\.window_s=3\.0 s"):
        Windowing(window_s=3.0, hop_s=0.02, short="wrap")


def test_other_files_are_refused(tmp_path: Path) -> None:
    for name, content in (("text.onnx", b"hello, world"), ("zeros.onnx", bytes(100))):
        (tmp_path / name).write_bytes(content)
        with pytest.raises(ArtifactError, match=name):
            read_artifact(tmp_path / name)
    with pytest.raises(FileError, match="No such file"):
        read_artifact(tmp_path / "missing.onnx")


@settings(max_examples=150, deadline=None)
@given(
    at=st.floats(0, 1),
    removed=st.integers(0, 400),
    inserted=st.binary(max_size=40),
    form=st.sampled_from(["onnx", "tflite"]),
)
def test_an_edited_file_gives_the_same_card_or_a_genrekit_error(
    artifact: Artifact, card: Card, at: float, removed: int, inserted: bytes, form: str
) -> None:
    if form == "onnx":
        data = artifact.path.read_bytes()
    else:
        data = tflite_file.join(FLATBUFFER, card.sealed(FLATBUFFER).to_json().encode(), ("a",))
    position = int(at * len(data))
    edited = data[:position] + inserted + data[position + removed :]
    split = onnx_file.split if form == "onnx" else tflite_file.split
    with contextlib.suppress(GenreKitError):
        model, text = split(edited)
        if text is not None:
            parse_card(text)
        assert len(model) <= len(edited)


def test_probes_are_close_to_what_numpy_reads_back(artifact: Artifact) -> None:
    (probe,) = artifact.card.reference.probes
    assert len(set(probe.index)) == len(probe.index) == 64
    assert np.isfinite(probe.value).all()
    assert dataclasses.asdict(artifact.card)["reference"]["signal"] == "genrekit-reference-1"


@pytest.mark.parametrize(
    ("beginning", "words"),
    [
        (b"\x89PNG\r\n\x1a\n" + b"0" * 40, "a PNG picture"),
        (b"version https://git-lfs.github.com/spec/v1\noid", "git lfs pull"),
        (b"<!DOCTYPE html><html>", "a web page"),
        (b"PK\x03\x04" + b"0" * 40, "a ZIP archive"),
        (b"RIFF0000WAVEfmt ", "a WAV song"),
        (b"\x80\x02}q\x00.", "never opened"),
    ],
)
def test_a_wrong_file_is_called_what_it_is(tmp_path: Path, beginning: bytes, words: str) -> None:
    path = tmp_path / "model.onnx"
    path.write_bytes(beginning)
    with pytest.raises(ArtifactError, match=words):
        read_artifact(path)
