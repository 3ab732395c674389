"""The command `genrekit export`: parse, check, call, tell."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import TYPE_CHECKING, TypeAlias

if TYPE_CHECKING:
    from genrekit.train.evaluation.metrics import Share

    from ..exporter import ExportReport

Subparsers: TypeAlias = "argparse._SubParsersAction[argparse.ArgumentParser]"

_EXAMPLES = """\
examples:
  genrekit export runs/resnet18 --out resnet18_int8.onnx
  genrekit export runs/mlp --out mlp_pruned.tflite --sparsity 0.9
  genrekit export runs/resnet18 --out resnet18.onnx --fp32
"""


def export(subparsers: Subparsers) -> None:
    """Add `genrekit export`."""
    parser = subparsers.add_parser(
        "export",
        help="make one small file of a trained model",
        description=(
            "Compress a trained model, compare it with what it was made from, and write it with "
            "its card as one file: int8 .onnx of a torch model, pruned .tflite of a tf_keras one."
        ),
        epilog=_EXAMPLES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("model_run", type=Path, metavar="RUN", help="folder of genrekit train")
    parser.add_argument(
        "--out", type=Path, required=True, metavar="FILE", help="*.onnx or *.tflite"
    )
    parser.add_argument("--fp32", action="store_true", help="do not compress")
    parser.add_argument(
        "--calibration-tracks",
        type=int,
        default=256,
        metavar="N",
        help="training tracks that give one window each (default: 256)",
    )
    parser.add_argument(
        "--method",
        default="minmax",
        choices=("minmax", "entropy", "percentile"),
        help="of calibration (default: minmax)",
    )
    parser.add_argument(
        "--sparsity",
        type=float,
        default=0.9,
        metavar="X",
        help="share of a .tflite model's weights to prune (default: 0.9)",
    )
    parser.add_argument(
        "--test-data",
        type=Path,
        metavar="DIR",
        help="folder of songs to compare on, instead of the run's test tracks",
    )
    parser.add_argument("--licence", default="not stated", metavar="TEXT", help="for the card")
    parser.add_argument("--json", action="store_true", help="print one JSON object")
    parser.set_defaults(run=_run)


def _run(args: argparse.Namespace) -> None:
    import json

    from genrekit.strict_json import encode
    from genrekit.train.commands.progress import progress_bars
    from genrekit.train.data.datasets import audio_source
    from genrekit.train.runs.run import Run

    from ..exporter import ExportOptions, export_run

    options = ExportOptions(
        compress=not args.fp32,
        calibration_tracks=args.calibration_tracks,
        method=args.method,
        sparsity=args.sparsity,
        licence=args.licence,
        test_data=audio_source(args.test_data) if args.test_data else None,
    )
    with progress_bars() as show:
        report = export_run(Run.load(args.model_run), args.out, options, progress=show)
    print(json.dumps(encode(report), ensure_ascii=False) if args.json else describe(report))


def describe(report: ExportReport) -> str:
    """Tell a person what was written and how it compares."""
    proof = report.proof
    low, high = proof.tracks.ci95
    lines = [
        report.path,
        *(f"  {step}" for step in report.steps or ("float, not compressed",)),
        f"size        {report.bytes:,} bytes with card, float {report.source_bytes:,}: "
        f"{report.ratio:.2f}x smaller; gzip {report.gzip_bytes:,}",
        f"compared on {report.tracks}, n={proof.tracks.n}, in {report.engine}",
        f"accuracy    before {_percent(proof.before)}, after {_percent(proof.after)}",
        f"difference  {100 * proof.tracks.difference:+.2f} points (95 % interval "
        f"{100 * low:+.2f} to {100 * high:+.2f}), {proof.tracks.lost} tracks lost, "
        f"{proof.tracks.gained} gained, McNemar p = {proof.tracks.p_value:.2g}",
        f"same label  {_percent(proof.tracks.agreement)} of tracks, "
        f"{_percent(proof.windows)} of windows",
        f"logits      differ by {proof.logit_rms:.3g} (RMS), at most {proof.logit_difference:.3g}",
        f"verified    logits of the reference signal within {report.logit_tolerance:.2g}",
    ]
    return "\n".join(lines)


def _percent(share: Share) -> str:
    if share.value is None or share.ci95 is None:
        return "-"
    return f"{share.value:.1%} ({share.ci95[0]:.1%} to {share.ci95[1]:.1%})"
