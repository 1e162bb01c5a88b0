"""What is checked, in which order, and how long each check may take."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from functools import partial

from companion.doctor import checks_board, checks_body, checks_files, checks_service, checks_sound
from companion.doctor.calibration import calibrate
from companion.doctor.examination import Check
from companion.doctor.report import Finding, skipped
from companion.doctor.station import PATIENCE_S, STOP_IT, Station, Surroundings
from companion.doctor.station_body import motion

NAMES = (
    *("settings", "models", "engines", "disk", "memory", "clock", "temperature", "power", "daemon", "sound"),
    *("microphone", "loop", "wake_word", "pins", "serial", "lights", "motions", "contacts", "character"),
)
"""Every check, in order. `calibration` comes behind `sound` where it is asked for."""

_BOARD = "Switch the unit off and on again; where that does not help, exchange the board or its card."
_SOUND = f"{checks_sound.NAME_IT} Restart the sound server, or the unit."
_CABLE = "Check the cable and the microcontroller's power, and body.serial.port in the device file."
_SLACK_S = 4.0
_OPENS_S = 10.0


def first_checks(around: Surroundings, station: Station | None) -> list[Check]:
    """Those up to `sound`. Without a station (its files are wrong) those that need one say so."""
    simple = {
        "models": (checks_files.models, checks_files.PULL, 15.0),
        "disk": (checks_board.disk, _BOARD, 5.0),
        "memory": (checks_board.memory, _BOARD, 2.0),
        "clock": (checks_board.clock, _BOARD, 2.0),
        "temperature": (checks_board.temperature, _BOARD, 2.0),
        "power": (checks_board.power, _BOARD, 4.0),
        "daemon": (checks_service.daemon, STOP_IT, 4.0),
    }
    checks = [Check(name, partial(run, around), advice, limit) for name, (run, advice, limit) in simple.items()]
    checks.insert(1, _of("engines", station, checks_files.engines, checks_files.INSTALL, 20.0))
    return [*checks, _of("sound", station, checks_sound.devices, _SOUND, 12.0)]


def calibration(station: Station) -> Check:
    """Between the two."""
    return _of("calibration", station, calibrate, _SOUND, 15.0, needs=("sound",))


def last_checks(station: Station | None) -> list[Check]:
    """Those behind `sound`."""
    return [
        _of("microphone", station, checks_sound.microphone, _SOUND, 8.0, needs=("sound",)),
        _of("loop", station, checks_sound.loop, _SOUND, 15.0, needs=("sound", "microphone")),
        _of("wake_word", station, checks_sound.wake_word, _SOUND, 15.0, needs=("sound", "microphone", "loop")),
        _of("pins", station, checks_body.pins, _BOARD, 4.0),
        _of("serial", station, checks_body.serial, _CABLE, 8.0),
        _of("lights", station, checks_body.lights, _CABLE, _shown_s(station, ("light",)), asks=True),
        _of("motions", station, checks_body.motions, _CABLE, _shown_s(station, ("servo", "mouth", "motor")), asks=True),
        _of("contacts", station, checks_body.contacts, _CABLE, _contacts_s(station), asks=True),
        _of("character", station, checks_service.character, checks_service.NETWORK, 11.0),
    ]


def _of(
    name: str,
    station: Station | None,
    run: Callable[[Station], Awaitable[Finding]],
    advice: str,
    limit_s: float,
    needs: tuple[str, ...] = (),
    *,
    asks: bool = False,
) -> Check:
    if station is None:
        return Check(name, _without_settings, advice)
    return Check(name, partial(run, station), advice, limit_s, needs, asks=asks and station.person is not None)


async def _without_settings() -> Finding:
    return skipped("not tried, because settings failed")


def _shown_s(station: Station | None, kinds: tuple[str, ...]) -> float:
    """What showing every channel of these kinds takes, at most."""
    if station is None:
        return _SLACK_S
    channels = {name: one for name, one in station.device.body.channels.items() if one.kind in kinds}
    shown = sum(sum(seconds for _, seconds in motion(name, one, station.pace)) + 1 for name, one in channels.items())
    if station.person is None:
        return _OPENS_S + 1.5 * shown
    return _OPENS_S + checks_body.MOST_REPEATS * (1.5 * shown + PATIENCE_S * len(channels))


def _contacts_s(station: Station | None) -> float:
    if station is None or station.person is None:
        return _SLACK_S
    gpio = station.device.body.gpio
    count = 1 + (len(gpio.switches()) if gpio is not None else 0)
    return _OPENS_S + PATIENCE_S + checks_body.WATCH_S + count * checks_body.PRESS_WITHIN_S
