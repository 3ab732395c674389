"""`genrekit classify`: ranked genres of songs."""

from __future__ import annotations

import argparse
import json
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from .errors import GenreKitError

if TYPE_CHECKING:
    from .classifier import GenreClassifier
    from .cli import Subparsers
    from .prediction import Prediction

_EPILOG = """\
examples:
  genrekit classify song.wav --model resnet18_int8.onnx
  genrekit classify *.wav --model mlp_pruned.tflite --json
  genrekit classify long_mix.wav --model resnet18_int8.onnx --segments
"""


def register(subparsers: Subparsers) -> None:
    """Add the command to the parser."""
    parser = subparsers.add_parser(
        "classify",
        help="name the genre of songs",
        description="Name the genre of songs: the mean probability over windows of the file.",
        epilog=_EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("files", nargs="+", metavar="FILE", type=Path, help="songs")
    add_model_options(parser)
    parser.add_argument("--segments", action="store_true", help="print the timeline too")
    parser.add_argument(
        "--top", type=int, default=3, metavar="N", help="genres to print (default: %(default)s)"
    )
    parser.add_argument("--json", action="store_true", help="one JSON object per file and line")
    parser.set_defaults(run=run)


def add_model_options(parser: argparse.ArgumentParser) -> None:
    """Add the options that choose a model and how it runs."""
    from .engines import ENGINES

    parser.add_argument(
        "--model", type=Path, required=True, metavar="M", help=".onnx or .tflite of genrekit export"
    )
    parser.add_argument(
        "--threads", type=int, default=1, metavar="N", help="of one inference (default: 1)"
    )
    parser.add_argument(
        "--engine", choices=ENGINES, help="inference engine (default: the first installed)"
    )


def run(args: argparse.Namespace) -> int:
    """Classify every file; return 1 if any failed."""
    from .classifier import GenreClassifier

    classifier = GenreClassifier.load(args.model, threads=args.threads, engine=args.engine)
    if classifier.engine_name == "numpy" and args.engine is None:
        extra = classifier.artifact.format
        print(
            f"genrekit: no engine for .{extra} is installed, NumPy runs it, slower: "
            f'pip install "genrekit[{extra}]"',
            file=sys.stderr,
        )
    failed = False
    for file in args.files:
        try:
            prediction = classifier.classify(file)
        except (GenreKitError, OSError) as error:
            failed = True
            _report_failure(file, error, as_json=args.json)
            continue
        if args.json:
            print(_to_json(file, prediction, args.model), flush=True)
        else:
            _print_prediction(file, prediction, classifier, top=args.top, segments=args.segments)
    return int(failed)


def _to_json(file: Path, prediction: Prediction, model: Path) -> str:
    return json.dumps({"file": str(file), **prediction.to_dict(), "model": str(model)})


def _report_failure(file: Path, error: Exception, *, as_json: bool) -> None:
    text = " ".join(str(error).split())
    if as_json:
        print(json.dumps({"file": str(file), "error": text}), flush=True)
    else:
        print(f"genrekit: {text}", file=sys.stderr)


def _print_prediction(
    file: Path, prediction: Prediction, classifier: GenreClassifier, *, top: int, segments: bool
) -> None:
    total = prediction.latency_ms["total"]
    print(f"{file}: {prediction.label} ({prediction.probability:.0%})")
    width = max(len(label) for label in classifier.card.labels)
    for score in prediction.ranking[:top]:
        bar = "#" * round(30 * score.probability)
        print(f"  {score.label:<{width}}  {score.probability:6.1%}  {bar}")
    if segments:
        for segment in prediction.segments:
            print(
                f"  {segment.start_s:7.2f} .. {segment.end_s:7.2f} s  "
                f"{segment.label:<{width}}  {segment.probability:6.1%}"
            )
    print(
        f"  {prediction.duration_s:.1f} s of audio, {len(prediction.segments)} windows, "
        f"{total:.0f} ms with {classifier.engine_name}"
    )
