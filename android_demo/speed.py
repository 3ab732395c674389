"""Compare the speed of the JVM core with the Python runtime, both on this machine, one thread.

`OMP_NUM_THREADS=1 python android_demo/speed.py` after build.sh. Prints the best of several runs.
"""

from __future__ import annotations

import subprocess
import time
from collections.abc import Callable
from pathlib import Path

from genrekit.audio.resampling import resample
from genrekit.classify.reference import reference_signal
from genrekit.features.config import FeatureConfig
from genrekit.features.kinds import extract

HERE = Path(__file__).resolve().parent


def best_ms(work: Callable[[], object], repeats: int) -> float:
    """Return the shortest of `repeats` runs, in milliseconds."""
    times = []
    for _ in range(repeats):
        start = time.perf_counter()
        work()
        times.append(time.perf_counter() - start)
    return min(times) * 1e3


def python_ms() -> dict[str, float]:
    """Time the runtime on what Speed.kt times."""
    samples = reference_signal(661_500, 22_050)
    config = FeatureConfig(n_mels=64, n_mfcc=20, top_db=None)
    fast = reference_signal(1_323_000, 44_100)
    window = samples[:66_149]
    return {
        **{
            kind: best_ms(lambda kind=kind: extract(kind, samples, config), 15)  # type: ignore[misc]  # a default binds the loop's value
            for kind in ("log_mel", "mfcc", "mel_of_db")
        },
        "resample": best_ms(lambda: resample(fast, 44_100, 22_050), 15),
        "tabular_3s": best_ms(lambda: extract("tabular", window, FeatureConfig()), 5),
    }


def jvm_ms() -> dict[str, float]:
    """Run Speed.kt on the compiled core."""
    library = next((HERE / "build" / "toolchain").glob("kotlin-stdlib-*.jar"))
    classes = HERE / "core" / "target" / "classes"
    tests = HERE / "core" / "target" / "test-classes"
    command = ["java", "-cp", f"{classes}:{tests}:{library}", "genrekit.core.SpeedKt"]
    lines = subprocess.run(command, capture_output=True, text=True, check=True).stdout.split("\n")  # noqa: S603 - fixed
    return {line.split()[0]: float(line.split()[1]) for line in lines if line}


def main() -> None:
    """Print both, side by side."""
    python, jvm = python_ms(), jvm_ms()
    print(f"{'milliseconds':<14}{'Python':>9}{'JVM':>9}")  # noqa: T201 - a script
    for kind, ms in python.items():
        print(f"{kind:<14}{ms:>9.1f}{jvm[kind]:>9.1f}")  # noqa: T201 - a script


if __name__ == "__main__":
    main()
