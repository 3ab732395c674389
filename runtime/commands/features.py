"""`genrekit features`: a file's features as data, for people who train elsewhere."""

from __future__ import annotations

import argparse
import dataclasses
import io
import json
import sys
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from ..errors import ConfigError
from ..features.config import FeatureConfig

if TYPE_CHECKING:
    from ..arrays import Float32
    from .main import Subparsers

_EPILOG = """\
examples:
  genrekit features song.wav --kind mfcc --out mfcc.npy
  genrekit features song.wav --kind log_mel --n-mels 64 --out log_mel.csv
  genrekit features song.wav --kind tabular

Frames come first: an .npy of `mfcc` has shape (frames, 13). `tabular` gives the 57 values of
Kaggle's GTZAN table. Without --out, or with --out -, JSON goes to standard output.
"""
_HELP = {
    "sample_rate": "Hz; the audio is resampled to it",
    "n_fft": "samples per frame",
    "hop_length": "samples between frames",
    "padding": "zero, reflect or none (default: zero; reflect for tabular)",
    "n_mels": "mel bands",
    "f_min_hz": "lower edge of the lowest mel band",
    "f_max_hz": "upper edge of the highest mel band (default: half the sample rate)",
    "n_mfcc": "cepstral coefficients",
    "amin": "smallest power before the logarithm",
    "top_db": "decibels kept below the clip's maximum; 'none' keeps all",
    "roll_percent": "share of the energy below the rolloff",
    "compression": "of mel bands: decibels, or log10 of 1 + gain * power",
    "compression_gain": "of log10",
    "remove_offset": "subtract the clip's mean: true or false",
    "level_rms": "RMS to which the clip is brought; 'none' leaves its level",
    "silence_rms": "with a level: RMS below which the clip counts as zeros",
}


def register(subparsers: Subparsers) -> None:
    """Add the command to the parser; its options are the fields of `FeatureConfig`."""
    from ..features.kinds import KINDS
    from ..features.plots import PLOTS

    parser = subparsers.add_parser(
        "features",
        help="write a song's features as .npy, .csv or .json",
        description="Compute a feature of a whole file, exactly as models get it.",
        epilog=_EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("file", metavar="FILE", type=Path, help="a song")
    kinds = ", ".join([*KINDS, *(f"{name}@PIXELS" for name in PLOTS)])
    parser.add_argument("--kind", metavar="KIND", required=True, help=f"one of {kinds}")
    parser.add_argument(
        "--out", type=Path, default=Path("-"), metavar="X", help="*.npy, *.csv, *.json, or -"
    )
    defaults = FeatureConfig()
    for field in dataclasses.fields(FeatureConfig):
        default = getattr(defaults, field.name)
        shown = "" if "default" in _HELP[field.name] else f" (default: {default})"
        parser.add_argument(
            f"--{field.name.replace('_', '-')}",
            type=_PARSERS.get(field.name, type(default)),
            metavar=field.name.rsplit("_", 1)[-1].upper(),
            help=_HELP[field.name] + shown,
        )
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> None:
    """Compute the feature of `args.file` and write it."""
    from ..audio.decoding import load_audio
    from ..features.kinds import columns, extract
    from ..files import check_not_input, write_whole

    config = _config(args)
    suffix = ".json" if str(args.out) == "-" else args.out.suffix
    if suffix not in _WRITERS:
        raise ConfigError(f"{args.out}: name it {', '.join('*' + name for name in _WRITERS)}")
    check_not_input(args.out, [args.file])
    audio = load_audio(args.file, config.sample_rate)
    values = extract(args.kind, audio.samples, config)
    content = _WRITERS[suffix](values, columns(args.kind, config), args.kind, config)
    if str(args.out) == "-":
        sys.stdout.write(content.decode("utf-8"))
        return
    write_whole(args.out, content)
    shape = " x ".join(str(size) for size in values.shape)
    print(f"{args.out}: {args.kind}, {shape}, {audio.duration_s:.2f} s of audio", file=sys.stderr)


def _config(args: argparse.Namespace) -> FeatureConfig:
    given = {
        field.name: value
        for field in dataclasses.fields(FeatureConfig)
        if (value := getattr(args, field.name)) is not None
    }
    if args.kind == "tabular":
        given.setdefault("padding", "reflect")
    given.update({name: None for name in ("top_db", "level_rms") if given.get(name) == "none"})
    return FeatureConfig(**given)


def _number_or_none(text: str) -> float | str:
    return text if text == "none" else float(text)


def _truth(text: str) -> bool:
    if text not in ("true", "false"):
        raise argparse.ArgumentTypeError(f"{text!r}: must be true or false")
    return text == "true"


_PARSERS: dict[str, Callable[[str], Any]] = {
    "top_db": _number_or_none,
    "level_rms": _number_or_none,
    "f_max_hz": float,
    "remove_offset": _truth,
}


def _to_npy(values: Float32, _names: tuple[str, ...], _kind: str, _config: FeatureConfig) -> bytes:
    buffer = io.BytesIO()
    np.save(buffer, values, allow_pickle=False)
    return buffer.getvalue()


def _to_csv(values: Float32, names: tuple[str, ...], _kind: str, _config: FeatureConfig) -> bytes:
    lines = [",".join(names)]
    lines += [",".join(str(value) for value in row) for row in np.atleast_2d(values)]
    return ("\n".join(lines) + "\n").encode("utf-8")


def _to_json(values: Float32, names: tuple[str, ...], kind: str, config: FeatureConfig) -> bytes:
    # str() of a float32 is its shortest exact decimal; float() of that keeps it short in JSON.
    if values.ndim == 1:
        document = {name: float(str(value)) for name, value in zip(names, values, strict=True)}
        return (json.dumps(document) + "\n").encode("utf-8")
    rows = [[float(str(value)) for value in row] for row in values]
    frames = {
        "kind": kind,
        "config": dataclasses.asdict(config),
        "columns": list(names),
        "frames": rows,
    }
    return (json.dumps(frames) + "\n").encode("utf-8")


_WRITERS = {".npy": _to_npy, ".csv": _to_csv, ".json": _to_json}
