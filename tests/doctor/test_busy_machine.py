"""The station test on a machine that is too busy to record and play in real time."""

from __future__ import annotations

import pytest

from companion.doctor import checks_sound
from companion.doctor.recording import Recording
from companion.doctor.sound_measures import Echo
from companion.events import EAR_RATE, AudioFrame


@pytest.mark.parametrize(("late_s", "gap", "busy"), [(0.02, 0, False), (0.4, 0, True), (0.02, 500, True)])
def test_what_fails_while_the_machine_is_too_busy_is_not_blamed_on_the_unit(
    late_s: float, gap: int, busy: bool
) -> None:
    recording = Recording()
    half = bytes(EAR_RATE)  # 0.5 s
    recording.add(AudioFrame(half, 1000), 5.0)
    recording.add(AudioFrame(half, 1000 + EAR_RATE // 2 + gap), 5.5 + gap / EAR_RATE + late_s)
    mute = checks_sound.loopback_result([None, None], -15.0, 0.0)
    found = checks_sound.unless_busy(mute, recording)
    assert found.outcome == "fail"
    assert ("this machine is too busy to measure sound" in found.text) == busy
    assert ("Close other programs" in found.advice) == busy
    # What was found is told all the same.
    assert "does not hear the loudspeaker" in found.text
    well = Echo(1600, -30.0, -60.0)
    heard = checks_sound.loopback_result([well, well], -15.0, 0.0)
    assert checks_sound.unless_busy(heard, recording) == heard
