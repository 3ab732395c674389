"""Parity table: every feature against librosa 0.11 and Kaggle's table, on real audio.

`python -m genrekit.benchmarks.parity.comparison DIR` compares each WAV below DIR, whole and in 3 s
segments, and exits with 1 if a bound is broken. With `--table features_30_sec.csv` the
57-feature vector of each track is compared with its row, too.
"""

from __future__ import annotations

import argparse
import csv
import dataclasses
import functools
import json
import math
import os
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np

from genrekit.arrays import Float32
from genrekit.audio.decoding import load_audio
from genrekit.errors import DataError, GenreKitError
from genrekit.features.kinds import extract
from genrekit.features.tabular import FEATURE_NAMES
from genrekit.files import write_whole
from genrekit.library.process_pool import process_pool

from .librosa_reference import (
    CHECKS,
    CONFIG,
    TEMPO,
    Bound,
    Deviation,
    absolute,
    equal,
    librosa,
    relative,
)

# Segment i of Kaggle's 3 s table is samples[i * 66_150 : i * 66_150 + 66_149].
_SEGMENT_STEP = 66_150
_SEGMENT_SAMPLES = 66_149

# Rows of the comparison with Kaggle's table. The separated waveforms have means near 0, to
# which no deviation can be relative; the tempo is equal or another.
_WAVEFORM_MEANS = [FEATURE_NAMES.index(name) for name in ("harmony_mean", "perceptr_mean")]
_TEMPO = FEATURE_NAMES.index("tempo")
_STATISTICS = [i for i in range(len(FEATURE_NAMES)) if i not in (*_WAVEFORM_MEANS, _TEMPO)]
_TABLE_BOUNDS = {
    "54 statistics": Bound(unit="relative", most=1e-4),
    "2 waveform means": Bound(unit="of full scale", most=1e-7),
    "tempo in 57": TEMPO,
}

WHOLE = "librosa, whole track"
SEGMENTS = "librosa, 3 s segment"
TABLE = "Kaggle's table"

_Key = tuple[str, str]  # feature, what it is compared with


@dataclasses.dataclass(frozen=True, kw_only=True, slots=True)
class Row:
    """The verdict on one feature over all clips of one length."""

    feature: str
    against: str
    n_clips: int
    unit: str
    worst: float
    most: float | None
    wrong: int
    count: int
    most_wrong: float
    passed: bool


def main(argv: Sequence[str] | None = None) -> int:
    """Print the table; return 0, or 1 if a bound is broken or an input cannot be used."""
    args = _parser().parse_args(argv)
    # Set before a worker imports NumPy: the processes are the parallelism.
    for name in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"):
        os.environ.setdefault(name, "1")
    try:
        librosa()
        rows = measure(args.dir, table=args.table, jobs=args.jobs)
        if args.json:
            document = [dataclasses.asdict(row) for row in rows]
            write_whole(args.json, json.dumps(document, indent=2, allow_nan=False) + "\n")
    except (GenreKitError, OSError) as error:
        sys.stderr.write(f"parity: {error}\n")
        return 1
    sys.stdout.write(render(rows))
    return 0 if all(row.passed for row in rows) else 1


def measure(folder: Path, *, table: Path | None = None, jobs: int = 1) -> list[Row]:
    """Compare all WAVs below a folder.

    Parameters
    ----------
    folder : path
    table : path, optional
        Kaggle's `features_30_sec.csv`; tracks without a row in it are left out of its check.
    jobs : int
        Processes.

    Raises
    ------
    DataError
        If there are no WAVs, or the table is not Kaggle's.
    AudioError, FileError
        If a WAV cannot be read.
    """
    paths = sorted(folder.rglob("*.wav"))
    if not paths:
        raise DataError(f"{folder}: no .wav files below it")
    expected = read_table(table) if table else {}
    found: dict[_Key, list[Deviation]] = {}
    for done, deviations in enumerate(_all_deviations(paths, expected, jobs), start=1):
        for key, deviation in deviations:
            found.setdefault(key, []).append(deviation)
        sys.stderr.write(f"\r{done}/{len(paths)} tracks" + ("\n" if done == len(paths) else ""))
        sys.stderr.flush()
    return [judge(key, deviations) for key, deviations in found.items()]


def read_table(path: Path) -> dict[str, tuple[float, ...]]:
    """Read Kaggle's table: file name to its 57 values.

    Raises
    ------
    DataError
        If a column is missing or a value is no number.
    """
    with path.open(newline="", encoding="utf-8") as file:
        try:
            return {
                row["filename"]: tuple(float(row[name]) for name in FEATURE_NAMES)
                for row in csv.DictReader(file)
            }
        except (KeyError, TypeError, ValueError) as error:
            raise DataError(f"{path}: not Kaggle's table of features: {error!r}") from error


