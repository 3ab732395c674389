"""Sensors and sustained runs, on recordings of the kernel's files."""

from __future__ import annotations

import time
from pathlib import Path

import pytest

from genrekit.bench.machine.sensors import Sensors
from genrekit.bench.sustained_load import sustain


def write(root: Path, files: dict[str, object]) -> None:
    for name, value in files.items():
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(f"{value}\n")


@pytest.fixture
def pi(tmp_path: Path) -> Path:
    """A Raspberry Pi 4 that was once too hot and is capped now."""
    cpu = "sys/devices/system/cpu/cpu{}/cpufreq/scaling_cur_freq"
    write(
        tmp_path,
        {
            **{cpu.format(core): khz for core, khz in enumerate((600_000, 1_500_000))},
            "sys/class/thermal/thermal_zone0/temp": 61_835,
            "sys/devices/platform/soc/soc:firmware/get_throttled": "50002",
        },
    )
    return tmp_path


def test_a_pi_tells_its_clock_temperature_and_limits(pi: Path) -> None:
    reading = Sensors(pi).read()
    assert reading.clock_mhz == 1_500.0
    assert reading.temperature_c == 61.835
    assert reading.throttled_now == ("clock capped",)
    assert reading.throttle_events is reading.energy_j is reading.power_w is None


def test_a_machine_that_tells_nothing_gives_nothing(tmp_path: Path) -> None:
    reading = Sensors(tmp_path).read()
    assert reading.clock_mhz is reading.temperature_c is reading.energy_j is None
    assert reading.throttled_now == ()


def test_the_energy_counter_goes_on_after_it_wraps(tmp_path: Path) -> None:
    zone = "sys/class/powercap/intel-rapl:0"
    inner = "sys/class/powercap/intel-rapl:0:0/energy_uj"
    span = 262_143_328_850
    write(tmp_path, {f"{zone}/energy_uj": span - 1_000_000, f"{zone}/max_energy_range_uj": span})
    write(tmp_path, {inner: 77_000_000})  # within the package: not counted twice
    sensors = Sensors(tmp_path)
    before = sensors.read().energy_j
    write(tmp_path, {f"{zone}/energy_uj": 2_000_000})
    after = sensors.read().energy_j
    assert before is not None
    assert after is not None
    assert after - before == pytest.approx(3.0)


def test_x86_counts_its_throttling(tmp_path: Path) -> None:
    folder = "sys/devices/system/cpu/cpu{}/thermal_throttle"
    write(tmp_path, {f"{folder.format(core)}/core_throttle_count": 3 for core in range(2)})
    assert Sensors(tmp_path).read().throttle_events == 6


def test_a_sustained_run_sees_a_task_slow_down(pi: Path) -> None:
    start = time.perf_counter()

    def task() -> None:
        time.sleep(0.005 if time.perf_counter() - start < 0.5 else 0.02)

    run = sustain(task, 1.0, Sensors(pi), interval_s=0.1)
    assert run.slowdown > 2.0
    assert run.seconds == pytest.approx(1.0, abs=0.3)
    assert sum(point.predictions for point in run.points) == run.predictions == run.latency.n
    assert run.points[-1].throttled == ("clock capped",)
    assert run.energy_j is None


def test_a_power_meter_is_integrated(tmp_path: Path) -> None:
    write(tmp_path, {"sys/class/hwmon/hwmon0/power1_input": 2_000_000})
    run = sustain(lambda: time.sleep(0.01), 0.5, Sensors(tmp_path), interval_s=0.1)
    assert run.energy_j == pytest.approx(2.0 * run.seconds, rel=1e-6)
    assert run.energy_per_prediction_j == pytest.approx(2.0 * run.seconds / run.predictions)
