"""`genrekit verify`: prove that this machine computes what the exporter computed."""

from __future__ import annotations

import argparse
import json
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from .main import Subparsers


def register(subparsers: Subparsers) -> None:
    """Add the command to the parser."""
    from ..engines.registry import ENGINES

    parser = subparsers.add_parser(
        "verify",
        help="check a model on this machine against its card",
        description=(
            "Feed the reference signal through features and model, and compare with the values "
            "stored at export time. Exit status 0 if all agree, else 1."
        ),
        epilog="example:\n  genrekit verify resnet18_int8.onnx",
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("model", metavar="FILE", help=".onnx or .tflite, or a packaged name")
    parser.add_argument("--threads", type=int, default=1, metavar="N", help="default: 1")
    parser.add_argument("--engine", choices=ENGINES, help="default: the first installed")
    parser.add_argument("--json", action="store_true", help="print one JSON object")
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    """Verify `args.model`; return 1 if a check fails."""
    from ..artifact.container import read_artifact
    from ..artifact.packaged import choose_model
    from ..classify.verification import verify

    artifact = read_artifact(choose_model(args.model))
    outcome = verify(artifact, threads=args.threads, engine=args.engine)
    if args.json:
        document = {
            "model": args.model,
            "passed": outcome.passed,
            "engine": outcome.engine,
            "label": outcome.label,
            "expected_label": outcome.expected_label,
            "model_sha256": artifact.card.model_sha256,
            "checks": [
                {
                    "what": check.what,
                    "difference": check.difference,
                    "tolerance": check.tolerance,
                    "passed": check.passed,
                }
                for check in outcome.checks
            ],
        }
        print(json.dumps(document))
        return int(not outcome.passed)
    print(f"model and card SHA-256: ok ({artifact.size:,} bytes)")
    for check in outcome.checks:
        verdict = "ok" if check.passed else "FAILED"
        print(
            f"{check.what}: {verdict} (largest difference {check.difference:.2g}, "
            f"tolerance {check.tolerance:.2g})"
        )
    print(f"label: {outcome.label} (expected {outcome.expected_label})")
    print(f"{args.model}: {'verified' if outcome.passed else 'NOT verified'} with {outcome.engine}")
    return int(not outcome.passed)
