"""Targets: what the runtime must reach on a device, and what was measured.

Each is read from a committed document of one command; a median decides, and its interval stands
beside it.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TypeAlias

from genrekit.bench.paired import Ratio
from genrekit.bench.results import read_bench
from genrekit.documents import read_document

from ..footprint.dependency_size import Footprints
from ..speed.feature_speed import OURS, OURS_SCIPY, FeatureTimes
from ..speed.live_cpu import LiveCost
from ..speed.long_file import MAX_PEAK_BYTES, LongFile
from ..speed.soak import MAX_GROWTH_BYTES, Soak
from ..speed.startup import Startup

_Reader: TypeAlias = Callable[[Path], Iterator["Target"]]


@dataclasses.dataclass(frozen=True, slots=True)
class Target:
    """One target.

    Parameters
    ----------
    what, bound, measured : str
        As the table shows them.
    met : bool
    command : str
        That measured it.
    """

    what: str
    bound: str
    measured: str
    met: bool
    command: str


def read_targets(folder: Path) -> list[Target]:
    """Judge every document that is there.

    Parameters
    ----------
    folder : Path
        Of committed results.

    Raises
    ------
    ConfigError
        If one is of another kind or schema.
    """
    return [
        target
        for name, read in _DOCUMENTS.items()
        if (folder / name).is_file()
        for target in read(folder / name)
    ]


def render(targets: list[Target]) -> str:
    """Lay targets out in Markdown."""
    lines = ["| what | target | measured | | by |", "|---|--:|--:|---|---|"]
    lines += [
        f"| {t.what} | {t.bound} | {t.measured} | {'met' if t.met else '**missed**'} "
        f"| `{t.command}` |"
        for t in targets
    ]
    return "\n".join(lines) + "\n"


def _features(path: Path) -> Iterator[Target]:
    command = "benchmarks.speed.feature_speed"
    times = read_document(path, FeatureTimes, command=command)
    ratios = {(t.stage, t.audio_s, t.contender): t.ratio for t in times.timings}
    for stage, audio_s, contender, bound in (
        ("MFCC", 3.0, OURS, 0.6),
        ("MFCC", 3.0, OURS_SCIPY, 0.4),
        ("MFCC", 30.0, OURS, 0.8),
        ("MFCC", 30.0, OURS_SCIPY, 0.65),
    ):
        what = f"{stage} of {audio_s:g} s, {contender}, of librosa's time"
        ratio = ratios[stage, audio_s, contender]
        yield Target(what, f"<= {bound:g}", _interval(ratio), ratio.median <= bound, command)
    for stage in ("57 features", "HPSS"):
        ratio = _inverse(ratios[stage, 3.0, OURS])
        what = f"{stage} of 3 s, times faster than librosa"
        yield Target(what, ">= 3", _interval(ratio), ratio.median >= 3.0, command)


def _startup(path: Path) -> Iterator[Target]:
    command = "benchmarks.speed.startup"
    starts = {start.name: start for start in read_document(path, Startup, command=command).starts}
    default, resnet = starts["default.onnx"], starts.get("resnet18_int8.onnx")
    floor = default.by_imports
    yield Target(
        "`classify` in a new process, the wheel's model, by `import numpy, onnxruntime`",
        "<= 1.5",
        _interval(floor),
        floor.median <= 1.5,
        command,
    )
    for start, bound in ((default, 20), (resnet, 15)):
        if start is not None:
            faster, peak = start.script_by, start.peak_bytes
            what = f"`{start.name}`: times faster than a script of librosa and torch"
            yield Target(what, f">= {bound}", _interval(faster, 1), faster.median >= bound, command)
            what = f"`{start.name}`: peak memory of that process"
            yield Target(what, "<= 150 MB", f"{peak / 1e6:.0f} MB", peak <= 150e6, command)


def _live_cost(path: Path) -> Iterator[Target]:
    command = "benchmarks.speed.live_cpu"
    cost = read_document(path, LiveCost, command=command)
    ratio = cost.old_by_young
    yield Target(
        f"a hop of the live path after {cost.old_s / 3600:g} h, by one after a minute",
        "<= 1.05",
        _interval(ratio),
        ratio.median <= 1.05,
        command,
    )


def _bench(path: Path) -> Iterator[Target]:
    (model,) = read_bench(path).models
    speed = 1.0 / model.offline.realtime_factor
    yield Target(
        "from the file to its genre, one core, the wheel's model, times real time",
        ">= 100",
        f"{speed:.0f}",
        speed >= 100.0,
        "genrekit bench",
    )


def _soak(path: Path) -> Iterator[Target]:
    command = "benchmarks.speed.soak"
    soak = read_document(path, Soak, command=command)
    hours = f"{soak.audio_s / 3600:g} h through the live path"
    yield Target(
        f"{hours}: growth of memory after the first minute",
        f"<= {MAX_GROWTH_BYTES / 1e6:g} MB",
        f"{soak.growth_bytes / 1e6:.2f} MB",
        soak.growth_bytes <= MAX_GROWTH_BYTES,
        command,
    )
    yield Target(
        f"{hours}: windows equal to the file path's, bit for bit",
        f"{soak.windows:,}",
        f"{soak.identical:,}",
        soak.identical == soak.windows,
        command,
    )


def _long_file(path: Path) -> Iterator[Target]:
    command = "benchmarks.speed.long_file"
    found = read_document(path, LongFile, command=command)
    yield Target(
        f"peak memory of `classify` on a WAV of {found.audio_s / 3600:g} h",
        f"<= {MAX_PEAK_BYTES / 1e6:.0f} MB",
        f"{found.peak_bytes / 1e6:.0f} MB",
        found.passed,
        command,
    )


def _footprint(path: Path) -> Iterator[Target]:
    command = "benchmarks.footprint.dependency_size"
    sets = read_document(path, Footprints, command=command).sets
    size = {(item.architecture, item.name): item.installed_bytes / 1e6 for item in sets}
    for architecture in dict.fromkeys(item.architecture for item in sets):
        ours, others = size[architecture, "genrekit[onnx]"], size[architecture, "librosa + torch"]
        yield Target(
            f"installed on {architecture}: genrekit[onnx] beside librosa + torch",
            "less",
            f"{ours:.0f} MB, {others:.0f} MB",
            ours < others,
            command,
        )


def _inverse(ratio: Ratio) -> Ratio:
    low, high = ratio.ci95
    return Ratio(median=1.0 / ratio.median, ci95=(1.0 / high, 1.0 / low), n=ratio.n)


def _interval(ratio: Ratio, digits: int = 2) -> str:
    low, high = ratio.ci95
    return f"{ratio.median:.{digits}f} ({low:.{digits}f} to {high:.{digits}f})"


_DOCUMENTS: dict[str, _Reader] = {
    "features.json": _features,
    "startup.json": _startup,
    "live_cost.json": _live_cost,
    "bench-tiny.json": _bench,
    "soak.json": _soak,
    "long_file.json": _long_file,
    "footprint.json": _footprint,
}