def deviations_of(
    path: Path, expected: dict[str, tuple[float, ...]]
) -> list[tuple[_Key, Deviation]]:
    """Compare one track: whole, in segments, and with its row of the table."""
    samples = load_audio(path, CONFIG.sample_rate).samples
    deviations = [
        ((feature, against), check.compare(clip))
        for feature, check in CHECKS.items()
        for against, clip in _clips(samples)
    ]
    if path.name in expected:
        deviations += _table_deviations(samples, expected[path.name])
    return deviations


def judge(key: _Key, deviations: Sequence[Deviation]) -> Row:
    """Hold the deviations of one check against its bounds."""
    feature, against = key
    bound = CHECKS[feature].bound if feature in CHECKS else _TABLE_BOUNDS[feature]
    worst = max(deviation.worst for deviation in deviations)
    wrong = sum(deviation.wrong for deviation in deviations)
    count = sum(deviation.count for deviation in deviations)
    return Row(
        feature=feature,
        against=against,
        n_clips=len(deviations),
        unit=bound.unit,
        worst=worst,
        most=bound.most if math.isfinite(bound.most) else None,
        wrong=wrong,
        count=count,
        most_wrong=bound.most_wrong,
        passed=worst <= bound.most and wrong <= bound.most_wrong * count,
    )


def render(rows: Sequence[Row]) -> str:
    """Lay the rows out as a Markdown table."""
    lines = [
        "| feature | against | clips | worst | bound | differing | bound | |",
        "|---|---|--:|--:|--:|--:|--:|---|",
    ]
    for row in rows:
        most = "" if row.most is None else f"{row.most:g}"
        wrong, most_wrong = "", ""
        if row.most_wrong < 1.0:
            wrong, most_wrong = f"{row.wrong} of {row.count}", f"{row.most_wrong:.2%}"
        verdict = "pass" if row.passed else "**FAIL**"
        worst = f"{row.worst:.2g} {row.unit}"
        cells = (row.feature, row.against, row.n_clips, worst, most, wrong, most_wrong, verdict)
        lines.append(f"| {' | '.join(map(str, cells))} |")
    failed = sum(not row.passed for row in rows)
    lines.append(f"\n{len(rows) - failed} of {len(rows)} bounds are kept.")
    return "\n".join(lines) + "\n"


def _all_deviations(
    paths: Sequence[Path], expected: dict[str, tuple[float, ...]], jobs: int
) -> Iterator[list[tuple[_Key, Deviation]]]:
    compare = functools.partial(deviations_of, expected=expected)
    if jobs == 1:
        yield from map(compare, paths)
        return
    # The first track here: librosa compiles its functions on first use and keeps them on disk,
    # and processes that do so at once leave a file from which the next one crashes.
    yield compare(paths[0])
    with process_pool(jobs) as pool:
        yield from pool.map(compare, paths[1:])


def _clips(samples: Float32) -> Iterator[tuple[str, Float32]]:
    yield WHOLE, samples
    for start in range(0, samples.size - _SEGMENT_SAMPLES + 1, _SEGMENT_STEP):
        yield SEGMENTS, samples[start : start + _SEGMENT_SAMPLES]


def _table_deviations(samples: Float32, row: tuple[float, ...]) -> Iterator[tuple[_Key, Deviation]]:
    values, expected = extract("tabular", samples, CONFIG), np.array(row)
    statistics, means, tempo = ((name, TABLE) for name in _TABLE_BOUNDS)
    yield statistics, relative(values[_STATISTICS], expected[_STATISTICS])
    yield means, absolute(values[_WAVEFORM_MEANS], expected[_WAVEFORM_MEANS])
    yield tempo, equal(float(values[_TEMPO]), expected[_TEMPO])


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m genrekit.benchmarks.parity.comparison",
        description="Compare every feature with librosa on each .wav below DIR.",
    )
    parser.add_argument("dir", type=Path, metavar="DIR")
    parser.add_argument(
        "--table", type=Path, metavar="CSV", help="Kaggle's features_30_sec.csv of the same tracks"
    )
    parser.add_argument("--json", type=Path, metavar="FILE", help="write the rows here, too")
    parser.add_argument(
        "--jobs", type=_positive, default=os.cpu_count() or 1, metavar="N", help="processes"
    )
    return parser


def _positive(text: str) -> int:
    number = int(text)
    if number < 1:
        raise argparse.ArgumentTypeError(f"{number}: must be at least 1")
    return number


if __name__ == "__main__":
    sys.exit(main())
