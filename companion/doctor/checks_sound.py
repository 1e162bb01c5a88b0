"""Station test: sound devices, microphone, the loopback from loudspeaker to microphone, the wake word.

The place must be quiet, and nobody may speak while it records. Levels are in dBFS. The echo is the level at which the
chirp comes back minus the level at which it was played: how loudly the unit hears itself.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path

from companion.config.wording import as_sentence
from companion.doctor.check import STOP_DAEMON_ADVICE, UnitUnderTest, run_in_thread
from companion.doctor.recording import Recording, loudspeaker, record, sound_card
from companion.doctor.report import CheckResult, failed, passed
from companion.doctor.sound_measures import MOST_CLIPPED, Echo, chirp, decibels, find_chirp, measure_level
from companion.ears import kept_echo
from companion.ears.echo_guard import Known
from companion.ears.vad import FRAME_SAMPLES
from companion.errors import DeviceError
from companion.events import EAR_RATE, SAMPLE_BYTES
from companion.sound.played import PlayedSound

LISTEN_S = 2.0
LOUDEST_NOISE_DB = -20.0
MOST_OFFSET = 0.1
MOST_LOST = 0.01

QUIET_S = 0.4
GAP_S = 1.0
BACK_WITHIN_S = 0.9
"""Shorter than the gap, so that the search for one chirp never meets the other."""
CLEARLY_HEARD_DB = 6.0
"""By how much the chirp must stand above the noise."""
LONGEST_DELAY_S = 0.4
"""A longer delay means a Bluetooth loudspeaker, with which the unit would interrupt itself."""
STEADY_S = 0.01
TRIES = 3
BUSY_S = 0.15
"""Sound that came later than this was not recorded in real time: what failed then says nothing about the unit."""

DEVICE_NAME_ADVICE = (
    "Check the plugs; set ears.microphone.device and voice.speaker.device to a part of a name that there is, and see "
    "that this user is in the group audio."
)
BUSY_ADVICE = "Close other programs, wait until it is quiet, and test again."
_LOSS_ADVICE = (
    "The card loses or delays sound: use another USB port or cable, end other programs, and restart the sound server."
)


async def check_devices(unit: UnitUnderTest) -> CheckResult:
    """Whether both sound devices can be opened, and at which rates."""
    ears, voice = unit.device.ears.microphone, unit.device.voice.speaker
    channel = int(ears.channel) if ears.channel.isdecimal() else None
    told: list[str] = []
    problems: list[str] = []
    facts: dict[str, int | str] = {}
    async with sound_card(unit) as card:
        opened = {
            "microphone": partial(card.open_input, ears.device, EAR_RATE, 0.032, channel),
            "loudspeaker": partial(
                card.open_output, voice.device, EAR_RATE, voice.latency_ms / 1000, lambda *_: False, lambda _: None
            ),
        }
        for noun, opening in opened.items():
            try:
                stream = await opening()
            except DeviceError as error:
                problems.append(as_sentence(str(error)))
                continue
            told.append(f"{noun} {stream.name}, {stream.rate} Hz, {stream.channels} channel(s)")
            facts |= {noun: stream.name, f"{noun}_hz": stream.rate, f"{noun}_channels": stream.channels}
            await stream.close()
    if problems:
        # A running companion holds both devices, so this is the likelier cause.
        advice = STOP_DAEMON_ADVICE if unit.daemon_runs else DEVICE_NAME_ADVICE
        return failed("\n".join([*problems, *map(as_sentence, told)]), advice, **facts)
    return passed("; ".join(told), **facts)


async def check_microphone(unit: UnitUnderTest) -> CheckResult:
    """Level, clipping and gaps of a two-second recording of what should be a quiet room."""

    async def wait(recording: Recording) -> None:
        while recording.seconds < LISTEN_S:  # noqa: ASYNC110  # a recording has no event to wait for
            await asyncio.sleep(0.05)

    async with sound_card(unit) as card:
        recording = await record(unit, card, wait)
    return microphone_result(recording, unit.device.ears.microphone.gain)


def microphone_result(recording: Recording, gain: float) -> CheckResult:
    """`check_microphone` for a recording of a quiet room."""
    found = measure_level(recording.sound())
    facts: dict[str, float] = {
        "level_dbfs": found.rms_db,
        "peak_dbfs": found.peak_db,
        "clipped_share": round(found.clipped, 5),
        "offset_share": round(found.offset, 4),
        "lost_ms": round(recording.lost * 1000 / EAR_RATE),
        "gain": gain,
    }
    text = f"level {found.rms_db:g} dBFS, peak {found.peak_db:g} dBFS, gain {gain:g}"
    if found.constant:
        return failed(
            "delivers silence, without the noise that every microphone has",
            "Check that it is plugged in and not switched off, that its capture is not muted (alsamixer), and that "
            "ears.microphone.device names the right one.",
            **facts,
        )
    if recording.lost > MOST_LOST * recording.seconds * EAR_RATE:
        return failed(
            f"{recording.lost * 1000 / EAR_RATE:.0f} ms of {recording.seconds:.1f} s of sound were lost",
            "Use another USB port or cable, and end other programs.",
            **facts,
        )
    if found.clipped > MOST_CLIPPED:
        return failed(
            f"{text}: {100 * found.clipped:.1f} % of it is clipped",
            "Turn the card's capture level down (alsamixer), or let --calibrate find the gain; and be quiet.",
            **facts,
        )
    if abs(found.offset) > MOST_OFFSET:
        return failed(f"{text}: it hears a constant voltage", "Exchange the microphone or its card.", **facts)
    if found.rms_db > LOUDEST_NOISE_DB:
        return failed(
            f"{text}: that is loud for a quiet room",
            "Be quiet during the test; where it hums, check the microphone's ground and cable, and its gain.",
            **facts,
        )
    return passed(text, **facts)


async def check_loopback(unit: UnitUnderTest) -> CheckResult:
    """Play two chirps and find them in what the microphone records. Repeated where sound was lost or late."""
    volume = unit.device.voice.speaker.volume
    if not volume:
        return failed("the volume is 0", "Set voice.speaker.volume to more than 0.")
    found = await _chirps(unit, volume)
    for _ in range(TRIES - 1):
        if found.advice not in (_LOSS_ADVICE, BUSY_ADVICE):
            break
        # Lost sound may only mean that the processor was busy for a moment.
        found = await _chirps(unit, volume)
    return found


async def _chirps(unit: UnitUnderTest, volume: float) -> CheckResult:
    sound, played = chirp(), PlayedSound()
    begun: list[float] = []

    async def play(recording: Recording) -> None:
        async with loudspeaker(unit, card, played) as mouth:
            await asyncio.sleep(QUIET_S)
            now = asyncio.get_running_loop().time
            pause = bytes(round(GAP_S * EAR_RATE) * SAMPLE_BYTES)
            begun.append(now())
            await mouth.write(sound.tobytes() + pause + sound.tobytes())
            end = now() + 2 * len(sound) / EAR_RATE + GAP_S + BACK_WITHIN_S
            while recording.position(end) > recording.seconds * EAR_RATE:  # noqa: ASYNC110  # as above
                await asyncio.sleep(0.05)

    async with sound_card(unit) as card:
        recording = await record(unit, card, play)
    start = recording.position(begun[0])
    again = start + len(sound) + round(GAP_S * EAR_RATE)
    reach = len(sound) + round(BACK_WITHIN_S * EAR_RATE)
    noise = recording.sound(max(0, start - round(QUIET_S * EAR_RATE)), start)
    echoes = [find_chirp(recording.sound(at, at + reach), sound, noise) for at in (start, again)]
    played_db = measure_level(sound).rms_db + decibels(volume)
    clipped = measure_level(recording.sound(start, again)).clipped
    found = loopback_result(echoes, played_db, clipped)
    if found.outcome == "pass" and (last := echoes[-1]) is not None:
        # The delay as the ears count it: behind the time at which the card says that the chirp is heard.
        heard_at = played.end() - len(sound) / EAR_RATE
        delay_s = max(0.0, recording.time_of(again + last.at) - heard_at)
        await run_in_thread(partial(_tell_guard, unit.state / kept_echo.FILE, delay_s, last.level_db - played_db))
        found = replace(found, measured={**found.measured, "guard_delay_ms": round(1000 * delay_s)})
    return unless_busy(found, recording)


def _tell_guard(path: Path, delay_s: float, echo_db: float) -> None:
    """Let the echo guard begin with this, unless it has learned more already."""
    if kept_echo.read(path) is None:
        # A station may look at a unit whose folder it cannot write: the guard learns it by itself.
        with contextlib.suppress(OSError):
            kept_echo.write(path, Known.of_delay(FRAME_SAMPLES, delay_s, echo_db))


def unless_busy(found: CheckResult, recording: Recording) -> CheckResult:
    """The result, or a failure that blames the machine where it failed while sound was lost or came late."""
    if found.outcome != "fail" or (recording.late_s <= BUSY_S and not recording.lost):
        return found
    return failed(
        f"this machine is too busy to measure sound, which came up to {1000 * recording.late_s:.0f} ms late "
        f"({found.text})",
        BUSY_ADVICE,
        **found.measured,
    )


def loopback_result(echoes: Sequence[Echo | None], played_db: float, clipped: float) -> CheckResult:
    """`check_loopback` for the chirps that came back. `clipped` is the share of clipped samples in the recording."""
    found = [echo for echo in echoes if echo is not None]
    if not found:
        return failed(
            "the microphone does not hear the loudspeaker",
            "Listen: was there a rising tone? If not, check the loudspeaker's plug, its amplifier and the card's "
            "playback level (alsamixer); if so, the microphone.",
            played_dbfs=played_db,
        )
    echo = max(found, key=lambda one: one.level_db)
    delay_s = echo.at / EAR_RATE
    facts = {
        "played_dbfs": played_db,
        "heard_dbfs": echo.level_db,
        "noise_dbfs": echo.noise_db,
        "delay_ms": round(1000 * delay_s),
        "echo_db": round(echo.level_db - played_db, 1),
    }
    text = f"heard at {echo.level_db:g} dBFS after {1000 * delay_s:.0f} ms, echo {facts['echo_db']:+g} dB"
    if len(found) < len(echoes):
        return failed(f"{text}, but only one of two chirps", _LOSS_ADVICE, **facts)
    if abs(found[0].at - found[-1].at) > STEADY_S * EAR_RATE:
        apart = 1000 * abs(found[0].at - found[-1].at) / EAR_RATE
        return failed(f"{text}, and the delay changed by {apart:.0f} ms", _LOSS_ADVICE, **facts)
    if clipped > MOST_CLIPPED:
        return failed(
            f"{text}: it is clipped",
            "Turn the loudspeaker down (voice.speaker.volume, alsamixer) or the microphone (--calibrate).",
            **facts,
        )
    if echo.level_db - echo.noise_db < CLEARLY_HEARD_DB:
        return failed(
            f"{text}: hardly above the noise of {echo.noise_db:g} dBFS",
            "Be quiet during the test; turn the loudspeaker up, and see that nothing covers it or the microphone.",
            **facts,
        )
    if delay_s > LONGEST_DELAY_S:
        return failed(
            f"{text}: that is too late to tell its own voice from a person's",
            "Do not use a Bluetooth loudspeaker or microphone; use one on a wire.",
            **facts,
        )
    return passed(text, **facts)
