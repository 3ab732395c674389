"""The command `genrekit data`: parse, check, call, tell."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path
from typing import TypeAlias

Subparsers: TypeAlias = "argparse._SubParsersAction[argparse.ArgumentParser]"

_DATA_EXAMPLES = """\
examples:
  genrekit data synth build/music --tracks-per-genre 60 --seed 0
  genrekit data get gtzan ~/gtzan
  genrekit data get musicnn weights
  genrekit data check ~/gtzan/genres_original
  genrekit data check ~/gtzan/genres_original --json > report.json
"""


def data(subparsers: Subparsers) -> None:
    """Add `genrekit data`."""
    parser = subparsers.add_parser(
        "data",
        help="make, fetch or check a folder of songs",
        description="Make, fetch or check a folder of songs, one folder per genre.",
        epilog=_DATA_EXAMPLES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    actions = parser.add_subparsers(title="actions", metavar="ACTION", required=True)
    synth = actions.add_parser("synth", help="compose music in ten genres")
    synth.add_argument("out", type=Path, metavar="OUT", help="folder to fill")
    synth.add_argument("--tracks-per-genre", type=int, default=60, metavar="N", help="default: 60")
    synth.add_argument("--seed", type=int, default=0, help="default: 0")
    synth.add_argument(
        "--duration", type=float, default=30.0, metavar="SECONDS", help="per track; default: 30"
    )
    synth.add_argument("--jobs", type=int, metavar="N", help="processes; default: one per core")
    synth.set_defaults(run=_run_synth)
    get = actions.add_parser(
        "get",
        help="fetch a collection from the network",
        description=(
            "gtzan: fetch GTZAN (1.2 GB) through mirdata, verify its checksums and lay it out as "
            "OUT/genres_original/<genre>/. The music is research data: no licence covers it. "
            "musicnn: fetch its wheel (29 MB) through pip, check its SHA-256 and write the "
            "pretrained weights as safetensors, with their licence."
        ),
    )
    get.add_argument("collection", choices=("gtzan", "musicnn"))
    get.add_argument("out", type=Path, metavar="OUT", help="folder to fill")
    get.add_argument("--wheel", type=Path, metavar="FILE", help="of musicnn, without a network")
    get.set_defaults(run=_run_get)
    check = actions.add_parser(
        "check",
        help="look for unreadable, silent, copied and mislabelled tracks",
        description="Exit status: 0 if nothing was found, 1 otherwise.",
    )
    check.add_argument("folder", type=Path, metavar="DIR", help="<genre>/<track>.wav and so on")
    check.add_argument("--json", action="store_true", help="one JSON object instead of a table")
    check.set_defaults(run=_run_check)


def _run_synth(args: argparse.Namespace) -> None:
    from ..synth.generator import write_synthetic
    from .progress import progress_bars

    with progress_bars() as show:
        write_synthetic(
            args.out,
            tracks_per_genre=args.tracks_per_genre,
            seed=args.seed,
            duration_s=args.duration,
            jobs=args.jobs,
            on_progress=lambda done, total: show("composing", done, total),
        )
    print(f"{args.out}: {args.tracks_per_genre} synthetic tracks in each genre, seed {args.seed}")


def _run_get(args: argparse.Namespace) -> None:
    if args.collection == "musicnn":
        from ..data.musicnn import fetch_musicnn

        for path in fetch_musicnn(args.out, wheel=args.wheel):
            print(f"{path}: written, SHA-256 of the wheel verified")
        return
    from ..data.gtzan_download import FOLDER, fetch_gtzan

    songs = fetch_gtzan(args.out, say=lambda line: print(line, file=sys.stderr))
    print(f"{args.out / FOLDER}: {songs} songs, checksums verified")


def _run_check(args: argparse.Namespace) -> int:
    import json

    from genrekit.strict_json import encode

    from ..data.checking import check_folder, describe
    from .progress import progress_bars

    with progress_bars() as show:
        report = check_folder(args.folder, lambda done, total: show("reading", done, total))
    print(json.dumps(encode(report), ensure_ascii=False) if args.json else describe(report))
    return 1 if report.findings else 0
