"""Teaching from folders to a verified file."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import numpy as np
import pytest
import soundfile

from genrekit.artifact.container import read_artifact
from genrekit.artifact.packaged import packaged_models
from genrekit.classify.classifier import GenreClassifier
from genrekit.classify.verification import verify
from genrekit.commands.main import main
from genrekit.errors import ArtifactError
from genrekit.teach.examples import Example
from genrekit.teach.lesson import strangeness_threshold
from genrekit.teach.solvers import LinearClassifier
from genrekit.teach.splice import splice_head

RATE = 16_000


def write_song(path: Path, kind: str, seed: int) -> None:
    """Chords of plucked strings, or a beat of noise."""
    rng = np.random.default_rng(seed)
    t = np.arange(4 * RATE) / RATE
    if kind == "strings":
        notes = 110.0 * 2.0 ** (rng.integers(0, 24, 3) / 12.0)
        y = sum(np.sin(2 * np.pi * hz * k * t) / k for hz in notes for k in range(1, 6))
        y = y * np.exp(-3.0 * (t % 1.0))
    else:
        y = rng.standard_normal(len(t)) * np.exp(-20.0 * (t % rng.uniform(0.2, 0.4)))
    path.parent.mkdir(parents=True, exist_ok=True)
    soundfile.write(path, 0.3 * y / np.abs(y).max(), RATE)


@pytest.fixture(autouse=True)
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GENREKIT_CACHE", str(tmp_path / "cache"))


@pytest.fixture
def songs(tmp_path: Path) -> Path:
    for kind in ("strings", "drums"):
        for i in range(4):
            write_song(tmp_path / "songs" / kind / f"{i}.wav", kind, i)
    return tmp_path / "songs"


def test_a_handful_of_songs_becomes_a_verified_model(
    songs: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "mine.onnx"
    assert main(["teach", str(songs), "--out", str(out), "--json"]) == 0
    told = json.loads(capsys.readouterr().out)
    assert told["genres"] == ["drums", "strings"]
    assert told["estimate"]["n"] == 8
    assert told["estimate"]["accuracy"] == 1.0
    artifact = read_artifact(out)
    assert artifact.card.training.accuracy[0].n == 8
    for engine in ("onnxruntime", "numpy"):
        assert verify(artifact, engine=engine).passed
        classifier = GenreClassifier(artifact, engine=engine)
        for kind in ("strings", "drums"):
            write_song(tmp_path / "new.wav", kind, 99)
            assert classifier.classify(tmp_path / "new.wav").ranking[0].label == kind


def test_more_songs_are_added_without_the_old_ones(
    songs: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "mine.onnx"
    assert main(["teach", str(songs), "--out", str(out)]) == 0
    more = tmp_path / "more"
    rng = np.random.default_rng(0)
    for i in range(2):
        write_song(more / "strings" / f"more{i}.wav", "strings", 20 + i)
        (more / "hiss").mkdir(exist_ok=True)
        soundfile.write(more / "hiss" / f"{i}.wav", 0.1 * rng.standard_normal(4 * RATE), RATE)
    (songs / "drums" / "0.wav").unlink()
    capsys.readouterr()
    assert main(["teach", str(more), "--out", str(out), "--add", "--json"]) == 0
    told = json.loads(capsys.readouterr().out)
    assert told["genres"] == ["drums", "hiss", "strings"]
    assert told["songs"] == 12
    assert read_artifact(out).card.labels == ("drums", "hiss", "strings")


def test_one_song_of_each_is_enough_and_no_estimate_is_made_up(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    for kind in ("strings", "drums"):
        write_song(tmp_path / "songs" / kind / "0.wav", kind, 0)
    out = tmp_path / "mine.onnx"
    assert main(["teach", str(tmp_path / "songs"), "--out", str(out)]) == 0
    assert "no estimate" in capsys.readouterr().out
    assert read_artifact(out).card.training.accuracy == ()


def test_artists_keep_together(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    for kind in ("strings", "drums"):
        for artist in ("a", "b", "c"):
            for i in range(2):
                path = tmp_path / "songs" / kind / artist / "album" / f"{i}.wav"
                write_song(path, kind, ord(artist) + i)
    out = tmp_path / "mine.onnx"
    assert main(["teach", str(tmp_path / "songs"), "--out", str(out)]) == 0
    assert "cross-validated over artists" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("prepare", "words"),
    [
        (lambda songs: (songs / "drums").rename(songs.parent / "gone"), "at least two folders"),
        (lambda songs: [p.write_bytes(b"x") for p in (songs / "drums").iterdir()], "can be read"),
    ],
)
def test_what_cannot_be_taught_is_one_line_and_writes_nothing(
    prepare: object, words: str, songs: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    prepare(songs)  # type: ignore[operator]
    out = tmp_path / "mine.onnx"
    assert main(["teach", str(songs), "--out", str(out)]) == 1
    error = capsys.readouterr().err
    assert words in error
    assert error.count("\n") == 1
    assert not out.exists()


def test_an_unreadable_song_is_named_and_left_out(
    songs: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (songs / "drums" / "0.wav").write_bytes(b"no song")
    assert main(["teach", str(songs), "--out", str(tmp_path / "m.onnx"), "--json"]) == 0
    assert "0.wav" in json.loads(capsys.readouterr().out)["left_out"][0]


def test_adding_to_nothing_is_told(
    songs: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["teach", str(songs), "--out", str(tmp_path / "m.onnx"), "--add"]) == 1
    assert "m.teach.npz" in capsys.readouterr().err


def teach(*words: object) -> int:
    return main(["teach", *map(str, words)])


def test_another_song_of_the_same_name_is_added_and_a_moved_one_is_learned_anew(
    songs: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out, more = tmp_path / "mine.onnx", tmp_path / "more"
    assert teach(songs, "--out", out) == 0
    write_song(more / "strings" / "0.wav", "strings", 77)
    write_song(more / "strings" / "moved.wav", "drums", 3)
    capsys.readouterr()
    assert teach(more, "--out", out, "--add", "--json") == 0
    told = json.loads(capsys.readouterr().out)
    assert told["songs"] == 9
    assert sum(map(sum, told["estimate"]["confusion"])) == 9
    assert [sum(row) for row in told["estimate"]["confusion"]] == [3, 6]


def test_a_copy_is_left_out_since_it_would_be_judged_by_itself(
    songs: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (songs / "strings" / "copy.wav").write_bytes((songs / "drums" / "1.wav").read_bytes())
    assert teach(songs, "--out", tmp_path / "m.onnx", "--json") == 0
    told = json.loads(capsys.readouterr().out)
    assert told["songs"] == 8
    assert "the same song as" in told["left_out"][0]


@pytest.mark.parametrize("length", [0, 300])
def test_a_damaged_cache_is_heard_again(length: int, songs: Path, tmp_path: Path) -> None:
    out = tmp_path / "m.onnx"
    assert teach(songs, "--out", out) == 0
    good = out.read_bytes()
    for path in (tmp_path / "cache").rglob("*.npz"):
        path.write_bytes(path.read_bytes()[:length])
    assert teach(songs, "--out", out) == 0
    assert out.read_bytes() == good


def test_a_cache_that_cannot_be_written_costs_time_alone(
    songs: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("GENREKIT_CACHE", "/proc/nowhere")
    assert teach(songs, "--out", tmp_path / "m.onnx") == 0


def test_damaged_songs_of_before_are_one_line_and_the_model_stays(
    songs: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "mine.onnx"
    assert teach(songs, "--out", out) == 0
    good, kept = out.read_bytes(), tmp_path / "mine.teach.npz"
    kept.write_bytes(kept.read_bytes()[:400])
    assert teach(songs, "--out", out, "--add") == 1
    error = capsys.readouterr().err
    assert "mine.teach.npz" in error
    assert error.count("\n") == 1
    assert out.read_bytes() == good


def test_the_curve_is_drawn_or_its_absence_told(
    songs: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    out, png = tmp_path / "m.onnx", tmp_path / "curve.png"
    assert teach(songs, "--out", out, "--plot", png) == 0
    assert png.read_bytes().startswith(b"\x89PNG")
    png.unlink()
    monkeypatch.setitem(sys.modules, "matplotlib", None)
    capsys.readouterr()
    assert teach(songs, "--out", out, "--plot", png) == 0
    told = capsys.readouterr()
    assert "needs the package matplotlib" in told.err
    assert "songs of each genre and right" in told.out
    assert not png.exists()


@pytest.mark.parametrize("n", [5, 40, 100, 101])
def test_at_most_two_percent_of_the_taught_songs_are_lost(n: int) -> None:
    strange = np.random.default_rng(n).normal(size=n) + 10.0
    taught = [
        Example(
            name="",
            digest="",
            genre="",
            artist="",
            embedding=np.zeros((1, 1)),
            strangeness=float(s),
        )
        for s in strange
    ]
    assert (strange > strangeness_threshold(taught, 0.0)).mean() <= 0.02
    assert strangeness_threshold(taught, 99.0) == 99.0


def test_real_songs_that_it_has_not_heard(gtzan: Path, tmp_path: Path) -> None:
    taught, unseen = tmp_path / "taught", []
    for genre in sorted((gtzan / "genres_original").iterdir()):
        (taught / genre.name).mkdir(parents=True)
        songs = sorted(genre.iterdir())
        for song in songs[:4]:
            (taught / genre.name / song.name).symlink_to(song)
        unseen += [(genre.name, song) for song in songs[4:]]
    out = tmp_path / "mine.onnx"
    assert teach(taught, "--out", out) == 0
    classifier = GenreClassifier.load(out)
    right = [classifier.classify(song).label == genre for genre, song in unseen]
    assert len(right) == 20
    assert np.mean(right) >= 0.85


def test_a_model_without_a_head_that_can_be_taught_is_refused(artifact_bytes: bytes) -> None:
    head = LinearClassifier(weight=np.zeros((200, 2)), bias=np.zeros(2))
    with pytest.raises(ArtifactError, match="no head that can be taught"):
        splice_head(artifact_bytes, "logits", head)


@pytest.fixture
def artifact_bytes() -> bytes:
    return read_artifact(packaged_models()["tiny"]).model
