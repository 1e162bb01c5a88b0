"""The test plan: which checks there are, in which order they run, and how long each may take."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from functools import partial

from companion.doctor import checks_board, checks_body, checks_engines, checks_service, checks_sound, checks_wake
from companion.doctor.body_outputs import motion_sequence
from companion.doctor.calibration import calibrate_microphone
from companion.doctor.check import PATIENCE_S, STOP_DAEMON_ADVICE, Check, CheckContext, UnitUnderTest
from companion.doctor.report import CheckResult, skipped

NAMES = (
    *("settings", "models", "engines", "disk", "memory", "clock", "temperature", "power", "daemon", "sound"),
    *("microphone", "loop", "wake_word", "pins", "serial", "lights", "motions", "contacts", "character"),
)
"""Every check, in order. `calibration` follows `sound` where `--calibrate` is given."""

_BOARD_ADVICE = "Switch the unit off and on again; where that does not help, exchange the board or its card."
_SOUND_ADVICE = f"{checks_sound.DEVICE_NAME_ADVICE} Restart the sound server, or the unit."
_CABLE_ADVICE = "Check the cable and the microcontroller's power, and body.serial.port in the device file."
_WAKE_NEEDS = ("sound", "microphone", "loop")
_SLACK_S = 4.0
_OPENS_S = 10.0


def first_checks(context: CheckContext, unit: UnitUnderTest | None) -> list[Check]:
    """The checks up to `sound`. Without a unit (its files are wrong), those that need one are skipped."""
    simple = {
        "models": (checks_engines.check_models, checks_engines.PULL_ADVICE, 15.0),
        "disk": (checks_board.check_disk, _BOARD_ADVICE, 5.0),
        "memory": (checks_board.check_memory, _BOARD_ADVICE, 2.0),
        "clock": (checks_board.check_clock, _BOARD_ADVICE, 2.0),
        "temperature": (checks_board.check_temperature, _BOARD_ADVICE, 2.0),
        "power": (checks_board.check_power, _BOARD_ADVICE, 4.0),
        "daemon": (checks_service.check_daemon, STOP_DAEMON_ADVICE, 4.0),
    }
    checks = [Check(name, partial(run, context), advice, limit) for name, (run, advice, limit) in simple.items()]
    checks.insert(1, _check("engines", unit, checks_engines.check_engines, checks_engines.INSTALL_ADVICE, 20.0))
    return [*checks, _check("sound", unit, checks_sound.check_devices, _SOUND_ADVICE, 12.0)]


def calibration(unit: UnitUnderTest) -> Check:
    """The calibration of the microphone, which runs between the first and the last checks."""
    return _check("calibration", unit, calibrate_microphone, _SOUND_ADVICE, 15.0, needs=("sound",))


def last_checks(unit: UnitUnderTest | None) -> list[Check]:
    """The checks after `sound`."""
    return [
        _check("microphone", unit, checks_sound.check_microphone, _SOUND_ADVICE, 8.0, needs=("sound",)),
        _check("loop", unit, checks_sound.check_loopback, _SOUND_ADVICE, 25.0, needs=("sound", "microphone")),
        _check("wake_word", unit, checks_wake.check_wake_word, _SOUND_ADVICE, _words_s(unit), needs=_WAKE_NEEDS),
        _check("pins", unit, checks_body.check_pins, _BOARD_ADVICE, 4.0),
        _check("serial", unit, checks_body.check_serial, _CABLE_ADVICE, 8.0),
        _check("lights", unit, checks_body.check_lights, _CABLE_ADVICE, _shown_s(unit, ("light",)), asks=True),
        _check(
            "motions",
            unit,
            checks_body.check_motions,
            _CABLE_ADVICE,
            _shown_s(unit, ("servo", "mouth", "motor")),
            asks=True,
        ),
        _check("contacts", unit, checks_body.check_contacts, _CABLE_ADVICE, _contacts_s(unit), asks=True),
        _check("character", unit, checks_service.check_character, checks_service.NETWORK_ADVICE, 11.0),
    ]


def _check(
    name: str,
    unit: UnitUnderTest | None,
    run: Callable[[UnitUnderTest], Awaitable[CheckResult]],
    advice: str,
    limit_s: float,
    needs: tuple[str, ...] = (),
    *,
    asks: bool = False,
) -> Check:
    if unit is None:
        return Check(name, _without_settings, advice)
    return Check(name, partial(run, unit), advice, limit_s, needs, asks=asks and unit.operator is not None)


async def _without_settings() -> CheckResult:
    return skipped("not tried, because settings failed")


def _words_s(unit: UnitUnderTest | None) -> float:
    """Time limit for playing every wake word."""
    return 25.0 * (1 if unit is None else len(unit.device.ears.wake.listed))


def _shown_s(unit: UnitUnderTest | None, kinds: tuple[str, ...]) -> float:
    """Time limit for demonstrating every channel of these kinds."""
    if unit is None:
        return _SLACK_S
    channels = {name: one for name, one in unit.device.body.channels.items() if one.kind in kinds}
    shown = sum(
        sum(seconds for _, seconds in motion_sequence(name, one, unit.pace)) + 1 for name, one in channels.items()
    )
    if unit.operator is None:
        return _OPENS_S + 1.5 * shown
    return _OPENS_S + checks_body.MOST_REPEATS * (1.5 * shown + PATIENCE_S * len(channels))


def _contacts_s(unit: UnitUnderTest | None) -> float:
    if unit is None or unit.operator is None:
        return _SLACK_S
    gpio = unit.device.body.gpio
    count = 1 + (len(gpio.switches()) if gpio is not None else 0)
    return _OPENS_S + PATIENCE_S + checks_body.WATCH_S + count * checks_body.PRESS_WITHIN_S
