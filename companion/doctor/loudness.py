"""How loud the loudspeaker is: a tone for a sound level meter, and keeping what that shows.

The tone is a sine of 1 kHz, 20 dB below full scale, at full volume; the meter stands 0.5 m away and shows dB(A), fast.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np

from companion.config.unit import LEAST_DB, MOST_DB, write_calibration
from companion.doctor.check import UnitUnderTest
from companion.doctor.recording import loudspeaker, sound_card
from companion.errors import DeviceError
from companion.sound.pcm import fade

TONE_S = 20.0
TONE_DB = -20.0
"""The tone's level below a sine at full scale: at full scale many a small amplifier distorts."""


def tone(rate: int, seconds: float = 1.0) -> bytes:
    """16-bit mono PCM; pieces of whole seconds follow each other without a seam."""
    amplitude = 32767 * 10 ** (TONE_DB / 20)
    samples = amplitude * np.sin(2 * np.pi * 1000 * np.arange(round(seconds * rate)) / rate)
    return np.rint(samples).astype("<i2").tobytes()


async def play_tone(unit: UnitUnderTest) -> None:
    """Play it for twenty seconds. Raises `DeviceError`."""
    async with sound_card(unit) as card, loudspeaker(unit, card) as mouth:
        mouth.volume = 1.0
        # It is what a limit is measured by.
        mouth.limit(None)
        second = tone(mouth.rate)
        await mouth.write(fade(second, 0.0, 1.0))
        for _ in range(round(TONE_S) - 2):
            await mouth.write(second)
        await mouth.write(fade(second, 1.0, 0.0))
        await mouth.drain()


def keep_loudness(state: Path, measured_db: float) -> Path:
    """Keep what the meter showed; returns the file. Raises `DeviceError`."""
    full = measured_db - TONE_DB
    if not LEAST_DB <= full <= MOST_DB:
        raise DeviceError(
            f"{measured_db:g} dB(A) is no reading of this tone at 0.5 m: play it with `companion doctor --tone`, and "
            "write what the meter shows, such as 76.5."
        )
    return write_calibration(state, loudness_db=round(full, 1))
