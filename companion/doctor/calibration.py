"""Calibration of the microphone's gain from ordinary speech; the result is kept in the unit's calibration file.

The speech is recorded at a gain of 1. Only frames that the unit's own speech detector takes for speech are used.
"""

from __future__ import annotations

import asyncio
from functools import partial
from pathlib import Path

import numpy as np

from companion import plugins
from companion.config.unit import LEAST_GAIN, MOST_GAIN, write_calibration
from companion.doctor.check import UnitUnderTest, run_in_thread
from companion.doctor.recording import Recording, record, sound_card
from companion.doctor.report import CheckResult, failed, passed
from companion.doctor.sound_measures import (
    FULL_SCALE,
    MOST_CLIPPED,
    SPEECH_PEAK_DB,
    Samples,
    decibels,
    measure_level,
    speech_gain,
)
from companion.events import EAR_RATE
from companion.ports import SpeechDetector

LISTEN_S = 6.0
LEAST_SPEECH_S = 1.0
_VOICED = 0.6


async def calibrate_microphone(unit: UnitUnderTest) -> CheckResult:
    """Record ordinary speech at a gain of 1, and store the gain at which it peaks at -12 dBFS."""
    endpoint = unit.device.ears.endpoint
    detector: SpeechDetector = await run_in_thread(
        partial(plugins.build_engine, "speech_detectors", endpoint.engine, unit.device, unit.persona)
    )
    if unit.operator is not None:
        unit.operator.tell(
            f"Speak now, for {LISTEN_S:.0f} seconds, as loud and as far away as the unit is usually spoken to."
        )

    async def wait(recording: Recording) -> None:
        while recording.seconds < LISTEN_S:  # noqa: ASYNC110  # a recording has no event to wait for
            await asyncio.sleep(0.05)

    async with sound_card(unit) as card:
        recording = await record(unit, card, wait, gain=1.0)
    return calibration_result(recording.sound(), detector, unit.state)


def calibration_result(sound: Samples, detector: SpeechDetector, state: Path) -> CheckResult:
    """Compute the gain from a recording at a gain of 1, and write it to the state folder. Raises `DeviceError`."""
    speech = voiced_frames(sound, detector)
    peaks = np.abs(speech.astype(np.int32)).max(axis=1) if len(speech) else speech.reshape(0)
    speech_s = speech.size / EAR_RATE
    gain = speech_gain(peaks)
    if gain is None or speech_s < LEAST_SPEECH_S:
        return failed(
            f"only {speech_s:.1f} s of speech were heard, and nothing was written",
            f"Speak for the whole {LISTEN_S:.0f} s; where you did, see what the check `microphone` says.",
            speech_s=round(speech_s, 1),
        )
    peak_db = decibels(float(np.percentile(peaks, 95)) / FULL_SCALE)
    facts = {"speech_s": round(speech_s, 1), "speech_peak_dbfs": peak_db, "gain": gain}
    if measure_level(sound).clipped > MOST_CLIPPED:
        return failed(
            "the card itself clips this speech, which no gain can undo, and nothing was written",
            "Turn the card's capture level down (alsamixer) and calibrate again.",
            **facts,
        )
    if not LEAST_GAIN <= gain <= MOST_GAIN:
        return failed(
            f"speech peaks at {peak_db:g} dBFS, which would need a gain of {gain:g}, and nothing was written",
            f"Turn the card's capture level {'up' if gain > MOST_GAIN else 'down'} (alsamixer) and calibrate again.",
            **facts,
        )
    path = write_calibration(state, gain)
    return passed(
        f"speech peaks at {peak_db:g} dBFS; with a gain of {gain:g} at {SPEECH_PEAK_DB:g} dBFS. Written to {path}",
        **facts,
    )


def voiced_frames(sound: Samples, detector: SpeechDetector) -> Samples:
    """The frames of a recording that contain speech. Shape: (frames, samples per frame)."""
    size = detector.frame_samples
    frames: Samples = sound[: len(sound) // size * size].reshape(-1, size)
    detector.reset()
    voiced: Samples = frames[[detector.probability(frame.tobytes()) >= _VOICED for frame in frames]]
    return voiced
