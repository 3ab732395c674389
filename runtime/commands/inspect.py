"""`genrekit inspect`: print a model's card."""

from __future__ import annotations

import argparse
import json
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from ..artifact.card import Card
    from ..artifact.container import Artifact
    from ..artifact.sections import Accuracy
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
    parser.add_argument(
        "model",
        nargs="?",
        metavar="FILE",
        help=".onnx or .tflite, or a name of 'genrekit models' (default: the packaged model)",
    )
    parser.add_argument("--json", action="store_true", help="print the card itself, as JSON")
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> None:
    """Print the card of `args.model`."""
    from ..artifact.container import read_artifact
    from ..artifact.packaged import choose_model
    from ..strict_json import encode

    artifact = read_artifact(choose_model(args.model))
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
    if config.level_rms is not None:
        floor = f", silent below {config.silence_rms:g}" if config.silence_rms else ""
        rows.append(("level", f"each window brought to an RMS of {config.level_rms:g}{floor}"))
    synthetic = " (synthetic)" if card.training.synthetic else ""
    rows += [
        ("architecture", card.training.architecture),
        ("data", f"{card.training.data}{synthetic}, {card.training.split}"),
        *(("accuracy", _accuracy(entry)) for entry in card.training.accuracy),
        *_rules(card),
        ("compression", " -> ".join(card.compression.steps) or "none"),
        ("licence", card.licence),
        ("intended use", card.intended_use),
        ("limits", card.limits),
        ("model sha256", card.model_sha256),
    ]
    return rows


def _rules(card: Card) -> list[tuple[str, str]]:
    """Describe what the card says beside genres: unknown sounds, calibration, notice."""
    rows = []
    if card.unknown:
        rule = card.unknown
        rows.append(("unknown", f"{rule.rule} above {rule.threshold:.4g}"))
        rows.append(("kept", _accuracy(rule.kept)))
    if card.calibration:
        low, high = card.calibration.ci95
        rows.append(
            (
                "calibration",
                f"error {card.calibration.error:.3f} [{low:.3f}, {high:.3f}], "
                f"n = {card.calibration.n}",
            )
        )
    if card.notice:
        rows.append(("notice", " ".join(card.notice.split())))
    return rows


def _accuracy(entry: Accuracy) -> str:
    low, high = entry.ci95
    return f"{entry.accuracy:.3f} [{low:.3f}, {high:.3f}] on {entry.n} tracks, {entry.split}"
