"""Who uses the processor."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from genrekit.bench.machine.foreign_load import (
    HEAVY,
    CpuTimes,
    check_quiet,
    foreign_load,
    idle_ticks,
)
from genrekit.errors import ConfigError


def test_what_we_spend_ourselves_is_no_disturbance() -> None:
    before = CpuTimes(0.0, 100.0, 10.0)
    after = CpuTimes(10.0, 115.0, 18.0)  # 15 s busy, 8 of them ours, on 2 cores for 10 s
    assert foreign_load(before, after, 2) == pytest.approx(0.35)


def test_busy_is_everything_but_idle_and_waiting(tmp_path: Path) -> None:
    stat = tmp_path / "stat"
    hz = os.sysconf("SC_CLK_TCK")
    stat.write_text(f"cpu  {hz} {2 * hz} {3 * hz} 9999 8888 {hz} {hz} {4 * hz} 5 6\ncpu0 1 2 3\n")
    assert CpuTimes.now(stat).busy_s == pytest.approx(12.0)


@pytest.mark.parametrize("text", ["", "cpu 1 2", "intr 1 2 3 4 5 6 7 8 9", "cpu a b c d e f g h"])
def test_a_kernel_that_does_not_tell_is_unknown(tmp_path: Path, text: str) -> None:
    stat = tmp_path / "stat"
    stat.write_text(text)
    times = CpuTimes.now(stat)
    assert times.busy_s is None
    assert foreign_load(times, times, 1) is None


def test_each_core_tells_how_long_it_was_idle(tmp_path: Path) -> None:
    stat = tmp_path / "stat"
    stat.write_text("cpu  9 9 9 99 9\ncpu0 1 2 3 40 5 6\ncpu13 1 2 3 50 5 6\nintr 5 5 5 5 5\n")
    assert idle_ticks(stat) == {0: 40, 13: 50}
    assert idle_ticks(tmp_path / "absent") == {}


def test_a_busy_machine_is_refused_unless_forced() -> None:
    # As if there were one core: the other process keeps all of it busy.
    child = subprocess.Popen([sys.executable, "-c", "while True: pass"])
    try:
        with pytest.raises(ConfigError, match="--force"):
            check_quiet(1, seconds=1.0)
        load = check_quiet(1, seconds=1.0, force=True)
        assert load is not None
        assert load >= HEAVY
    finally:
        child.kill()
        child.wait()
