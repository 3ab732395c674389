"""`genrekit inspect`: print a model's card."""

from __future__ import annotations

import argparse
import json
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from ..artifact.card import Accuracy
    from ..artifact.container import Artifact
    from .main import Subparsers


def register(subparsers: Subparsers) -> None:
    """Add the command to the parser."""
    parser = subparsers.add_parser(
        "inspect",
        help="print the card of a model",
        description="Check a model file's hashes and print its card; no engine is needed.",
        epilog="example:\n  genrekit inspect resnet18_int8.onnx --json",
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("model", metavar="FILE", help=".onnx or .tflite of genrekit export")
    parser.add_argument("--json", action="store_true", help="print the card itself, as JSON")
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> None:
    """Print the card of `args.model`."""
    from ..artifact.container import read_artifact
    from ..strict_json import encode

    artifact = read_artifact(args.model)
    if args.json:
        print(json.dumps(encode(artifact.card), indent=2, ensure_ascii=False))
        return
    for name, text in _rows(artifact):
        print(f"{name:<14} {text}")


def _rows(artifact: Artifact) -> list[tuple[str, str]]:
    card = artifact.card
    config = card.features
    rows = [
        ("model", f"{card.name} ({artifact.format}, {artifact.size:,} bytes)"),
        ("labels", ", ".join(card.labels)),
        ("audio", f"{config.sample_rate} Hz, n_fft {config.n_fft}, hop {config.hop_length}"),
        (
            "windows",
            f"{card.windowing.window_s} s every {card.windowing.hop_s} s, "
            f"shorter audio: {card.windowing.short}, {card.aggregation}",
        ),
    ]
    for item in card.inputs:
        shape = " x ".join(str(size) for size in item.shape)
        rows.append(
            ("input", f"{item.name}: {item.feature}, {shape}, {item.normalisation.kind} scaling")
        )
    synthetic = " (synthetic)" if card.training.synthetic else ""
    rows += [
        ("architecture", card.training.architecture),
        ("data", f"{card.training.data}{synthetic}, {card.training.split}"),
        *(("accuracy", _accuracy(entry)) for entry in card.training.accuracy),
        ("compression", " -> ".join(card.compression.steps) or "none"),
        ("licence", card.licence),
        ("intended use", card.intended_use),
        ("limits", card.limits),
        ("model sha256", card.model_sha256),
    ]
    return rows


def _accuracy(entry: Accuracy) -> str:
    low, high = entry.ci95
    return f"{entry.accuracy:.3f} [{low:.3f}, {high:.3f}] on {entry.n} tracks, {entry.split}"
