"""Sensors: clock, temperature, throttling and energy, as far as the kernel tells them.

References
----------
Linux kernel documentation: "CPU Performance Scaling", "Generic Thermal Sysfs", "Power Capping
Framework", "Naming and data format standards for sysfs files" (hwmon).
Raspberry Pi documentation, "vcgencmd get_throttled": bits 0..3 stand for now, 16..19 for ever
since boot.
"""

from __future__ import annotations

import dataclasses
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

_PI_FLAGS = {0: "under-voltage", 1: "clock capped", 2: "throttled", 3: "soft temperature limit"}
_CPU_CHIPS = ("coretemp", "k10temp", "zenpower", "cpu_thermal")


@dataclasses.dataclass(frozen=True, kw_only=True, slots=True)
class Reading:
    """What the sensors say at one moment; None stands for a sensor that is not there.

    Parameters
    ----------
    clock_mhz : float or None
        Of the fastest core.
    temperature_c : float or None
        Of the hottest zone.
    throttle_events : int or None
        How often x86 cores and packages were slowed since boot.
    throttled_now : tuple of str
        What a Raspberry Pi's firmware limits at this moment.
    energy_j : float or None
        A counter that only grows, where there is one.
    power_w : float or None
        Where there is a meter without a counter.
    """

    clock_mhz: float | None
    temperature_c: float | None
    throttle_events: int | None
    throttled_now: tuple[str, ...]
    energy_j: float | None
    power_w: float | None


class Sensors:
    """The sensors below a root folder (`/` but for recordings of other machines)."""

    def __init__(self, root: Path = Path("/")) -> None:
        self._sys = root / "sys"
        self._cpuinfo = root / "proc/cpuinfo"
        here = root == Path("/")
        self._vcgencmd = shutil.which("vcgencmd") if here else None
        self._wrapped_uj: dict[Path, tuple[int, int]] = {}  # last value, added by wraps

    def read(self) -> Reading:
        """Read all of them."""
        return Reading(
            clock_mhz=self._clock_mhz(),
            temperature_c=self._temperature_c(),
            throttle_events=self._throttle_events(),
            throttled_now=self._throttled_now(),
            energy_j=self._energy_j(),
            power_w=self._power_w(),
        )

    def _clock_mhz(self) -> float | None:
        cores = self._sys.glob("devices/system/cpu/cpu[0-9]*/cpufreq/scaling_cur_freq")
        clocks = [khz / 1e3 for khz in _integers(cores)]
        if not clocks:
            lines = _text(self._cpuinfo).splitlines()
            values = [line.partition(":")[2] for line in lines if line.startswith("cpu MHz")]
            clocks = [float(value) for value in values]
        return max(clocks, default=None)

    def _temperature_c(self) -> float | None:
        zones = list(_integers(self._sys.glob("class/thermal/thermal_zone*/temp")))
        for chip in self._sys.glob("class/hwmon/hwmon*"):
            if _text(chip / "name").strip() in _CPU_CHIPS:
                zones += _integers(chip.glob("temp*_input"))
        # A zone that is switched off says 0 or a nonsense value.
        return max((milli / 1e3 for milli in zones if 0 < milli < 150_000), default=None)

    def _throttle_events(self) -> int | None:
        cores = self._sys.glob("devices/system/cpu/cpu[0-9]*/thermal_throttle/*_throttle_count")
        counts = list(_integers(cores))
        return sum(counts) if counts else None

    def _throttled_now(self) -> tuple[str, ...]:
        text = _text(self._sys / "devices/platform/soc/soc:firmware/get_throttled").strip()
        if not text and self._vcgencmd:
            command = [self._vcgencmd, "get_throttled"]
            result = subprocess.run(command, capture_output=True, text=True, timeout=5)  # noqa: S603 - found on the user's PATH, fixed words
            text = result.stdout.strip().removeprefix("throttled=")
        try:
            bits = int(text, 16)
        except ValueError:
            return ()
        return tuple(name for bit, name in _PI_FLAGS.items() if bits >> bit & 1)

    def _energy_j(self) -> float | None:
        total_uj, found = 0, False
        # A package's own zone; its cores and memory controller (rapl:0:1) lie within.
        for zone in sorted(self._sys.glob("class/powercap/*-rapl:*")):
            if zone.name.count(":") != 1:
                continue
            for value in _integers([zone / "energy_uj"]):
                span = next(_integers([zone / "max_energy_range_uj"]), 0)
                total_uj += self._unwrapped(zone, value, span)
                found = True
        if not found:
            meters = sorted(self._sys.glob("class/hwmon/hwmon*/energy*_input"))
            for meter in meters:
                for value in _integers([meter]):
                    total_uj += self._unwrapped(meter, value, 0)
                    found = True
        return total_uj / 1e6 if found else None

    def _unwrapped(self, counter: Path, value: int, span: int) -> int:
        last, added = self._wrapped_uj.get(counter, (value, 0))
        if value < last:
            added += span
        self._wrapped_uj[counter] = (value, added)
        return value + added

    def _power_w(self) -> float | None:
        meters = list(_integers(self._sys.glob("class/hwmon/hwmon*/power*_input")))
        return sum(meters) / 1e6 if meters else None


def _text(path: Path) -> str:
    """Return the text of a kernel file, or nothing where there is none or it is not ours."""
    try:
        return path.read_text("utf-8", "replace")
    except OSError:
        return ""


def _integers(paths: Iterator[Path] | list[Path]) -> Iterator[int]:
    for path in paths:
        try:
            yield int(_text(path))
        except ValueError:
            continue
