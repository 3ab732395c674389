"""Fetching GTZAN, from a server on this machine that serves a small archive of its shape."""

from __future__ import annotations

import hashlib
import io
import json
import tarfile
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from genrekit.commands.main import main
from genrekit.errors import DataError
from genrekit.train.data.datasets import audio_source, open_dataset
from genrekit.train.data.gtzan_download import fetch_gtzan

SONGS = {f"{genre}.{i:05d}": f"{genre} {i}".encode() for genre in ("blues", "rock") for i in (0, 1)}


def _archive(songs: dict[str, bytes]) -> bytes:
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w:gz") as tar:
        for name, content in songs.items():
            entry = tarfile.TarInfo(f"genres/{name.split('.')[0]}/{name}.wav")
            entry.size = len(content)
            tar.addfile(entry, io.BytesIO(content))
    return buffer.getvalue()


def _index() -> bytes:
    folder = "gtzan_genre/genres"
    tracks = {
        name: {
            "audio": [
                f"{folder}/{name.split('.')[0]}/{name}.wav",
                hashlib.md5(content).hexdigest(),  # noqa: S324 - mirdata's choice
            ],
            "beats": [f"annotations/{name}.beats", "0" * 32],
        }
        for name, content in SONGS.items()
    }
    return json.dumps({"version": "1.0", "tracks": tracks}).encode()


@pytest.fixture
def server(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[dict[str, bytes]]:
    """Serve files by name, and have mirdata believe that GTZAN lies there."""
    from mirdata import core
    from mirdata.datasets import gtzan_genre

    files = {"genres.tar.gz": _archive(SONGS), "index.json": _index()}

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            content = files.get(self.path[1:])
            self.send_response(404 if content is None else 200)
            self.send_header("Content-Length", str(len(content or b"")))
            self.end_headers()
            self.wfile.write(content or b"")

        def log_message(self, *_: object) -> None:
            return

    httpd = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=httpd.serve_forever)
    thread.start()
    base = f"http://127.0.0.1:{httpd.server_port}"
    remote = gtzan_genre.REMOTES["all"]
    monkeypatch.setattr(remote, "url", f"{base}/genres.tar.gz")
    monkeypatch.setattr(remote, "checksum", hashlib.md5(files["genres.tar.gz"]).hexdigest())  # noqa: S324
    index = core.Index(
        filename="index.json",
        url=f"{base}/index.json",
        checksum=hashlib.md5(files["index.json"]).hexdigest(),  # noqa: S324
        partial_download=["all"],
    )
    index.indexes_dir = index.remote.destination_dir = str(tmp_path / "indexes")
    monkeypatch.setitem(gtzan_genre.INDEXES, "1.0", index)
    yield files
    httpd.shutdown()
    thread.join()
    httpd.server_close()


def test_gtzan_is_laid_out_as_the_kit_reads_it(
    server: dict[str, bytes], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert server
    out = tmp_path / "gtzan"
    assert main(["data", "get", "gtzan", str(out)]) == 0
    assert "4 songs" in capsys.readouterr().out
    dataset = open_dataset(audio_source(out / "genres_original"))
    assert {track.id: track.path.read_bytes() for track in dataset.tracks} == SONGS
    assert [path.name for path in out.iterdir()] == ["genres_original"]
    with pytest.raises(DataError, match="exists; remove it"):
        fetch_gtzan(out)


def test_a_download_that_breaks_off_says_what_to_do_and_is_taken_up(
    server: dict[str, bytes], tmp_path: Path
) -> None:
    whole = server["genres.tar.gz"]
    server["genres.tar.gz"] = whole[: len(whole) // 2]
    with pytest.raises(DataError, match=r"run the same command again, or put the archive at .*gz"):
        fetch_gtzan(tmp_path / "gtzan")
    assert not (tmp_path / "gtzan" / "genres_original").exists()
    server["genres.tar.gz"] = whole
    said: list[str] = []
    assert fetch_gtzan(tmp_path / "gtzan", say=said.append) == 4
    assert "broken off or altered; fetched anew" in said[0]


def test_an_archive_put_there_by_hand_is_not_fetched(
    server: dict[str, bytes], tmp_path: Path
) -> None:
    place = tmp_path / "gtzan" / ".download" / "gtzan_genre"
    place.mkdir(parents=True)
    (place / "genres.tar.gz").write_bytes(server.pop("genres.tar.gz"))
    assert fetch_gtzan(tmp_path / "gtzan") == 4


def test_no_server_is_one_line(server: dict[str, bytes], tmp_path: Path) -> None:
    server.clear()
    with pytest.raises(DataError, match=r"GTZAN from http://127.*404.*run the same command"):
        fetch_gtzan(tmp_path / "gtzan")


def test_a_song_of_other_bytes_is_named(
    server: dict[str, bytes], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from mirdata.datasets import gtzan_genre

    altered = _archive({**SONGS, "rock.00001": b"another song"})
    server["genres.tar.gz"] = altered
    digest = hashlib.md5(altered).hexdigest()  # noqa: S324
    monkeypatch.setattr(gtzan_genre.REMOTES["all"], "checksum", digest)
    with pytest.raises(DataError, match=r"1 songs of the archive are altered, .*rock\.00001"):
        fetch_gtzan(tmp_path / "gtzan")
    assert not (tmp_path / "gtzan" / "genres_original").exists()
