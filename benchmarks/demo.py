"""Demo: the main job from end to end on synthetic music, as `make demo` runs it.

Every step is a command that a user could type; a second run takes up what is there.
"""

from __future__ import annotations

import argparse
import dataclasses
import json
import os
import subprocess
import sys
import time
from pathlib import Path

import numpy as np

from genrekit.runtime.audio import Audio, load_audio
from genrekit.runtime.classifier import GenreClassifier
from genrekit.runtime.engines import load_engine
from genrekit.runtime.files import write_whole
from genrekit.runtime.measure import Latency, Ratio, time_rounds
from genrekit.runtime.reference import reference_inputs
from genrekit.runtime.schema import encode

from .evaluate import Judgement, evaluate

_ROUNDS = 60
_SECONDS = 15  # per composed track
# Before compression, after it.
_PAIRS = (("resnet18_fp32.onnx", "resnet18_int8.onnx"), ("mlp_dense.tflite", "mlp_pruned.tflite"))


@dataclasses.dataclass(frozen=True, kw_only=True, slots=True)
class Row:
    """One artifact in the table."""

    model: str
    bytes: int
    ratio: float
    accuracy: float
    n: int
    ci95: tuple[float, ...]
    agreement: float | None
    latency: Latency
    speedup: Ratio | None
    end_to_end_ms: float


def main(argv: list[str] | None = None) -> int:
    """Run the demo; return 0."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--out", type=Path, default=Path("build/demo"))
    parser.add_argument("--tracks-per-genre", type=int, default=48, metavar="N")
    parser.add_argument("--unseen-per-genre", type=int, default=12, metavar="N")
    args = parser.parse_args(argv)
    out: Path = args.out
    start = time.perf_counter()
    _make_artifacts(out, args.tracks_per_genre, args.unseen_per_genre)
    rows = _rows(out)
    summary = {
        "data": "synthetic music, composed by rules; unseen tracks have another seed",
        "seconds": time.perf_counter() - start,
        "rows": encode(rows),
    }
    write_whole(out / "summary.json", json.dumps(summary, indent=2) + "\n")
    print(_table(rows))
    print(
        f"\n{time.perf_counter() - start:.0f} s; everything is in {out}/, numbers in summary.json,"
    )
    print(f"confusion matrices and learning curves in {out}/runs/*/*.png")
    return 0


def _make_artifacts(out: Path, tracks_per_genre: int, unseen_per_genre: int) -> None:
    songs, unseen, runs = out / "music", out / "unseen", out / "runs"
    length = ("--duration", _SECONDS)
    _run("data", "synth", songs, "--tracks-per-genre", tracks_per_genre, "--seed", 0, *length)
    _run("data", "synth", unseen, "--tracks-per-genre", unseen_per_genre, "--seed", 1, *length)
    for model, (before, after) in zip(("resnet18", "mlp"), _PAIRS, strict=True):
        _run("train", songs, "--model", model, "--out", runs / model)
        _run("export", runs / model, "--out", out / before, "--fp32")
        _run("export", runs / model, "--out", out / after)
        _run("verify", out / after)
        examples = [unseen / genre / f"{genre}.00000.wav" for genre in ("jazz", "metal")]
        _run("classify", *examples, "--model", out / after)


def _run(*words: object) -> None:
    """Run one `genrekit` command in its own process, showing it first."""
    command = [str(word) for word in words]
    print(f"\n$ genrekit {' '.join(command)}", flush=True)
    result = subprocess.run([sys.executable, "-m", "genrekit.runtime.cli", *command])  # noqa: S603 - ours
    if result.returncode:
        raise SystemExit(result.returncode)


def _rows(out: Path) -> list[Row]:
    print("\n== accuracy on unseen tracks, through the runtime", flush=True)
    rows = []
    for names in _PAIRS:
        models = [out / name for name in names]
        judgements = evaluate(models, out / "unseen", jobs=os.cpu_count() or 1).judgements
        rows += _measure(models, judgements)
    return rows


def _measure(models: list[Path], judgements: tuple[Judgement, ...]) -> list[Row]:
    classifiers = [GenreClassifier.load(model) for model in models]
    engines = [load_engine(classifier.artifact) for classifier in classifiers]
    inputs = reference_inputs(classifiers[0].card)
    seconds = time_rounds(
        {
            model.name: lambda engine=engine: engine.run(inputs)  # type: ignore[misc]
            for model, engine in zip(models, engines, strict=True)
        },
        rounds=_ROUNDS,
    )
    before = seconds[models[0].name]
    clip = Audio(_three_seconds(models[0].parent), 22_050)
    rows = []
    for model, judgement, classifier in zip(models, judgements, classifiers, strict=True):
        accuracy, paired = judgement.scores.accuracy, judgement.against_first
        whole = time_rounds({"": lambda c=classifier: c.classify(clip)}, rounds=20)  # type: ignore[misc]
        rows.append(
            Row(
                model=model.name,
                bytes=judgement.bytes,
                ratio=judgements[0].bytes / judgement.bytes,
                accuracy=accuracy.value or 0.0,
                n=accuracy.n,
                ci95=accuracy.ci95 or (0.0, 1.0),
                agreement=paired.agreement.value if paired else None,
                latency=Latency.of(seconds[model.name]),
                speedup=Ratio.of(before, seconds[model.name]) if paired else None,
                end_to_end_ms=Latency.of(whole[""]).p50_ms,
            )
        )
    return rows


def _three_seconds(out: Path) -> np.ndarray[tuple[int, ...], np.dtype[np.float32]]:
    song = next((out / "unseen").glob("*/*.wav"))
    return load_audio(song, 22_050).samples[: 3 * 22_050]


def _table(rows: list[Row]) -> str:
    lines = [
        "",
        f"{'model':<20} {'bytes':>11} {'ratio':>6}  {'accuracy [95 %], n':<26} {'agree':>7} "
        f"{'p50 ms':>8} {'p95 ms':>8} {'speed-up':>9} {'ms per 3 s':>11}",
    ]
    for row in rows:
        low, high = row.ci95
        accuracy = f"{row.accuracy:.3f} [{low:.3f}, {high:.3f}], {row.n}"
        agreement = "" if row.agreement is None else f"{row.agreement:.1%}"
        speedup = "" if row.speedup is None else f"{row.speedup.median:.2f}x"
        lines.append(
            f"{row.model:<20} {row.bytes:>11,} {row.ratio:>5.2f}x  {accuracy:<26} {agreement:>7} "
            f"{row.latency.p50_ms:>8.3f} {row.latency.p95_ms:>8.3f} {speedup:>9} "
            f"{row.end_to_end_ms:>11.1f}"
        )
    lines.append("accuracy: synthetic music, tracks never seen; latency: one window, one thread")
    return "\n".join(lines)


if __name__ == "__main__":
    sys.exit(main())
