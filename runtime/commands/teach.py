"""`genrekit teach`: learn a person's genres from a handful of songs, on this device."""

from __future__ import annotations

import argparse
import io
import json
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ..errors import ConfigError
from .classify import add_model_options, tell_fallback

if TYPE_CHECKING:
    from ..artifact.container import Artifact
    from ..teach.estimate import Estimate
    from ..teach.examples import Example
    from ..teach.lesson import Lesson
    from .main import Subparsers

_EPILOG = """\
examples:
  genrekit teach SONGS --out mine.onnx            # SONGS/<genre>/<song>, or <genre>/<artist>/<song>
  genrekit teach MORE_SONGS --add --out mine.onnx # learn from these too, without the old ones
  genrekit classify song.mp3 --model mine.onnx

One song a genre is enough to begin with, four are good. What is heard in a song is kept in the
cache, so that a second run takes seconds; mine.teach.npz beside the model holds what --add needs.
"""


def register(subparsers: Subparsers) -> None:
    """Add the command to the parser."""
    parser = subparsers.add_parser(
        "teach",
        help="learn your own genres from a handful of songs",
        description=(
            "Learn genres from folders of songs, on top of the packaged model. The estimate is "
            "cross-validated; the model learns from all songs."
        ),
        epilog=_EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("songs", type=Path, metavar="SONGS", help="a folder with one of each genre")
    parser.add_argument("--out", type=Path, required=True, metavar="FILE", help="*.onnx to write")
    parser.add_argument(
        "--add", action="store_true", help="add these songs to those that FILE was taught before"
    )
    parser.add_argument("--plot", type=Path, metavar="PNG", help="draw the learning curve")
    parser.add_argument("--json", action="store_true", help="print one JSON object")
    add_model_options(parser)
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> None:
    """Listen, learn, write, tell."""
    from ..artifact.packaged import choose_model
    from ..classify.classifier import GenreClassifier
    from ..teach.artifact import kept_beside, write_taught
    from ..teach.examples import hear_examples, read_examples
    from ..teach.lesson import learn

    if args.out.suffix != ".onnx":
        raise ConfigError(f"--out {args.out}: must end in .onnx")
    packaged = GenreClassifier.load(
        choose_model(args.model), threads=args.threads, engine=args.engine
    )
    tell_fallback(packaged.engine_name, packaged.artifact, asked=args.engine)
    identity = packaged.card.model_sha256
    before = read_examples(kept_beside(args.out), identity) if args.add else []
    examples, faults = hear_examples(packaged, args.songs, _progress)
    # A song that was moved to another folder is learned anew, from where it is now.
    again = {example.digest for example in examples}
    examples = [example for example in before if example.digest not in again] + examples
    for fault in faults:
        print(f"genrekit: left out: {fault}", file=sys.stderr)
    lesson = learn(examples)
    artifact = write_taught(packaged.artifact, lesson, examples, args.out, engine=args.engine)
    if args.json:
        print(json.dumps(_document(artifact, lesson, examples, faults)))
    else:
        _tell(artifact, lesson, examples)
    if args.plot:
        _draw(lesson, args.plot)


def _progress(done: int, total: int) -> None:
    if sys.stderr.isatty():
        end = "\n" if done == total else ""
        print(f"\rlistening to song {done}/{total}", end=end, file=sys.stderr, flush=True)


def _document(
    artifact: Artifact, lesson: Lesson, examples: list[Example], faults: list[str]
) -> dict[str, Any]:
    from ..strict_json import encode

    return {
        "model": str(artifact.path),
        "bytes": artifact.size,
        "genres": list(lesson.genres),
        "songs": len(examples),
        "left_out": faults,
        "head": lesson.kind,
        "estimate": encode(lesson.estimate),
        "curve": [{"songs_per_genre": n, "accuracy": share} for n, share in lesson.curve],
    }


def _tell(artifact: Artifact, lesson: Lesson, examples: list[Example]) -> None:
    print(
        f"{artifact.path}: {len(lesson.genres)} genres from {len(examples)} songs, "
        f"{artifact.size:,} bytes, verified ({lesson.kind})"
    )
    estimate = lesson.estimate
    if estimate is None:
        print("no estimate: a genre has one song or one artist, so none can be held back")
        return
    low, high = estimate.ci95
    over = "artists" if estimate.by_artist else "songs"
    print(
        f"cross-validated over {over}: {estimate.accuracy:.0%} of {estimate.n} songs right "
        f"(95 % interval {low:.0%} to {high:.0%})"
    )
    _tell_confusion(lesson.genres, estimate)
    if estimate.doubted:
        print("doubted most (wrong folder?):")
        for name, genre, said, share in estimate.doubted:
            print(f"  {name}: sounds like {said}, {share:.0%} {genre}")
    if len(lesson.curve) > 1:
        steps = ", ".join(f"{count}: {share:.0%}" for count, share in lesson.curve)
        print(f"songs of each genre and right: {steps}")


def _tell_confusion(genres: tuple[str, ...], estimate: Estimate) -> None:
    width = max(len(genre) for genre in genres)
    print("true genre, and how often each was predicted:")
    for genre, row in zip(genres, estimate.confusion, strict=True):
        told = ", ".join(f"{g} {n}" for g, n in zip(genres, row, strict=True) if n)
        print(f"  {genre:<{width}}  {told}")


def _draw(lesson: Lesson, path: Path) -> None:
    """Draw the learning curve, where there is one and matplotlib is installed."""
    if not lesson.curve:
        print(f"genrekit: {path}: not drawn: too few songs for a curve", file=sys.stderr)
        return
    try:
        import matplotlib as mpl

        mpl.use("Agg")
        import matplotlib.pyplot as plt
    except ModuleNotFoundError:
        print(f"genrekit: {path}: not drawn: needs the package matplotlib", file=sys.stderr)
        return
    from ..files import write_whole

    counts, shares = zip(*lesson.curve, strict=True)
    figure, axes = plt.subplots(figsize=(5.0, 3.2), layout="constrained")
    axes.plot(counts, shares, marker="o")
    axes.set(xlabel="songs of each genre", ylabel="held-back songs right", ylim=(0.0, 1.0))
    axes.set_xticks(counts)
    axes.grid(alpha=0.3)
    buffer = io.BytesIO()
    figure.savefig(buffer, dpi=120, format="png")
    plt.close(figure)
    write_whole(path, buffer.getvalue())
