"""Demo: the main job from end to end on synthetic music, as `make demo` runs it.

Every step is a command that a user could type; a second run takes up what is there.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

from genrekit.files import write_whole

_SECONDS = 15  # per composed track
_TAUGHT = 4  # songs of each genre that are enough to teach
_SHOWN = ("jazz", "metal")  # genres whose unseen tracks are classified for all to see
_QUICK = ("--rounds", 30, "--processes", 2)
# What each model becomes: as it was trained, and compressed.
_PAIRS = {
    "resnet18": ("resnet18_fp32.onnx", "resnet18_int8.onnx"),
    "mlp": ("mlp_dense.tflite", "mlp_pruned.tflite"),
}


def main(argv: list[str] | None = None) -> int:
    """Run the demo; return 0."""
    parser = argparse.ArgumentParser(description="The main job, end to end, on synthetic music.")
    parser.add_argument("--out", type=Path, default=Path("build/demo"))
    parser.add_argument("--tracks-per-genre", type=int, default=72, metavar="N")
    parser.add_argument("--unseen-per-genre", type=int, default=12, metavar="N")
    args = parser.parse_args(argv)
    out: Path = args.out
    start = time.perf_counter()
    songs, unseen = out / "music", out / "unseen"
    for folder, tracks, seed in (
        (songs, args.tracks_per_genre, 0),
        (unseen, args.unseen_per_genre, 1),
    ):
        _run(
            *("data", "synth", folder, "--tracks-per-genre", tracks),
            *("--seed", seed, "--duration", _SECONDS),
        )
    taught = _teach(out, unseen)
    rows = [row for model in _PAIRS for row in _make_and_measure(model, songs, unseen, out)]
    seconds = time.perf_counter() - start
    summary = {
        "data": "synthetic music; accuracy on tracks composed from another seed",
        "seconds": seconds,
        "taught": taught,
        "rows": rows,
    }
    write_whole(out / "summary.json", json.dumps(summary, indent=2) + "\n")
    runs = [out / "runs" / model for model in _PAIRS]
    timings = [_timings(out, model) for model in _PAIRS]
    _run("report", *runs, *timings, "-o", out / "report.html")
    print(_table(rows))
    low, high = taught["accuracy"]["ci95"]
    print(
        f"taught from {_TAUGHT} songs a genre in {taught['seconds']:.0f} s: "
        f"{taught['accuracy']['value']:.3f} [{low:.3f}, {high:.3f}], {taught['accuracy']['n']} "
        "of the same tracks"
    )
    print(f"\n{seconds:.0f} s. Numbers: {out / 'summary.json'}; page: {out / 'report.html'};")
    print(f"confusion matrices and learning curves: {out / 'runs'}/*/*.png")
    return 0


def _teach(out: Path, unseen: Path) -> dict[str, Any]:
    """Teach the packaged model from a handful of songs, and judge it by the unseen ones."""
    few, model = out / "few", out / "taught.onnx"
    words = ("--tracks-per-genre", _TAUGHT, "--seed", 2, "--duration", _SECONDS)
    _run("data", "synth", few, *words)
    start = time.perf_counter()
    _run("teach", few, "--out", model)
    seconds = time.perf_counter() - start
    _run("classify", *_shown(unseen), "--model", model)
    scored = json.loads(_run("evaluate", model, "--data", unseen, "--json", capture=True))
    (judged,) = scored["judgements"]
    return {
        "songs_per_genre": _TAUGHT,
        "seconds": seconds,
        "bytes": judged["bytes"],
        "accuracy": judged["scores"]["accuracy"],
    }


def _shown(unseen: Path) -> list[Path]:
    return [unseen / genre / f"{genre}.00000.wav" for genre in _SHOWN]


def _make_and_measure(model: str, songs: Path, unseen: Path, out: Path) -> list[dict[str, Any]]:
    run = out / "runs" / model
    before, after = (out / name for name in _PAIRS[model])
    _run("train", songs, "--model", model, "--out", run)
    _run("export", run, "--out", before, "--fp32")
    _run("export", run, "--out", after)
    _run("verify", after)
    _run("classify", *_shown(unseen), "--model", after)
    scored = json.loads(_run("evaluate", before, after, "--data", unseen, "--json", capture=True))
    # A demo measures whatever else the machine is doing; without --force it would refuse.
    _run("bench", before, after, *_QUICK, "--json", _timings(out, model), "--force")
    speed = json.loads(_timings(out, model).read_text("utf-8"))
    return [
        _row(judged, timed, scored["judgements"][0]["bytes"], speed["speedups"][0])
        for judged, timed in zip(scored["judgements"], speed["models"], strict=True)
    ]


def _row(
    judged: dict[str, Any], timed: dict[str, Any], bytes_before: int, speedup: dict[str, Any]
) -> dict[str, Any]:
    """Put an artifact's accuracy and speed side by side."""
    paired = judged["against_first"]
    return {
        "model": Path(judged["model"]).name,
        "bytes": judged["bytes"],
        "ratio": bytes_before / judged["bytes"],
        "accuracy": judged["scores"]["accuracy"],
        "against_first": paired,
        "p50_ms": timed["engine_alone"]["p50_ms"],
        "p95_ms": timed["engine_alone"]["p95_ms"],
        "speedup": speedup["engine_alone"] if paired else None,
        "ms_per_3_s": timed["single_stream"]["total"]["p50_ms"],
    }


def _timings(out: Path, model: str) -> Path:
    return out / f"bench_{model}.json"


def _run(*words: object, capture: bool = False) -> str:
    """Run one `genrekit` command in its own process, showing it first."""
    command = [str(word) for word in words]
    print(f"\n$ genrekit {' '.join(command)}", flush=True)
    result = subprocess.run(  # noqa: S603 - our own command
        [sys.executable, "-m", "genrekit", *command],
        stdout=subprocess.PIPE if capture else None,
        text=True,
    )
    if result.returncode:
        raise SystemExit(result.returncode)
    return result.stdout or ""


def _table(rows: list[dict[str, Any]]) -> str:
    lines = [
        "",
        f"{'model':<20} {'bytes':>11} {'ratio':>6}  {'accuracy [95 %], n':<26} {'agree':>7} "
        f"{'p50 ms':>8} {'p95 ms':>8} {'speed-up':>9} {'ms per 3 s':>11}",
    ]
    for row in rows:
        share, paired, speedup = row["accuracy"], row["against_first"], row["speedup"]
        low, high = share["ci95"]
        accuracy = f"{share['value']:.3f} [{low:.3f}, {high:.3f}], {share['n']}"
        agreement = f"{paired['agreement']['value']:.1%}" if paired else ""
        faster = f"{speedup['median']:.2f}x" if speedup else ""
        lines.append(
            f"{row['model']:<20} {row['bytes']:>11,} {row['ratio']:>5.2f}x  {accuracy:<26} "
            f"{agreement:>7} {row['p50_ms']:>8.3f} {row['p95_ms']:>8.3f} {faster:>9} "
            f"{row['ms_per_3_s']:>11.1f}"
        )
    lines.append("accuracy: synthetic music, tracks never seen; latency: one window, one thread")
    return "\n".join(lines)


if __name__ == "__main__":
    sys.exit(main())
