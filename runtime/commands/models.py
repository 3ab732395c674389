"""`genrekit models`: list the models in the wheel."""

from __future__ import annotations

import argparse
import json
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from ..artifact.card import Card
    from .main import Subparsers


def register(subparsers: Subparsers) -> None:
    """Add the command to the parser."""
    parser = subparsers.add_parser(
        "models",
        help="list the models in the wheel",
        description="List the packaged models; `--model NAME` takes one of them.",
        epilog="examples:\n  genrekit models\n  genrekit classify song.wav --model tiny",
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--json", action="store_true", help="print a JSON list")
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> None:
    """Print a paragraph for each model, or all as JSON."""
    from ..artifact.container import read_artifact
    from ..artifact.packaged import PURPOSES, packaged_models

    rows = []
    for name, path in packaged_models().items():
        artifact = read_artifact(path)
        rows.append(
            {
                "name": name,
                "purpose": PURPOSES[name],
                "bytes": artifact.size,
                **_row(artifact.card),
            }
        )
    if args.json:
        print(json.dumps(rows, indent=2, ensure_ascii=False))
        return
    for row in rows:
        print(f"{row['name']}: {row['purpose']} ({row['bytes']:,} bytes)")
        print(f"  labels    {', '.join(row['labels'])}")
        for measured in row["accuracy"]:
            low, high = measured["ci95"]
            print(
                f"  accuracy  {measured['accuracy']:.3f} [{low:.3f}, {high:.3f}], "
                f"n = {measured['n']}: {measured['split']}"
            )
        print(f"  data      {row['data']}")
        print(f"  licence   {row['licence']}")


def _row(card: Card) -> dict[str, Any]:
    from ..strict_json import encode

    return {
        "task": card.task,
        "labels": list(card.labels),
        "accuracy": encode(card.training.accuracy),
        "data": card.training.data,
        "licence": card.licence,
    }
