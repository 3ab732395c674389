"""The packaged models on sounds that are no music, and on music at any level."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

import genrekit
from genrekit.audio.decoding import Audio, load_audio
from genrekit.classify.classifier import GenreClassifier
from genrekit.classify.prediction import SILENT, STRANGE, UNSURE
from genrekit.commands.main import main
from genrekit.engines.registry import load_engine
from genrekit.live.listener import Listener
from genrekit.live.smoothing import LiveConfig
from genrekit.live.sources import Block, Losses

RATE = 22_050
T = np.arange(5 * RATE) / RATE


@pytest.fixture(scope="module")
def default() -> GenreClassifier:
    return genrekit.load()


def sounds() -> dict[str, np.ndarray]:
    rng = np.random.default_rng(5)
    return {
        "white noise": 0.1 * rng.standard_normal(len(T)),
        "sine": 0.4 * np.sin(2 * np.pi * 997.0 * T),
        "hum": 0.2 * np.sign(np.sin(2 * np.pi * 50.0 * T)),
    }


@pytest.mark.parametrize("name", ["white noise", "sine", "hum"])
def test_what_is_no_music_is_unknown(name: str, default: GenreClassifier) -> None:
    said = default.classify(Audio(sounds()[name].astype(np.float32), RATE))
    assert (said.label, said.reason) == (None, STRANGE)
    assert said.strangeness is not None
    assert said.strangeness > default.card.unknown.threshold  # type: ignore[union-attr]


def test_silence_is_silence_and_its_windows_do_not_count(
    default: GenreClassifier, gtzan: Path
) -> None:
    zeros = np.zeros(5 * RATE, np.float32)
    assert default.classify(Audio(zeros, RATE)).reason == SILENT
    song = load_audio(gtzan / "genres_original" / "metal" / "metal.00000.wav").samples
    alone = default.classify(Audio(song, RATE))
    padded = default.classify(Audio(np.concatenate([song, zeros, zeros]), RATE))
    assert padded.label == alone.label
    assert padded.segments[-1].label is None
    assert padded.probability == pytest.approx(alone.probability, abs=0.05)


@pytest.mark.parametrize("gain_db", [-30.0, -12.0, 6.0])
def test_level_and_offset_do_not_matter(
    gain_db: float, default: GenreClassifier, gtzan: Path
) -> None:
    for genre in ("classical", "hiphop", "metal", "jazz"):
        song = load_audio(gtzan / "genres_original" / genre / f"{genre}.00001.wav").samples
        gain = np.float32(10.0 ** (gain_db / 20.0))
        changed = gain * (song + np.float32(0.004))
        expected, said = default.classify(Audio(song, RATE)), default.classify(Audio(changed, RATE))
        assert said.label == expected.label
        assert said.probability == pytest.approx(expected.probability, abs=0.02)


def test_the_engines_agree_on_everything_that_the_card_names(
    default: GenreClassifier, gtzan: Path
) -> None:
    numpy_engine = GenreClassifier(default.artifact, engine="numpy")
    song = gtzan / "genres_original" / "disco" / "disco.00000.wav"
    theirs, mine = default.outputs(song), numpy_engine.outputs(song)
    assert set(mine) == {"logits", "embedding", "strangeness"}
    for name, values in theirs.items():
        np.testing.assert_allclose(mine[name], values, atol=2e-3, err_msg=name)
    assert default.embed(song).shape[1] == 200


def test_a_doubtful_answer_is_held_back_where_that_is_asked(
    default: GenreClassifier, gtzan: Path
) -> None:
    song = gtzan / "genres_original" / "country" / "country.00000.wav"
    assert default.classify(song, min_probability=1.0).reason == UNSURE


def test_the_command_says_unknown_and_why(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], write_wav: object
) -> None:
    path = tmp_path / "noise.wav"
    write_wav(path, sounds()["white noise"])  # type: ignore[operator]
    assert main(["classify", str(path)]) == 0
    assert f"unknown ({STRANGE})" in capsys.readouterr().out
    assert main(["classify", str(path), "--json"]) == 0
    told = json.loads(capsys.readouterr().out)
    assert (told["label"], told["reason"]) == (None, STRANGE)
    out = tmp_path / "rows.csv"
    assert main(["classify", str(path), "--out", str(out)]) == 0
    assert f",{STRANGE}," in out.read_text()


@pytest.fixture
def write_wav() -> object:
    import soundfile

    return lambda path, samples: soundfile.write(path, samples, RATE)


def test_a_listener_pauses_instead_of_a_wrong_word(default: GenreClassifier) -> None:
    listener = Listener(default.artifact, load_engine(default.artifact), LiveConfig(), Losses())
    samples = sounds()["white noise"].astype(np.float32)
    updates = listener.hear(Block(samples, RATE, 0.0))
    assert {update.score.state for update in updates} == {"unknown"}
    quiet = (5e-3 + 1e-4 * np.random.default_rng(0).standard_normal(len(T))).astype(np.float32)
    updates = listener.hear(Block(quiet, RATE, 0.0, fresh=True))
    assert {update.score.state for update in updates} == {"silence"}


def test_tags_are_several_and_do_not_sum_to_one(
    gtzan: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    song = gtzan / "genres_original" / "jazz" / "jazz.00000.wav"
    assert main(["classify", str(song), "--model", "tags"]) == 0
    assert "jazz" in capsys.readouterr().out.splitlines()[0]
    assert main(["classify", str(song), "--model", "tags", "--json"]) == 0
    ranking = json.loads(capsys.readouterr().out)["ranking"]
    assert len(ranking) == 50
    assert sum(score["probability"] for score in ranking) != pytest.approx(1.0, abs=0.01)


def test_the_packaged_models_are_listed(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["models", "--json"]) == 0
    rows = {row["name"]: row for row in json.loads(capsys.readouterr().out)}
    assert set(rows) == {"default", "tags", "tiny"}
    assert rows["default"]["bytes"] <= 300_000
    assert all(entry["n"] and len(entry["ci95"]) == 2 for entry in rows["default"]["accuracy"])
    assert main(["inspect"]) == 0
    assert "unknown" in capsys.readouterr().out
