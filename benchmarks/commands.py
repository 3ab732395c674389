"""The commands `genrekit evaluate`, `reproduce` and `report`: parse, check, call, tell."""

from __future__ import annotations

import argparse
import json
import os
from pathlib import Path
from typing import TYPE_CHECKING, TypeAlias

if TYPE_CHECKING:
    from .evaluation import Evaluation

Subparsers: TypeAlias = "argparse._SubParsersAction[argparse.ArgumentParser]"

_EPILOG = """\
examples:
  genrekit evaluate resnet18_int8.onnx --data unseen_songs
  genrekit evaluate resnet18_fp32.onnx resnet18_int8.onnx --data unseen_songs --json
"""

_REPORT_EPILOG = """\
examples:
  genrekit bench *.onnx *.tflite --json bench.json
  genrekit evaluate *.onnx *.tflite --data unseen_songs --json > evaluation.json
  genrekit report runs/resnet18 bench.json evaluation.json -o report.html
"""


_REPRODUCE_EPILOG = """\
examples:
  genrekit data synth music --tracks-per-genre 40
  genrekit reproduce --data music --out reproduction
  genrekit reproduce --data gtzan --protocol filtered --only features-svm
"""


def evaluate(subparsers: Subparsers) -> None:
    """Add `genrekit evaluate`."""
    parser = subparsers.add_parser(
        "evaluate",
        help="accuracy of models on labelled songs, compared in pairs",
        description=(
            "Classify every song of DATA/<genre>/ through the runtime, as a device does, and print "
            "each model's accuracy with its 95 %% interval. The other models are compared with the "
            "first on the same songs. DATA must be songs that no model was trained on."
        ),
        epilog=_EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("models", nargs="+", type=Path, metavar="MODEL", help=".onnx or .tflite")
    parser.add_argument("--data", type=Path, required=True, help="folder with one folder per genre")
    parser.add_argument(
        "--jobs", type=int, default=os.cpu_count() or 1, metavar="N", help="processes"
    )
    parser.add_argument("--json", action="store_true", help="print one JSON object")
    parser.set_defaults(run=_run_evaluate)


def report(subparsers: Subparsers) -> None:
    """Add `genrekit report`."""
    parser = subparsers.add_parser(
        "report",
        help="one page of trainings and measurements",
        description="Write one self-contained HTML page: tables and charts, light and dark.",
        epilog=_REPORT_EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument(
        "sources",
        nargs="+",
        type=Path,
        metavar="RUN_OR_JSON",
        help="run folders; JSON of genrekit bench, of genrekit evaluate, of benchmarks.peers",
    )
    parser.add_argument(
        "-o", "--out", type=Path, default=Path("report.html"), help="default: %(default)s"
    )
    parser.add_argument("--title", default="genrekit report", help="default: %(default)s")
    parser.set_defaults(run=_run_report)


def reproduce(subparsers: Subparsers) -> None:
    """Add `genrekit reproduce`."""
    parser = subparsers.add_parser(
        "reproduce",
        help="rebuild every system of the student report and evaluate it honestly",
        description=(
            "Train every system of the student report on DIR and write OUT/report.json, "
            "OUT/report.md and figures. A run that was killed goes on where it was; finished "
            "cells are kept in WORK. Leaky protocols are labelled LEAKY in every output."
        ),
        epilog=_REPRODUCE_EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--data", type=Path, required=True, metavar="DIR", help="GTZAN-shaped")
    parser.add_argument(
        "--only", nargs="+", default=[], metavar="SYSTEM", help="some systems; see --list"
    )
    parser.add_argument(
        "--protocol",
        nargs="+",
        default=["report", "track"],
        metavar="NAME",
        help="report, track, filtered, artist-folds (default: report track)",
    )
    parser.add_argument("--out", type=Path, default=Path("reproduction"), metavar="OUT")
    parser.add_argument("--work", type=Path, metavar="WORK", help="default: OUT/runs")
    parser.add_argument("--pixels", type=int, metavar="N", help="per side of a plot; default: 96")
    parser.add_argument(
        "--pretrained", action="store_true", help="ResNet18 begins with ImageNet's weights"
    )
    parser.add_argument("--device", default="auto", choices=("auto", "cpu", "cuda"))
    parser.add_argument("--jobs", type=int, metavar="N", help="processes; default: one per core")
    parser.add_argument(
        "--export",
        action="store_true",
        help="also make each model a file, verify it, classify songs with it, and time it",
    )
    parser.add_argument("--list", action="store_true", help="say what would be done")
    parser.set_defaults(run=_run_reproduce)


def _run_reproduce(args: argparse.Namespace) -> int:
    import sys

    from .reproduction.collection import open_collection
    from .reproduction.experiments import Bench
    from .reproduction.picture_systems import declare_pictures
    from .reproduction.reproduce import names, plan, reproduce
    from .reproduction.systems import PIXELS, declare

    bench = Bench(
        collection=open_collection(args.data),
        systems=(
            *declare(args.pixels or PIXELS, pretrained=args.pretrained),
            *declare_pictures(),
        ),
        work=args.work or args.out / "runs",
        device=args.device,
        jobs=args.jobs,
        export=args.export,
        say=lambda line: print(line, file=sys.stderr, flush=True),
    )
    tasks = plan(bench, args.protocol, args.only)
    if args.list:
        print("\n".join(names(tasks)))
        return 0
    rows = reproduce(bench, tasks, args.out, pictures=not args.only)
    done = sum(row.value is not None for row in rows)
    print(f"{args.out / 'report.md'}: {done} of {len(rows)} rows measured")
    return int(not done)


def _run_report(args: argparse.Namespace) -> None:
    from genrekit.files import write_whole

    from .report.page import report

    write_whole(args.out, report(args.sources, title=args.title))
    print(args.out)


def _run_evaluate(args: argparse.Namespace) -> None:
    from genrekit.strict_json import encode
    from genrekit.train.commands.progress import progress_bars

    from .evaluation import evaluate

    with progress_bars() as show:
        outcome = evaluate(
            args.models,
            args.data,
            jobs=args.jobs,
            on_progress=lambda done, total: show("classifying", done, total),
        )
    print(json.dumps(encode(outcome)) if args.json else _table(outcome))


def _table(outcome: Evaluation) -> str:
    lines = [f"{'model':<32} {'bytes':>11}  accuracy [95 % interval], n"]
    for judgement in outcome.judgements:
        accuracy = judgement.scores.accuracy
        if accuracy.value is None or accuracy.ci95 is None:
            continue
        low, high = accuracy.ci95
        lines.append(
            f"{Path(judgement.model).name:<32} {judgement.bytes:>11,}  "
            f"{accuracy.value:.3f} [{low:.3f}, {high:.3f}], {accuracy.n}"
        )
        if paired := judgement.against_first:
            low, high = paired.ci95
            lines.append(
                f"    against the first: {paired.difference:+.3f} [{low:+.3f}, {high:+.3f}], "
                f"same label {paired.agreement.value:.1%}, McNemar p = {paired.p_value:.2f}"
            )
    lines += [f"left out: {reason}" for reason in outcome.unreadable]
    return "\n".join(lines)
