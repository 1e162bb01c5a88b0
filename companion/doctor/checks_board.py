"""Station test: what the board says of itself: disk, memory, clock, temperature, power. Reads; writes one tiny file.

Sources: /proc/meminfo (proc(5)), adjtimex(2), and the firmware's flags as the Raspberry Pi documentation lists them
under `vcgencmd get_throttled`; the kernel shows the same number in sysfs (drivers/firmware/raspberrypi.c).
"""

from __future__ import annotations

import ctypes
import shutil
import subprocess
import tempfile
from datetime import datetime
from pathlib import Path

from companion.doctor.examination import blocking
from companion.doctor.report import Finding, failed, passed, skipped
from companion.doctor.station import Surroundings
from companion.service.status import temperature_c

LEAST_DISK_MB = 200
LEAST_MEMORY_MB = 100
HOT_C = 80.0
"""The firmware slows the processor down from here (85 °C is its end)."""
EARLIEST_YEAR = 2026
"""This program did not exist before."""
LATEST_YEAR = 2090

MEMORY = Path("/proc/meminfo")
FIRMWARE_FLAGS = Path("/sys/devices/platform/soc/soc:firmware/get_throttled")
SYNCHRONISED_BELOW_US = 16_000_000
"""An error estimate above this means that no time server has set the clock; what timedatectl(1) goes by."""

_FLAGS = {
    0: "the supply voltage is too low now",
    1: "the processor's clock is capped now",
    2: "the processor is slowed down now",
    3: "the processor is at its soft temperature limit now",
    16: "the supply voltage was too low since power-on",
    17: "the processor's clock was capped since power-on",
    18: "the processor was slowed down since power-on",
    19: "the processor reached its soft temperature limit since power-on",
}
_OF_VOLTAGE = 1 << 0 | 1 << 16
_VCGENCMD_S = 2.0


async def disk(around: Surroundings) -> Finding:
    """Room on the disk, and whether the unit's state can be written."""
    return await blocking(lambda: disk_finding(around.state))


def disk_finding(state: Path) -> Finding:
    """The same for a state folder. Blocks."""
    there = next(folder for folder in (state, *state.parents) if folder.exists())
    free_mb = round(shutil.disk_usage(there).free / 1e6)
    if free_mb < LEAST_DISK_MB:
        return failed(
            f"only {free_mb} MB are free at {there}",
            f"Delete what is not needed, or use a larger card; {LEAST_DISK_MB} MB must be free.",
            free_mb=free_mb,
        )
    try:
        with tempfile.NamedTemporaryFile(dir=there) as file:
            file.write(b"companion")
            file.flush()
    except OSError as error:
        return failed(
            f"{there} cannot be written: {error.strerror or error}",
            "Run this as the user who runs the companion (sudo -u companion), or name the unit's folder with --state; "
            "where it is that user's own, the card is worn or mounted read-only: use another.",
            free_mb=free_mb,
        )
    return passed(f"{free_mb} MB free at {there}", free_mb=free_mb)


async def memory(around: Surroundings) -> Finding:
    """Room in memory."""
    return memory_finding(runs=around.daemon_runs)


