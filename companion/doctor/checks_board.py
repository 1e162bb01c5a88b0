"""Station test: the board's disk, memory, clock, temperature and power. Reads only, except for one tiny file.

Sources: /proc/meminfo (proc(5)), adjtimex(2), and the firmware's flags as the Raspberry Pi documentation lists them
under `vcgencmd get_throttled`; the kernel has the same number in sysfs (drivers/firmware/raspberrypi.c).
"""

from __future__ import annotations

import ctypes
import shutil
import subprocess
import tempfile
from datetime import datetime
from pathlib import Path

from companion.child_environment import child_environment
from companion.doctor.check import CheckContext, run_in_thread
from companion.doctor.report import CheckResult, failed, passed, skipped
from companion.service.status import temperature_c

LEAST_DISK_MB = 200
LEAST_MEMORY_MB = 100
HOT_C = 80.0
"""The firmware throttles the processor from here on; 85 °C is its hard limit."""
EARLIEST_YEAR = 2026
"""This program did not exist before."""
LATEST_YEAR = 2090

MEMORY = Path("/proc/meminfo")
FIRMWARE_FLAGS = Path("/sys/devices/platform/soc/soc:firmware/get_throttled")
SYNCHRONISED_BELOW_US = 16_000_000
"""A larger estimated error means that no time server has set the clock. timedatectl(1) uses the same limit."""

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


async def check_disk(context: CheckContext) -> CheckResult:
    """Free space on the disk, and whether the unit's state folder can be written."""
    return await run_in_thread(lambda: disk_result(context.state))


def disk_result(state: Path) -> CheckResult:
    """`check_disk` for one state folder. Blocks."""
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


async def check_memory(context: CheckContext) -> CheckResult:
    """Free memory."""
    return memory_result(runs=context.daemon_runs)


def memory_result(source: Path = MEMORY, *, runs: bool = False) -> CheckResult:
    """`check_memory` from a file like /proc/meminfo. `runs`: whether the companion already occupies its share."""
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


async def check_clock(_: CheckContext) -> CheckResult:
    """Whether the clock is plausible: certificates and quiet hours depend on it."""
    return clock_result(datetime.now().astimezone(), clock_error_us())


def clock_result(now: datetime, error: int | None) -> CheckResult:
    """`check_clock` for a time and the kernel's estimate of its error in microseconds (None: unknown)."""
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


def clock_error_us() -> int | None:
    """The kernel's estimate of its clock's error in microseconds; None where it gives none."""

    class Timex(ctypes.Structure):
        """The first fields of `struct timex` (adjtimex(2)), and space for the others that the kernel writes."""

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


async def check_temperature(_: CheckContext) -> CheckResult:
    """Whether the board is too hot."""
    return await run_in_thread(lambda: temperature_result(temperature_c()))


def temperature_result(degrees: float | None) -> CheckResult:
    """`check_temperature` for a temperature in degrees Celsius; None where the board has no sensor."""
    if degrees is None:
        return skipped("nothing measures it on this board")
    if degrees >= HOT_C:
        return failed(
            f"{degrees:g} °C: too hot",
            "Give the processor a heat sink or the hull air holes, and let it cool down.",
            celsius=degrees,
        )
    return passed(f"{degrees:g} °C", celsius=degrees)


async def check_power(_: CheckContext) -> CheckResult:
    """Whether the supply voltage was too low, or the processor was throttled."""
    return await run_in_thread(lambda: power_result(firmware_flags()))


def power_result(flags: int | None) -> CheckResult:
    """`check_power` for the firmware's flags; None where the board has none."""
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
    """The firmware's flags, from the kernel's file or else from `vcgencmd`. Blocks."""
    try:
        return _number(file.read_text("ascii", "replace"))
    except OSError:
        # Kernels without the firmware driver's file still have the program.
        pass
    try:
        told = subprocess.run(
            (program, "get_throttled"),
            capture_output=True,
            text=True,
            timeout=_VCGENCMD_S,
            check=False,
            env=child_environment(),
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
