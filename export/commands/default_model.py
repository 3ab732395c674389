"""The command behind `make default-model`: parse, call, tell.

    python -m genrekit.export.commands.default_model --data DIR --out FILE --log FILE --work DIR

DIR has GTZAN's pictures in `stft_5s/`, the lists in `splits/`, and songs in `genres_original/` for
the comparison of picture and audio.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path

from genrekit.errors import GenreKitError


def main(argv: Sequence[str] | None = None) -> int:
    """Make the default model; return 0, or 1 on an error that a user can cause."""
    parser = argparse.ArgumentParser(description="Fit and write the default model.")
    parser.add_argument("--data", type=Path, required=True, help="GTZAN's pictures and splits")
    parser.add_argument("--out", type=Path, required=True, help="the artifact, *.onnx")
    parser.add_argument("--log", type=Path, required=True, help="how it was made, *.json")
    parser.add_argument("--work", type=Path, required=True, help="folder of the run")
    args = parser.parse_args(argv)
    from genrekit.train.runs.documents import write_document

    from ..default_model import account, export, fit

    try:
        run = fit(args.data, args.work)
        args.out.parent.mkdir(parents=True, exist_ok=True)
        args.log.parent.mkdir(parents=True, exist_ok=True)
        artifact = export(run, args.out)
        write_document(args.log, account(run, artifact, args.data))
    except (GenreKitError, OSError) as error:
        print(f"default_model: {error}", file=sys.stderr)
        return 1
    print(f"{args.out}: {artifact.size:,} bytes, from {run.folder}; see {args.log}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
