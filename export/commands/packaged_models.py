"""The command behind `make packaged-models`: parse, call, tell.

    python -m genrekit.export.commands.packaged_models --data DIR --out DIR --work DIR [--only NAME]

DATA has GTZAN's clips, songs, pictures (`stft_5s/`) and lists (`splits/`). How each model was made
and what was measured is written beside the other results, `--log`.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from genrekit.errors import GenreKitError

_WEIGHTS = "MSD_musicnn.safetensors"


def main(argv: Sequence[str] | None = None) -> int:
    """Make the models in the wheel; return 0, or 1 on an error that a user can cause."""
    parser = argparse.ArgumentParser(description="Fit and write the packaged models.")
    parser.add_argument("--data", type=Path, required=True, help="GTZAN")
    parser.add_argument("--out", type=Path, required=True, help="folder of the artifacts")
    parser.add_argument("--log", type=Path, required=True, help="folder of the logs")
    parser.add_argument("--work", type=Path, required=True, help="folder of weights and runs")
    parser.add_argument("--only", choices=tuple(_MODELS), help="default: all")
    args = parser.parse_args(argv)
    from genrekit.train.runs.documents import write_document

    args.out.mkdir(parents=True, exist_ok=True)
    args.log.mkdir(parents=True, exist_ok=True)
    try:
        for name, make in _MODELS.items():
            if args.only in (None, name):
                path = args.log / f"{name}_model.json"
                write_document(path, make(args))
                print(f"{name}: written to {args.out}, measured in {path}")
    except (GenreKitError, OSError) as error:
        print(f"packaged_models: {error}", file=sys.stderr)
        return 1
    return 0


def _tiny(args: argparse.Namespace) -> dict[str, Any]:
    from ..packaged.tiny import account, export, fit

    run = fit(args.data, args.work / "tiny")
    return account(run, export(run, args.out / "tiny.onnx"), args.data)


def _pretrained(args: argparse.Namespace) -> dict[str, Any]:
    from genrekit.train.data.musicnn import fetch_musicnn, load_musicnn

    from ..packaged.pretrained import make_models
    from ..packaged.reduction import reduce_musicnn

    weights = args.work / _WEIGHTS
    if not weights.is_file():
        fetch_musicnn(args.work)
    return make_models(reduce_musicnn(load_musicnn(weights)), args.data, args.out)


_MODELS: dict[str, Callable[[argparse.Namespace], dict[str, Any]]] = {
    "tiny": _tiny,
    "pretrained": _pretrained,
}


if __name__ == "__main__":
    sys.exit(main())
