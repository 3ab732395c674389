"""`genrekit classify`: ranked genres of songs, or of whole folders."""

from __future__ import annotations

import argparse
import json
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from ..errors import ConfigError
from .printable import printable

if TYPE_CHECKING:
    from ..artifact.container import Artifact
    from ..classify.classifier import GenreClassifier
    from ..classify.prediction import Prediction
    from ..library.jobs import ModelChoice
    from ..library.result_files import ResultsFile
    from .main import Subparsers

_EPILOG = """\
examples:
  genrekit classify song.wav --model resnet18_int8.onnx
  genrekit classify *.wav --model mlp_pruned.tflite --json
  genrekit classify long_mix.wav --model resnet18_int8.onnx --segments
  genrekit classify ~/Music -r --jobs 4 --out genres.csv

--out ends in .csv, .jsonl or .parquet. Rows are written as songs are done; run the same command
again to go on where it stopped.
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
    parser.add_argument("files", nargs="+", metavar="FILE", type=_song, help="songs or folders")
    add_model_options(parser)
    parser.add_argument("-r", "--recursive", action="store_true", help="descend into subfolders")
    parser.add_argument(
        "--jobs", type=int, default=1, metavar="N", help="songs at a time (default: 1)"
    )
    parser.add_argument("--out", type=Path, metavar="FILE", help="write a row per song to a file")
    parser.add_argument("--segments", action="store_true", help="print the timeline too")
    parser.add_argument(
        "--top", type=int, default=3, metavar="N", help="genres to print (default: %(default)s)"
    )
    parser.add_argument(
        "--min-probability",
        type=float,
        default=0.0,
        metavar="P",
        help="name no genre that is less probable (default: 0)",
    )
    parser.add_argument("--json", action="store_true", help="one JSON object per file and line")
    parser.set_defaults(run=run)


def _song(name: str) -> Path:
    if not name:  # which as a path would be the folder we are in
        raise argparse.ArgumentTypeError("a name is empty")
    return Path(name)


def add_model_options(parser: argparse.ArgumentParser) -> None:
    """Add the options that choose a model and how it runs."""
    from ..engines.registry import ENGINES

    parser.add_argument(
        "--model",
        type=Path,
        metavar="M",
        help=".onnx or .tflite of genrekit export, or a name of 'genrekit models' (default: the "
        "packaged model)",
    )
    parser.add_argument(
        "--threads", type=int, default=1, metavar="N", help="of one inference (default: 1)"
    )
    parser.add_argument(
        "--engine", choices=ENGINES, help="inference engine (default: the first installed)"
    )


def _load(args: argparse.Namespace) -> tuple[GenreClassifier, ModelChoice]:
    """Load the model that the options name."""
    from ..artifact.packaged import choose_model
    from ..library.jobs import ModelChoice

    if not 0.0 <= args.min_probability <= 1.0:
        raise ConfigError(f"--min-probability {args.min_probability}: must be 0..1")
    choice = ModelChoice(
        path=choose_model(args.model),
        threads=args.threads,
        engine=args.engine,
        min_probability=args.min_probability,
    )
    classifier = choice.load()
    tell_fallback(classifier.engine_name, classifier.artifact, asked=args.engine)
    return classifier, choice


def tell_fallback(engine_name: str, artifact: Artifact, *, asked: str | None) -> None:
    """Tell where NumPy stands in for an engine that nobody asked it to replace."""
    if engine_name == "numpy" and asked is None:
        print(
            f"genrekit: no engine for .{artifact.format} is installed, NumPy runs it, slower: "
            f'pip install "genrekit[{artifact.format}]"',
            file=sys.stderr,
        )


def run(args: argparse.Namespace) -> int:
    """Classify every song; return 1 if any failed."""
    from ..library.batch import classify_songs
    from ..library.finding import find_songs

    if args.out and (args.json or args.segments):
        raise ConfigError("--json and --segments print, --out writes a file: choose one")
    if args.top < 1:
        raise ConfigError(f"--top {args.top}: must be at least 1")
    classifier, choice = _load(args)
    if args.out:
        return _write(args, classifier, choice)
    failed = False
    songs = find_songs(args.files, recursive=args.recursive)
    for outcome in classify_songs(songs, classifier, choice, jobs=args.jobs):
        failed |= isinstance(outcome.result, str)
        if args.json:
            from ..library.result_rows import nested_row

            print(json.dumps(nested_row(outcome, str(choice.path))), flush=True)
        elif isinstance(outcome.result, str):
            print(f"genrekit: {printable(outcome.result)}", file=sys.stderr)
        else:
            name = printable(str(outcome.file))
            _print_prediction(
                name, outcome.result, classifier, top=args.top, segments=args.segments
            )
    return int(failed)


def _write(args: argparse.Namespace, classifier: GenreClassifier, choice: ModelChoice) -> int:
    """Classify what `--out` does not have yet, a row at a time."""
    from ..library.batch import classify_songs
    from ..library.finding import find_songs
    from ..library.result_rows import flat_row, nested_row
    from .progress import ProgressLine

    as_row = nested_row if args.out.suffix == ".jsonl" else flat_row
    with _open_results(args.out, classifier.card.labels, str(choice.path)) as results:
        total = before = 0
        for song in find_songs(args.files, recursive=args.recursive):
            total += 1
            before += str(song) in results.done
        songs = find_songs(args.files, recursive=args.recursive)
        missing = (song for song in songs if str(song) not in results.done)
        progress = ProgressLine(total, done=before)
        try:
            for outcome in classify_songs(missing, classifier, choice, jobs=args.jobs):
                results.write(as_row(outcome, str(choice.path)))
                progress.step(failed=isinstance(outcome.result, str))
        finally:
            progress.clear()
        results.finish()
    again = f", {before} were there" if before else ""
    print(
        f"genrekit: {args.out}: {progress.done - before} songs written, {progress.failed} of them "
        f"with an error{again}",
        file=sys.stderr,
    )
    return int(progress.failed > 0)


def _open_results(out: Path, labels: tuple[str, ...], model: str) -> ResultsFile:
    if out.suffix == ".parquet":
        from ..library.parquet import ParquetResults

        return ParquetResults(out, labels, model)
    from ..library.result_files import ResultsFile
    from ..library.result_rows import CsvRows, JsonRows, flat_columns

    if out.suffix == ".jsonl":
        return ResultsFile(out, JsonRows(), model)
    if out.suffix == ".csv":
        return ResultsFile(out, CsvRows(flat_columns(labels)), model)
    raise ConfigError(f"--out {out}: must end in .csv, .jsonl or .parquet")


def _print_prediction(
    name: str, prediction: Prediction, classifier: GenreClassifier, *, top: int, segments: bool
) -> None:
    from ..classify.decision import said_tags

    total = prediction.latency_ms["total"]
    card = classifier.card
    if prediction.reason:
        print(f"{name}: unknown ({prediction.reason})")
    elif card.task == "tags":
        print(f"{name}: {', '.join(said_tags(card, prediction)) or 'no tag'}")
    else:
        print(f"{name}: {prediction.label} ({prediction.probability:.0%})")
    width = max(len(label) for label in card.labels)
    for score in prediction.ranking[:top]:
        bar = "#" * round(30 * score.probability)
        print(f"  {score.label:<{width}}  {score.probability:6.1%}  {bar}")
    if segments:
        for segment in prediction.segments:
            print(
                f"  {segment.start_s:7.2f} .. {segment.end_s:7.2f} s  "
                f"{segment.label or 'unknown':<{width}}  {segment.probability:6.1%}"
            )
    print(
        f"  {prediction.duration_s:.1f} s of audio, {len(prediction.segments)} windows, "
        f"{total:.0f} ms with {classifier.engine_name}"
    )