def memory_finding(source: Path = MEMORY, *, runs: bool = False) -> Finding:
    """The same from a file of the form of /proc/meminfo; `runs`: whether the companion takes its part already."""
    try:
        rows = (line.split() for line in source.read_text("ascii", "replace").splitlines())
        sizes = {row[0].rstrip(":"): int(row[1]) // 1024 for row in rows if len(row) > 1 and row[1].isdigit()}
        total, free = sizes["MemTotal"], sizes["MemAvailable"]
    except (OSError, KeyError):
        return skipped("this system does not tell")
    text = f"{free} of {total} MiB are free"
    if free < LEAST_MEMORY_MB and not runs:
        return failed(
            text, "End other programs, or use smaller models (companion models list).", free_mib=free, total_mib=total
        )
    return passed(text, free_mib=free, total_mib=total)


async def clock(_: Surroundings) -> Finding:
    """Whether the clock can be right: certificates and quiet hours hang on it."""
    return clock_finding(datetime.now().astimezone(), error_us())


def clock_finding(now: datetime, error: int | None) -> Finding:
    """The same for a time and the kernel's estimate of its error in microseconds (None: not known)."""
    synchronised = error is not None and error < SYNCHRONISED_BELOW_US
    text = f"{now:%Y-%m-%d %H:%M} {now.tzname() or ''}".rstrip()
    if not EARLIEST_YEAR <= now.year <= LATEST_YEAR:
        return failed(
            f"{text}: that year cannot be right",
            "Connect the unit to a network with a time server (timedatectl set-ntp true), or set it by hand: "
            'sudo date -s "2026-11-03 10:00"; without a network the board needs a clock battery.',
            synchronised=synchronised,
        )
    told = "set by a time server" if synchronised else "no time server has set it yet; compare it with your watch"
    return passed(f"{text}, {told}", synchronised=synchronised)


def error_us() -> int | None:
    """The kernel's estimate of how wrong its clock is, in microseconds; None where it does not tell."""

    class Timex(ctypes.Structure):
        """The beginning of `struct timex` (adjtimex(2)); the rest is room for what the kernel writes."""

        _fields_ = (
            ("modes", ctypes.c_uint),
            ("offset", ctypes.c_long),
            ("freq", ctypes.c_long),
            ("maxerror", ctypes.c_long),
            ("rest", ctypes.c_long * 64),
        )

    asked = Timex()
    try:
        answer = ctypes.CDLL(None).adjtimex(ctypes.byref(asked))
    except (OSError, AttributeError):
        return None
    return int(asked.maxerror) if answer >= 0 else None


async def temperature(_: Surroundings) -> Finding:
    """Whether the board is too hot."""
    return await blocking(lambda: temperature_finding(temperature_c()))


def temperature_finding(degrees: float | None) -> Finding:
    """The same for a temperature in degrees Celsius; None where nothing measures it."""
    if degrees is None:
        return skipped("nothing measures it on this board")
    if degrees >= HOT_C:
        return failed(
            f"{degrees:g} °C: too hot",
            "Give the processor a heat sink or the hull air holes, and let it cool down.",
            celsius=degrees,
        )
    return passed(f"{degrees:g} °C", celsius=degrees)


async def power(_: Surroundings) -> Finding:
    """Whether the board had too little voltage, or had to slow down."""
    return await blocking(lambda: power_finding(firmware_flags()))


def power_finding(flags: int | None) -> Finding:
    """The same for the firmware's number; None where the board has none."""
    if flags is None:
        return skipped("this board does not tell")
    told = [text for bit, text in _FLAGS.items() if flags >> bit & 1]
    if not told:
        return passed("enough voltage, full speed since power-on", flags=f"{flags:#x}")
    advice = (
        "Use a power supply of 5.1 V and 3 A with a short, thick cable; power servos and motors from a supply of "
        "their own; then switch the unit off and on."
        if flags & _OF_VOLTAGE
        else "Give the processor a heat sink or the hull air holes; then switch the unit off and on."
    )
    return failed("; ".join(told), advice, flags=f"{flags:#x}")


def firmware_flags(file: Path = FIRMWARE_FLAGS, program: str = "vcgencmd") -> int | None:
    """The firmware's number, from the kernel's file or else from its program. Blocks."""
    try:
        return _number(file.read_text("ascii", "replace"))
    except OSError:
        # Kernels without the firmware driver's file still have the program.
        pass
    try:
        told = subprocess.run(
            (program, "get_throttled"), capture_output=True, text=True, timeout=_VCGENCMD_S, check=False
        )
    except (OSError, subprocess.TimeoutExpired):
        return None
    return _number(told.stdout) if told.returncode == 0 else None


def _number(text: str) -> int | None:
    """`throttled=0x50005`, or the number alone; always hexadecimal."""
    try:
        return int(text.strip().rpartition("=")[2], 16)
    except ValueError:
        return None
