"""`genrekit bench`: size, speed and memory of models on this machine."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from ..bench.paired import Latency
    from ..bench.regression import BenchComparison
    from ..bench.results import BenchDocument, ModelBench
    from .main import Subparsers

_EPILOG = """\
examples:
  genrekit bench resnet18_fp32.onnx resnet18_int8.onnx
  genrekit bench resnet18_int8.onnx --json today.json --compare yesterday.json
  genrekit bench mlp_pruned.tflite --minutes 10 --profile
"""


def register(subparsers: Subparsers) -> None:
    """Add the command to the parser."""
    from ..engines.registry import ENGINES

    parser = subparsers.add_parser(
        "bench",
        help="size, speed and memory of models on this machine",
        description=(
            "Measure models in turn, round by round: latency by stage, cold start, throughput, "
            "memory, size, threads, and how close they come to the engine's fastest matrix product."
        ),
        epilog=_EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument(
        "models", nargs="+", type=Path, metavar="MODEL", help=".onnx or .tflite, or a packaged name"
    )
    parser.add_argument("--json", type=Path, metavar="FILE", help="write all numbers here")
    parser.add_argument(
        "--compare",
        type=Path,
        metavar="OLD.json",
        help="of an earlier bench here; exit status 1 if anything got worse beyond noise",
    )
    parser.add_argument(
        "--audio", type=Path, metavar="FILE", help="song to classify (default: a made one)"
    )
    parser.add_argument(
        "--threads", type=int, default=1, metavar="N", help="of one inference (default: 1)"
    )
    parser.add_argument(
        "--engine", choices=ENGINES, help="inference engine (default: the first installed)"
    )
    parser.add_argument(
        "--rounds", type=int, metavar="N", help="of each measurement (default: what fits 10 s)"
    )
    parser.add_argument(
        "--processes", type=int, default=5, metavar="N", help="cold starts per model (default: 5)"
    )
    parser.add_argument(
        "--minutes", type=float, default=0.0, metavar="M", help="add a sustained run per model"
    )
    parser.add_argument("--profile", action="store_true", help="add the time of each operator")
    parser.add_argument("--force", action="store_true", help="measure on a busy machine, too")
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    """Measure; return 1 if `--compare` finds a regression."""
    from ..artifact.packaged import choose_model
    from ..bench.model_under_test import BenchSettings
    from ..bench.regression import compare_bench
    from ..bench.results import read_bench
    from ..bench.runner import bench
    from ..documents import write_document
    from ..files import check_not_input

    settings = BenchSettings(
        threads=args.threads,
        engine=args.engine,
        rounds=args.rounds,
        processes=args.processes,
        audio=args.audio,
        minutes=args.minutes,
        profile=args.profile,
        force=args.force,
    )
    if args.json:
        check_not_input(args.json, [*args.models, *([args.audio] if args.audio else [])])
    old = read_bench(args.compare) if args.compare else None  # before minutes are spent
    models = [choose_model(model) for model in args.models]
    document = bench(models, settings, tell=_tell)
    if args.json:
        write_document(args.json, document)
    _print_document(document)
    if old is None:
        return 0
    comparison = compare_bench(old, document)
    _print_comparison(comparison)
    return int(comparison.regressed)


def _tell(what: str) -> None:
    if sys.stderr.isatty():
        print(f"\r\033[K{what}", end="", file=sys.stderr, flush=True)


def _print_document(document: BenchDocument) -> None:
    if sys.stderr.isatty():
        print("\r\033[K", end="", file=sys.stderr)
    machine = document.machine
    board = f"{machine.board}, " if machine.board else ""
    print(f"{board}{machine.cpu}, {machine.cores} cores, {machine.system}")
    for model in document.models:
        _print_model(model)
    for speedup in document.speedups:
        alone, total = speedup.engine_alone, speedup.total
        print(
            f"\n{speedup.model} by {speedup.first}: engine {alone.median:.2f}x as fast "
            f"[{alone.ci95[0]:.2f}, {alone.ci95[1]:.2f}], file to genre {total.median:.2f}x "
            f"[{total.ci95[0]:.2f}, {total.ci95[1]:.2f}]"
        )
    for warning in document.conditions.warnings:
        print(f"warning: {warning}", file=sys.stderr)


def _print_model(model: ModelBench) -> None:
    stream, offline, memory = model.single_stream, model.offline, model.memory
    limit = model.efficiency
    print(
        f"\n{model.model}  {model.bytes:,} bytes ({model.gzip_bytes:,} gzip), {model.engine}"
        f"\n  {'ms':<22} {'p50':>9} {'p90':>9} {'p95':>9} {'p99':>9} {'max':>9}  mean +- sd"
    )
    rows = {
        **{name: getattr(stream, name) for name in ("decode", "resample", "features", "inference")},
        f"total, {stream.audio_s:g} s clip": stream.total,
        "engine alone, 1 window": model.engine_alone,
        f"offline, {offline.audio_s:g} s clip": offline.total,
        "cold start": model.cold_start.total,
    }
    for name, latency in rows.items():
        print(f"  {name:<22} {_columns(latency)}")
    print(
        f"  offline: {offline.windows_per_s:.1f} windows/s, {1 / offline.realtime_factor:.0f}x "
        "faster than the music; engine alone in batches: "
        + ", ".join(f"{b.windows}: {b.windows_per_s:.0f}/s" for b in offline.batches)
    )
    print(
        f"  memory: peak {memory.peak / 2**20:.1f} MiB, {memory.model / 2**20:.1f} MiB of it the "
        "model's"
    )
    print(
        f"  {limit.operations.macs / 1e6:.3g} M MAC ({limit.operations.arithmetic}) at "
        f"{limit.macs_per_s / 1e9:.3g} G/s: {limit.share:.1%} of {limit.ceiling.engine}'s "
        f"{limit.ceiling.macs_per_s / 1e9:.1f} G/s ({limit.ceiling.arithmetic})"
    )
    if model.threads:
        points = (f"{p.threads}: {p.latency.p50_ms:.3f} ms" for p in model.threads)
        print(f"  threads: {', '.join(points)}")
    _print_sustained(model)
    for operator in model.profile:
        print(
            f"  {operator.share:6.1%}  {operator.operator} x{operator.calls}: {operator.ms:.3f} ms"
        )


def _print_sustained(model: ModelBench) -> None:
    sustained = model.sustained
    if sustained is None:
        return
    text = (
        f"  sustained {sustained.seconds / 60:.1f} min: p50 {sustained.latency.p50_ms:.2f} ms, "
        f"the end {sustained.slowdown:.2f}x the start"
    )
    heat = [p.temperature_c for p in sustained.points if p.temperature_c is not None]
    clocks = [p.clock_mhz for p in sustained.points if p.clock_mhz is not None]
    if heat:
        text += f", up to {max(heat):.0f} C"
    if clocks:
        text += f", {min(clocks):.0f} to {max(clocks):.0f} MHz"
    if throttled := sorted({name for p in sustained.points for name in p.throttled}):
        text += f", {', '.join(throttled)}"
    elif sustained.throttle_events:
        text += f", throttled {sustained.throttle_events} times"
    if sustained.energy_per_prediction_j is not None:
        text += f", {sustained.energy_per_prediction_j:.3f} J per clip"
    print(text)


def _columns(latency: Latency) -> str:
    numbers = (latency.p50_ms, latency.p90_ms, latency.p95_ms, latency.p99_ms, latency.max_ms)
    columns = " ".join(f"{ms:>9.3f}" for ms in numbers)
    return f"{columns}  {latency.mean_ms:.3f} +- {latency.sd_ms:.3f}"


def _print_comparison(comparison: BenchComparison) -> None:
    print("\ncompared with the older file")
    for change in comparison.changes:
        verdict = "WORSE" if change.regressed else "ok"
        digits = ",.0f" if change.unit == "bytes" else ".3f"
        print(
            f"  {verdict:<5}  {change.model}  {change.quantity}: {change.before:{digits}} -> "
            f"{change.after:{digits}} {change.unit}"
        )
    for warning in comparison.warnings:
        print(f"warning: {warning}", file=sys.stderr)
